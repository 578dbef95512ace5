"""What training costs where it is not alone on a machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.child import Usage, asd
from tests.bench.jobs import Result

EPOCHS = 4
SPINNING = {"GOMP_SPINCOUNT": "300000"}  # libgomp's own


def two_trainings(folder: Path) -> Result:
    """Two trainings at once against the same two one after the other, start-up included; and with threads that spin."""
    asd("download", "synthetic", "--size", "tiny", cwd=folder)
    asd("extract-features", "--dataset", "synthetic", "--run", "one", cwd=folder)
    together, alone, spinning = _both(folder, 2), _both(folder, 1), _both(folder, 2, SPINNING)
    return Result(
        f"at once {together.seconds:.0f} s ({together.cpu_s:.0f} s of cores)",
        f"in turn {alone.seconds:.0f} s ({alone.cpu_s:.0f} s)",
        ">= 0.83x",
        alone.seconds / together.seconds,
        (
            f"  spinning as is the default of libgomp: {spinning.seconds:.0f} s ({spinning.cpu_s:.0f} s of cores): "
            f"{alone.seconds / spinning.seconds:.2f}x",
        ),
        seconds=together.seconds,
    )


def _both(folder: Path, at_once: int, more: Mapping[str, str] | None = None) -> Usage:
    """Two trainings, so many of them at once: seconds from the first start to the last end; processor time of both."""

    def train(seed: int) -> Usage:
        where = ("--dataset", "synthetic", "--run", f"seed-{seed}", "--features-from", "one", "--force")
        return asd("train", *where, "--epochs", EPOCHS, "--seed", seed, cwd=folder, more=more)

    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        used = list(pool.map(train, (0, 1)))
    return Usage(time.perf_counter() - start, max(u.peak_mb for u in used), sum(u.cpu_s for u in used))


ALL: list[Callable[[Path], Result]] = [two_trainings]
