"""smooth: a run's scores averaged over neighbours in a run's embedding space; now, as a growing pool, or by shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asdcli.errors import UsageError
from asdcli.metrics.specs import AUC_PAUC
from asdcli.outcome import Outcome
from asdcli.pipeline import lent
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import warn_of_stale
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.scorers.smooth import KS, SMOOTHERS, Level, Smooth
from asdcli.stages import fraction as fraction_stage
from asdcli.stages import smooth
from asdcli.views.samples import Samples, read_samples
from asdcli.vocabulary import Data


@dataclass(frozen=True)
class SampleSource:
    """Which scores are smoothed in which space; None means the run's own.

    Attributes:
        scores, embeddings: a table, or a run that holds one. method: which of several methods' scores.
        level: windows or whole clips; None means windows where both have them.
        machine_types: only these.
    """

    scores: Path | None = None
    embeddings: Path | None = None
    method: str | None = None
    level: Level | None = None
    machine_types: Sequence[str] | None = None

    def table_of_vectors(self, space: Workspace) -> Path:
        return self.embeddings or space.embeddings

    def read(self, space: Workspace, progress: Progress) -> Samples:
        """The samples of both, joined; stale tables are named."""
        samples = read_samples(
            self.scores or space.run,
            self.table_of_vectors(space),
            method=self.method,
            level=self.level,
            machine_types=self.machine_types,
            progress=progress,
        )
        warn_of_stale(space, samples.paths, progress)
        return samples


def asked(
    scores: Path | None = None,
    embeddings: Path | None = None,
    method: str | None = None,
    machine_types: Sequence[str] | None = None,
    **how: object,
) -> tuple[SampleSource, Smooth]:
    """Which samples are smoothed, and how.

    Args:
        scores: as `SampleSource` has it, and so the next three.
        embeddings: see there.
        method: see there.
        machine_types: see there.
        how: parameters of the smoothing; None is what was not asked for. Only a level that was wins over what there is.

    Raises:
        UsageError: a word that is none.
    """
    smoothing: Smooth = SMOOTHERS.build("smooth", **how)
    level = smoothing.level if how.get("level") else None
    return SampleSource(scores, embeddings, method, level, machine_types), smoothing


@answered
def run(
    space: Workspace,
    source: SampleSource,
    *,
    smoothing: Smooth,
    ks: Sequence[int] = (),
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome]:
    """Smooth with every K of `ks` (none: that of `smoothing`): `scores/<method>+smooth:….parquet` each.

    Raises:
        UsageError: several K and one `output`.
    """
    if output and len(ks) > 1:
        raise UsageError(f"there are {len(ks)} values of -k", "-o takes one")
    samples = source.read(space, progress)
    space.remember()
    outcomes = smooth.run(
        samples,
        lambda spelling: output or space.scores(spelling),
        smooth=smoothing,
        ks=ks or [smoothing.k],
        force=force,
        progress=progress,
    )
    lent.note(space, [outcome.path for outcome in outcomes.values()], samples.paths)
    return outcomes


@answered
def append(
    space: Workspace,
    source: SampleSource,
    *,
    smoothing: Smooth,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome]:
    """Add new clips to the run's pool of all clips ever smoothed so, and smooth all of them."""
    samples = source.read(space, progress)
    space.remember()
    spelling = smooth.spelled(samples, smoothing)
    pool, scores = space.pool(spelling), output or space.scores(spelling)
    outcome = smooth.append(samples, pool, scores, smooth=smoothing, force=force, progress=progress)
    lent.note(space, [pool, scores], samples.paths)
    return {spelling: outcome}


@answered
def fraction(
    space: Workspace,
    source: SampleSource,
    shares: str,
    *,
    smoothing: Smooth,
    neighbours: Data | None = None,
    ks: Sequence[int] = (),
    repeats: int = 20,
    sections: Sequence[str] | None = None,
    objective: str = AUC_PAUC,
    seed: int = 0,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[fraction_stage.FractionFacts]:
    """How smoothing grows with the share of clips that is observed: `fractions.parquet`.

    Args:
        space: the run that it works on.
        source: which scores in which embeddings.
        shares: START:STOP:STEP.
        smoothing: everything about it but K and neighbours.
        neighbours: the domain that is tried; None means both.
        ks: every K that is tried; none means all there are.
        repeats: random subsets of each share.
        sections: only these.
        objective: name of an official rule: what is maximised.
        seed: of everything random.
        output: file instead of the run's.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.
    """
    samples, output = source.read(space, progress), output or space.fractions
    space.remember()
    outcome = fraction_stage.run(
        samples,
        output,
        truth=space.clips,
        shares=fraction_stage.fractions(shares),
        repeats=repeats,
        smooth=smoothing,
        ks=ks or KS,
        data=neighbours,
        sections=sections,
        metric=objective,
        seed=seed,
        force=force,
        progress=progress,
    )
    lent.note(space, [output], samples.paths)
    return outcome
