"""Benchmarks of the page: `asd report` of 3,200 test clips of 16 machines with vectors made by numpy, and its opening.

Forty recordings of ten seconds lie below all names: what is measured is the page, and not a disk of a gigabyte.
"""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from tests.bench.child import asd
from tests.bench.jobs import Result
from tests.helpers.browser import chromium, opened
from tests.helpers.machines import write
from tests.helpers.vectors_run import rows, vectors
from tests.known_faults.made_up import RATE, machine, pcm

MACHINES, N_RECORDINGS, SECONDS = 16, 40, 10.0


def report(folder: Path) -> Result:
    """`asd report`, sounds and all, start-up included; the processor's seconds stand beside, and the size."""
    _run(folder)
    usage = asd("report", cwd=folder)
    size = (folder / "runs/mine/report.html").stat().st_size / 1e6
    told = f"{usage.seconds:.0f} s ({usage.cpu_s:.0f} s CPU), {size:.1f} MB"
    return Result(told, f"{usage.peak_mb:.0f} MB memory", "< 60 s, 10 MB", seconds=usage.seconds)


def report_opens(folder: Path) -> Result:
    """From the file to all rows at hand, and the slowest of a hundred frames of scrolling, in Chromium."""
    _run(folder)
    asd("report", cwd=folder)
    with chromium() as browser, opened(browser, folder / "runs/mine/report.html") as page:
        ready = page.run("performance.getEntriesByType('navigation')[0].domComplete") / 1000
        slowest = page.run(_SCROLL)
    return Result(f"{ready:.2f} s", f"a screenful in {slowest:.0f} ms", "< 2 s", seconds=ready)


_SCROLL = """async () => {
  const grid = document.querySelector('.grid');
  let slowest = 0;
  for (let i = 0; i < 100; i += 1) {
    grid.scrollTop += 700;
    const start = performance.now();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    slowest = Math.max(slowest, performance.now() - start);
  }
  return slowest;
}"""


def _run(folder: Path) -> None:
    """A run of 16 machines with 200 test clips and 280 normal ones each, two methods and thresholds."""
    sources = [write(folder / f"source/{i}.wav", pcm(machine(i, SECONDS)), RATE) for i in range(N_RECORDINGS)]
    clips = [row for m in range(MACHINES) for row in rows(f"machine{m:02d}", source=240, target=40, each=50)]
    for i, row in enumerate(clips):
        place = folder / "data/mine" / f"{row['clip_id']}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(sources[i % N_RECORDINGS], place)
    _write(folder, clips)
    for words in (("score", "-m", "nn", "-m", "varmin:k=16,val=train-all"), ("threshold", "--quantile", "0.95")):
        asd(*words, cwd=folder)


def _write(folder: Path, clips: list[dict]) -> None:
    """`data/mine/clips.parquet` and `runs/mine/embeddings.parquet`, whose history says how recordings are read."""
    labels = pa.Table.from_pylist([{**row, "path": f"{row['clip_id']}.wav"} for row in clips])
    header = Header.make(artifacts.CLIPS, dataset="mine", params={"layout": "folders"})
    header = artifacts.write_table(folder / "data/mine/clips.parquet", artifacts.CLIPS, labels, header)
    (folder / "data/current").write_text("mine\n")
    packs = {
        name: Header.make(
            artifacts.FEATURES,
            dataset="mine",
            params={"machine_type": name, "sample_rate": RATE, "features": "waveform"},
            inputs={"clips": header},
        ).with_content(name)
        for name in sorted({row["machine_type"] for row in clips})
    }
    x = vectors(clips)
    table = pa.Table.from_pylist([{**row, "window": 0, "seen": False} for row in clips])
    flat = pa.array(x.astype("f4").ravel())
    table = table.append_column("vector", pa.FixedSizeListArray.from_arrays(flat, x.shape[1]))
    made = Header.make(artifacts.EMBEDDINGS, dataset="mine", params={"embedder": "logmel"}, inputs=packs)
    artifacts.write_table(folder / "runs/mine/embeddings.parquet", artifacts.EMBEDDINGS, table, made)


ALL = (report, report_opens)
