"""Progress that remembers what it was told, or stops the work at a stated place: never after a stated time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from asdcli.progress import Silent, T


class Heard(Silent):
    """Remembers: notes, warnings, the units counted, the fields shown beside them, and the last total announced."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.fields: list[dict[str, Any]] = []
        self.counted = 0
        self.total: int | None = None

    def track(
        self, items: Iterable[T], *, total: int | None = None, label: str = "", unit: str = "clips"
    ) -> Iterator[T]:
        self.total = total
        yield from items

    def advance(self, n: int, **fields: Any) -> None:
        self.counted += n
        self.fields.append(fields)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class Interrupting(Heard):
    """Interrupts, as Ctrl-C does, once more than `share` of the announced total has been counted.

    The first epoch of three ends at a share of 1/3: a share between 1/3 and 2/3 interrupts amid the second.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def advance(self, n: int, **fields: Any) -> None:
        super().advance(n, **fields)
        if self.counted > self.share * (self.total or 0):
            raise KeyboardInterrupt
