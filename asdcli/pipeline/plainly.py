"""What stages say to an engineer: what names recordings and what looks wrong, in no word of theirs."""

from __future__ import annotations

from typing import Any

from asdcli.progress import Progress, Silent

_UNITS = {"clips": "recordings", "units": "machines"}


class Plainly(Silent):
    """Hands on what names recordings and what looks wrong; what stages note in their own words stays unsaid."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def track(self, items: Any, *, total: int | None = None, label: str = "", unit: str = "clips") -> Any:
        return self._progress.track(items, total=total, label=label, unit=_UNITS.get(unit, unit))

    def advance(self, n: int, **fields: Any) -> None:
        self._progress.advance(n, **{name: value for name, value in fields.items() if name != "machine_type"})

    def warn(self, text: str) -> None:
        self._progress.warn(text)

    def left_out(self, text: str) -> None:
        self._progress.left_out(text)
