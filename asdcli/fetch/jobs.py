"""A few transfers at a time, watched from one place: threads work, the caller's thread shows and may interrupt."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

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


def run_jobs(jobs: Sequence[Job], *, connections: int, total: int | None, label: str, progress: Progress) -> JobsReport:
    """Run `jobs`, at most `connections` at a time; a failed one does not stop the others, except when the disk refuses.

    Ctrl-C (KeyboardInterrupt in this thread) stops all of them within one chunk; what they have on disk stays.
    Any exception of a job that is no AsdError is raised here: it is a bug.
    """
    report, waiting, events = JobsReport(), list(jobs), queue.Queue[tuple[str, Job, object]]()
    stop = threading.Event()
    lock = threading.Lock()

    def work() -> None:
        while not stop.is_set():
            with lock:
                if not waiting:
                    break
                job = waiting.pop(0)
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

    # daemons: an interrupted program does not wait for a silent server
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(connections, len(jobs)))]
    for thread in threads:
        thread.start()

    def watch() -> Iterator[int]:
        finished = 0
        while finished < len(jobs):
            what, job, value = events.get()
            if what == "bytes":
                yield value  # type: ignore[misc]
                continue
            if what == "note":
                progress.note(str(value))
                continue
            finished += 1
            if what == "done":
                report.done.append(job.name)
            elif what == "failed":
                if not isinstance(value, AsdError):
                    raise value  # type: ignore[misc]
                report.failed[job.name] = value
                if isinstance(value, DiskError):
                    raise value
                progress.warn(value.message)

    try:
        for n_bytes in progress.track(watch(), total=total, label=label, unit="bytes"):
            progress.advance(n_bytes)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=1.0)
    return report
