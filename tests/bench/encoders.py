"""What frozen encoders cost beside a bare loop of the same network at its best batch size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.jobs import Result

LEAST = 0.6


def encoders(folder: Path) -> Result:
    """`asd embed`'s own loop over waveforms, resampling to pooling, against the encoder alone on what it hears."""
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_CACHE_HOME": str(folder)}
    command = [sys.executable, "-m", "tests.bench.encoder_share", str(folder)]
    done = subprocess.run(command, env=paths, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    found = json.loads(done.stdout)
    lines = [f"{'encoder':>12}{'asd embed':>14}{'bare':>10}{'at batch':>10}{'share':>8}{'of it front':>13}"]
    lines += [
        f"{f['name']:>12}{1000 * f['ours']:>11.1f} ms{1000 * f['bare']:>7.1f} ms{f['batch']:>10}"
        f"{100 * f['bare'] / f['ours']:>6.0f} %{100 * f['front'] / f['ours']:>11.0f} %"
        for f in found
    ]
    worst = min(found, key=lambda f: f["bare"] / f["ours"])
    return Result(
        f"{1000 * worst['ours']:.0f} ms a clip ({worst['name']})",
        f"bare loop {1000 * worst['bare']:.0f} ms",
        f">= {LEAST:.0%} of the bare loop",
        worst["bare"] / worst["ours"],
        tuple(lines),
    )


ALL: list[Callable[[Path], Result]] = [encoders]
