"""The tables of embeddings that words name: a table, a run, or a folder above runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from asdcli.errors import MissingArtifact
from asdcli.pipeline import many_runs, run_note
from asdcli.pipeline.workspace import Workspace
from asdcli.views.label_free import NamedEmbeddings

_NAME = "embeddings.parquet"
_ROLE = "embeddings"


def find_embeddings(space: Workspace, places: Sequence[Path]) -> list[NamedEmbeddings]:
    """The tables that are named, each once and by a name of its own; none means the run's.

    Raises:
        MissingArtifact: a place that is not there, or a folder without embeddings.
        BadData: a folder without runs.
    """
    paths: dict[Path, Path] = {}
    for place in places or [space.embeddings]:
        for path in _tables(place):
            paths.setdefault(path.resolve(), path)
    own = [*paths] == [space.embeddings.resolve()]
    return [
        NamedEmbeddings(name, path, _ROLE if own else f"{_ROLE}/{name}")
        for name, path in zip(_names([*paths]), paths.values(), strict=True)
    ]


def leading_to(space: Workspace, path: Path) -> list[str]:
    """The options that lead `asd score` to a table of embeddings that `find_embeddings` found."""
    if path.resolve() == space.embeddings.resolve():
        return space.words()
    if path.name == _NAME and run_note.is_run(path.parent):
        return many_runs.words(replace(space, run=path.parent))
    return ["--embeddings", str(path), *space.words()]


def _tables(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    if (place / _NAME).exists():
        return [place / _NAME]
    found = [run / _NAME for run in many_runs.below([place]) if (run / _NAME).exists()]
    if not found:
        raise MissingArtifact(f"no embeddings in {place}", f"make them first: asd embed --run {place}")
    return found


def _names(paths: Sequence[Path]) -> list[str]:
    """As much of the end of each path as tells them apart; a run's table is called as the run."""
    places = [path.parent if path.name == _NAME else path.with_suffix("") for path in paths]
    longest = max(len(place.parts) for place in places)
    for n in range(1, longest):
        names = ["/".join(place.parts[-n:]) for place in places]
        if len(set(names)) == len(names):
            return names
    return [place.as_posix() for place in places]
