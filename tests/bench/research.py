"""What a paper's tables and figures cost from stored embeddings, and what a sweep costs that has nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.bench.child import asd, python
from tests.bench.jobs import Result, Shape, _timed, write_embeddings

SEEDS, CELLS, ALPHAS, BANDS = 10, 40, 200, 8
SHAPE = Shape()
_SCORED = """
from pathlib import Path
from asdcli.pipeline.steps import evaluate, score
from asdcli.pipeline.workspace import Workspace
for n in range({n}):
    run = Workspace(Path("data"), Path(f"runs/seed-{{n}}"), "bench")
    score.run(run, ["all"], seed=n)
    evaluate.run(run)
"""


def seeds(folder: Path) -> Result:
    """Thirteen methods x ten seeds of an edition like that of 2024, scored and evaluated in one process, as by a sweep.

    Against one nearest neighbour search by sklearn a seed, of the thirteen methods the first.
    """
    from sklearn.neighbors import NearestNeighbors

    made = [write_embeddings(folder, SHAPE, run=f"seed-{n}", seed=n) for n in range(SEEDS)]
    usage = python("-c", _SCORED.format(n=SEEDS), cwd=folder)

    def plain() -> None:
        for vectors, labels in made:
            names, train = np.array(labels["machine_type"]), np.array(labels["split"]) == "train"
            for name in sorted(set(labels["machine_type"])):
                own = names == name
                search = NearestNeighbors(n_neighbors=1, metric="cosine", algorithm="brute").fit(vectors[own & train])
                search.kneighbors(vectors[own & ~train])

    return Result(
        f"{usage.seconds:.1f} s, {usage.peak_mb:.0f} MB ({SEEDS} seeds)",
        f"sklearn, 1 method {_timed(plain):.1f} s",
        "< 60 s",
        seconds=usage.seconds,
    )


def alphas(folder: Path) -> Result:
    """The official score for 200 weights of VarMin x 16 machine types, drawn, against `asd score` for one weight."""
    write_embeddings(folder, SHAPE)
    figure = asd("plot", f"alpha:steps={ALPHAS}", "--dataset", "bench", cwd=folder)
    one = asd("score", "--method", "rescale:k=16", "--dataset", "bench", cwd=folder)
    return Result(
        f"{figure.seconds:.1f} s, {figure.peak_mb:.0f} MB ({ALPHAS} weights)",
        f"one weight {one.seconds:.1f} s",
        "< 5 s",
        seconds=figure.seconds,
    )


def beam(folder: Path) -> Result:
    """VarMin in each of 8 bands x 16 machine types, leave-one-out and all, against `nn` of whole vectors."""
    write_embeddings(folder, SHAPE, embedder="imported")
    bands, one = (
        asd("score", "--method", method, "--dataset", "bench", cwd=folder) for method in (f"beam:bands={BANDS}", "nn")
    )
    return Result(
        f"{bands.seconds:.1f} s, {bands.peak_mb:.0f} MB ({BANDS} bands)",
        f"nn {one.seconds:.1f} s",
        "< 20 s",
        seconds=bands.seconds,
    )


def nothing_to_do(folder: Path) -> Result:
    """A sweep whose forty runs are done, a run; start-up is that of a sweep of one of them."""
    asd("download", "synthetic", "--size", "tiny", "--machine-type", "fan", cwd=folder)
    plan = f'datasets = ["synthetic"]\nseeds = "0-{CELLS - 1}"\nmethods = ["nn"]\n[models]\nm = {{embed = "logmel"}}\n'
    (folder / "plan.toml").write_text(plan)
    first = asd("sweep", "plan.toml", cwd=folder).seconds
    one = min(asd("sweep", "plan.toml", "--only", "synthetic/m/seed-0", cwd=folder).seconds for _ in range(3))
    whole = min(asd("sweep", "plan.toml", cwd=folder).seconds for _ in range(3))
    each = 1000 * (whole - one) / (CELLS - 1)
    return Result(
        f"{each:.0f} ms a run ({whole:.1f} s in all)",
        f"doing it {1000 * first / CELLS:.0f} ms",
        "< 50 ms",
        seconds=each / 1000,
    )


def umap(folder: Path) -> Result:
    """The map of one machine type by UMAP, against its principal components."""
    write_embeddings(folder, SHAPE)
    ours, other = (
        asd("plot", f"map:by={by},of=machine00", "--dataset", "bench", cwd=folder).seconds for by in ("umap", "pca")
    )
    return Result(f"{ours:.1f} s", f"components {other:.1f} s", "< 30 s", seconds=ours)


ALL: list[Callable[[Path], Result]] = [seeds, alphas, beam, nothing_to_do, umap]
