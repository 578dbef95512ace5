"""A worker as whoever started it sees it: hands it work, and notices how it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType

from asdcli.sweep.attempts import note_killed
from asdcli.sweep.notes import CellReport, Mistake
from asdcli.sweep.work import Site, Work
from asdcli.sweep.worker import handed

_GRACE_S = 20.0  # for an epoch's checkpoint to be written
_PROGRAM = "import sys; sys.path[:] = {path!r}; from asdcli.sweep.worker import main; main()"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_OUT_OF_MEMORY = "where memory runs out, the system kills so: take fewer workers, or --retry"


class Hands:
    """One worker process, started when there is something to do and again when it was killed."""

    def __init__(self, threads: int | None = None) -> None:
        """
        Args:
            threads: of BLAS and torch, settled before they are loaded; None leaves that to them.
        """
        self._more = {} if threads is None else dict.fromkeys(_THREADS, str(threads))
        self._process: subprocess.Popen[str] | None = None
        self._ended = False

    def __enter__(self) -> Hands:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def do(self, work: Work, site: Site, *, retry: int = 0) -> CellReport:
        """Have `work` done, after a failure up to `retry` times again."""
        for left in range(retry, -1, -1):
            report = self._once(work, site)
            if report.state != "failed" or self._ended or not left:
                break
        return report

    def end(self) -> None:
        """End the process; one that is at work gets a moment to leave things in order."""
        self._ended = True
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                try:
                    pipe.close()
                except OSError:  # what was not written any more
                    continue

    def _once(self, work: Work, site: Site) -> CellReport:
        process = self._running()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(handed(work, site) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except (BrokenPipeError, ValueError):
            answer = ""
        if answer:
            return CellReport.of(json.loads(answer))
        why = _of_end(process.wait())
        if not self._ended:  # by whoever holds it, who knows
            self._process = None
            note_killed(work, site, why)
        return CellReport(work.name, "failed", error=why)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            environment: Mapping[str, str] = {**os.environ, **self._more}
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM.format(path=sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C is for whoever started it, who then ends it
            )
        return self._process


def _of_end(code: int) -> Mistake:
    """How a process ended, in words."""
    if code >= 0:
        return Mistake("ended", f"its process ended with exit code {code}")
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    return Mistake("killed", f"killed by signal {-code}{name}", _OUT_OF_MEMORY if -code == signal.SIGKILL else None)
