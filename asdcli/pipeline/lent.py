"""What a run has from elsewhere is noted in it: files that a step was given, and the run whose packs it reads.

So that whether they change can be told later, and later steps find them.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from asdcli.artifacts import Header
from asdcli.errors import MissingArtifact, UsageError
from asdcli.pipeline import places, run_note
from asdcli.pipeline.freshness import maker_of
from asdcli.pipeline.shelf import Shelf, files_in
from asdcli.pipeline.workspace import Workspace
from asdcli.views import packs


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


def take_packs(space: Workspace, other: Path, kind: str) -> None:
    """Note that the run reads the packs of the run `other`, or those that `other` reads itself; its own: no note.

    Args:
        space: the run that reads.
        other: a run's folder.
        kind: of features that are needed now.

    Raises:
        UsageError: `other` is of another dataset. MissingArtifact: it has no packs of that kind.
    """
    of = run_note.dataset_of(other)
    if of is not None and of != space.dataset:
        raise UsageError(f"{other} is a run of {of}, not of {space.dataset}", "name a run of the same dataset")
    owner = run_note.packs_of(other) or other
    if not packs.paths(owner / space.own_features.name, kind, None):
        words = [*space.words_to_data(), "--dataset", space.dataset, "--run", str(other)]
        again = shlex.join(["asd", "extract-features", "--features", kind, *words])
        raise MissingArtifact(f"there are no {kind} features in {other}", f"make them first: {again}")
    own = owner.resolve() == space.run.resolve()
    run_note.remember_packs(space.run, space.dataset, None if own else owner)


def _from_elsewhere(space: Workspace, output: Path, header: Header, given: dict[Path, Header]) -> dict[str, Path]:
    stage = maker_of(header, output.relative_to(space.run).as_posix())
    found = {}
    for role, digest in header.inputs.items():
        own = {path.resolve() for name in stage.names(header, role) for path in places.paths_of(space, name)}
        fitting = [path for path, now in given.items() if now.content == digest]
        if fitting and not any(path.resolve() in own for path in fitting):
            found[role] = fitting[0]
    return found
