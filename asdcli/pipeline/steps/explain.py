"""explain: why clips of a run, or other recordings, have the scores that they have; with a picture, where asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.detector.explained import Explained
from asdcli.errors import AsdError, BadData, UsageError
from asdcli.outcome import Outcome
from asdcli.pipeline.answers import answered
from asdcli.pipeline.detectors import detector_of
from asdcli.pipeline.learning import settled
from asdcli.pipeline.staleness import changes, warn_of_stale
from asdcli.pipeline.steps import check
from asdcli.pipeline.windows import windows
from asdcli.pipeline.workspace import Workspace
from asdcli.plots import format_of
from asdcli.progress import SILENT, Progress
from asdcli.scorers import DEFAULT, SCORERS, takes
from asdcli.stages import explain, explain_picture
from asdcli.stages.explain_evidence import Evidence, Outside
from asdcli.views.checked import CheckRow
from asdcli.views.named import chosen
from asdcli.views.named_clip import is_outside
from asdcli.views.scores import Scored, read_scores
from asdcli.views.standing import Standing
from asdcli.wording import listed


@dataclass(frozen=True)
class Reads:
    """How recordings are taken that are no clips of the run, as `check` takes them.

    Attributes:
        machine: they are of; None: as it is found.
        channel: of recordings with several; None: as learned.
        resample: convert other sample rates although none was met in learning.
        window_s, hop_s: cut all that are longer into such windows; None: as learned.
    """

    machine: str | None = None
    channel: str | None = None
    resample: bool = False
    window_s: float | None = None
    hop_s: float | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """To how the clips of the run were read."""
        return check.changes(self.channel, self.resample) | windows(self.window_s, self.hop_s)


@settled
@answered
def run(
    space: Workspace,
    clips: Sequence[str],
    *,
    method: str | None = None,
    occlude: bool = True,
    device: str = "auto",
    reads: Reads | None = None,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> tuple[list[Explained], Outcome | None]:
    """Explain the scores of clips.

    Args:
        space: the run.
        clips: clip_ids, or what `stages.explain.run` takes for them; and recordings that are no clips of the run.
        method: whose scores; None means the only one, else the default one; of recordings as `check` chooses.
        occlude: say what a network's score owes to each piece of the clip.
        device: where networks run.
        reads: how recordings that are no clips are taken.
        output: a picture goes there, in the format of its suffix.
        force: overwrite a file that asd did not write, or that was changed since.
        progress: is told how far it is, and of what looks wrong.

    Returns:
        one explanation a clip, and the outcome of the picture.

    Raises:
        UsageError: an unknown clip, method or format, a picture of several clips, or several methods and none named.
        BadData: a recording that cannot be judged. What `check` raises.
    """
    kind = format_of(output, None) if output else "svg"
    if output and len(clips) != 1:
        raise UsageError(f"-o names one picture, and there are {len(clips)} clips", "explain them one by one")
    if output:
        explain_picture.may_draw(output, force=force)
    outside = _outside(space, clips)
    inside = [name for name in clips if name not in outside]
    how: dict[str, Any] = {"occlude": occlude, "device": device, "progress": progress}
    found: dict[str, Explained] = {}
    if inside:
        scored = _method(read_scores([space.scores_dir]), method, progress)
        scored, files = _known(space, scored, progress)
        found |= zip(inside, explain.run(inside, scored, files, **how), strict=True)
    if outside:
        found |= _of_recordings(space, outside, reads or Reads(), method, how)
    ordered = [found[name] for name in clips]
    if output is None:
        return ordered, None
    return ordered, explain_picture.picture(ordered[0], output, kind, force=force, progress=progress)


def _outside(space: Workspace, names: Sequence[str]) -> list[str]:
    """Those that are recordings, and no clips of the run, each once."""
    if not any(Path(name).is_file() for name in names):
        return []
    table, _ = artifacts.read_table(space.clips, artifacts.CLIPS)
    return [name for name in dict.fromkeys(names) if is_outside(name, table, space.clips)]


def _of_recordings(
    space: Workspace, names: Sequence[str], reads: Reads, method: str | None, how: Mapping[str, Any]
) -> Iterator[tuple[str, Explained]]:
    """Of each its name and why `asd check` says of it what it says."""
    progress = how["progress"]
    spelling = check.method_of(space, method)
    (scored,) = read_scores([space.scores(spelling)])
    scored, files = _known(space, scored, progress)
    checks = check.run(
        space,
        list(map(Path, names)),
        method=spelling,
        **asdict(reads),
        keep=False,
        whys=0,
        device=how["device"],
        progress=progress,
    )
    rows = {row.recording: row for row in checks.rows}
    spans = {track.recording: track.highest_s for track in checks.tracks}
    wanted = []
    for name in names:
        row = rows[str(Path(name))]
        if row.score is None:
            raise BadData(f"{name} cannot be explained: {row.why}")
        notes = (row.why,) if row.why else ()
        span_s = spans.get(row.recording)
        wanted.append(Outside(Path(name), f"./{name}", standing_of(row, scored), notes, reads.changes, span_s))
    detector = detector_of(space, spelling, device=how["device"])  # of which the check has told
    explainer = explain.Explainer(scored, files, loaded=detector, **how)
    every = progress.track(wanted, total=len(wanted), label="explain", unit="recordings")
    return zip(names, map(explainer.recording, every), strict=True)


def standing_of(row: CheckRow, scored: Scored) -> Standing:
    """What a check says of a recording."""
    assert row.score is not None
    return Standing(
        clip_id=row.recording,
        machine_type=row.machine,
        section=None,
        split=None,
        domain=None,
        condition=None,
        group=None,
        method=scored.spelling,
        score=row.score,
        scored_as=None,
        threshold=row.threshold,
        p_value=row.p_value,
        p_value_group=row.p_value_group,
    )


def _known(space: Workspace, scored: Scored, progress: Progress) -> tuple[Scored, Evidence]:
    """Scores that know whether they are stale, which is warned of, and what they are explained by."""
    files = evidence(space, scored)
    read_from = [scored.path, *(path for path in (files.embeddings, files.detector, files.thresholds) if path)]
    stale = changes(warn_of_stale(space, read_from, progress))
    return replace(scored, stale=stale.get(scored.path, ())), files


def _method(methods: Sequence[Scored], asked: str | None, progress: Progress) -> Scored:
    if asked is not None:
        found = chosen([_spelled(asked, methods)], methods)
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} methods are called {asked!r}", f"name one: {listed([m.method for m in found])}"
            )
        return found[0]
    if len(methods) == 1:
        return methods[0]
    default = next((one for one in methods if one.method == DEFAULT), None)
    if default is None:
        raise UsageError(
            f"several methods have scores: {listed([m.method for m in methods])}",
            f"say which to explain: -m {methods[0].method}",
        )
    progress.note(f"of {len(methods)} methods: {default.method} (another: -m)")
    return default


def _spelled(asked: str, methods: Sequence[Scored]) -> str:
    """The name of a method as it was scored, where a shorter spelling was typed."""
    names = {one.method for one in methods}
    if asked not in names:
        with contextlib.suppress(AsdError):  # scores that were smoothed or brought are no method's own
            spelling = SCORERS.canonical(asked)
            return spelling if spelling in names else asked
    return asked


def evidence(space: Workspace, scored: Scored) -> Evidence:
    """What there is of the run to explain the scores of a method by."""
    detector = space.detector(scored.spelling)
    residuals = detector.exists() and takes(SCORERS.build(scored.spelling)) == "residuals"
    model = space.autoencoder if residuals else space.model
    windows = space.window_scores(scored.spelling)
    return Evidence(
        space.clips,
        space.features,
        embeddings=space.embeddings if space.embeddings.exists() and not residuals else None,
        detector=detector if detector.exists() else None,
        thresholds=space.thresholds if space.thresholds.exists() else None,
        model=model if model.exists() else None,
        windows=windows if windows.exists() else None,
    )
