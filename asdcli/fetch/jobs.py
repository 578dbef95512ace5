"""A few transfers at a time, watched from one place: threads work, the caller's thread shows and may interrupt."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from asdcli.errors import AsdError
from asdcli.fetch.disk import DiskError
from asdcli.fetch.transfer import Stopped, Watcher
from asdcli.progress import Progress


@dataclass(frozen=True)
class Job:
    """One piece of work: `run` gets a watcher to count bytes with and to be stopped by."""

    name: str
    run: Callable[[Watcher], None]


@dataclass
class JobsReport:
    """What became of the jobs, by name."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, AsdError] = field(default_factory=dict)


_Waiting = deque[Job]
_Events = queue.Queue[tuple[str, Job, Any]]
"""bytes, note, done, stopped or failed; the job; a number, a text, nothing or the error."""


def run_jobs(jobs: Sequence[Job], *, connections: int, total: int | None, label: str, progress: Progress) -> JobsReport:
    """Run `jobs`, at most `connections` at a time; a failed one does not stop the others, except when the disk refuses.

    Ctrl-C (KeyboardInterrupt in this thread) stops all of them within one chunk; what they have on disk stays.
    Any exception of a job that is no AsdError is raised here: it is a bug.
    """
    waiting, events, stop = _Waiting(jobs), _Events(), threading.Event()
    # daemons: an interrupted program does not wait for a silent server
    threads = [
        threading.Thread(target=_work, args=(waiting, events, stop), daemon=True)
        for _ in range(min(connections, len(jobs)))
    ]
    report = JobsReport()
    for thread in threads:
        thread.start()
    try:
        watched = _watched(len(jobs), events, report, progress)
        for n_bytes in progress.track(watched, total=total, label=label, unit="bytes"):
            progress.advance(n_bytes)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=1.0)
    return report


def _work(waiting: _Waiting, events: _Events, stop: threading.Event) -> None:
    """What a thread does: one job after the other."""
    while not stop.is_set():
        try:
            job = waiting.popleft()  # safe among threads
        except IndexError:
            return
        watcher = Watcher(
            count=lambda n, job=job: events.put(("bytes", job, n)),  # type: ignore[misc]
            say=lambda text, job=job: events.put(("note", job, text)),  # type: ignore[misc]
            stop=stop,
        )
        try:
            job.run(watcher)
            events.put(("done", job, None))
        except Stopped:
            events.put(("stopped", job, None))
        except BaseException as error:  # carried to the caller's thread, which judges it
            events.put(("failed", job, error))


def _watched(n_jobs: int, events: _Events, report: JobsReport, progress: Progress) -> Iterator[int]:
    """The numbers of bytes as they come in, until all jobs have ended; what becomes of them goes into `report`."""
    finished = 0
    while finished < n_jobs:
        what, job, value = events.get()
        if what == "bytes":
            yield value
            continue
        if what == "note":
            progress.note(value)
            continue
        finished += 1
        if what == "done":
            report.done.append(job.name)
        elif what == "failed":
            if not isinstance(value, AsdError):
                raise value
            report.failed[job.name] = value
            if isinstance(value, DiskError):
                raise value
            progress.warn(value.message)
