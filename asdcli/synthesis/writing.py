"""Writes a synthetic dataset to disk: resumable, atomic clip by clip, the same bytes for the same seed."""

from __future__ import annotations

import io
import json
import os
import wave
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from asdcli.clips import GRAMMARS
from asdcli.errors import BadData, UsageError, unknown_name
from asdcli.files import read_json
from asdcli.progress import SILENT, Progress
from asdcli.synthesis.machines import MACHINES
from asdcli.synthesis.microphones import render_two
from asdcli.synthesis.plan import PlannedClip, plan
from asdcli.synthesis.render import render
from asdcli.synthesis.signals import SR
from asdcli.synthesis.sizes import SIZES, Size
from asdcli.writing.whole import atomic, sweep_inside

MACHINE_TYPES = tuple(MACHINES)
RECIPE = 1
"""Raised whenever the same seed gives other bytes, so that an old dataset is never continued with new sounds."""
STAMP = "synthetic.json"
WAV_HEADER_BYTES = 44


def write(
    root: Path,
    *,
    size: str,
    seed: int = 0,
    machine_types: Sequence[str] | None = None,
    progress: Progress = SILENT,
    jobs: int | None = None,
) -> None:
    """Write the dataset of `size` below `root`, leaving out what is there already.

    A clip depends on the seed, the size and its own name only, not on the selection or the order of writing. The
    file `synthetic.json` remembers size and seed; machine types can be added later, another size or seed cannot.

    Args:
        root: the dataset's folder, e.g. `data/synthetic`; made where missing.
        size: a key of `SIZES`.
        seed: not negative.
        machine_types: a selection of `MACHINE_TYPES`; the size's own where None.
        progress: told about each clip that has to be rendered.
        jobs: threads; as many as there are processors where None.

    Raises:
        UsageError: unknown size or machine type, negative seed.
        BadData: `root` holds a dataset of another size, seed or recipe.
    """
    if size not in SIZES:
        raise unknown_name("size", size, SIZES)
    for name in machine_types or ():
        if name not in MACHINES:
            raise unknown_name("machine type", name, MACHINES)
    if seed < 0:
        raise UsageError(f"seed must not be negative, got {seed}")
    chosen = sorted(set(machine_types or SIZES[size].machine_types))
    _stamp(root, {"size": size, "seed": seed, "recipe": RECIPE})
    plans = {name: plan(SIZES[size], name, seed) for name in chosen}
    for folder in {(root / clip.path).parent for clips in plans.values() for clip in clips}:
        sweep_inside(folder)
    for name, clips in plans.items():
        for file, text in _tables(SIZES[size], name, clips).items():
            if not (root / file).exists():
                _replace(root / file, text.encode())
    n = round(SIZES[size].duration_s * SR)
    channels = SIZES[size].channels
    missing = _missing(root, [c for clips in plans.values() for c in clips], WAV_HEADER_BYTES + 2 * n * channels)
    if missing:
        hearing = partial(render_two if channels == 2 else render, n=n, seed=seed)
        _render_all(root, missing, hearing, progress, jobs or os.cpu_count() or 1)


def _render_all(
    root: Path,
    clips: list[PlannedClip],
    hearing: Callable[[PlannedClip], NDArray[np.int16]],
    progress: Progress,
    jobs: int,
) -> None:
    def one(clip: PlannedClip) -> None:
        _replace(root / clip.path, wav_bytes(hearing(clip)))

    # threads: nearly all the time goes to numpy and scipy calls that release the interpreter lock
    with ThreadPoolExecutor(jobs) as pool:
        results = _as_submitted(pool, one, clips, 4 * jobs)
        for _ in progress.track(results, total=len(clips), label="synthesise", unit="clips"):
            pass


def _as_submitted(pool: ThreadPoolExecutor, work: object, items: Iterable[PlannedClip], ahead: int) -> Iterator[None]:
    """Results in order, with at most `ahead` items in flight, so that Ctrl-C has little left to wait for."""
    waiting: list[Future[None]] = []
    queue = iter(items)
    while True:
        waiting += [pool.submit(work, item) for item in islice(queue, ahead - len(waiting))]  # type: ignore[arg-type]
        if not waiting:
            return
        yield waiting.pop(0).result()


def wav_bytes(samples: NDArray[np.int16]) -> bytes:
    """A RIFF file of 16-bit samples at 16 kHz, `(n,)` or `(n, channels)`."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(SR)
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


def _missing(root: Path, clips: list[PlannedClip], size_bytes: int) -> list[PlannedClip]:
    """The clips whose file is not there at its full size."""
    sizes: dict[PurePosixPath, dict[str, int]] = {}
    for folder in {clip.path.parent for clip in clips}:
        (root / folder).mkdir(parents=True, exist_ok=True)
        with os.scandir(root / folder) as entries:
            sizes[folder] = {e.name: e.stat().st_size for e in entries}
    return [c for c in clips if sizes[c.path.parent].get(c.path.name) != size_bytes]


def _tables(size: Size, machine_type: str, clips: list[PlannedClip]) -> dict[PurePosixPath, str]:
    """Attribute CSVs as organisers give them where names hold pairs; and the truth about faults, as nobody does."""
    tables: dict[PurePosixPath, list[str]] = {}
    for clip in clips:
        raw = clip.path.parent.parent
        name = clip.path.relative_to(raw.parent)
        if GRAMMARS[size.grammar].pairs:
            header = ",".join(["file_name", *(f"d{i}p,d{i}v" for i in range(1, len(clip.setting) + 1))])
            row = ",".join([str(name), *(f"{key},{value}" for key, value in clip.setting.items())])
            tables.setdefault(raw / f"attributes_{clip.section}.csv", [header]).append(row)
        if clip.fault is not None:
            file = PurePosixPath("faults", f"{machine_type}.csv")
            tables.setdefault(file, ["file_name,fault,severity"]).append(f"{clip.path},{clip.fault},{clip.degree}")
    return {file: "\n".join(rows) + "\n" for file, rows in tables.items()}


def _stamp(root: Path, made: dict[str, object]) -> None:
    file = root / STAMP
    if not file.exists():
        _replace(file, (json.dumps(made) + "\n").encode())
        return
    try:
        there = read_json(file)
    except ValueError:
        there = None
    if there != made:
        raise BadData(
            f"{root} holds another synthetic dataset: {there}, asked for {made}",
            "choose another --data folder, or delete this one",
        )


def _replace(file: Path, content: bytes) -> None:
    """Write `file` whole or not at all."""
    with atomic(file, durable=False) as temporary:
        temporary.write_bytes(content)
