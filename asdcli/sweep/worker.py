"""A process that is handed one piece of work after the other, a line each, and answers each with its report.

What it is handed goes to standard input, its reports to standard output, and what libraries print to standard error.
It ends when nothing more comes; where whoever started it is gone in the midst of a piece of work, at once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from queue import SimpleQueue
from typing import Any

from asdcli import cores
from asdcli.pipeline import process
from asdcli.sweep.attempts import attempt
from asdcli.sweep.cells import Cell
from asdcli.sweep.packing import Packing
from asdcli.sweep.shards import ShardWork
from asdcli.sweep.work import Site, Work

_SORTS: dict[str, type[Any]] = {"cell": Cell, "packing": Packing, "shard": ShardWork}


def handed(work: Work, site: Site) -> str:
    """The line that hands `work` on."""
    sort = next(name for name, cls in _SORTS.items() if isinstance(work, cls))
    fields = asdict(work)  # type: ignore[call-overload]
    return json.dumps({"sort": sort, "work": fields, "site": asdict(site)})


def taken(line: str) -> tuple[Work, Site]:
    """What a line hands on."""
    said = json.loads(line)
    return _SORTS[said["sort"]](**_tuples(said["work"])), Site(**said["site"])


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def main() -> None:
    """Work until nothing more comes."""
    process.settle(networks=True, threads=cores.too_many_threads())
    reports = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    lines: SimpleQueue[str] = SimpleQueue()
    at_work = threading.Event()
    threading.Thread(target=_read, args=(lines, at_work), daemon=True).start()
    try:
        while line := lines.get():
            work, site = taken(line)
            os.chdir(site.cwd)
            sys.argv = ["asd", site.command, site.plan]  # who is at work, for those who find a lock
            report = attempt(work, site)
            at_work.clear()
            print(json.dumps(asdict(report)), file=reports, flush=True)
    except (process.Terminated, KeyboardInterrupt):
        sys.exit(143)
    except BrokenPipeError:
        os._exit(141)


def _read(lines: SimpleQueue[str], at_work: threading.Event) -> None:
    for line in sys.stdin:
        at_work.set()
        lines.put(line)
    if at_work.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
    lines.put("")
