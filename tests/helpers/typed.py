"""Command lines typed one after the other in a folder: how a module makes, once, the run that its tests begin with."""

from __future__ import annotations

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
