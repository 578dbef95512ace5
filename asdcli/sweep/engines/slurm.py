"""`slurm`: one job array a phase, by submitit; a job that is preempted or runs out of time goes to the queue again.

Data and runs lie in folders that all nodes see under the same paths. submitit keeps its own files (jobs, logs, what it
hands to the nodes) in `<runs>/.submitit`; no artifact is among them.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from asdcli.errors import AsdError, UsageError
from asdcli.sweep.attempts import note_killed
from asdcli.sweep.hands import Hands
from asdcli.sweep.notes import CellReport, Mistake
from asdcli.sweep.work import Site, Work

FOLDER = ".submitit"
_PAUSE_S = 0.5


@dataclass(frozen=True)
class Slurm:
    """A Slurm cluster. The command waits for the jobs; interrupted, it cancels those that are left.

    Attributes:
        workers: jobs of an array at once.
        minutes: of one job; a training that takes longer goes on in the next, from its last epoch.
        cpus: of each job; its threads are as many.
        gpus: of each job.
        memory_gb: of each job; 0 means the cluster's own.
        partition, account, qos: as sbatch takes them; none means the cluster's own.
        on: `local` runs the same jobs as processes of this machine, to try things out.
    """

    workers: int = 16
    minutes: int = 1440
    cpus: int = 4
    gpus: int = 0
    memory_gb: int = 0
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    on: Literal["slurm", "local"] = "slurm"

    def __post_init__(self) -> None:
        for name, least in (("workers", 1), ("minutes", 1), ("cpus", 1), ("gpus", 0), ("memory_gb", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} must be at least {least}, got {getattr(self, name)}")

    def run(self, phases: Sequence[Sequence[Work]], site: Site, *, retry: int = 0) -> Generator[CellReport, None, None]:
        executor = self._executor(site)
        for works in phases:
            if works:
                yield from self._phase(executor, works, site, retry)

    def scripts(self, phases: Sequence[Sequence[Work]], site: Site) -> list[str]:
        """What would go to sbatch, a text a phase."""
        _submitit()
        from submitit.slurm.slurm import _make_sbatch_string  # the text that it submits, and no public way to it

        folder = _folder(site)
        command = shlex.join([sys.executable, "-u", "-m", "submitit.core._submit", str(folder)])
        return [
            _make_sbatch_string(command=command, folder=folder, map_count=len(works), **self._parameters(site))
            for works in phases
            if works
        ]

    def _phase(self, executor: Any, works: Sequence[Work], site: Site, retry: int) -> Iterator[CellReport]:
        jobs = executor.map_array(SlurmTask(site, self.cpus, retry), works)
        left = dict(zip(jobs, works, strict=True))
        try:
            while left:
                for job in [job for job in left if job.done()]:
                    yield _report(job, left.pop(job), site)
                if left:
                    time.sleep(_PAUSE_S)
        finally:
            for job in left:
                job.cancel()

    def _executor(self, site: Site) -> Any:
        submitit = _submitit()
        folder = _folder(site)
        if self.on == "local":
            executor = submitit.LocalExecutor(folder)
            executor.update_parameters(timeout_min=self.minutes)
            return executor
        try:
            executor = submitit.SlurmExecutor(folder)
        except RuntimeError:
            raise AsdError(
                "there is no Slurm on this machine: it has no srun",
                "type the command on a node of the cluster, or see what it would submit with --dry-run",
            ) from None
        executor.update_parameters(**self._parameters(site))
        return executor

    def _parameters(self, site: Site) -> dict[str, Any]:
        """As sbatch knows them."""
        asked = {
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "gpus_per_node": self.gpus or None,
            "mem": f"{self.memory_gb}GB" if self.memory_gb else None,
        }
        return {
            "job_name": f"asd-{site.command}-{site.plan}",
            "time": self.minutes,
            "cpus_per_task": self.cpus,
            "array_parallelism": self.workers,
            **{name: value for name, value in asked.items() if value is not None},
        }


@dataclass(frozen=True)
class SlurmTask:
    """What a job does: one piece of work in a process of its own.

    Attributes:
        site: where.
        threads: of the process.
        retry: how often what failed is tried again.
    """

    site: Site
    threads: int
    retry: int

    def __call__(self, work: Work) -> dict[str, Any]:
        with Hands(self.threads) as hands:
            return asdict(hands.do(work, self.site, retry=self.retry))

    def checkpoint(self, work: Work) -> Any:
        """What goes to the queue again when the job is preempted: the same, which goes on where it stopped."""
        return _submitit().helpers.DelayedSubmission(self, work)


def _submitit() -> Any:
    try:
        import submitit
    except ImportError:
        raise UsageError(
            "the engine slurm needs submitit, which is not installed", "pip install 'asdcli[slurm]'"
        ) from None
    return submitit


def _folder(site: Site) -> Path:
    return Path(site.cwd) / site.runs / FOLDER / "%j"


def _report(job: Any, work: Work, site: Site) -> CellReport:
    error = job.exception()
    if error is None:
        return CellReport.of(job.result())
    lines = str(error).strip().splitlines() or [type(error).__name__]
    why = Mistake("killed", f"its job {job.job_id} ended: {lines[-1]}", f"its logs lie in {job.paths.folder}")
    note_killed(work, site, why)
    return CellReport(work.name, "failed", error=why)
