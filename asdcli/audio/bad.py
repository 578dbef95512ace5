"""What can be wrong with one audio file."""

from __future__ import annotations

from pathlib import Path

from asdcli.errors import BadData


class BadAudio(BadData):
    """One audio file that cannot be used; `reason` is the message without the path."""

    def __init__(self, path: Path, reason: str, hint: str | None = None) -> None:
        super().__init__(f"{path}: {reason}", hint)
        self.reason = reason
