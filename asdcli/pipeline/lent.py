"""What a step was given from elsewhere is noted in the run, so that whether it changes can be told later."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from asdcli.artifacts import Header
from asdcli.pipeline import places, run_note
from asdcli.pipeline.freshness import maker_of
from asdcli.pipeline.shelf import Shelf, files_in
from asdcli.pipeline.workspace import Workspace


def note(space: Workspace | None, outputs: Iterable[Path], given: Iterable[Path | None]) -> None:
    """Note which of the files `given` the `outputs` were made of and lie nowhere in the run where its own would lie.

    An output that was made of the run's own files alone is forgotten; outputs outside the run are nobody's.

    Args:
        space: the run; None notes nothing.
        outputs: files that a step made or found up to date.
        given: tables, models, foreign files, or folders of tables; None for what was not said.
    """
    if space is None:
        return
    shelf = Shelf(space)
    there = {f: now for path in given if path for f in files_in(path) if (now := shelf.held(f, lent=True))}
    for output in outputs:
        header = shelf.header(output)
        if space.run in output.parents and isinstance(header, Header):
            run_note.remember(space.run, space.dataset)
            run_note.remember_elsewhere(space.run, [output], _from_elsewhere(space, output, header, there))


def _from_elsewhere(space: Workspace, output: Path, header: Header, given: dict[Path, Header]) -> dict[str, Path]:
    stage = maker_of(header, output.relative_to(space.run).as_posix())
    found = {}
    for role, digest in header.inputs.items():
        own = {path.resolve() for name in stage.names(header, role) for path in places.paths_of(space, name)}
        fitting = [path for path, now in given.items() if now.content == digest]
        if fitting and not any(path.resolve() in own for path in fitting):
            found[role] = fitting[0]
    return found
