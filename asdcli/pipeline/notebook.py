"""The steps from Python: what `import asdcli` offers to a notebook or a program, each as its command does it.

    >>> import asdcli
    >>> asdcli.download("synthetic", size="tiny")
    <wrote data/synthetic/clips.parquet: 2 machine types, 88 clips, 32 test, 56 train>
    >>> run = asdcli.open("runs/first", dataset="synthetic")
    >>> run.extract_features("logmel")
    <wrote runs/first/features/logmel: 88 clips, 2 machine types, 0 up to date>
    >>> run.embed("logmel")
    <wrote runs/first/embeddings.parquet: 88 clips, 257 dims>
    >>> run.score("nn", "kmeans")["nn"]
    <wrote runs/first/scores/nn.parquet: 88 clips>
    >>> run.score("nn")
    {'nn': <up to date: runs/first/scores/nn.parquet>}
    >>> run
    <run runs/first of synthetic: features, embeddings, scores of kmeans, nn>

What is measured says how it was made, and every table is a pyarrow table (`.to_pandas()` makes a frame of it):

    >>> report = run.evaluate()
    >>> report
    synthetic|dev|machines:2|embedder:logmel|method:kmeans|seed:0|made:...|asd:... = 0...
    synthetic|dev|machines:2|embedder:logmel|method:nn|seed:0|made:...|asd:... = 0...
    >>> report.evaluations[1].official == run.results().to_pylist()[-1]["value"]
    True
    >>> scores = run.scores("nn")
    >>> scores.num_rows, scores.column_names[-2:]
    (88, ['anomaly_score', 'scored_as'])

A step that cannot be taken raises an `asdcli.errors.AsdError`, whose `hint` says what to do; what a command would warn
of is a Python warning:

    >>> run.train(epochs=1)
    Traceback (most recent call last):
    asdcli.errors.MissingArtifact: no waveform features of fan, valve in runs/first/features/waveform
    ...
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asdcli import training
from asdcli.features import kinds
from asdcli.outcome import Outcome
from asdcli.pipeline import workspace
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import Progress, Silent
from asdcli.vocabulary import Data, Distance

if TYPE_CHECKING:
    import pyarrow as pa

    from asdcli.detector.explained import Explained
    from asdcli.stages.evaluate import Report

Place = str | PathLike[str]


class Warnings(Silent):
    """A `Progress` that is silent but for warnings, which become Python's own."""

    def warn(self, text: str) -> None:
        warnings.warn(text, stacklevel=2)


def open(
    run: Place | None = None,
    *,
    data: Place | None = None,
    dataset: str | None = None,
    progress: Progress | None = None,
) -> Run:
    """A run, new or old, by the rules that the command line has.

    Args:
        run: its folder; None means `runs/<dataset>`.
        data: data root; None means `data`.
        dataset: None means the run's own, else the one last worked on.
        progress: hears what the steps say; None means that only warnings are heard.

    Raises:
        UsageError: the run is of another dataset, or there are several to choose from.
        MissingArtifact: no run is named and there is no dataset.
    """
    folder = None if run is None else Path(run)
    space = workspace.resolve(
        data=None if data is None else Path(data),
        run=folder,
        dataset=dataset,
        otherwise=folder.resolve().name if folder else None,
    )
    return Run(space, progress or Warnings())


def download(
    edition: str,
    *,
    data: Place = workspace.DATA_ROOT,
    subsets: Sequence[str] = ("dev",),
    size: str | None = None,
    machine_types: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """An edition from Zenodo, or the `synthetic` dataset in a `size` (tiny, small, full, dcase2021), into `data`.

    Raises:
        UsageError: unknown edition, subset or size. DownloadError: not everything could be had.
    """
    from asdcli.pipeline.steps import download as step
    from asdcli.vocabulary import Subset

    return step.bring(
        Path(data),
        edition,
        subsets=[Subset(name) for name in subsets],
        size=size,
        machine_types=machine_types,
        force=force,
        progress=progress or Warnings(),
    )


def index(
    recordings: Place,
    *,
    name: str | None = None,
    data: Place = workspace.DATA_ROOT,
    progress: Progress | None = None,
    **options: Any,
) -> Outcome:
    """A dataset of your own recordings, which stay where they are; `options` as `stages.index.run` has them."""
    from asdcli.pipeline.steps import index as step

    return step.run(Path(data), Path(recordings), name=name, progress=progress or Warnings(), **options)


@dataclass(frozen=True)
class Run:
    """A run of one dataset. Its methods are the stages, called as the commands are, and readers of what they made.

    A stage leaves alone what is up to date (`force=True` does it again), takes its inputs from the run and writes into
    it. Options that are not spelled out are those of the stage's `run` in `asdcli.stages`.
    """

    space: Workspace
    progress: Progress = field(default_factory=Warnings, repr=False)

    def extract_features(self, features: str = kinds.DEFAULT, **options: Any) -> Outcome:
        """Pack the audio: `waveform`, or `logmel` statistics."""
        from asdcli.pipeline.steps import extract_features as step

        return step.run(self.space, features=features, progress=self.progress, **options)

    def train(self, model: str = training.DEFAULT, **options: Any) -> Outcome:
        """Train a model on the normal training clips; its parameters (epochs, batch_size, …) are options too."""
        from asdcli.pipeline.steps import train as step

        return step.run(self.space, model=model, progress=self.progress, **options)

    def embed(self, embedder: str | None = None, **options: Any) -> Outcome:
        """A vector for every clip and window, by the run's model or without one (`logmel`)."""
        from asdcli.pipeline.steps import embed as step

        return step.run(self.space, embedder=embedder, progress=self.progress, **options)

    def bring_embeddings(self, source: Place, *, force: bool = False) -> Outcome:
        """Take vectors that were made elsewhere (CSV, npz or Parquet) for the run's embeddings."""
        from asdcli.pipeline.steps import embed as step

        return step.bring(self.space, Path(source), force=force, progress=self.progress)

    def score(self, *methods: str, **options: Any) -> dict[str, Outcome]:
        """Anomaly scores by every method (`nn`, `varmin:k=16,val=test-all`, …; none: the default): spelling -> outcome.

        Options are those of `pipeline.steps.score.run`.
        """
        from asdcli.pipeline.steps import score as step

        return step.run(self.space, methods, progress=self.progress, **options)

    def smooth(
        self,
        method: str | None = None,
        *,
        k: int | Sequence[int] = (),
        neighbours: Data | None = None,
        distance: Distance | None = None,
        scores: Place | None = None,
        embeddings: Place | None = None,
        machine_types: Sequence[str] | None = None,
        force: bool = False,
        **how: Any,
    ) -> dict[str, Outcome]:
        """Scores averaged over the k nearest test clips, for every k: spelling -> outcome.

        Args:
            method: whose scores; not needed where only one has any.
            k: samples averaged, the clip itself included; none means 128.
            neighbours: domain of the clips that may be neighbours; None means all.
            distance: of embeddings; None means euclidean.
            scores: of another run or table.
            embeddings: of another run or table.
            machine_types: only these.
            force: do it again even if it is up to date.
            how: level, pool, outside, own_windows of `scorers.smooth.Smooth`.
        """
        from asdcli.pipeline.steps import smooth as step

        where = (_path(scores), _path(embeddings), method, machine_types)
        source, smoothing = step.asked(*where, data=neighbours, metric=distance, **how)
        ks = (k,) if isinstance(k, int) else tuple(k)
        return step.run(self.space, source, smoothing=smoothing, ks=ks, force=force, progress=self.progress)

    def fuse(self, *parts: str, force: bool = False, **how: Any) -> dict[str, Outcome]:
        """Scores of methods of this run, or of other runs and tables, as those of one: spelling -> outcome.

        Takes by, weights, transductive of `scorers.fuse.Fuse`, and name, methods, machine_types, output of
        `pipeline.steps.fuse.run`.
        """
        from asdcli.pipeline.steps import fuse as step

        words = {name: how.pop(name) for name in ("by", "weights", "transductive") if name in how}
        fuse = step.FUSIONS.build("fuse", **words)
        return step.run(self.space, parts, fuse=fuse, force=force, progress=self.progress, **how)

    def threshold(self, rule: str | None = None, *, force: bool = False, **parameters: Any) -> Outcome:
        """A threshold a method and machine type by a rule such as `quantile:quantile=0.95` (None: the default)."""
        from asdcli.pipeline.steps import threshold as step

        return step.run(self.space, rule=rule, force=force, progress=self.progress, **parameters)

    def decide(self, output: Place, *, force: bool = False) -> Outcome:
        """A decision for every test clip by the run's thresholds, into a CSV or Parquet file."""
        from asdcli.pipeline.steps import threshold as step

        return step.decide(self.space, Path(output), force=force, progress=self.progress)

    def evaluate(self, *, compare: tuple[str, str] | None = None, **options: Any) -> Report:
        """Official scores of every method; `options` as `stages.evaluate.Options` has them."""
        from asdcli.pipeline.steps import evaluate as step

        return step.run(self.space, compare=compare, options=step.Options(**options), progress=self.progress)

    def plot(self, figure: str = "p-values", *, output: Place | None = None, **options: Any) -> Outcome:
        """Draw a figure (.svg, .png, .pdf) of the run; options are those of `pipeline.steps.plot.run`."""
        from asdcli.pipeline.steps import plot as step

        return step.run(self.space, figure, output=_path(output), progress=self.progress, **options)

    def explain(self, *clips: str, method: str | None = None, **options: Any) -> list[Explained]:
        """Why clips have the scores that they have; options are those of `pipeline.steps.explain.run`."""
        from asdcli.pipeline.steps import explain as step

        return step.run(self.space, clips, method=method, progress=self.progress, **options)[0]

    def submit(self, label: str, **options: Any) -> Outcome:
        """The challenge package of the run's scores; options are those of `asdcli.stages.submit.run`."""
        from asdcli.pipeline.steps import submit as step

        return step.run(self.space, label=label, progress=self.progress, **options)

    def clips(self) -> pa.Table:
        """The dataset: one row a clip."""
        from asdcli import artifacts

        return artifacts.read_table(self.space.clips, artifacts.CLIPS)[0]

    def embeddings(self) -> pa.Table:
        """One row a clip and window; `vector` is a list of float32."""
        from asdcli import artifacts

        return artifacts.read_table(self.space.embeddings, artifacts.EMBEDDINGS)[0]

    def scores(self, method: str) -> pa.Table:
        """One row a clip; larger scores are more anomalous. The method is spelled as it was scored, or shorter."""
        from asdcli import artifacts
        from asdcli.errors import UsageError
        from asdcli.pipeline.steps.score import spellings

        path = self.space.scores(method)
        if not path.exists():
            try:
                of_vectors, of_residuals = spellings([method])
                path = self.space.scores((of_vectors + of_residuals)[0])
            except UsageError:  # no method of its own: scores that were smoothed or tuned
                pass
        return artifacts.read_table(path, artifacts.SCORES)[0]

    def methods(self) -> list[str]:
        """Spellings of the methods that have scores."""
        from asdcli import artifacts

        tables = self.space.scores_dir.glob("*.parquet")
        return sorted(str(artifacts.read_header(p, artifacts.SCORES).params.get("method", p.stem)) for p in tables)

    def thresholds(self) -> pa.Table:
        """One row a method and machine type."""
        from asdcli import artifacts

        return artifacts.read_table(self.space.thresholds, artifacts.THRESHOLDS)[0]

    def results(self) -> pa.Table:
        """What `evaluate` measured last: one row a method, machine type, section and term."""
        from asdcli import artifacts

        return artifacts.read_table(self.space.results, artifacts.RESULTS)[0]

    def __repr__(self) -> str:
        space = self.space
        there = [p.stem for p in (space.features, space.autoencoder, space.model, space.embeddings) if p.exists()]
        scored = self.methods()
        there += [f"scores of {', '.join(scored)}"] if scored else []
        there += [p.stem for p in (space.thresholds, space.results) if p.exists()]
        return f"<run {space.run} of {space.dataset}: {', '.join(there) or 'nothing made yet'}>"


def _path(place: Place | None) -> Path | None:
    return None if place is None else Path(place)
