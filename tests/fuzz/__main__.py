"""`make fuzz`, or `python -m tests.fuzz`: damages many files, types the commands that read them, and prints the counts.

Exits with 1 when anything was silently different, half-written, a traceback, a hang or a crash; each is printed with
the words that bring it back.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

from tests.fuzz.judge import Judged, Verdict
from tests.fuzz.targets import Target, targets
from tests.fuzz.workers import Case, Worker, make


@dataclass
class Tally:
    """What came of the artifacts of each sort: the worst of its commands counts."""

    counts: dict[str, Counter[Verdict]] = field(default_factory=dict)
    n_commands: int = 0
    faults: list[tuple[Case, str, Judged]] = field(default_factory=list)

    def add(self, case: Case, sort: str, judged: Sequence[tuple[str, Judged]]) -> None:
        order = list(Verdict)
        worst = max((one.verdict for _, one in judged), key=order.index)
        self.counts.setdefault(sort, Counter())[worst] += 1
        self.n_commands += len(judged)
        self.faults += [(case, command, one) for command, one in judged if one.verdict.is_fault]

    def show(self) -> None:
        shown = [
            v for v in Verdict if v not in (Verdict.HALF, Verdict.CRASH) or any(c[v] for c in self.counts.values())
        ]
        print(f"{'artifacts':<18}" + "".join(f"{v.value:>20}" for v in shown))
        for sort, counts in (*sorted(self.counts.items()), ("all", sum(self.counts.values(), Counter()))):
            print(f"{sort:<18}" + "".join(f"{counts[v]:>20}" for v in shown))
        n = sum(sum(c.values()) for c in self.counts.values())
        print(f"{n} artifacts, {self.n_commands} commands, {len(self.faults)} faults")


def main(words: list[str]) -> int:
    options = _options(words)
    with tempfile.TemporaryDirectory(prefix="asd-fuzz-") as folder:
        whole = Path(folder) / "whole"
        make(whole)
        known = {t.path: t for t in targets(whole) if options.only in f"{t.sort} {t.path}"}
        cases = [Case(path, options.case) for path in known] if options.case else _cases(known.values(), options)
        tally = _judged(cases, known, whole, options.jobs, options.verbose)
    tally.show()
    for case, command, judged in tally.faults[:40]:
        print(f"\n{judged.verdict.value}: {command}\n  --only {case.path!r} --case {case.seed}\n{judged.words[-2500:]}")
    return 1 if tally.faults else 0


def _cases(known: Iterable[Target], options: argparse.Namespace) -> list[Case]:
    """As many of each sort, and as many of each file of a sort."""
    paths: dict[str, list[str]] = {}
    for target in known:
        paths.setdefault(target.sort, []).append(target.path)
    in_turn = zip(*(itertools.cycle(of) for of in paths.values()), strict=True)
    chosen = itertools.islice(itertools.chain.from_iterable(in_turn), options.artifacts)
    return [Case(path, f"{options.seed}.{number}") for number, path in enumerate(chosen)]


def _options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--artifacts", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="a part of a sort or path")
    parser.add_argument("--case", help="this one again: a seed as it was printed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--verbose", action="store_true", help="say what was said of every artifact")
    return parser.parse_args(words)


def _judged(cases: Sequence[Case], known: dict[str, Target], whole: Path, jobs: int, verbose: bool) -> Tally:
    """Judge `cases` in `jobs` processes; one that dies is a crash, and another goes on in its place."""
    tally = Tally()
    left = {n: list(cases[n::jobs]) for n in range(jobs)}
    workers = {n: Worker.start(n, left[n], known, whole) for n in left if left[n]}
    while workers:
        for ready in wait([w.pipe for w in workers.values()]):
            n, worker = next((n, w) for n, w in workers.items() if w.pipe is ready)
            try:
                case, judged = worker.pipe.recv()
                died = False
            except EOFError:
                worker.process.join()
                died = True
                if not left[n]:
                    del workers[n]
                    continue
                case, judged = (
                    left[n][0],
                    [("one of its commands", Judged(Verdict.CRASH, str(worker.process.exitcode)))],
                )
            left[n].pop(0)
            tally.add(case, known[case.path].sort, judged)
            for command, one in judged if verbose else ():
                print(f"{one.verdict.value:<20}{case.path} {case.seed}: {command}\n    {one.words[:600]}")
            if died:
                workers[n] = Worker.start(n, left[n], known, whole)
    return tally


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
