"""check: recordings against what a run has learned: which machine each is of, and which of them are suspicious."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from asdcli import __version__, artifacts
from asdcli.audio import channel_index
from asdcli.clips import SUFFIXES, without_suffix
from asdcli.detector import Detector
from asdcli.errors import ArtifactError, BadArtifact, BadData, MissingArtifact, UsageError, unknown_name
from asdcli.layouts import find_audio, machine_of
from asdcli.layouts.links import links, path_through, shown
from asdcli.layouts.times import when
from asdcli.pipeline import answers_kept, keeping
from asdcli.pipeline.answers import answered
from asdcli.pipeline.detectors import detector_of, refuse_fused
from asdcli.pipeline.keeping import By
from asdcli.pipeline.learning import settled
from asdcli.pipeline.steps.score import spellings
from asdcli.pipeline.windows import windows
from asdcli.pipeline.workspace import Workspace
from asdcli.plots import format_of
from asdcli.progress import SILENT, Progress
from asdcli.spec import parse
from asdcli.stages import check
from asdcli.stages.check import Checks, ToCheck
from asdcli.stages.check_why import Whys
from asdcli.stages.threshold import rows as thresholds_of
from asdcli.views.known_faults import KnownFaults
from asdcli.views.long_normals import long_normals
from asdcli.views.scores import Scored, read_scores
from asdcli.views.stretches import parts_of
from asdcli.views.thresholds import Thresholds
from asdcli.wording import counted, listed

__all__ = ["Checks", "run", "write"]

write = check.write

WHYS = 5
"""Suspicious recordings of which it is told why unasked: a tenth of a second to a third each."""
LEARN = "learn what is normal first: asd learn DIR"


@settled
@answered
def run(
    space: Workspace,
    places: Sequence[Path],
    *,
    machine: str | None = None,
    method: str | None = None,
    channel: str | None = None,
    resample: bool = False,
    window_s: float | None = None,
    hop_s: float | None = None,
    shortest_s: float = 0.0,
    start: str | None = None,
    keep: bool = True,
    plot: Path | None = None,
    force: bool = False,
    whys: int | None = WHYS,
    device: str = "auto",
    progress: Progress = SILENT,
) -> Checks:
    """Check recordings; nothing of what was learned is changed, and the check is kept in the run's history.

    Args:
        space: the run.
        places: files, and folders that hold them.
        machine: of all recordings; by default the run's only one, or the one that a folder above them is called.
        method: whose thresholds decide; by default the only one that has any.
        channel: of recordings with several; by default as learned.
        resample: convert other sample rates although none was met in learning.
        window_s: cut all recordings that are longer into windows of so many seconds; by default as learned.
        hop_s: from one window to the next.
        shortest_s: shorter events of long recordings are none.
        start: when the first recording was begun, where names do not tell.
        keep: keep the check in the history.
        whys: tell of so many of the most suspicious why they are; None: of all.
        plot: a picture of the long recordings goes there, in the format of its suffix.
        force: overwrite a picture that asd did not write.
        device: where a network runs.
        progress: is told how far it is, of recordings that say nothing, and of a history that could not be kept.

    Raises:
        MissingArtifact: nothing was learned. BadData: there is no recording.
        UsageError: an unknown machine or method, a start that is no point of time, or recordings that may be of several
            machines.
    """
    begun = None if start is None else when(start)
    kind = format_of(plot, None) if plot else None
    if plot:
        check.may_draw(plot, force=force)
    limits, spelling = limits_of(space, method)
    known = sorted(machine for of, machine in limits.values if of == spelling)
    recordings = _recordings(space, places, machine, known, progress)
    machines = sorted({one.machine for one in recordings})
    told = f"against what {space.run} has learned of {listed(machines)} ({spelling})"
    progress.note(f"{counted(len(recordings), 'recording')} {told}")
    detector: Detector = detector_of(space, spelling, device=device, progress=progress)
    scored = scored_by(space, limits, spelling)
    faults = KnownFaults.read(space.clips, space.embeddings, scored, space.window_scores(spelling), limits)
    detector = replace(detector, faults=faults) if faults else detector
    asked = changes(channel, resample) | windows(window_s, hop_s)
    by_time = {row["machine_type"] for row in thresholds_of(space.thresholds) if _is_of_time(row, spelling)}
    normals = long_normals(scored, space.window_scores(spelling), by_time)
    promised = {m: promise.share for m in machines if (promise := limits.promises.get((spelling, m)))}
    levels = check.levels_of(space.features, detector.kind, machines)
    if unknown := [m for m in machines if levels.get(m) is None]:
        progress.warn(
            f"how loud the learned recordings of {listed(unknown)} are is not known, so a microphone turned down "
            "may look like a fault: features that are made again say it (asd extract-features --force)"
        )
    files = (space.clips, space.features, space.embeddings)
    told_of = Whys(whys, *files, detector, scored, progress) if whys != 0 else None
    checks = check.run(
        recordings,
        detector,
        scored,
        promised,
        levels,
        normals,
        shortest_s=shortest_s,
        changes=asked,
        whys=told_of,
        progress=progress,
    )
    rows = tuple(replace(row, nearest=row.nearest and shown(row.nearest)) for row in checks.rows)
    if keep:
        by = By(detector.learnt.header.content, spelling)
        keeping.keep(space.history, recordings, rows, by, start=begun, progress=progress)
    kept = [str(one) for one in answers_kept.told(space, spelling) if one.machine in machines]
    found = replace(checks, rows=rows, said=(*checks.said, *kept), recordings=tuple(recordings), changes=asked)
    if plot and kind:
        signature = f"{space.dataset}|method:{spelling}|made:{detector.learnt.header.content[:6]}|asd:{__version__}"
        drawn = check.picture(found, plot, kind, signature=signature, force=force, progress=progress)
        found = replace(found, plot=plot if drawn else None)
    return found


def changes(channel: str | None, resample: bool) -> dict[str, Any]:
    """To how recordings are read, by these options of `run`."""
    return {**({"channel": channel_index(channel)} if channel else {}), **({"resample": True} if resample else {})}


def method_of(space: Workspace, method: str | None) -> str:
    """The spelling of the method whose thresholds decide. Errors as `run`."""
    return limits_of(space, method)[1]


def _is_of_time(row: Mapping[str, Any], spelling: str) -> bool:
    """Whether false alarms were promised of a day or month, not of recordings."""
    return row["method"] == spelling and parse(row["asked"] or row["rule"])[0] == "false-alarms"


def limits_of(space: Workspace, method: str | None) -> tuple[Thresholds, str]:
    """The run's thresholds, and the method that is to decide."""
    try:
        limits = Thresholds.read(space.thresholds)
    except MissingArtifact:
        raise MissingArtifact(f"{space.run} has no thresholds: nothing was learned there", LEARN) from None
    there = sorted({of for of, _ in limits.values})
    if method is None:
        if len(there) > 1:
            raise UsageError(f"several methods have thresholds: {', '.join(there)}", "say which: --method")
        return limits, there[0]
    refuse_fused(method)
    of_vectors, of_residuals = spellings([method])
    spelling = next(iter([*of_vectors, *of_residuals]))
    if spelling not in there:
        raise unknown_name("method with thresholds", spelling, there)
    return limits, spelling


def scored_by(space: Workspace, limits: Thresholds, spelling: str) -> Scored:
    """The scores by a method that thresholds of the run stand on. Raises BadArtifact where they stand on others."""
    (scored,) = read_scores([space.scores(spelling)])
    if not limits.fitted_on(scored):
        raise BadArtifact(f"{space.thresholds} is of other scores than {scored.path}", "set it again: asd threshold")
    return scored


def _recordings(
    space: Workspace, places: Sequence[Path], machine: str | None, known: Sequence[str], progress: Progress
) -> list[ToCheck]:
    if machine is not None and machine not in known:
        raise unknown_name("machine of this run", machine, known)
    files: dict[Path, str] = {}
    for place in places:
        files |= files_at(place, len(places) > 1, progress)
    if not files:
        raise BadData(
            f"there is no recording in {listed([str(place) for place in places])}",
            "name wav or flac files, or folders that hold some",
        )
    learned = _learned(space)
    cut = _cut_in_learning(space)
    taken: set[str] = set()
    found = []
    for path, name in files.items():
        clip_id = learned(path)
        clip_id = f"./{path}" if clip_id is None or clip_id in taken else clip_id  # learned ones never begin so
        taken.add(clip_id)
        if str(path.resolve()) in cut:
            progress.warn(
                f"{name} was learned, in stretches, and is compared with itself: that says nothing of it; what each is "
                "like without itself: asd reference list"
            )
        found.append(ToCheck(path, name, machine or machine_for(path, known), clip_id))
    return found


def files_at(place: Path, several: bool, progress: Progress) -> dict[Path, str]:
    """The files of a place -> what they are called."""
    if place.is_dir():
        paths, left = find_audio(place)
        for one in left:
            if one.is_loss:
                progress.left_out(f"left out {place / one.path} ({one.reason})")
        return {place / path: str(place / path) if several else path for path in paths}
    if not place.exists():
        raise BadData(f"{place} does not exist", "name recordings, or the folder that holds them")
    if not place.name.lower().endswith(SUFFIXES):
        progress.left_out(f"left out {place} (no audio)")
        return {}
    return {place: str(place)}


def machine_for(path: Path, known: Sequence[str]) -> str:
    """The machine of a run that a recording is of: the only one, or one that a folder above it is called."""
    if len(known) == 1:
        return known[0]
    folders = path.absolute().parts[1:-1]
    for end in range(len(folders), 0, -1):
        names = {folders[end - 1], machine_of(folders[end - 1 : end])}
        if called := [name for name in known if name in names]:
            return called[0]
    raise UsageError(f"which machine is {path} of? The run knows {', '.join(known)}", "say it: --machine NAME")


def _cut_in_learning(space: Workspace) -> set[str]:
    """The recordings, by where they lie, that were learned in stretches."""
    try:
        paths = artifacts.read_table(space.clips, artifacts.CLIPS)[0]["path"].to_pylist()
    except ArtifactError:  # a check stands without it
        return set()
    return {str((space.dataset_root / whole).resolve()) for whole in parts_of(paths)}


def _learned(space: Workspace) -> Callable[[Path], str | None]:
    """What tells of a file which recording of the run's dataset it would be, by its clip_id; None where it is none."""
    ways = links(space.dataset_root)

    def clip_id(path: Path) -> str | None:
        below = path_through(ways, path)
        return None if below is None else without_suffix(below)

    return clip_id
