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
    shares = {name: _share(place, line) for name, (place, line) in commands.items()}
    return Result(", ".join(f"{name} {share:.1%}" for name, share in shares.items()), "-", "< 5 %")


def _share(place: Path, line: str) -> float:
    """Of the time of one command, the smallest of a few: whatever else the machine does only makes it larger."""
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    shares = []
    for turn in range(1, 1 + _TIMES):
        words = [*line.format(turn=turn).split(), "--dataset", "bench", "--quiet"]
        command = [sys.executable, "-m", "tests.bench.digest_share", *words]
        done = subprocess.run(command, cwd=place, env=paths, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
        shares.append(float(done.stdout.splitlines()[-1]))
    return min(shares)


ALL: list[Callable[[Path], Result]] = [digests]
