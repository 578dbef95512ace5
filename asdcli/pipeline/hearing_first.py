"""Recordings are listened to before they join: what cannot be used, copies, and what sounds like another machine."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import artifacts
from asdcli.blas import single_threaded
from asdcli.detector import Detector, Verdict
from asdcli.errors import BadData
from asdcli.features.kinds import FEATURES
from asdcli.filenames import stem
from asdcli.layouts import LeftOut
from asdcli.layouts.links import shown
from asdcli.metrics.decisions import decide
from asdcli.metrics.threshold_rules import FEW
from asdcli.pipeline.detectors import detector_of
from asdcli.pipeline.newcomers import FAULT, Newcomer, Newcomers
from asdcli.pipeline.plainly import Plainly
from asdcli.pipeline.steps.check import limits_of, scored_by
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import Progress
from asdcli.views.calibration import calibrations
from asdcli.views.clips import ClipRow
from asdcli.views.hearing import Fault, Heard, hear
from asdcli.views.kept import KeptClips
from asdcli.views.known_faults import KnownFaults
from asdcli.views.reading import Reading
from asdcli.views.scores import Scored
from asdcli.vocabulary import Condition
from asdcli.wording import counted, listed

_THREADS = 8
_FEWEST = 3  # recordings of which it is said that they sound like no machine of the run
_STRANGE = 0.9  # share of them beyond all that was learned


def left_by_sound(space: Workspace, found: Newcomers, *, force: bool, device: str, progress: Progress) -> list[LeftOut]:
    """Those that cannot join: unusable files, and copies of what is there or of each other.

    What is suspicious by what was learned joins, and is told of.

    Raises:
        BadData: nearly all recordings of a machine lie beyond all that was learned of it, and no `force`.
    """
    if not found.found:
        return []
    limits, spelling = limits_of(space, None)
    detector = detector_of(space, spelling, device=device, progress=progress)
    scored = scored_by(space, limits, spelling)
    faults = KnownFaults.read(space.clips, space.embeddings, scored, space.window_scores(spelling), limits)
    detector = replace(detector, faults=faults)
    table, _ = artifacts.read_table(space.clips, artifacts.CLIPS)
    called = {row["clip_id"] for row in table.to_pylist() if row["condition"] == Condition.ANOMALY}
    left: list[LeftOut] = []
    for machine in sorted({one.machine for one in found.found}):
        own = [one for one in found.found if one.machine == machine]
        pack = space.features / stem(detector.kind) / f"{machine}.npz"
        read_as = artifacts.read_header(pack, artifacts.FEATURES).params
        reading = Reading.of(read_as)
        heard = _hear(own, reading, Plainly(progress))
        left += [LeftOut(one.row.path, one.error.reason, is_loss=True) for one in heard if isinstance(one, Fault)]
        usable = [one for one in heard if isinstance(one, Heard)]
        copies = _copies(usable, KeptClips.of(pack, read_as), called)
        left += copies
        usable = [one for one in usable if one.row.path not in {copy.path for copy in copies}]
        if usable:
            verdict = _verdict(machine, usable, reading, detector)
            left += _like_faults(usable, verdict, force=force)
            _require_like(machine, usable, verdict, scored, force=force, progress=progress)
    return left


def _hear(own: list[Newcomer], reading: Reading, progress: Progress) -> list[Heard | Fault]:
    rows = [ClipRow(one.clip_id, str(one.file), one.info.duration_s) for one in own]
    with single_threaded(), ThreadPoolExecutor(_THREADS) as pool:
        return list(hear(rows, Path(), reading, pool, progress, "listen"))


def _copies(usable: list[Heard], kept: KeptClips | None, faults: Collection[str]) -> list[LeftOut]:
    """Those that sound to the last bit like one that is there, or like one that stands before them."""
    known = {kept.checksum(name): name for name in kept.made} if kept else {}
    left = []
    for one in usable:
        other = known.get(one.checksum)
        if other is not None and other != one.row.clip_id and not one.odd.flat:
            why = f"the same sound as {shown(other)}, which is there already"
            left.append(LeftOut(one.row.path, f"{why}: {FAULT}" if other in faults else why, is_loss=True))
        known.setdefault(one.checksum, one.row.clip_id)
    return left


def _verdict(machine: str, usable: list[Heard], reading: Reading, detector: Detector) -> Verdict:
    kind: Any = FEATURES.build(reading.features)
    made = [(one.row.clip_id, channel) for one in usable for channel in one.made]
    return detector.score_pack(kind.pack(made, reading.sample_rate, 0), machine, nearest=True)


def _like_faults(usable: list[Heard], verdict: Verdict, *, force: bool) -> list[LeftOut]:
    """Those that are nearer to what an operator called a fault than to any normal one."""
    if verdict.faults is None or force:
        return []
    return [
        LeftOut(one.row.path, f"it sounds like the fault of {fault}; --force lets it join", is_loss=True)
        for one, fault in zip(usable, verdict.faults, strict=True)
        if fault is not None
    ]


def _require_like(
    machine: str, usable: list[Heard], verdict: Verdict, scored: Scored, *, force: bool, progress: Progress
) -> None:
    """Tell of those that are suspicious. Raises BadData where nearly all lie beyond what was learned."""
    (normal,) = [own.scores for name, own in calibrations(scored) if name == machine] or [np.array([np.inf])]
    strange = (verdict.scores > normal.max()).mean() >= _STRANGE
    if strange and len(usable) >= _FEWEST and len(normal) >= FEW and not force:
        raise BadData(
            f"nearly all of {counted(len(usable), 'recording')} lie beyond everything that was learned of {machine}: "
            "this does not sound like that machine",
            "nothing was changed; if it is that machine, and this is normal for it from now on: --force",
        )
    if verdict.threshold is None:
        return
    above = decide(verdict.scores, verdict.threshold)
    order = sorted(np.flatnonzero(above), key=lambda i: -verdict.scores[i])
    names = [usable[i].row.path for i in order]
    if names:
        progress.warn(
            f"{machine}: {counted(len(names), 'recording')} of {len(usable)} would be suspicious: {listed(names)}; "
            "listen whether all was well there, because what joins is what normal sounds like from now on "
            "(asd reference remove takes it out again)"
        )
