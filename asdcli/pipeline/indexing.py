"""The command that makes a dataset's table of clips again."""

from __future__ import annotations

import shlex
from pathlib import Path

from asdcli import artifacts, catalogue
from asdcli.clips import SUBSET_FOLDERS
from asdcli.errors import AsdError, BadData, MissingArtifact
from asdcli.files import read_json
from asdcli.layouts.links import LINK
from asdcli.pipeline.options import of_index
from asdcli.stages.index import NORMAL
from asdcli.synthesis.sizes import DEFAULT, SIZES
from asdcli.vocabulary import SYNTHETIC, Subset


def of_clips(root: Path, place: str | None = None) -> str:
    """The command that makes the dataset's clips.parquet (and fetches what it can); `place`: of moved recordings.

    A table that is damaged is taken away first: nothing overwrites it unasked.
    """
    clips = root / "clips.parquet"
    try:
        artifacts.verify(clips, artifacts.CLIPS)
    except MissingArtifact:
        pass
    except AsdError:
        return f"{shlex.join(['rm', str(clips)])} && {_maker(root, place)}"
    return _maker(root, place)


def _maker(root: Path, place: str | None) -> str:
    if (root / LINK).is_symlink():
        place = place or str((root / LINK).resolve())
        if (learnt := _learnt(root)) is not None:
            places = [str(Path(place, name)) for name in learnt]
            return shlex.join(["asd", "learn", *places, "--dataset", root.name, *_typed(root)])
        return shlex.join(["asd", "index", place, "--name", root.name, *_typed(root)])
    if root.name not in catalogue.names():
        if not root.is_dir():
            return shlex.join(["asd", "index", "DIR", "--name", root.name])
        return shlex.join(["asd", "index", str(root), *_typed(root)])
    if root.name == SYNTHETIC:
        return shlex.join(["asd", "download", root.name, *_rendered(root)])
    here = [s for s, folder in zip(SUBSET_FOLDERS.values(), SUBSET_FOLDERS, strict=True) if (root / folder).is_dir()]
    options = [f"--subset {s}" for s in here] if here and here != [Subset.DEV] else []
    return " ".join(["asd", "download", root.name, *options])


def _learnt(root: Path) -> list[str] | None:
    """What of the recordings `asd learn` was given; None where the table is not of its making, or cannot tell."""
    try:
        params = artifacts.read_header(root / "clips.parquet", artifacts.CLIPS).params
    except AsdError:
        return None
    return list(params.get("normal", ["."])) if params.get("layout") == NORMAL else None


def _rendered(root: Path) -> list[str]:
    """The options by which the synthetic dataset was rendered, as far as it can tell."""
    from asdcli.synthesis.writing import STAMP

    try:
        made = read_json(root / STAMP)
        size, seed, usual = made["size"], made["seed"], SIZES[made["size"]].machine_types
    except (OSError, BadData, ValueError, KeyError, TypeError):
        return []
    there = sorted({place.name for place in root.glob("*_data/raw/*") if place.is_dir()})
    words = ["--size", str(size)] if size != DEFAULT else []
    words += ["--seed", str(seed)] if seed else []
    return words + [word for name in there if set(there) != set(usual) for word in ("--machine-type", name)]


def _typed(root: Path) -> list[str]:
    """The options by which `asd index` made the table, as far as it can tell."""
    try:
        return of_index(artifacts.read_header(root / "clips.parquet", artifacts.CLIPS))
    except AsdError:
        return []
