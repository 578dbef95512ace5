"""Results to stdout, talk and progress to stderr: the only module that holds rich consoles."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sized
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from asdcli.progress import Silent
from asdcli.visible import in_json, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

T = TypeVar("T")

_FILE_WIDTH = 200  # columns of a table that goes to a file or a pipe, where nothing can be too wide
_LEAST_WIDTH = 40  # columns that are always taken to be there: what is narrower cannot hold a table


def stdout() -> Console:
    return _console()


def stderr() -> Console:
    return _console(stderr=True)


def written(show: Callable[[Console], None]) -> str:
    """What `show` prints on a console, as it stands in a file: without colours, and wide."""
    import io

    console = _class()(file=io.StringIO(), highlight=False, soft_wrap=True, markup=False, emoji=False)
    console.width = _FILE_WIDTH
    show(console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def settle_width() -> None:
    """Take a COLUMNS that is no width (0, negative, a word) as not set, here and where help is printed."""
    columns = os.environ.get("COLUMNS")
    if columns is None:
        return
    if columns.isascii() and columns.isdigit() and int(columns):
        os.environ["COLUMNS"] = str(max(int(columns), _LEAST_WIDTH))
    else:
        del os.environ["COLUMNS"]


def _console(*, stderr: bool = False) -> Console:
    console = _class()(stderr=stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _FILE_WIDTH
    console.width = max(console.width, _LEAST_WIDTH)
    return console


@cache
def _class() -> type[Console]:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Guarded(Console):
        """Shows names as `visible` does, whatever prints them, and tells of a reader that went away."""

        def print(self, *objects: Any, **how: Any) -> None:
            super().print(*(visible(o) if isinstance(o, str) else o for o in objects), **how)

        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for text, style, control in super().render(renderable, options):
                yield Segment(text if control else visible(text), style, control)

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Guarded


def say(console: Console, text: str, *, label: str = "", style: str = "") -> None:
    """Print a sentence under its label, broken between words where a terminal's line ends.

    In a file a sentence is one line. A command at the end of a sentence that does not fit gets a line of its own, which
    is not broken, so that it can be copied.
    """
    from rich.text import Text

    text = visible(text).replace("\n", "\n  ")  # no line of a name begins as one of ours does
    prefix = Text.assemble((label + ":", style), " ") if label else Text()
    if not console.is_terminal:
        console.print(prefix + Text(text))
        return
    prose, colon, command = text.rpartition(": asd ")
    if not colon or len(label) + 2 + len(text) <= console.width:
        console.print(prefix + Text(text), soft_wrap=False)
        return
    console.print(prefix + Text(f"{prose}:"), soft_wrap=False)
    console.print(Text(f"  asd {command}"))


class Terminal(Silent):
    """Progress bars and one-line notes on stderr; `quiet` keeps only what names things left out.

    On a terminal a bar is drawn live; elsewhere (CI, a file) each track ends in one plain line.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = stderr()
        self.quiet = quiet
        self.warnings: list[str] = []
        self._bars: list[tuple[Progress, TaskID, list[bool]]] = []

    def note(self, text: str) -> None:
        if not self.quiet:
            say(self.console, text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        if not self.quiet:
            self._warn(text)

    def left_out(self, text: str) -> None:
        self.warnings.append(text)
        self._warn(text)

    def _warn(self, text: str) -> None:
        say(self.console, text, label="warning", style="yellow")

    def track(
        self, items: Iterable[T], *, total: int | None = None, label: str = "", unit: str = "clips"
    ) -> Iterator[T]:
        if self.quiet:
            yield from items
            return
        if total is None and isinstance(items, Sized):
            total = len(items)
        label, bar = visible(label), _bar(self.console, unit)
        task = bar.add_task(label, total=total, extra="")
        counted_by_consumer = [False]
        self._bars.append((bar, task, counted_by_consumer))
        finished = False
        try:
            with bar:
                for item in items:
                    yield item
                    if not counted_by_consumer[0]:
                        bar.advance(task)
                finished = True
        finally:
            self._bars.pop()
            if finished and not self.console.is_terminal:
                self.console.print(_summary(bar, task, label, unit))

    def advance(self, n: int, **fields: Any) -> None:
        if self._bars:
            bar, task, counted_by_consumer = self._bars[-1]
            counted_by_consumer[0] = True
            extra = "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in fields.items())
            if fields:
                bar.update(task, extra=visible(extra))
            bar.advance(task, n)


def _bar(console: Console, unit: str) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            # what ends within a blink has no speed yet
            overall = task.completed / task.elapsed if task.elapsed else 0.0
            return Text(_rate(task.finished_speed or task.speed or overall, unit))

    if unit == "bytes":
        from rich.progress import DownloadColumn

        count: ProgressColumn = DownloadColumn()
    else:
        count = MofNCompleteColumn()
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        count,
        Rate(),
        TextColumn("{task.fields[extra]}", markup=False),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=console,
        transient=False,
        disable=not console.is_terminal,
    )


def _rate(per_second: float, unit: str) -> str:
    if unit == "bytes":
        return f"{per_second / 1e6:.1f} MB/s"
    return f"{per_second:.0f} {unit}/s" if per_second >= 10 else f"{per_second:.2g} {unit}/s"


def _summary(bar: Progress, task: TaskID, label: str, unit: str) -> str:
    state = next(t for t in bar.tasks if t.id == task)
    seconds = state.elapsed or 0.0
    count = f"{state.completed / 1e6:.1f} MB" if unit == "bytes" else f"{state.completed:.0f} {unit}"
    rate = f" ({_rate(state.completed / seconds, unit)})" if seconds else ""
    extra = f"  {state.fields['extra']}" if state.fields.get("extra") else ""
    return f"{label}: {count} in {seconds:.1f} s{rate}{extra}"


def emit_json(value: Any) -> None:
    """One JSON object on stdout; NaN and infinity become null, because JSON has neither."""
    print(in_json(json.dumps(_finite(value), indent=2, ensure_ascii=False, default=str)))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
