"""Command lines typed in a folder: how a module makes, once, the run that its tests begin with a copy of."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from asdcli.cli import call


def typed(place: Path, *lines: str | Sequence[str]) -> Path:
    """Type `asd LINE` for each line in the folder `place`, which is returned. Every one must end with 0."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for line in lines:
            words = line.split() if isinstance(line, str) else line
            assert call([*words, "--quiet"]) == 0, line
    return place


def copied(made: Path, place: Path) -> Path:
    """Copy what was typed in `made` to `place`, which is returned; datasets of recordings in it are of the copies."""
    shutil.copytree(made, place, symlinks=True, dirs_exist_ok=True)
    for link in place.glob("data/*/audio"):
        recordings = link.readlink().relative_to(made.resolve())
        link.unlink()
        link.symlink_to(place / recordings)
    return place
