"""Who else works on these cores: said where a training begins, because it takes longer for it."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

from asdcli.wording import counted

_WORTH_SAYING = 1.5  # times as long
_LOOK_S = 0.2
_AT_WORK = 0.5  # cores that are busy while this process sleeps, below which the load is of what has ended
_TRAIN = ("train", "embed", "run", "learn", "sweep")


@dataclass(frozen=True)
class Crowd:
    """What a machine is asked to do, before a training begins.

    Attributes:
        cores: of the machine.
        load: threads that wanted one of them in the last minute, on average.
        threads: that the training will have.
        trainings: other asd that train or embed.
    """

    cores: int
    load: float
    threads: int
    trainings: int = 0

    @property
    def times_as_long(self) -> float:
        """How many times longer than alone something takes where all threads get equal parts of the cores."""
        wanted = max(self.load, 1.0 * self.trainings) + self.threads
        return max(1.0, wanted / max(self.cores, self.threads))

    def told(self) -> str | None:
        """A sentence where it matters; None where there is room."""
        if self.times_as_long < _WORTH_SAYING:
            return None
        of_asd = f", {self.trainings} other asd among them" if self.trainings else ""
        return (
            f"{counted(self.cores, 'core')} and a load of {self.load:.1f}{of_asd}: "
            f"expect about {self.times_as_long:.1f} times the time"
        )


def crowd(threads: int) -> str | None:
    """What `Crowd.told` says of this machine, now, to a training of so many threads.

    The load of the last minute is also that of the command before: nothing is said where hardly anybody is at work.
    """
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # another system
        return None
    found = Crowd(os.cpu_count() or 1, load, threads, len(_others())).told()
    return found if found and busy_cores(_LOOK_S) >= _AT_WORK else None


def busy_cores(seconds: float, statistics: Path = Path("/proc/stat")) -> float:
    """How many cores are at work, on average, while this process sleeps so long; infinite where nothing tells."""
    try:
        before = _spent(statistics)
        time.sleep(seconds)
        busy, total = (after - earlier for after, earlier in zip(_spent(statistics), before, strict=True))
    except (OSError, ValueError):
        return math.inf
    return (os.cpu_count() or 1) * busy / total if total else math.inf


def _spent(statistics: Path) -> tuple[int, int]:
    """Time of all cores since the machine started, at work and in all."""
    with statistics.open() as file:
        user, nice, system, idle, waiting, *rest = map(int, file.readline().split()[1:9])
    return user + nice + system + sum(rest), user + nice + system + idle + waiting + sum(rest)


def _others(processes: Path = Path("/proc")) -> list[int]:
    """Process numbers of other asd that train, embed or do so for a sweep, as far as they can be seen."""
    found = []
    for path in processes.glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # ended meanwhile, or somebody else's
            continue
        if int(path.parent.name) != os.getpid() and _trains(words):
            found.append(int(path.parent.name))
    return found


def _trains(words: list[str]) -> bool:
    """Whether a command line is `asd train`, `asd embed`, … or `python -m asdcli train`."""
    if words[0].rpartition("/")[2].startswith("python"):
        words = words[1:]
    if words[:2] == ["-m", "asdcli"]:
        words = words[1:]
    return words[0].rpartition("/")[2] in ("asd", "asdcli") and words[1:2] in ([name] for name in _TRAIN)
