"""Where the files of a run lie, which stage wrote what lies there, and what a file's place says of it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from asdcli import artifacts
from asdcli.artifacts import Header, Kind
from asdcli.filenames import stem
from asdcli.files import fold_folder, is_model
from asdcli.pipeline import options
from asdcli.pipeline.chain import AUTOENCODER, CHAIN, MODEL, Files, Stage
from asdcli.pipeline.workspace import Workspace


@lru_cache(maxsize=4096)
def files_at(relative: str) -> Files | None:
    """The files of a run that a path below it is one of."""
    return next((f for stage in reversed(CHAIN) for f in stage.writes if not f.of_dataset and f.hold(relative)), None)


def maker(kind: Kind, relative: str, header: Header) -> Stage:
    """The stage that makes a file of `kind` at a place in a run; `header` is the file's, or `guess` says what it was.

    Raises:
        KeyError: no stage writes such files there.
    """
    there = [s for s in reversed(CHAIN) if any(f.kind == kind and f.hold(relative) for f in s.writes)]
    for stage in there:
        if stage.made(header):
            return stage
    if there:  # a guess does not say all by which stages that write to one place are told apart
        return there[0]
    raise KeyError(f"no stage writes {kind.name} to {relative}")


def place_of(header: Header) -> str:
    """Where a file with this header would lie in a run: tells its maker where it lies elsewhere."""
    params = {name: stem(str(value)) for name, value in header.params.items()}
    if header.kind == artifacts.FEATURES.name:
        return f"features/{params.get('features')}/{header.params.get('machine_type')}.npz"
    if header.kind == artifacts.MODEL.name:
        folder = (AUTOENCODER if params.get("model", "").startswith(AUTOENCODER.pattern) else MODEL).pattern
        return str(fold_folder(Path(folder), header.params["fold"])) if "fold" in params else folder
    files = next(f for stage in CHAIN for f in stage.writes if f.kind.name == header.kind and stage.made(header))
    return files.pattern.replace("*", params.get("method", header.kind))


def files_of(space: Workspace) -> list[Path]:
    """Every file of the run that a stage wrote, each once, in the order of the chain."""
    found = (p for stage in CHAIN for files in stage.writes if not files.of_dataset for p in files.find(space))
    return [p for p in dict.fromkeys(found) if not p.is_dir() or is_model(p)]


def is_former_self(header: Header, name: str) -> bool:
    """Whether an input is the file itself as it was before: a pool grows."""
    return name == "pool" and header.kind == artifacts.POOL.name


def paths_of(space: Workspace, name: str) -> list[Path]:
    """Where the file called `name` lies: its path below the run without suffix."""
    if name == "clips":
        return [space.clips]
    found = (f"{name}{suffix}" for suffix in ("", ".npz", ".parquet"))
    return [_root(space, relative) / relative for relative in found if files_at(relative)]


def _root(space: Workspace, relative: str) -> Path:
    """The run that a file of this kind is read from: packs may be another's."""
    return space.features.parent if relative.startswith(f"{space.features.name}/") else space.run


def guess(kind: Kind, name: str) -> Header:
    """What the header of a file that is not to be had will have said, by its name: which method, which machine type."""
    folder, _, own = unquote(name).rpartition("/")
    params: dict[str, str] = {}
    if kind in (artifacts.SCORES, artifacts.WINDOW_SCORES, artifacts.DETECTOR, artifacts.POOL):
        params = {"method": "+".join(part.replace(".", ":", 1) for part in own.split("+"))}
    elif kind == artifacts.FEATURES:
        params = {"machine_type": own, "features": folder.rpartition("/")[2]}
    elif name.partition("/")[0] == AUTOENCODER.pattern:
        params = {"model": AUTOENCODER.pattern}
    elif kind == artifacts.THRESHOLDS:
        params = {"rule": options.RULE}
    return Header(kind.name, kind.version, params=params)
