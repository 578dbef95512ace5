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

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asdcli.outcome import Outcome
from asdcli.pipeline import workspace
from asdcli.pipeline.notebook_run import Place, Run, Warnings
from asdcli.progress import Progress

__all__ = ["Run", "download", "index", "open"]


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
