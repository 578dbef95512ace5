"""A disk that is full for one file: every byte written to it is refused as the system refuses it."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest


class _Full(io.FileIO):
    def write(self, data: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.name))


def for_file(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """From now on no file called `name` takes a byte."""
    usual = Path.open

    def opened(self: Path, mode: str = "r", *args: Any, **how: Any) -> Any:
        if self.name == name and set(mode) & set("wax"):
            return _Full(self, mode.replace("b", ""))
        return usual(self, mode, *args, **how)

    monkeypatch.setattr(Path, "open", opened)
