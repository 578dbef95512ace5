"""How the cost of a command grows with what it is given: clips, methods, seeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.bench.child import asd
from tests.bench.gpu import made
from tests.bench.jobs import Result, Shape, write_embeddings, write_recordings

TIMES = (1, 4, 16)
_METHODS = {1: ("nn",), 4: ("nn", "rescale:k=16", "kmeans", "varmin:k=16,val=train-all"), 13: ("all",)}


def growth(folder: Path) -> Result:
    """`score`, `evaluate` and `extract-features` of 1, 4 and 16 times as many clips; methods; seeds."""
    lines = [f"{'':<34}" + "".join(f"{f'{n}x':>10}" for n in TIMES)]
    costs: dict[str, list[float]] = {}
    for times in TIMES:
        place = folder / f"clips-{times}"
        shape = Shape(source=245 * times, target=5 * times, test=52 * times)
        write_embeddings(place, shape)
        for words in ("score -m nn", "score -m varmin:k=16,val=train-all", "evaluate"):
            costs.setdefault(f"clips: {words}", []).append(_asd(words, place))
        place = folder / f"wavs-{times}"
        write_recordings(place, 75 * times)
        costs.setdefault("clips: extract-features", []).append(_asd("extract-features", place))
    lines += [f"{what:<34}" + "".join(f"{s:>8.2f} s" for s in found) for what, found in costs.items()]
    lines.append(f"{'':<34}" + "".join(f"{n:>10}" for n in _METHODS))
    write_embeddings(folder / "methods", Shape())
    of_methods = [
        _asd(" ".join(["score --force", *(f"-m {m}" for m in some)]), folder / "methods") for some in _METHODS.values()
    ]
    lines.append(f"{'methods: score':<34}" + "".join(f"{s:>8.2f} s" for s in of_methods))
    sixteen = costs["clips: score -m nn"]
    return Result(
        f"{sixteen[-1]:.1f} s (nn, 16x clips)",
        f"1x {sixteen[0]:.1f} s",
        "-",
        lines=tuple(lines),
        seconds=sixteen[-1],
    )


def edition(folder: Path) -> Result:
    """Clips a second of training, of its second epoch, and of embedding without start-up: hours follow from it."""
    small, large = (made.Shape(machines=2, train=n, test=8, seconds=10.0, epochs=2) for n in (8, 136))
    seconds = []
    for shape in (small, large):
        place = folder / str(shape.train)
        made.write_run(place, shape)
        _asd(f"train --epochs {shape.epochs} --clip-length {shape.seconds:g}", place)
        seconds.append(_asd("embed", place))
    row = json.loads((folder / "136/runs/bench/model/metrics.jsonl").read_text().splitlines()[-1])
    embedded = (large.machines * (large.train - small.train)) / (seconds[1] - seconds[0])
    return Result(
        f"{row['clips_per_s']:.1f} clips/s trained",
        f"{embedded:.0f} clips/s embedded",
        "-",
        seconds=1 / row["clips_per_s"],
        lines=(f"seconds a clip: {1 / row['clips_per_s']:.5f} trained, {1 / embedded:.5f} embedded",),
    )


def _asd(words: str, place: Path) -> float:
    return asd(*words.split(), "--dataset", "bench", cwd=place).seconds


ALL: list[Callable[[Path], Result]] = [growth, edition]
