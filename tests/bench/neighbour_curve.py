"""What a neighbour search among N references costs, in this process: `python -m tests.bench.neighbour_curve N`.

One JSON object: processor seconds of all threads for 1,000 queries, the nearest (`nn`) and the 17 nearest (`b`) by the
search, the 17 nearest by all distances in float64 and the bare matmul in float32, the least of some rounds in turn;
wall seconds of the first search, and the peak memory until then.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable

import numpy as np

from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.reference import Reference
from asdcli.scorers.smallest import smallest
from asdcli.scorers.spread import spread
from asdcli.scorers.vectors import Vectors
from tests.bench.child import peak_of

N_DIMS, QUERIES, K = 128, 1000, 16
TILE, PART = 2048, 512
FEW, FEW_OF = 128, 200_000


def main(n: int) -> None:
    rng = np.random.default_rng(0)
    train = Vectors.of(rng.standard_normal((n, N_DIMS), dtype=np.float32), np.arange(n))
    test = Vectors.of(rng.standard_normal((QUERIES, N_DIMS), dtype=np.float32), n + np.arange(QUERIES))
    own, reference = train.take(np.arange(min(QUERIES, n))), Reference(train)
    wall = time.perf_counter()
    nearest_distance(reference, test)
    wall = time.perf_counter() - wall
    found = {"n": n, "nn_wall": wall, "peak_mb": peak_of() / 1024}
    part = slice(None) if n <= FEW_OF else slice(FEW)  # of the queries, for what takes long
    some = own.take(np.arange(len(own))[part])
    ways: dict[str, Callable[[], np.ndarray | float]] = {
        "nn": lambda: nearest_distance(reference, test),
        "b": lambda: np.concatenate(reference.near(own, K + 1, lambda _, __, d: smallest(d, K + 1)[1])),
        "float64": lambda: np.concatenate(reference.map(some, lambda _, d: smallest(d, K + 1)[1])),
        "matmul": lambda: matmul(own.x, train.x),
    }
    results = {}
    for _ in range(3 if n <= FEW_OF else 1):
        for name, way in ways.items():
            results[name], used = _used(way)
            found[name] = min(found.get(name, np.inf), used)
    assert np.array_equal(results["b"][part], results["float64"])
    found["float64"] *= len(own) / len(some)
    print(json.dumps(found))


def matmul(x: np.ndarray, y: np.ndarray) -> float:
    """The same products in float32 and nothing else; without what it takes to make them float32."""
    used = 0.0
    x32 = x.astype(np.float32)
    for start in range(0, len(y), 25 * TILE):
        part = np.ascontiguousarray(y[start : start + 25 * TILE].astype(np.float32).T)
        before = time.process_time()
        with spread(2) as each:
            list(each(functools.partial(_rows_of, x32, part), range(0, len(x32), PART)))
        used += time.process_time() - before
    return used


def _rows_of(x: np.ndarray, y: np.ndarray, start: int) -> None:
    x = x[start : start + PART]
    out = np.empty((len(x), TILE), np.float32)
    for j in range(0, y.shape[1], TILE):
        width = min(TILE, y.shape[1] - j)
        np.matmul(x, y[:, j : j + width], out=out[:, :width])


def _used(way: Callable[[], np.ndarray | float]) -> tuple[np.ndarray | float, float]:
    """What came out, and the processor seconds: its own where it counts them itself."""
    before = time.process_time()
    result = way()
    return result, result if isinstance(result, float) else time.process_time() - before


if __name__ == "__main__":
    main(int(sys.argv[1]))
