"""tune: parameters of smoothing and mixtures, by the labels of some sections; methods and embeddings, by no label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from asdcli.errors import UsageError, unknown_name
from asdcli.metrics.specs import AUC_PAUC
from asdcli.outcome import Outcome
from asdcli.pipeline import lent
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import warn_of_stale
from asdcli.pipeline.steps.score import SETS
from asdcli.pipeline.steps.smooth import SampleSource
from asdcli.pipeline.vectors import find_embeddings, leading_to
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.scorers import SCORERS
from asdcli.scorers.smooth import CHOOSE, CLUSTERS, KS, REPORT, Smooth
from asdcli.spec.grids import written_out
from asdcli.stages import label_free as label_free_stage
from asdcli.stages import tune
from asdcli.views.fold_embeddings import beside
from asdcli.views.label_free import ALL, Candidates, LabelFreeFacts
from asdcli.views.pseudo import EVERY
from asdcli.views.tuning import TuningFacts
from asdcli.vocabulary import Data, PseudoAnomaly


@answered
def run(
    space: Workspace,
    source: SampleSource,
    *,
    smoothing: Smooth,
    neighbours: Data | None = None,
    ks: Sequence[int] = KS,
    clusters: Sequence[int] = CLUSTERS,
    choose: Sequence[str] = CHOOSE,
    report: Sequence[str] = REPORT,
    objective: str = AUC_PAUC,
    seed: int = 0,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[TuningFacts]:
    """Search both grids: `tuning.parquet`, and the chosen scores as two methods in `scores/`.

    Args:
        space: the run that it works on.
        source: which scores in which embeddings.
        smoothing: everything about it but K and neighbours.
        neighbours: the domain that is tried; None means both.
        ks: every K that is tried.
        clusters: of the mixtures; empty means no mixtures.
        choose: sections on whose labels is chosen.
        report: sections on which the choice is then judged.
        objective: name of an official rule: what is maximised.
        seed: of everything random.
        output: file instead of the run's.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.
    """
    samples = source.read(space, progress)
    space.remember()
    output = output or space.tuning
    outcome = tune.run(
        samples,
        source.table_of_vectors(space),
        output,
        scores_output=space.scores,
        truth=space.clips,
        how=smoothing,
        ks=ks,
        data=neighbours,
        clusters=clusters,
        choose=choose,
        report=report,
        metric=objective,
        seed=seed,
        force=force,
        progress=progress,
    )
    lent.note(space, [output, *(space.scores(family + tune.TUNED) for family in outcome.facts.choices)], samples.paths)
    return outcome


@answered
def label_free(
    space: Workspace,
    candidates: Candidates,
    *,
    seed: int = 0,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[LabelFreeFacts]:
    """Choose among methods and embeddings without a label: `tuning-label-free.parquet`.

    Args:
        space: the run that it works on.
        candidates: from `candidates_of`.
        seed: of everything random.
        output: file instead of the run's.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.
    """
    paths = [one.path for one in candidates.embeddings]
    warn_of_stale(space, [path for one in paths for path in (one, beside(one))], progress)
    output = output or space.label_free_tuning
    outcome = label_free_stage.run(
        candidates,
        output,
        truth=space.clips,
        seed=seed,
        force=force,
        progress=progress,
    )
    space.remember()
    lent.note(space, [output], [path for one in paths for path in (one, beside(one)) if path.exists()])
    chosen = outcome.facts.chosen[ALL]
    path = next(one.path for one in candidates.embeddings if one.name == chosen.embeddings)
    words = ["asd", "score", "--method", chosen.method, *(["--seed", str(seed)] if seed else [])]
    return replace(outcome, facts=replace(outcome.facts, next=[*words, *leading_to(space, path)]))


def candidates_of(
    space: Workspace,
    embeddings: Sequence[Path] = (),
    methods: Sequence[str] = (),
    *,
    ks: Sequence[int] = (),
    pseudo: Sequence[str] | None = None,
    transductive: bool = False,
    machine_types: Sequence[str] = (),
) -> Candidates:
    """What is to choose from.

    Args:
        space: the run whose embeddings are taken where none are named.
        embeddings: tables, runs, or folders above runs.
        methods: as `asd score` takes them, with alternatives as `spec.grids` has them; none means `all`.
        ks: every k that is tried of methods that have one and do not say it.
        pseudo: kinds of pseudo-anomalies; None means all that there are.
        transductive: see `Candidates`.
        machine_types: only these.

    Raises:
        UsageError: what no method or kind can be, or several k and no method to try them. Otherwise as
            `find_embeddings`.
    """
    for kind in pseudo or ():
        if kind not in EVERY:
            raise unknown_name("kind of pseudo-anomaly", kind, EVERY)
    kinds: list[PseudoAnomaly] | None = None if pseudo is None else [kind for kind in EVERY if kind in pseudo]
    return Candidates(
        find_embeddings(space, embeddings),
        _methods(methods, ks, transductive=transductive),
        kinds,
        transductive,
        tuple(dict.fromkeys(machine_types)),
    )


def _methods(asked: Sequence[str], ks: Sequence[int], *, transductive: bool) -> list[str]:
    """Canonical spellings without repetition."""
    found: dict[str, None] = {}
    tried = False
    for typed in asked or ["all"]:
        if typed in SETS:  # of which those that look at test clips are left out
            found |= {SCORERS.canonical(s): None for s in SETS[typed] if transductive or "test-all" not in s}
            continue
        for spelling in written_out(typed):
            name, params = SCORERS.parse(spelling)
            has_k = bool(ks) and "k" in SCORERS.parameters(name) and "k" not in params
            tried |= has_k
            found |= {SCORERS.spell(SCORERS.build(spelling, k=k)): None for k in (ks if has_k else (None,))}
    if ks and not tried:
        raise UsageError("-k has values to try, and no method to try them with", "name one whose k is left open: -m nn")
    return list(found)
