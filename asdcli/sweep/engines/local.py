"""`local`: processes of this machine, one piece of work each at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from asdcli import cores
from asdcli.errors import UsageError
from asdcli.sweep.hands import Hands
from asdcli.sweep.notes import CellReport
from asdcli.sweep.work import Site, Work

Reports = SimpleQueue[CellReport | BaseException]


@dataclass(frozen=True)
class Local:
    """Processes of this machine.

    One worker with all threads is the default: two trainings at once on one CPU are no faster than one after the other.
    More are for several devices, for work that waits for a disk, and for machines of very many cores.

    Attributes:
        workers: processes at once.
        threads: of each; none divides those of the machine among several workers and leaves a single one its own way.
    """

    workers: int = 1
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("workers", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, got {value}")

    def run(self, phases: Sequence[Sequence[Work]], site: Site, *, retry: int = 0) -> Generator[CellReport, None, None]:
        crew = [Hands(self._threads_each()) for _ in range(min(self.workers, max(map(len, phases), default=0)))]
        todo: deque[Work] = deque()
        told: Reports = SimpleQueue()
        try:
            for works in phases:
                todo.extend(works)
                for hands in crew:
                    threading.Thread(target=_labour, args=(hands, todo, told, site, retry), daemon=True).start()
                for _ in works:
                    yield _report(told.get())
        finally:
            todo.clear()
            for hands in crew:
                hands.end()

    def _threads_each(self) -> int | None:
        if self.threads is not None or self.workers == 1:
            return self.threads
        return max(1, cores.at_hand() // self.workers)


def _labour(hands: Hands, todo: deque[Work], told: Reports, site: Site, retry: int) -> None:
    """Take one piece after the other until none is left; an error of ours is raised where reports are waited for."""
    while True:
        try:
            work = todo.popleft()
        except IndexError:
            return
        try:
            told.put(hands.do(work, site, retry=retry))
        except BaseException as error:
            told.put(error)
            return


def _report(told: CellReport | BaseException) -> CellReport:
    if isinstance(told, BaseException):
        raise told
    return told
