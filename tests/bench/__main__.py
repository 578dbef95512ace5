"""Benchmarks: `make bench`, or `python -m tests.bench [NAME ...]`. Tests do not time things; this does.

Every benchmark measures the program as a user runs it (a child process, start-up included) and, in the same run, a
plain reference way of doing the same work, and prints the ratio: seconds differ between machines, ratios less so.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.bench import digests, generative, jobs, neighbours, page, research, serial_oe, tables, week
from tests.helpers.environment import forget_asd


def main(names: list[str]) -> int:
    modules = (jobs, neighbours, generative, serial_oe, digests, tables, research, week, page)
    known = {function.__name__: function for module in modules for function in module.ALL}
    unknown = [n for n in names if n not in known]
    if unknown:
        print(f"error: unknown benchmark {unknown[0]!r}\nhint: known: {', '.join(known)}", file=sys.stderr)
        return 2
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'benchmark':<18}{'measured':>34}{'plain way':>28}{'ratio':>8}  budget")
    for name in names or known:
        with tempfile.TemporaryDirectory(prefix="asd-bench-") as folder:
            result = known[name](Path(folder))
        ratio = f"{result.ratio:.1f}x" if result.ratio else "-"
        print(f"{name:<18}{result.measured:>34}{result.plain:>28}{ratio:>8}  {result.budget}", flush=True)
        for line in result.lines:
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    forget_asd()
    sys.exit(main(sys.argv[1:]))
