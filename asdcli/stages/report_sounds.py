"""Sounds of the page of `asd report`: recordings read, made fit by several threads, and put away in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.blas import single_threaded
from asdcli.errors import AsdError
from asdcli.page.listening import Explanation, Listening, Made, Prepared, ticks
from asdcli.page.parts import MachinePart
from asdcli.progress import Progress
from asdcli.views.sounds import Sounds
from asdcli.wording import counted

_THREADS, _AT_ONCE = 4, 64


def explain_all(explanations: Iterable[Explanation], listening: Listening) -> None:
    """Take them in, in their order; files are made by several threads."""
    waiting: deque[Future[Prepared | None]] = deque()
    with single_threaded(), ThreadPoolExecutor(_THREADS) as pool:
        for one in explanations:
            waiting.append(pool.submit(listening.prepare, one))
            if len(waiting) > _THREADS:
                listening.keep(waiting.popleft().result())
        while waiting:
            listening.keep(waiting.popleft().result())


def sounds_of(places: Iterable[tuple[Path | None, Path, Header]], machine: str) -> Sounds | None:
    """How recordings of a machine are read; None where nobody knows.

    Args:
        places: of runs: clips.parquet, folder of packs, and the header of what was made of these.
        machine: its name.
    """
    for clips, features, header in places:
        if clips is None:
            continue
        table, _ = artifacts.read_table(clips, artifacts.CLIPS, headerless=True)
        try:
            return Sounds.of(machine, clips, table, features, header)
        except AsdError:
            continue
    return None


def ticks_of(sounds: Sounds | None) -> list[tuple[float, str]]:
    """Where frequencies stand beside the spectrograms of a machine; nothing where nobody knows."""
    return ticks(sounds.sample_rate) if sounds else []


def hear_all(machine: MachinePart, sounds: Sounds | None, listening: Listening, progress: Progress) -> None:
    """Take in all clips of a machine, and the normal recordings that they are nearest to."""
    if sounds is None:
        progress.left_out(f"{machine.name} cannot be heard: nothing says how its recordings are read")
        return

    def made(name: str) -> Made | None:
        try:
            return listening.make(sounds.read(name), sounds.sample_rate)
        except AsdError:
            return None

    near = [name for one in machine.series if one for name in one.nearest if name]
    names = [name for name in dict.fromkeys([*machine.clips.name, *near]) if name not in listening.sounds]
    blocks = [names[i : i + _AT_ONCE] for i in range(0, len(names), _AT_ONCE)]
    lost: list[str] = []
    with single_threaded(), ThreadPoolExecutor(_THREADS) as pool:
        for block in progress.track(blocks, total=len(names), label="sounds"):
            lost += [
                name for name, one in zip(block, pool.map(made, block), strict=True) if not listening.take(name, one)
            ]
            progress.advance(len(block))
    if lost:
        progress.left_out(f"{counted(len(lost), 'recording')} of {machine.name} cannot be heard: {lost[0]}")
