"""Which recordings train and which test, where the layout does not say."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from asdcli.layouts.recording import LeftOut, Recording
from asdcli.vocabulary import Condition, ConditionFrom, Split


def assign_splits(
    recordings: Iterable[Recording], *, test_fraction: float, seed: int, unlabelled: Split | None = None
) -> tuple[list[Recording], list[LeftOut], dict[str, int]]:
    """Give every recording a split, machine type by machine type.

    A split that is said stays, and of the rest all anomalies test. What then remains

    * tests if its condition is unknown: what is not known to be normal never trains. Only where nothing of its machine
      type is labelled, nor said to train, all are taken as normal and train (`ASSUMED`); `unlabelled` says otherwise;
    * tests where other clips are said to train, and trains where other clips are said to test;
    * trains where there is no anomaly: a test could tell nothing;
    * else is divided: `test_fraction` of the normal clips of each section and domain tests.

    Training clips are normal by the rules of the field: one that is said to train is labelled so, unless it was said
    that nothing is known of it; one that is labelled as an anomaly is left out.

    Args:
        recordings: with what folders or a manifest say of each.
        test_fraction: in (0, 1). At least one normal clip tests where that leaves one to train with.
        seed: chooses the clips held out, by a digest of their paths, so that adding clips moves few others.
        unlabelled: the split of clips without condition and split, train or test.

    Returns:
        The recordings by path, those left out, and how many normal clips of each machine type were held out.
    """
    by_machine: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings:
        by_machine[recording.machine_type or ""].append(recording)
    kept: list[Recording] = []
    left: list[LeftOut] = []
    held_out: dict[str, int] = {}
    for machine_type, own in by_machine.items():
        chosen = _choose(own, test_fraction, seed)
        if chosen:
            held_out[machine_type] = len(chosen)
        for recording, split in zip(own, _splits(own, chosen, unlabelled), strict=True):
            if split == Split.TRAIN and recording.condition == Condition.ANOMALY:
                left.append(LeftOut(recording.path, "an anomaly among training clips, which are normal by definition"))
                continue
            condition, by = recording.condition, recording.condition_from
            if split == Split.TRAIN and condition is None and by is None:
                condition, taken = Condition.NORMAL, ConditionFrom.OPTION if unlabelled else ConditionFrom.ASSUMED
                by = ConditionFrom.SPLIT if recording.split else taken
            kept.append(dataclasses.replace(recording, split=split, condition=condition, condition_from=by))
    return sorted(kept, key=lambda r: r.path), left, held_out


def _splits(own: Sequence[Recording], chosen: set[str], unlabelled: Split | None) -> list[Split]:
    is_labelled = any(r.condition or r.split == Split.TRAIN for r in own)
    train_is_said = any(r.split == Split.TRAIN for r in own)

    def split(recording: Recording) -> Split:
        if recording.split:
            return recording.split
        if recording.condition is None:
            return unlabelled or (Split.TEST if is_labelled else Split.TRAIN)
        if recording.condition == Condition.ANOMALY or train_is_said or recording.path in chosen:
            return Split.TEST
        return Split.TRAIN

    return [split(r) for r in own]


def _choose(own: Sequence[Recording], fraction: float, seed: int) -> set[str]:
    """Paths of the normal clips to hold out: none where the layout splits, or where there is no anomaly to find."""
    if {Split.TRAIN, Split.TEST} & {r.split for r in own} or all(r.condition != Condition.ANOMALY for r in own):
        return set()
    groups: dict[tuple[object, object], list[str]] = defaultdict(list)
    for r in own:
        if r.split is None and r.condition == Condition.NORMAL:
            groups[r.section, r.domain].append(r.path)
    chosen: set[str] = set()
    for paths in groups.values():
        n = min(max(1, round(fraction * len(paths))), len(paths) - 1)
        chosen |= set(sorted(paths, key=lambda path: _digest(path, seed))[:n])
    return chosen


def _digest(path: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}|{path}".encode(), digest_size=8).digest()
