"""Benchmarks: `make bench`, or `python -m tests.bench [--json FILE] [--keep] [NAME ...]`. Tests do not time things.

Every benchmark measures the program as a user runs it (a child process, start-up included), and prints ratios, because
seconds differ between machines: to a plain way of doing the same in the same run, to what the hardware takes at least,
measured in the same run too, and to the last run that was committed of the same kind of processor. `--keep` puts this
run in its place, and writes docs/performance.md and its chart anew.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import performance, record
from tests.bench.jobs import Result
from tests.helpers.environment import forget_asd

_MODULES = (
    "jobs",
    "packs",
    "neighbours",
    "encoders",
    "generative",
    "digests",
    "tables",
    "research",
    "week",
    "page",
    "normalisation",
    "growth",
    "steps",
    "trainings",
    "formats",
)
KNOWN = {f.__name__: f for name in _MODULES for f in importlib.import_module(f"tests.bench.{name}").ALL}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("names", nargs="*", help="which; all by default")
    parser.add_argument("--json", type=Path, help="write the run to this file")
    parser.add_argument("--keep", action="store_true", help="commit the run, and write the documentation from it")
    asked = parser.parse_args(words)
    unknown = [n for n in asked.names if n not in KNOWN]
    if unknown:
        print(f"error: unknown benchmark {unknown[0]!r}\nhint: known: {', '.join(KNOWN)}", file=sys.stderr)
        return 2
    print(f"{record.machine()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    print(f"{'benchmark':<18}{'measured':>34}{'plain way':>28}{'ratio':>8}{'limit':>14}{'before':>8}  budget")
    before, results = record.last(), {}
    for name in asked.names or KNOWN:
        with tempfile.TemporaryDirectory(prefix="asd-bench-") as folder:
            results[name] = KNOWN[name](Path(folder))
        print(_line(name, results[name], before.get(name, {})), flush=True)
        for line in results[name].lines:
            print(line, flush=True)
    text = record.as_json(results)
    if asked.json:
        asked.json.write_text(text, encoding="utf-8")
    if asked.keep:
        record.committed().parent.mkdir(exist_ok=True)
        record.committed().write_text(text, encoding="utf-8")
        performance.write()
    return 0


def _line(name: str, result: Result, before: dict[str, Any]) -> str:
    ratio = f"{result.ratio:.1f}x" if result.ratio else "-"
    limit = f"{share:.0%} {result.limit.what}" if result.limit and (share := of_limit(result)) else "-"
    then = before.get("seconds")
    since = f"{then / result.seconds:.2f}x" if then and result.seconds else "-"
    return f"{name:<18}{result.measured:>34}{result.plain:>28}{ratio:>8}{limit:>14}{since:>8}  {result.budget}"


def of_limit(result: Result) -> float | None:
    """How much of the time is what the hardware takes at least."""
    return result.limit.seconds / result.seconds if result.limit and result.seconds else None


if __name__ == "__main__":
    forget_asd()
    sys.exit(main(sys.argv[1:]))
