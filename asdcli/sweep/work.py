"""What an engine is given: pieces of work, and the place to do them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from asdcli.pipeline.workspace import Workspace
from asdcli.progress import Progress

Begin = Callable[[str], None]
"""Is told the name of each step as it begins."""


@dataclass(frozen=True)
class Site:
    """Where a sweep works.

    Attributes:
        plan: its name, for people.
        data: the data root.
        runs: the folder of its runs.
        cwd: the working folder, from which relative paths are meant.
        device: where networks run.
        force: do everything again.
        command: that sweeps, for people.
    """

    plan: str
    data: str
    runs: str
    cwd: str
    device: str = "auto"
    force: bool = False
    command: str = "sweep"

    def space(self, dataset: str, *below: str) -> Workspace:
        """A run of the sweep; working on it leaves alone which dataset other commands take by default."""
        return Workspace(Path(self.data), Path(self.runs).joinpath(dataset, *below), dataset, selects=False)


class Work(Protocol):
    """What an engine is given to do: a frozen dataclass of what JSON can say.

    Attributes:
        name: for people.
        waits: whether it waits for somebody else who is at it, because nothing can be done without.
    """

    @property
    def name(self) -> str: ...

    @property
    def waits(self) -> bool: ...

    def noted_in(self, site: Site) -> Path | None:
        """The run that is its own: it is alone with it, and notes there how far it is; None where it has none."""
        ...

    def is_done(self, site: Site) -> bool:
        """Whether there is nothing to do."""
        ...

    def take(self, site: Site, begin: Begin, progress: Progress) -> bool:
        """Take its steps, and tell `begin` the name of each; returns whether there was anything to do.

        Raises what they raise.
        """
        ...
