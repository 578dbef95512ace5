"""How a stage speaks to whoever watches it: a small protocol, silent by default.

Stages never print. The command line passes its own `Progress`; tests and programs may pass none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """What a stage may say while it works."""

    def track(
        self, items: Iterable[T], *, total: int | None = None, label: str = "", unit: str = "clips"
    ) -> Iterator[T]:
        """Yield `items` unchanged while showing how many of `total` are done and the rate in `unit`/s.

        An item may stand for several units: see `advance`.
        """
        ...

    def advance(self, n: int, **fields: Any) -> None:
        """Count `n` more units on the innermost running `track`; `fields` (loss=…) are shown beside the bar.

        A `track` whose consumer calls `advance` counts only what `advance` says.
        """
        ...

    def note(self, text: str) -> None:
        """One line of information."""
        ...

    def warn(self, text: str) -> None:
        """One line about a fallback that was taken or a thing that looks wrong."""
        ...

    def left_out(self, text: str) -> None:
        """One line that names what was left out or is missing, and why: a warning that --quiet keeps."""
        ...


class Silent:
    """A `Progress` that says nothing, and the base of those that say a part."""

    def track(
        self, items: Iterable[T], *, total: int | None = None, label: str = "", unit: str = "clips"
    ) -> Iterator[T]:
        yield from items

    def advance(self, n: int, **fields: Any) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        pass

    def left_out(self, text: str) -> None:
        self.warn(text)


SILENT = Silent()
