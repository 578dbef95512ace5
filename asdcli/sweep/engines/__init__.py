"""Engines: where the work of a sweep is done, and what an engine is.

A newcomer is a frozen dataclass (its fields are its parameters) and one line in `ENGINES`. It is handed pieces of work
and gives a report of each; what the pieces are, it need not know.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Protocol

from asdcli.spec import Registry

if TYPE_CHECKING:
    from asdcli.sweep.notes import CellReport
    from asdcli.sweep.work import Site, Work

ENGINES = Registry(
    "engine",
    {
        "local": "asdcli.sweep.engines.local:Local",
        "ray": "asdcli.sweep.engines.ray:Ray",
        "slurm": "asdcli.sweep.engines.slurm:Slurm",
    },
    group="asdcli.engines",
    needs=("workers", "run"),
)
DEFAULT = "local"


class Engine(Protocol):
    """Where work is done.

    One that submits scripts may also have `scripts(phases, site)`, the texts of what it would submit.

    Attributes:
        workers: how many pieces at once.
    """

    workers: int

    def run(self, phases: Sequence[Sequence[Work]], site: Site, *, retry: int = 0) -> Generator[CellReport, None, None]:
        """Do all of it and give a report of each piece as it ends; a worker that dies costs what it was at.

        Args:
            phases: one after the other, the work of each in any order.
            site: where they work.
            retry: how often what failed is tried again.
        """
        ...
