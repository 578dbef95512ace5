"""How often operators called alarms normal, held against the false alarms that were promised."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from asdcli import artifacts
from asdcli.errors import AsdError
from asdcli.history.answers import Confirmed, confirmed
from asdcli.history.checks import PastCheck, kept
from asdcli.metrics.shares import Share
from asdcli.pipeline.workspace import Workspace
from asdcli.views.checked import NORMAL, SUSPICIOUS
from asdcli.views.thresholds import Thresholds
from asdcli.wording import counted


@dataclass(frozen=True)
class PromiseKept:
    """What became of the promise for one machine.

    Attributes:
        machine: its name.
        promised: share of normal recordings that may lie above the threshold; None where nothing is promised.
        called_normal: recordings that an operator called normal.
        alarms: those of them that were alarms when they were checked first.
        no_alarm: recordings that were none, and of which nothing was said.
        faults: recordings that were called faults.
        missed: those of them that were no alarms.
        waiting: alarms of which nothing was said yet.
    """

    machine: str
    promised: float | None
    called_normal: int
    alarms: int
    no_alarm: int
    faults: int
    missed: int
    waiting: int

    @property
    def share(self) -> Share:
        """Of recordings that were called normal, or were no alarm and not called anything else."""
        return Share(self.alarms, self.called_normal + self.no_alarm, self.promised)

    def plain(self) -> dict[str, Any]:
        """JSON-ready, with the exact 95 % interval of the share of false alarms, and all of it in words."""
        share, interval = (self.share.measured, list(self.share.interval)) if self.share.n else (None, None)
        return {**asdict(self), "share": share, "interval": interval, "said": str(self)}

    def __str__(self) -> str:
        told = f"{self.machine}: {self._rate()}" if self.share.n else f"{self.machine}: nothing was called normal yet"
        told += f"; {counted(self.waiting, 'alarm')} still without an answer" if self.waiting else ""
        return told + (f"; of {counted(self.faults, 'fault')} {self.missed} raised none" if self.faults else "")

    def _rate(self) -> str:
        share = self.share
        promised = "nothing" if share.promised is None else f"{_percent(share.promised)} %"
        of = f"{counted(share.n, 'recording')} that you called normal"
        of += f", or that were no alarm ({self.no_alarm})" if self.no_alarm else ""
        low, high = (_percent(end) for end in share.interval)
        were = "was an alarm" if share.above == 1 else "were alarms"
        told = f"{promised} of false alarms was promised; of {of}, {share.above} {were}: {_percent(share.measured)} %"
        told += f" ({low} to {high} %)"
        if share.promised is not None and share.far:
            told += ", more than promised" if share.measured > share.promised else ", fewer than promised"
        return told


def promises_kept(space: Workspace, method: str) -> list[PromiseKept]:
    """Of each machine of which an operator said anything, by name.

    That recordings which were learned at first are no alarms tells nothing: they do not count.

    Args:
        space: the run.
        method: whose checks count, in its spelling.

    Raises:
        MissingArtifact: nothing was checked. BadArtifact, Busy: the history cannot be read.
    """
    said = confirmed(space.history)
    if not said:
        return []
    limits, learned = Thresholds.read(space.thresholds), _learned(space)
    first: dict[str, PastCheck] = {}
    for one in kept(space.history):
        if one.method == method and one.path not in learned and one.verdict in (NORMAL, SUSPICIOUS):
            first.setdefault(one.digest, one)
    found = []
    for machine in sorted({one.machine for digest, one in first.items() if digest in said}):
        promise = limits.promises.get((method, machine))
        own = {digest: one for digest, one in first.items() if one.machine == machine}
        found.append(_of(machine, promise.share if promise else None, own, said))
    return found


def told(space: Workspace, method: str | None = None) -> list[PromiseKept]:
    """The same by the method whose thresholds decide; nothing where that cannot be told."""
    try:
        methods = {method} if method else {of for of, _ in Thresholds.read(space.thresholds).values}
        return promises_kept(space, methods.pop()) if len(methods) == 1 else []
    except AsdError:
        return []


def _learned(space: Workspace) -> set[str]:
    """The paths, as the history has them, of recordings that were learned at first."""
    rows = artifacts.read_table(space.clips, artifacts.CLIPS)[0].to_pylist()
    return {str((space.dataset_root / row["path"]).resolve()) for row in rows if row["since"] is None}


def _of(machine: str, promised: float | None, own: dict[str, PastCheck], said: dict[str, Confirmed]) -> PromiseKept:
    answer = {digest: said[digest].answer if digest in said else "none" for digest in own}

    def count(which: str, *, alarm: bool | None = None) -> int:
        return sum(
            answer[digest] == which and alarm in (None, one.verdict == SUSPICIOUS) for digest, one in own.items()
        )

    return PromiseKept(
        machine=machine,
        promised=promised,
        called_normal=count("normal"),
        alarms=count("normal", alarm=True),
        no_alarm=count("none", alarm=False),
        faults=count("fault"),
        missed=count("fault", alarm=False),
        waiting=count("none", alarm=True),
    )


def one_sided(of: PromiseKept) -> str | None:
    """What is to be said where all that was called normal were alarms: the threshold then rises too far."""
    if of.called_normal < 2 or of.alarms < of.called_normal:
        return None
    return (
        f"{of.machine}: all {of.called_normal} that were called normal were alarms, so the threshold rises further "
        "than it should; call some that were no alarm normal too, such as all of a quiet day"
    )


def _percent(share: float) -> str:
    """Without its sign, with two digits that say something."""
    return f"{100 * share:.2g}" if share < 0.995 else "100"
