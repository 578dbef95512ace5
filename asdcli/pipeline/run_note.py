"""What a run remembers in its run.json: its dataset, whose packs it reads, and which files were made of others' files.

No header may hold a path; but whether a file is stale can only be told where what it was made from can be found.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.errors import BadArtifact
from asdcli.files import read_json, require_file
from asdcli.writing.locks import in_turn

NAME = "run.json"
"""Of the note in the run's folder."""
_DATASET, _ELSEWHERE, _PACKS = "dataset", "elsewhere", "features"


def is_run(folder: Path) -> bool:
    """Whether it remembers anything."""
    return (folder / NAME).exists()


def dataset_of(run: Path) -> str | None:
    """The dataset of a run; None for a folder that remembers none. Raises BadArtifact for an unreadable note."""
    return _read(run).get(_DATASET)


def remember(run: Path, dataset: str) -> None:
    """Note that `run` is of `dataset`."""
    _change(run, lambda noted: {**noted, _DATASET: dataset})


def packs_of(run: Path) -> Path | None:
    """The run whose packs are read here; None where they are its own. Raises as `dataset_of`."""
    noted = _read(run).get(_PACKS)
    return None if noted is None else Path(os.path.normpath(run / noted))


def remember_packs(run: Path, dataset: str, other: Path | None) -> None:
    """Note that `run`, which is of `dataset`, reads the packs of the run `other`; None: its own."""
    place = {} if other is None else {_PACKS: Path(os.path.relpath(other, run)).as_posix()}
    _change(run, lambda noted: {**{n: v for n, v in noted.items() if n != _PACKS}, _DATASET: dataset, **place})


def elsewhere(run: Path) -> dict[str, dict[str, Path]]:
    """Name of a file of the run -> name of an input in its header -> where that lay. Raises as `dataset_of`."""
    noted: dict[str, dict[str, str]] = _read(run).get(_ELSEWHERE, {})
    return {name: {role: run / path for role, path in inputs.items()} for name, inputs in noted.items()}


def remember_elsewhere(run: Path, outputs: Iterable[Path], inputs: Mapping[str, Path]) -> None:
    """Note that `outputs`, so far as they lie in the run, were made of `inputs`; none: of the run's own files alone.

    Paths are noted as they are found from the run, so that runs can be moved together.
    """
    paths = {role: Path(os.path.relpath(path, run)).as_posix() for role, path in inputs.items()}
    names = [name_of(output.relative_to(run).as_posix()) for output in outputs if run in output.parents]

    def change(noted: dict[str, Any]) -> dict[str, Any]:
        others = {name: known for name, known in noted.get(_ELSEWHERE, {}).items() if name not in names}
        found = {**others, **(dict.fromkeys(names, paths) if paths else {})}
        return {**noted, _ELSEWHERE: found} if found or _ELSEWHERE in noted else noted

    _change(run, change)


def name_of(relative: str) -> str:
    """`scores/nn.parquet` below a run goes by the name `scores/nn`."""
    return relative.removesuffix(".npz").removesuffix(".parquet")


def write_if_changed(path: Path, text: str) -> None:
    """Write a small text whole. Raises BadData where a folder stands in its place."""
    if path.exists() and require_file(path).read_text() == text:
        return
    with artifacts.atomic(path) as temporary:
        temporary.write_text(text)


def _read(run: Path) -> dict[str, Any]:
    note = run / NAME
    if not note.exists():
        return {}
    try:
        found: dict[str, Any] = read_json(note)
        texts = (found[_DATASET], found.get(_PACKS, ""))
        if all(isinstance(text, str) for text in texts) and isinstance(found.get(_ELSEWHERE, {}), dict):
            return found
    except (ValueError, KeyError, TypeError):
        pass
    raise BadArtifact(f"{note} cannot be read", 'it should hold {"dataset": NAME}')


def _change(run: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the note, if that makes it another: several commands may work on one run, each on files of its own."""
    noted = _read(run)
    if change(noted) != noted:
        with in_turn(run / NAME):
            write_if_changed(run / NAME, json.dumps(change(_read(run))) + "\n")
