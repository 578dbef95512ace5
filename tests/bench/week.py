"""Benchmarks of the engineer's week: learn, check and explain, start-up included.

500 ten-second recordings of a made-up healthy machine, and 100 of a week of which ten hiss and ten knock.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from tests.bench.child import Usage, asd
from tests.bench.jobs import Result, _timed
from tests.helpers.machines import write
from tests.known_faults.made_up import BandFault, PulseFault, machine, pcm, with_fault

N_LEARNED, N_WEEK, SECONDS = 500, 100, 10.0
_NORMAL, _WEEK = "fan 3/October normal", "fan 3/week 47"


def learn(folder: Path) -> Result:
    """`asd learn` of 500 recordings, against reading them and taking their spectra in one loop."""
    _record(folder)
    usage = asd("learn", _NORMAL, cwd=folder)
    plain = _timed(lambda: _spectra((folder / _NORMAL).iterdir()))
    return Result(_told(usage), f"read + rfft {plain:.1f} s", "< 10 s", plain / usage.seconds, seconds=usage.seconds)


def check(folder: Path) -> Result:
    """`asd check` of 100 recordings, 20 of them faulty, with why of five, against the same loop."""
    _record(folder)
    asd("learn", _NORMAL, cwd=folder)
    usage = asd("check", _WEEK, cwd=folder)
    plain = _timed(lambda: _spectra((folder / _WEEK).iterdir()))
    return Result(_told(usage), f"read + rfft {plain:.1f} s", "< 3 s", plain / usage.seconds, seconds=usage.seconds)


def first_line(folder: Path) -> Result:
    """From typing `asd check` to its first line, against importing numpy and pyarrow."""
    _record(folder, learned=40)
    asd("learn", _NORMAL, cwd=folder)
    ours = min(_until_first_line(folder, "check", _WEEK) for _ in range(5))
    imports = [sys.executable, "-c", "import numpy, pyarrow.parquet"]
    plain = min(_timed(lambda: subprocess.run(imports, check=True)) for _ in range(5))
    return Result(f"{ours:.2f} s", f"numpy, pyarrow {plain:.2f} s", "< 0.5 s", plain / ours, seconds=ours)


def explain(folder: Path) -> Result:
    """`asd explain` of ten recordings of the week, a recording; start-up apart, which stands beside it."""
    _record(folder)
    asd("learn", _NORMAL, cwd=folder)
    names = [str(path.relative_to(folder)) for path in sorted((folder / _WEEK).iterdir())[:11]]
    one, many = asd("explain", names[0], cwd=folder).seconds, asd("explain", *names, cwd=folder).seconds
    each = (many - one) / (len(names) - 1)
    return Result(f"{each:.2f} s each ({one:.2f} s one alone)", "-", "< 2 s", seconds=each)


ALL: list[Callable[[Path], Result]] = [learn, check, first_line, explain]


def _told(usage: Usage) -> str:
    return f"{usage.seconds:.1f} s ({usage.cpu_s:.1f} s of cores), {usage.peak_mb:.0f} MB"


def _record(folder: Path, learned: int = N_LEARNED) -> None:
    for i in range(learned):
        write(folder / _NORMAL / f"2024-10-{1 + i // 20:02d}_{i % 20:02d}.wav", pcm(machine(i, SECONDS)))
    faults = {3: BandFault(1200, 1600, 3.1, 8), 7: PulseFault(29, 3000, 3)}
    for i in range(N_WEEK):
        sound = machine(2000 + i, SECONDS)
        faulty = with_fault(sound, faults[i % 10], i) if i % 10 in faults else sound
        write(folder / _WEEK / f"{i:02d}.wav", pcm(faulty))


def _spectra(paths: Iterable[Path]) -> None:
    import soundfile

    for path in sorted(paths):
        samples = soundfile.read(path, dtype="float64")[0]
        np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(samples, 1024)[::512]))


def _until_first_line(folder: Path, *words: str) -> float:
    start = time.perf_counter()
    command = [sys.executable, "-m", "asdcli", *words]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        assert child.stdout is not None
        child.stdout.readline()
        seconds = time.perf_counter() - start
        child.stdout.read()
    return seconds
