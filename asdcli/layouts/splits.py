"""Which recordings train and which test, where the layout does not say."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from asdcli.layouts.recording import LeftOut, Recording
from asdcli.vocabulary import Condition, Split


def assign_splits(
    recordings: Iterable[Recording], *, test_fraction: float, seed: int
) -> tuple[list[Recording], list[LeftOut], dict[str, int]]:
    """Give every recording a split, machine type by machine type.

    A split that is said stays, and of the rest all anomalies test. What then remains

    * tests where other clips are said to train, and trains where other clips are said to test;
    * trains where there is no anomaly: a test could tell nothing;
    * else is divided: `test_fraction` of the normal clips of each section and domain tests, and all without label.

    Training clips are normal by the rules of the field: one without label is taken as normal, one that is labelled as
    an anomaly is left out.

    Args:
        recordings: with what folders or a manifest say of each.
        test_fraction: in (0, 1). At least one normal clip tests where that leaves one to train with.
        seed: chooses the clips held out, by a digest of their paths, so that adding clips moves few others.

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
        for recording, split in zip(own, _splits(own, chosen), strict=True):
            if split == Split.TRAIN and recording.condition == Condition.ANOMALY:
                left.append(LeftOut(recording.path, "an anomaly among training clips, which are normal by definition"))
                continue
            condition = recording.condition or (Condition.NORMAL if split == Split.TRAIN else None)
            kept.append(dataclasses.replace(recording, split=split, condition=condition))
    return sorted(kept, key=lambda r: r.path), left, held_out


def _splits(own: Sequence[Recording], chosen: set[str]) -> list[Split]:
    said = {r.split for r in own}
    anomalies = any(r.condition == Condition.ANOMALY for r in own)

    def split(recording: Recording) -> Split:
        if recording.split:
            return recording.split
        if recording.condition == Condition.ANOMALY or Split.TRAIN in said or recording.path in chosen:
            return Split.TEST
        if Split.TEST in said or not anomalies or recording.condition == Condition.NORMAL:
            return Split.TRAIN
        return Split.TEST  # without label, where some are known to be anomalous

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
