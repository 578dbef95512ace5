"""Where an artifact comes from: what it was made of, and that in turn, by the headers, and what became of it since."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.artifacts.header import WHOLE
from asdcli.errors import AsdError, BadArtifact, MissingArtifact
from asdcli.pipeline import places, run_note, workspace
from asdcli.pipeline.freshness import Fate, Freshness, Look, entry_of, maker_of
from asdcli.pipeline.mending import commands
from asdcli.pipeline.workspace import Workspace

_DEPTH = 4  # folders from a file up to its run, or to its dataset


@dataclass(frozen=True)
class Ancestor:
    """One artifact, and what it was made of.

    Attributes:
        role: what it was to the file that was made of it, such as `model`; "" for the file that was asked about.
        content: its digest.
        header: what it says of itself, or what the history of later files says of it; None where nothing does.
        command: what made it, as it would be typed for a run of that dataset; None where nothing is known.
        state: what became of it since; None for the file that was asked about.
        path: where it lies, or lay, as it would be typed here.
        made_of: its own inputs.
        told_above: they stand at the same artifact further up, and are left out here.
    """

    role: str
    content: str
    header: Header | None
    command: str | None
    state: Fate | None
    path: Path | None
    made_of: tuple[Ancestor, ...] = ()
    told_above: bool = False


@dataclass(frozen=True)
class Ancestry:
    """An artifact with all that it came from.

    Attributes:
        root: the artifact.
        reasons: why it is stale, "" where it is not.
        mend: the commands that mend that.
    """

    root: Ancestor
    reasons: str = ""
    mend: tuple[str, ...] = ()


def ancestry(path: Path, *, data: Path | None = None) -> Ancestry:
    """The whole history of an artifact of any kind.

    Args:
        path: of it.
        data: the data root; None means that of the dataset it lies in, else `data`.

    Raises:
        MissingArtifact, BadArtifact: no such file, or none that asd made.
    """
    path = Path.cwd() / path  # links stay: a run may be one
    if run_note.is_run(path):
        raise BadArtifact(
            f"{_short(path)} is a run, not one of its files",
            f"look at all of them: asd doctor --run {shlex.quote(str(_short(path)))}",
        )
    header = _header(path)
    space = _space(path, header, data)
    freshness = Freshness(space)
    look = freshness.look(path)
    told: set[str] = set()
    root = _ancestor(freshness, space if freshness.shelf.place(path)[0] else None, "", header, None, path, told)
    if look is None or not look.is_stale:
        return Ancestry(root)
    return Ancestry(root, look.reasons, tuple(commands([look], space)))


def _header(path: Path) -> Header:
    looks_at = "what can be shown are tables (.parquet), packs and detectors (.npz) and folders of models that asd made"
    try:
        return artifacts.read_header(path, artifacts.ANY)
    except MissingArtifact:
        raise MissingArtifact(f"there is no file {_short(path)}", looks_at) from None
    except BadArtifact as error:
        general = error.hint and error.hint.endswith(artifacts.ANY.to_type)
        raise BadArtifact(error.message, looks_at if general else error.hint) from None


def _space(path: Path, header: Header, data: Path | None) -> Workspace:
    """The run that a file lies in; else one that would be of its dataset.

    The data root is the one in the working folder, or beside the folder of runs.
    """
    for folder in path.parents[:_DEPTH]:
        if run_note.is_run(folder):
            try:
                dataset = run_note.dataset_of(folder)
            except AsdError:
                dataset = None
            beside = folder.parent.parent / workspace.DATA_ROOT
            root = workspace.DATA_ROOT if workspace.DATA_ROOT.is_dir() or not beside.is_dir() else _short(beside)
            return Workspace(data or root, _short(folder), dataset or header.dataset)
    own = path.parent.parent if header.kind == artifacts.CLIPS.name else None
    return Workspace(data or own or workspace.DATA_ROOT, workspace.RUNS_ROOT / header.dataset, header.dataset)


def _ancestor(
    freshness: Freshness,
    space: Workspace | None,
    role: str,
    header: Header,
    state: Fate | None,
    path: Path | None,
    told: set[str],
) -> Ancestor:
    here = _short(path) if path else None
    if header.kind not in artifacts.KINDS:
        return Ancestor(role, header.content, header, None, state, here)
    relative = freshness.shelf.place(path)[1] if path else ""
    stage = maker_of(header, relative)
    command = shlex.join([*stage.command.split(), *stage.options_of(header)])
    if header.content in told:
        return Ancestor(role, header.content, header, command, state, here, told_above=bool(header.inputs))
    told.add(header.content)
    look = freshness.look(path) if path and state in (None, Fate.SAME) else None
    made_of = tuple(_inputs(freshness, space, header, look, told))
    return Ancestor(role, header.content, header, command, state, here, made_of)


def _inputs(
    freshness: Freshness, space: Workspace | None, header: Header, look: Look | None, told: set[str]
) -> Iterator[Ancestor]:
    stage = look.stage if look else maker_of(header, "")
    for role, digest in header.inputs.items():
        if role == WHOLE:
            continue
        before = entry_of(header, digest)
        if places.is_former_self(header, role):
            state, path, now = Fate.CHANGED, look.path if look else None, None
        else:
            elsewhere = look.elsewhere.get(role) if look else None
            trace = freshness.trace(look.space if look else space, elsewhere, stage, header, role)
            state, path = trace.state, trace.path
            now = trace.now if state is Fate.SAME and not trace.of_part else None
        known = now or before
        if known is None:
            yield Ancestor(role, digest, None, None, state, _short(path) if path else None)
        else:
            yield _ancestor(freshness, space, role, known, state, path, told)


def _short(path: Path) -> Path:
    """A path as it would be typed here."""
    here = Path(os.path.relpath(path))
    return path if here.parts[:1] == ("..",) else here
