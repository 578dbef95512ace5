"""check_page: checked recordings as a page that is looked at and listened to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from asdcli.artifacts import own
from asdcli.detector import Detector
from asdcli.errors import AsdError
from asdcli.history import checks as past
from asdcli.history.answers import confirmed
from asdcli.outcome import Outcome
from asdcli.page.checked import checked_machine
from asdcli.page.listening import Explanation
from asdcli.page.numbers import ShownMethod
from asdcli.page.parts import MachinePart
from asdcli.pipeline.answers import answered
from asdcli.pipeline.detectors import detector_of
from asdcli.pipeline.page_words import Remembered, histories, operators, signed
from asdcli.pipeline.steps import explain as explaining
from asdcli.pipeline.steps.check import Checks, method_of
from asdcli.pipeline.steps.report import every_s, explanation
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.stages import explain, report
from asdcli.stages.explain_evidence import Outside
from asdcli.stages.report import Gathered, PageOptions, ReportFacts, RunFiles, Words
from asdcli.views.calibration import calibrations
from asdcli.views.checked import NORMAL, SUSPICIOUS, CheckRow
from asdcli.views.scores import Scored, read_scores
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Condition
from asdcli.wording import counted, listed

MOST = 30
"""So many recordings can be heard, the most suspicious first."""
_TRUTHS = {"normal": Condition.NORMAL, "fault": Condition.ANOMALY}


@answered
def run(
    space: Workspace,
    checks: Checks,
    output: Path,
    *,
    method: str | None = None,
    device: str = "auto",
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[ReportFacts]:
    """Write the page of recordings that were checked.

    Args:
        space: the run that they were checked by.
        checks: what was found.
        output: the HTML file.
        method: whose threshold decided, as it was said.
        device: where a network runs.
        force: overwrite a file that asd did not write, or that was changed since.
        progress: is told how far it is, and of recordings that cannot be explained.

    Raises:
        BadData: there is a file that is not asd's to overwrite.
    """
    own.check(output, force=force)
    heard = Remembered(progress)
    spelling = method_of(space, method)
    (scored,) = read_scores([space.scores(spelling)])
    limits = Thresholds.read(space.thresholds)
    shown = ShownMethod(scored, limits, 0)
    runs = [RunFiles(space.run.name or str(space.run), [shown], space.features, space.clips)]
    gathered = Gathered(
        runs,
        [shown],
        _machines(space, checks, scored, limits, heard),
        "checked",
    )
    detector = detector_of(space, spelling, device=device, progress=SILENT)
    return report.run(
        gathered,
        _explanations(space, checks, scored, detector, heard),
        lambda: _words(space, checks, scored, heard),
        output,
        PageOptions(every_s=every_s(None, runs), force=force),
        progress=progress,
    )


def _machines(
    space: Workspace, checks: Checks, scored: Scored, limits: Thresholds, progress: Remembered
) -> list[MachinePart]:
    learned = {name: own.scores for name, own in calibrations(scored) if not own.is_seen}
    times, answers = _known(space, checks, progress)
    found = []
    for machine in sorted({row.machine for row in checks.rows}):
        rows = [row for row in checks.rows if row.machine == machine]
        promise = limits.promise(scored, machine)
        found.append(
            checked_machine(
                machine,
                rows,
                learned.get(machine, np.empty(0)),
                threshold=limits.of(scored, machine),
                promised=promise.share if promise else None,
                times=times,
                answers=answers,
            )
        )
    return found


def _known(space: Workspace, checks: Checks, progress: Remembered) -> tuple[Mapping[str, str], Mapping[str, Condition]]:
    """Name of a recording -> when it was made, and what an operator said of it, as the history has them."""
    if not space.history.exists():
        return {}, {}
    try:
        kept = {one.path: one for one in past.kept(space.history)}
        answers = confirmed(space.history)
    except AsdError as error:
        progress.warn(f"when recordings were made, and what was said of them, is not on the page: {error.message}")
        return {}, {}
    own = {one.name: kept[path] for one in checks.recordings if (path := str(one.path.absolute())) in kept}
    times = {name: one.time for name, one in own.items() if one.time is not None}
    return times, {name: _TRUTHS[answers[one.digest].answer] for name, one in own.items() if one.digest in answers}


def _explanations(
    space: Workspace, checks: Checks, scored: Scored, detector: Detector, progress: Remembered
) -> Iterator[Explanation]:
    """Of the recordings that were judged, the most suspicious first."""
    explainer = explain.Explainer(scored, explaining.evidence(space, scored), loaded=detector)
    paths = {(one.machine, one.name): one.path for one in checks.recordings}
    spans = {track.recording: track.highest_s for track in checks.tracks}
    rows = [row for row in checks.rows if row.verdict in (SUSPICIOUS, NORMAL)][:MOST]
    for row in progress.track(rows, total=len(rows), label="explain", unit="recordings"):
        path = paths[row.machine, row.recording]
        span_s = spans.get(row.recording)
        notes = (row.why,) if row.why and row.heard is None else ()
        one = Outside(path, f"./{path}", explaining.standing_of(row, scored), notes, checks.changes, span_s)
        try:
            found = explainer.recording(one)
        except AsdError as error:
            progress.left_out(f"{row.recording} cannot be explained: {error.message}")
        else:
            yield explanation(found)


def _words(space: Workspace, checks: Checks, scored: Scored, progress: Remembered) -> Words:
    names = listed(sorted({row.machine for row in checks.rows}), 8)
    _, tables = operators(space, scored.spelling, progress)  # the sentences are among those of the check
    return Words(
        title=f"{names}: {counted(len(checks.rows), 'recording')} checked",
        facts=[
            ("checked by", str(space.run)),
            ("method", scored.method),
            ("recordings", _counted(checks.rows)),
        ],
        said={"": checks.said},
        warnings=list(dict.fromkeys(progress.said)),
        tables=tables,
        history=list(histories([space], [scored])),
        signatures={scored.method: signed(scored)},
    )


def _counted(rows: Sequence[CheckRow]) -> str:
    """`2 suspicious, 38 normal`."""
    verdicts = [row.verdict for row in rows]
    return ", ".join(f"{verdicts.count(one)} {one}" for one in dict.fromkeys(verdicts))
