"""Runs below folders, and what each has to give to a table: what is damaged, stale or undone is named, not fatal."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import AsdError, BadData, MissingArtifact
from asdcli.filenames import natural
from asdcli.pipeline import run_note
from asdcli.pipeline.chain import CHAIN
from asdcli.pipeline.freshness import Freshness
from asdcli.pipeline.mending import commands
from asdcli.pipeline.shelf import Shelf
from asdcli.pipeline.workspace import DATA_ROOT, RUNS_ROOT, Workspace
from asdcli.views.across_runs import RunResults, RunScores, Unready, read_results
from asdcli.views.scores import Scored, join_truth, read_labels, read_scores
from asdcli.views.tuning import RunTuning, read_tuning

_INSIDE = {f.pattern.partition("/")[0] for stage in CHAIN for f in stage.writes if not f.of_dataset}
"""What lies in a run is no further run."""


@dataclass(frozen=True)
class FoundRuns:
    """What runs have to give, and why others give nothing."""

    runs: tuple[RunResults, ...]
    unready: tuple[Unready, ...]


def below(places: Sequence[Path]) -> list[Path]:
    """Every run among `places` and below them, each once, by their paths.

    A run is a folder that remembers a dataset, or holds scores or results. One that holds packs alone, for other runs
    to read, is passed over.

    Raises:
        MissingArtifact: a place is not there. BadData: there is no run in them.
    """
    found: dict[Path, Path] = {}
    for place in places or [RUNS_ROOT]:
        if not place.is_dir():
            raise MissingArtifact(f"no folder {place}", "name runs, or folders above them")
        for run in _walk(place):
            found.setdefault(run.resolve(), run)
    if not found:
        raise BadData(f"no run in {', '.join(map(str, places or [RUNS_ROOT]))}", "make one: asd run --help")
    return sorted(found.values(), key=lambda run: run.parts)


def results(runs: Iterable[Path], data: Path | None = None) -> FoundRuns:
    """What was measured in runs, where it is up to date.

    Args:
        runs: their folders.
        data: the data root; None means `data`. What changed there since a run was made makes it stale.
    """
    taken: list[RunResults] = []
    unready: list[Unready] = []
    for run in runs:
        one = _results(run, data or DATA_ROOT)
        if isinstance(one, RunResults):
            taken.append(one)
        else:
            unready.append(one)
    return FoundRuns(tuple(taken), tuple(unready))


@dataclass(frozen=True)
class FoundScores:
    """The scores of runs, and why others give none."""

    runs: tuple[RunScores, ...]
    unready: tuple[Unready, ...]


def scores(runs: Iterable[Path], data: Path | None = None, datasets: Sequence[str] = ()) -> FoundScores:
    """The scores of runs, so far as they are up to date, joined with the truth of their datasets.

    Args:
        runs: their folders.
        data: the data root; None means `data`.
        datasets: runs of others are passed over; none means all.
    """
    taken: list[RunScores] = []
    unready: list[Unready] = []
    truths: dict[Path, pa.Table] = {}
    for run in runs:
        try:
            found = _scores(run, data or DATA_ROOT, truths, unready)
        except AsdError as error:
            unready.append(Unready(run, error.message.rstrip("."), ""))
            continue
        if found.scored and (not datasets or found.dataset in datasets):
            taken.append(found)
    return FoundScores(tuple(taken), tuple(unready))


@dataclass(frozen=True)
class FoundTunings:
    """What was tuned in runs, and why others give nothing."""

    runs: tuple[RunTuning, ...]
    unready: tuple[Unready, ...]


def tunings(runs: Iterable[Path], data: Path | None = None) -> FoundTunings:
    """What was tuned in runs, where it is up to date; a run in which nothing could be smoothed is passed over.

    Args:
        runs: their folders.
        data: the data root; None means `data`.
    """
    taken: list[RunTuning] = []
    unready: list[Unready] = []
    for run in runs:
        try:
            found = _tuning(run, data or DATA_ROOT)
        except AsdError as error:
            found = Unready(run, error.message.rstrip("."), error.hint or "")
        if isinstance(found, RunTuning):
            taken.append(found)
        elif found:
            unready.append(found)
    return FoundTunings(tuple(taken), tuple(unready))


def _tuning(run: Path, data: Path) -> RunTuning | Unready | None:
    space = Workspace(data, run, run_note.dataset_of(run) or "")
    if not space.tuning.exists():
        if not space.autoencoder.exists() and not any(space.scores_dir.glob("mse*.parquet")):
            return None
        return Unready(run, "nothing was tuned in it", shlex.join(["asd", "tune", "--method", "mse", *words(space)]))
    header = artifacts.read_header(space.tuning, artifacts.TUNING)
    space = replace(space, dataset=space.dataset or header.dataset)
    look = Freshness(space).look(space.tuning)
    if look and look.is_stale:
        mends = " && ".join(commands([look], space, words(space)))
        return Unready(run, f"its tuning is stale ({look.reasons})", mends)
    again = shlex.join(["asd", "tune", "--method", str(header.params.get("method")), *words(space), "--force"])
    return read_tuning(run, space.tuning, words(space)) or Unready(
        run, "its tuning does not say what was chosen", again
    )


def _scores(run: Path, data: Path, truths: dict[Path, pa.Table], unready: list[Unready]) -> RunScores:
    space = Workspace(data, run, run_note.dataset_of(run) or "")
    paths = sorted(space.scores_dir.glob("*.parquet"), key=lambda path: natural(path.stem))
    if not paths:
        unready.append(Unready(run, "it holds no scores"))
    scored: list[Scored] = []
    for path in paths:
        try:
            tables = read_scores([path])
            own = replace(space, dataset=space.dataset or tables[0].header.dataset)
            look = Freshness(own).look(path)
            if look and look.is_stale:
                mends = " && ".join(commands([look], own, words(own)))
                unready.append(Unready(run, f"{look.name} is stale ({look.reasons})", mends))
                continue
            scored += [_with_truth(one, own.clips, truths) for one in tables]
        except AsdError as error:
            unready.append(Unready(run, error.message.rstrip("."), error.hint or ""))
    dataset = scored[0].header.dataset if scored else space.dataset
    return RunScores(run, tuple(words(replace(space, dataset=dataset))), dataset, tuple(scored))


def _with_truth(one: Scored, clips: Path, truths: dict[Path, pa.Table]) -> Scored:
    if not clips.exists():
        return one
    if clips not in truths:
        truths[clips] = read_labels(clips)[0]
    return join_truth(one, truths[clips])[0]


def _walk(place: Path) -> Iterator[Path]:
    for folder, inside, files in os.walk(place):
        path = Path(folder)
        is_run = run_note.NAME in files or "scores" in inside or "results.parquet" in files
        inside[:] = sorted(n for n in inside if not n.startswith(".") and not (is_run and n in _INSIDE))
        if is_run and not _lends_packs({*inside, *files, *(n for n in _INSIDE if (path / n).exists())}):
            yield path


def _lends_packs(names: set[str]) -> bool:
    """Whether a run of these files holds packs, and nothing that was made of them."""
    return "features" in names and not names & (_INSIDE - {"features", "errors-extract-features.parquet"})


def _results(run: Path, data: Path) -> RunResults | Unready:
    """What one run measured, or why that is not to be taken."""
    space = Workspace(data, run, "")
    try:
        header: Header | None = artifacts.read_header(space.results, artifacts.RESULTS)
    except MissingArtifact:
        header = None
    except AsdError as error:
        again = shlex.join(["asd", "evaluate", *space.words_to_data(), "--run", str(run), "--force"])
        return Unready(run, error.message.rstrip("."), again)
    try:
        dataset = run_note.dataset_of(run) or (header.dataset if header else "")
    except AsdError as error:
        return Unready(run, error.message, error.hint or "")
    space = Workspace(data, run, dataset)
    if header is None:
        if not any(space.scores_dir.glob("*.parquet")):
            return Unready(run, "it holds no scores")
        return Unready(run, "it was not evaluated", shlex.join(["asd", "evaluate", *words(space)]))
    try:
        freshness = Freshness(space)
        look = freshness.look(space.results)
        if look and look.is_stale:
            mends = " && ".join(commands([look], space, words(space)))
            return Unready(run, f"its results are stale ({look.reasons})", mends)
        return read_results(run, space.results, words(space), _scored(space, freshness.shelf))
    except AsdError as error:
        return Unready(run, error.message, error.hint or "")


def words(space: Workspace) -> list[str]:
    """The options that lead a command to a run, whatever was worked on last."""
    return [
        *space.words_to_data(),
        "--run",
        str(space.run),
        *([] if run_note.is_run(space.run) else ["--dataset", space.dataset]),
    ]


def _scored(space: Workspace, shelf: Shelf) -> Iterator[str]:
    """The methods of the run's score tables, by their headers."""
    for path in space.scores_dir.glob("*.parquet"):
        header = shelf.header(path)
        if isinstance(header, Header):
            yield str(header.params.get("method", ""))
