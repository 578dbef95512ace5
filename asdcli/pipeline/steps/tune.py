"""tune: parameters of smoothing and mixtures, chosen on some sections and reported on others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdcli.metrics.specs import AUC_PAUC
from asdcli.outcome import Outcome
from asdcli.pipeline import lent
from asdcli.pipeline.answers import answered
from asdcli.pipeline.steps.smooth import SampleSource
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.scorers.smooth import CHOOSE, CLUSTERS, KS, REPORT, Smooth
from asdcli.stages import tune
from asdcli.views.tuning import TuningFacts
from asdcli.vocabulary import Data


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
