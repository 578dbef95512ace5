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
    """Stages in the sizes of the other benchmarks, start-up included; each time they write their files anew."""
    jobs.score_all(folder / "scores")
    jobs.extract(folder / "packs")
    commands = {
        "extract": (folder / "packs", "extract-features --force"),
        "extract logmel": (folder / "packs", "extract-features --features logmel --force"),
        "train": (folder / "packs", "train --model autoencoder --epochs 1 --seed {turn}"),
        "embed": (folder / "packs", "embed --embedder logmel --force"),
        "score": (folder / "scores", "score --method nn --seed {turn}"),
        "threshold": (folder / "scores", "threshold --rule quantile:quantile=0.9{turn}"),
        "evaluate": (folder / "scores", "evaluate"),
    }
    shares = {name: _shares(place, line) for name, (place, line) in commands.items()}
    found = [f"{name} {checking:.1%} (+ {making:.1%} to make them)" for name, (checking, making) in shares.items()]
    return Result(", ".join(found), "-", "checks < 5 %")


def _shares(place: Path, line: str) -> tuple[float, float]:
    """Of the time of one command, checking and making, the smallest of a few: other work of the machine only adds."""
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    shares = []
    for turn in range(1, 1 + _TIMES):
        words = [*line.format(turn=turn).split(), "--dataset", "bench", "--quiet"]
        command = [sys.executable, "-m", "tests.bench.digest_share", *words]
        done = subprocess.run(command, cwd=place, env=paths, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
        checking, making = map(float, done.stdout.splitlines()[-1].split())
        shares.append((checking, making))
    return min(checking for checking, _ in shares), min(making for _, making in shares)


ALL: list[Callable[[Path], Result]] = [digests]
