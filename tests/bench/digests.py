"""What it costs to check every digest and checksum: their share of the time of whole commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import jobs
from tests.bench.jobs import Result

_TIMES = 3


def digests(folder: Path) -> Result:
    """`score`, `evaluate`, `extract-features` and `embed` in the sizes of the other benchmarks, start-up included."""
    jobs.score_all(folder / "scores")
    jobs.extract(folder / "packs")
    commands = {
        "score": (folder / "scores", "score --method nn --force"),
        "evaluate": (folder / "scores", "evaluate"),
        "extract": (folder / "packs", "extract-features --force"),
        "extract logmel": (folder / "packs", "extract-features --features logmel --force"),
        "embed": (folder / "packs", "embed --embedder logmel --force"),
    }
    shares = {name: _share(place, line.split()) for name, (place, line) in commands.items()}
    return Result(", ".join(f"{name} {share:.1%}" for name, share in shares.items()), "-", "< 5 %")


def _share(place: Path, words: list[str]) -> float:
    """Of the time of one command, the smallest of a few: whatever else the machine does only makes it larger."""
    command = [sys.executable, "-m", "tests.bench.digest_share", *words, "--dataset", "bench", "--quiet"]
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    shares = []
    for _ in range(_TIMES):
        done = subprocess.run(command, cwd=place, env=paths, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
        shares.append(float(done.stdout.splitlines()[-1]))
    return min(shares)


ALL: list[Callable[[Path], Result]] = [digests]
