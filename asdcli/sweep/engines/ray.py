"""`ray`: the machines of a Ray cluster, or a local one that is started for the sweep; one piece of work a Ray task.

Data and runs lie in folders that all machines of the cluster see under the same paths. A task does its work in a
process of its own, as the local engine does: what ends that, or the task, costs the work that it was at.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asdcli.errors import AsdError, UsageError
from asdcli.sweep.attempts import note_killed
from asdcli.sweep.hands import Hands
from asdcli.sweep.notes import CellReport, Mistake
from asdcli.sweep.work import Site, Work


@dataclass(frozen=True)
class Ray:
    """A Ray cluster.

    Attributes:
        address: of the cluster's head, or `auto` for the one that this machine belongs to; `local` starts one.
        workers: runs at once; 0 means as many as the resources allow.
        cpus: of each run; its threads are as many.
        gpus: of each run; a fraction shares one.
    """

    address: str = "local"
    workers: int = 0
    cpus: int = 1
    gpus: float = 0.0

    def __post_init__(self) -> None:
        if self.workers < 0 or self.cpus < 1 or self.gpus < 0:
            raise UsageError("workers and gpus are not negative, and a run has at least one of cpus")

    def run(self, phases: Sequence[Sequence[Work]], site: Site, *, retry: int = 0) -> Generator[CellReport, None, None]:
        ray = _ray()
        # Ray says on standard output what died; that is for results, and the report says it
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere), self._connected(ray):
            task = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=0)(_do)
            for works in phases:
                yield from self._phase(ray, task, works, site, retry)

    def _phase(self, ray: Any, task: Any, works: Sequence[Work], site: Site, retry: int) -> Iterator[CellReport]:
        """All of one phase; what failed goes to the end of the queue as often as it may be tried again."""
        todo = [(work, retry) for work in works]
        at_work: dict[Any, tuple[Work, int]] = {}
        try:
            while todo or at_work:
                while todo and (not self.workers or len(at_work) < self.workers):
                    work, left = todo.pop(0)
                    at_work[task.remote(work, site, self.cpus)] = (work, left)
                (ended, *_), _ = ray.wait(list(at_work), num_returns=1)
                work, left = at_work.pop(ended)
                report = _report(ray, ended, work, site)
                if report.state == "failed" and left:
                    todo.append((work, left - 1))
                else:
                    yield report
        finally:
            for reference in at_work:
                ray.cancel(reference, force=True)

    @contextlib.contextmanager
    def _connected(self, ray: Any) -> Iterator[None]:
        quiet = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
        if self.address != "local":
            quiet.pop("include_dashboard")
        else:
            quiet["num_cpus"] = max(self.workers * self.cpus, os.cpu_count() or 1)
        try:
            ray.init(address=self.address, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise AsdError(
                f"no Ray cluster answers at {self.address}: {str(error).splitlines()[0]}",
                "start its head with ray start, name another address, or leave it out: a local one is started",
            ) from None
        try:
            yield
        finally:
            ray.shutdown()


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise UsageError("the engine ray needs Ray, which is not installed", "pip install 'asdcli[ray]'") from None
    return ray


def _do(work: Work, site: Site, threads: int) -> dict[str, Any]:
    """What a Ray task does: one piece of work in a process of its own."""
    with Hands(threads) as hands:
        return asdict(hands.do(work, site))


def _report(ray: Any, ended: Any, work: Work, site: Site) -> CellReport:
    try:
        return CellReport.of(ray.get(ended))
    except ray.exceptions.RayError as error:  # its worker was killed, or its machine is gone
        why = Mistake("killed", f"its Ray task died: {str(error).strip().splitlines()[0]}")
        note_killed(work, site, why)
        return CellReport(work.name, "failed", error=why)
