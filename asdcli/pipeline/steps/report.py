"""report: a page of runs, to be looked at and listened to: what their scores say, and why some clips have theirs."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from asdcli.detector.explained import Explained
from asdcli.errors import BadData, MissingArtifact, UsageError
from asdcli.metrics.alarm_rates import seconds
from asdcli.metrics.bootstrap import Comparison
from asdcli.metrics.threshold_rules import RULES
from asdcli.outcome import Outcome
from asdcli.page import PageSounds
from asdcli.page.content import Reason, TextTable
from asdcli.page.listening import Explanation
from asdcli.page.numbers import ShownMethod
from asdcli.page.tables import result_tables
from asdcli.pipeline.page_words import Remembered, facts, histories, operators, said_of_learned, signed, warned_in
from asdcli.pipeline.staleness import changes, warn_of_stale
from asdcli.pipeline.steps import explain as explaining
from asdcli.pipeline.workspace import Workspace
from asdcli.plots.projection import require
from asdcli.progress import SILENT, Progress
from asdcli.stages import evaluate, explain, report
from asdcli.stages.evaluate import Options
from asdcli.stages.report import Gathered, PageOptions, ReportFacts, RunFiles, Words
from asdcli.views.editions import STAND_IN, is_stand_in
from asdcli.views.named import chosen
from asdcli.views.results import Evaluation
from asdcli.views.scores import Scored, join_truth, read_labels, read_scores
from asdcli.views.sound_words import of_region
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Projector, Split
from asdcli.wording import listed

MOST_METHODS = 4
"""So many stand on a page where nobody says which."""
RESAMPLES = 500
"""Of the bootstrap behind intervals."""

_PAIR_BYTES = 110_000  # of a recording of ten seconds and the nearest normal one: how many are explained goes by it


def run(
    spaces: Sequence[Workspace],
    *,
    method: Sequence[str] | None = None,
    audio: PageSounds = "inline",
    budget: float = 4.5,
    every: str | None = None,
    by: Projector = "pca",
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[ReportFacts]:
    """Write the page of one run, or of several of one dataset side by side: `report.html`.

    Args:
        spaces: the runs.
        method: the only methods that are wanted; None means the first few, those with thresholds first.
        audio: where sounds lie.
        budget: megabytes of sounds and pictures within the page.
        every: the time from one recording to the next; None: as the thresholds were set for, else ten minutes.
        by: how vectors are laid out.
        output: file instead of the run's.
        force: overwrite files that asd did not write, or that were changed since.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact: a run without scores. BadData: a file that is not asd's to overwrite.
        UsageError: runs of several datasets, an unknown method, or a time that is none.
    """
    require(by)
    if not 0 < budget <= 1000:
        raise UsageError(f"--budget must lie in (0, 1000] MB, got {budget:g}", "for example --budget 4.5")
    output = output or _place(spaces)
    report.may_write(output, force=force)
    heard = Remembered(progress)
    methods = _methods(spaces, method, heard)
    runs = _runs(spaces, methods)
    gathered = report.gather(runs, by=by, progress=heard)
    how = PageOptions(audio, round(budget * 1e6), every_s(every, runs), force)
    first = spaces[_run_of(methods[0], spaces)]
    explanations = _explained(first, methods[0], gathered, how, heard)
    return report.run(gathered, explanations, lambda: _words(spaces, methods, heard), output, how, progress=heard)


def _place(spaces: Sequence[Workspace]) -> Path:
    """In the run; of several runs, in the folder that holds them."""
    if len(spaces) == 1:
        return spaces[0].run / "report.html"
    common = os.path.commonpath([space.run.absolute() for space in spaces])
    return Path(os.path.relpath(common)) / "report.html"


def _methods(spaces: Sequence[Workspace], wanted: Sequence[str] | None, progress: Remembered) -> list[Scored]:
    """The methods of the page, labelled as their clips are known today; those of the first run stand first."""
    datasets = sorted({space.dataset for space in spaces})
    if len(datasets) > 1:
        raise UsageError(f"a page is of one dataset, and these runs are of {listed(datasets)}", "make a page of each")
    for space in spaces:
        if not space.scores_dir.is_dir():
            raise MissingArtifact(f"there are no scores in {space.run}", "make them first: asd score, or asd learn DIR")
    methods = read_scores([space.scores_dir for space in spaces])
    stale: dict[Path, tuple[str, ...]] = {}
    for space in spaces:
        stale |= changes(warn_of_stale(space, [space.scores_dir], progress))
    methods = [replace(one, stale=stale.get(one.path, ())) for one in methods]
    decides = {one.method: _limits(spaces[_run_of(one, spaces)], one) is not None for one in methods}
    if wanted:
        methods = chosen(wanted, methods)
    else:
        methods.sort(key=lambda one: (not decides[one.method], _run_of(one, spaces)))
        if len(methods) > MOST_METHODS:
            others = listed([one.method for one in methods[MOST_METHODS:]], 8)
            progress.left_out(f"{MOST_METHODS} methods of {len(methods)} are shown; others by --method: {others}")
            methods = methods[:MOST_METHODS]
    clips = spaces[0].clips
    if not clips.exists():
        return methods
    labels, _ = read_labels(clips)
    joined = []
    for one in methods:
        one, sentences = join_truth(one, labels)
        for sentence in sentences:
            progress.left_out(f"{one.method}: {sentence}")
        joined.append(one)
    return joined


def _run_of(one: Scored, spaces: Sequence[Workspace]) -> int:
    return next(i for i, space in enumerate(spaces) if one.path.parent == space.scores_dir)


def _limits(space: Workspace, one: Scored) -> Thresholds | None:
    """The thresholds that were fitted on these scores."""
    if not space.thresholds.exists():
        return None
    limits = Thresholds.read(space.thresholds)
    return limits if limits.has(one) and limits.fitted_on(one) else None


def _runs(spaces: Sequence[Workspace], methods: Sequence[Scored]) -> list[RunFiles]:
    """The runs with their methods, in the order of the methods."""
    order = list(dict.fromkeys(_run_of(one, spaces) for one in methods))
    found = []
    for number, i in enumerate(order):
        space = spaces[i]
        own = [ShownMethod(one, _limits(space, one), number) for one in methods if _run_of(one, spaces) == i]
        found.append(
            RunFiles(
                space.run.name or str(space.run),
                own,
                space.features,
                space.clips if space.clips.exists() else None,
                space.embeddings if space.embeddings.exists() else None,
            )
        )
    return found


def every_s(asked: str | None, runs: Sequence[RunFiles]) -> float:
    """Seconds from one recording to the next."""
    if asked is not None:
        return seconds(asked)
    for one in runs[0].methods:
        for (spelling, _), rule in one.limits.rules.items() if one.limits else ():
            if spelling == one.scored.spelling and (a_day := getattr(RULES.build(rule), "clips_per_day", None)):
                return 86400 / float(a_day)
    return PageOptions.every_s


def _explained(
    space: Workspace, method: Scored, gathered: Gathered, how: PageOptions, progress: Progress
) -> Iterator[Explanation]:
    """Explanations of the clips that are worth it, as many as there is room for, the machines by turns."""
    if how.audio == "none":
        return
    if not space.clips.exists():
        progress.left_out(f"no clip can be heard: there is no table of clips {space.clips}")
        return
    most = max(1, how.budget // _PAIR_BYTES)
    names = [clip for _, clip in itertools.islice(gathered.queue(), most)]
    yield from map(explanation, explain.each(names, method, explaining.evidence(space, method), progress=progress))


def explanation(one: Explained) -> Explanation:
    """As the page takes it."""
    near = tuple((n.clip_id, n.distance) for n in one.neighbourhood.near[:5]) if one.neighbourhood else ()
    regions = [of_region(region, one.compared.z) for region in one.compared.differing.regions]
    return Explanation(one.standing.clip_id, Reason(one.words, one.notes, near), one.compared, regions)


def _words(spaces: Sequence[Workspace], methods: Sequence[Scored], progress: Remembered) -> Words:
    """What is said besides the numbers of clips: results, what the runs are, and where all comes from."""
    tables, signatures = _results(spaces, methods, progress)
    named = listed(list(dict.fromkeys(space.run.name for space in spaces)), 8)
    tested = any(len(one.split(Split.TEST).table) for one in methods)
    own = {} if tested else said_of_learned(spaces[0], methods[0])
    answers, of_answers = operators(spaces[_run_of(methods[0], spaces)], methods[0].spelling)
    own = {**own, "": answers}
    warnings = [*progress.said, *(sentence for space in spaces for sentence in warned_in(space))]
    if is_stand_in(methods[0].header):
        warnings.insert(0, f"{STAND_IN[0].upper()}{STAND_IN[1:]}")
    return Words(
        title=f"{spaces[0].dataset}: {named}" if named != spaces[0].dataset else named,
        facts=facts(spaces, methods),
        said=own,
        warnings=list(dict.fromkeys(warnings)),
        tables=[*tables, *of_answers],
        history=list(histories(spaces, methods)),
        signatures={one.method: signatures.get(one.method) or signed(one) for one in methods},
    )


def _results(
    spaces: Sequence[Workspace], methods: Sequence[Scored], progress: Remembered
) -> tuple[list[TextTable], dict[str, str]]:
    """Official scores with intervals and differences, where conditions are known, and the line of each method."""
    clips = spaces[0].clips if spaces[0].clips.exists() else None
    options = Options(n_resamples=RESAMPLES)
    found: list[Evaluation] = []
    compared: dict[tuple[str, str, str], Comparison] = {}
    try:
        for i, space in enumerate(spaces):
            own = [one for one in methods if _run_of(one, spaces) == i]
            limits = space.thresholds if space.thresholds.exists() else None
            if own:
                done = evaluate.run(own, None, clips=clips, thresholds=limits, options=options, progress=progress)
                found += done.evaluations
        for one in methods[1:]:
            a, b = methods[0].method, one.method
            done = evaluate.run([methods[0], one], None, clips=clips, compare=(a, b), progress=SILENT)
            compared |= {(a, b, subset): it for subset, it in done.comparisons.items()}
    except BadData as error:
        if any(len(one.split(Split.TEST).table) for one in methods):
            progress.warn(f"no official score: {error.message}")
        return [], {}
    lines: dict[str, str] = {}
    for e in found:
        lines[e.method] = " · ".join(filter(None, [lines.get(e.method), e.signature]))
    return result_tables(found, compared), lines
