"""Cases, and the processes that judge them: one that dies takes no other with it."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import random
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fuzz import damage, forgery
from tests.fuzz.judge import Bench
from tests.fuzz.targets import Target, prepare
from tests.helpers import whole_run

_AT_ONCE = 4  # commands to which one artifact is shown
_SLOW_SHARE = 0.2  # of the artifacts are shown to a command that takes seconds
_FORGED_SHARE = 0.45  # of the artifacts are forged, the others damaged
_SPAWN = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork


@dataclass(frozen=True)
class Case:
    """A file and a number from which all that happens to it follows."""

    path: str
    seed: str

    def made(self, whole: Path) -> tuple[dict[str, bytes], bool, random.Random]:
        """The files by name, whether their seals still are asd's own, and the generator for the rest."""
        rng = random.Random(f"{self.path} {self.seed}")
        path = whole / self.path
        if rng.random() < _FORGED_SHARE and (files := forgery.forged(path, rng)):
            return files, False, rng
        return {path.name: damage.drawn(rng)(path.read_bytes())}, True, rng


def make(whole: Path) -> None:
    """Fill the folder `whole` in a process of its own. Raises RuntimeError when that fails."""
    maker = _SPAWN.Process(target=_make, args=(whole,))
    maker.start()
    maker.join()
    if maker.exitcode:
        raise RuntimeError("the run that is to be damaged could not be made")


def _make(whole: Path) -> None:
    whole.mkdir()
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            whole_run.make(whole, whole_run.IN_FOLDS)
            prepare(whole)
    except BaseException:
        print(said.getvalue(), file=sys.stderr)
        raise


@dataclass
class Worker:
    process: multiprocessing.process.BaseProcess
    pipe: Connection

    @staticmethod
    def start(number: int, cases: Sequence[Case], known: Mapping[str, Target], whole: Path) -> Worker:
        pipe, other = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(target=_work, args=(other, cases, known, whole, whole.with_name(f"{number}")))
        process.start()
        other.close()
        return Worker(process, pipe)


def _work(pipe: Connection, cases: Sequence[Case], known: Mapping[str, Target], whole: Path, place: Path) -> None:
    os.environ.update(COLUMNS="160", NO_COLOR="1")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what libraries in C say
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(whole, place, symlinks=True)
    bench = Bench(place, whole=whole)
    for case in cases:
        target = known[case.path]
        files, sealed, rng = case.made(whole)
        cheap = target.commands[: len(target.commands) - target.slow]
        slow = target.commands[len(cheap) :] if not cheap or rng.random() < _SLOW_SHARE else ()
        commands = [*rng.sample(cheap, min(_AT_ONCE, len(cheap))), *rng.sample(slow, min(1, len(slow)))]
        pipe.send((case, [(command, bench.judge(target, files, command, sealed=sealed)) for command in commands]))
