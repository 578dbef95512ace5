"""How far a sweep is: of each cell whether it is done, running, failed or waiting, and how long the rest may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from asdcli.sweep import notes
from asdcli.sweep.cells import Cell
from asdcli.sweep.work import Site
from asdcli.writing.locks import holder

STATES = ("done", "running", "failed", "waiting")


@dataclass(frozen=True)
class CellStatus:
    """One cell.

    Attributes:
        name: `<dataset>/<label>/seed-<n>`.
        state: one of `STATES`.
        seconds: that it took, of one that is done.
        told: since when it runs, why it failed, or what it lacks.
    """

    name: str
    state: str
    seconds: float | None = None
    told: str = ""


@dataclass(frozen=True)
class SweepStatus:
    """All cells of a plan.

    Attributes:
        left_s: how long the rest takes at the pace so far, in seconds; None while no cell is done.
    """

    cells: tuple[CellStatus, ...]
    left_s: float | None

    @property
    def is_over(self) -> bool:
        """Whether nothing is left that runs or waits."""
        return all(cell.state in ("done", "failed") for cell in self.cells)

    def count(self, state: str) -> int:
        return sum(cell.state == state for cell in self.cells)


def look(cells: Sequence[Cell], site: Site) -> SweepStatus:
    """Look at every cell; nothing is written, and nobody is waited for."""
    found = tuple(_look(cell, site) for cell in cells)
    return SweepStatus(found, _left(cells, found))


def changed(before: SweepStatus | None, now: SweepStatus) -> list[CellStatus]:
    """The cells that are not any more what they were; at first those that somebody is at or that failed."""
    if before is None:
        return [cell for cell in now.cells if cell.state in ("running", "failed")]
    return [cell for old, cell in zip(before.cells, now.cells, strict=True) if cell != old]


def _look(cell: Cell, site: Site) -> CellStatus:
    run = cell.space(site).run
    note = notes.read(run)
    if owner := holder(run):
        return CellStatus(cell.name, "running", told=f"{note.step if note else 'begins'}: {owner}")
    if not cell.space(site).clips.exists():
        return CellStatus(cell.name, "waiting", told=f"there is no dataset {cell.dataset} under {site.data}")
    if cell.is_done(site):
        return CellStatus(cell.name, "done", note.seconds if note else None)
    if note and note.error:
        return CellStatus(cell.name, "failed", told=f"{note.step or 'begins'}: {note.error}")
    if foreign := cell.foreign(site):
        return CellStatus(cell.name, "waiting", told=f"{foreign}: it was made by another plan")
    if note and note.seconds is None:
        return CellStatus(cell.name, "waiting", told=f"was ended in {note.step}")
    return CellStatus(cell.name, "waiting")


def _left(cells: Sequence[Cell], found: Sequence[CellStatus]) -> float | None:
    """Cells of one model and dataset take alike; one that nothing is known of takes what the others take."""
    known: dict[tuple[str, str], list[float]] = {}
    for cell, status in zip(cells, found, strict=True):
        if status.state == "done" and status.seconds:
            known.setdefault((cell.dataset, cell.label), []).append(status.seconds)
    if not known:
        return 0.0 if all(status.state == "done" for status in found) else None
    anywhere = median(s for seconds in known.values() for s in seconds)
    of_each = {key: median(seconds) for key, seconds in known.items()}
    rest = [c for c, s in zip(cells, found, strict=True) if s.state != "done"]
    at_once = max(1, sum(status.state == "running" for status in found))
    return sum(of_each.get((c.dataset, c.label), anywhere) for c in rest) / at_once
