"""Runs below folders, and what each has to give to a table: what is damaged, stale or undone is named, not fatal."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import AsdError, BadData, MissingArtifact
from asdcli.pipeline import run_note
from asdcli.pipeline.chain import CHAIN
from asdcli.pipeline.freshness import Freshness
from asdcli.pipeline.mending import commands
from asdcli.pipeline.shelf import Shelf
from asdcli.pipeline.workspace import DATA_ROOT, RUNS_ROOT, Workspace
from asdcli.views.across_runs import RunResults, Unready, read_results

_INSIDE = {f.pattern.partition("/")[0] for stage in CHAIN for f in stage.writes if not f.of_dataset}
"""What lies in a run is no further run."""


@dataclass(frozen=True)
class FoundRuns:
    """What runs have to give, and why others give nothing."""

    runs: tuple[RunResults, ...]
    unready: tuple[Unready, ...]


def below(places: Sequence[Path]) -> list[Path]:
    """Every run among `places` and below them, each once, by their paths.

    A run is a folder that remembers a dataset, or holds scores or results.

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


def _walk(place: Path) -> Iterator[Path]:
    for folder, inside, files in os.walk(place):
        path = Path(folder)
        is_run = run_note.NAME in files or "scores" in inside or "results.parquet" in files
        inside[:] = sorted(n for n in inside if not n.startswith(".") and not (is_run and n in _INSIDE))
        if is_run:
            yield path


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
