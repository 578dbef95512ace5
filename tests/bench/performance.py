"""docs/performance.md and its charts, written from the runs that were committed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.bench import record
from tests.bench.record import COMMITTED

ROOT = Path(__file__).parents[2]
PAGE, PICTURES = ROOT / "docs" / "performance.md", ROOT / "docs" / "pictures"
GPU = "gpu-"

_CLIPS, _TRAINED, _EPOCHS = 19_200, 16_000, 16
_HEAD = """# Performance

Written from runs of `make bench` and `make bench-gpu` that are kept in `tests/bench/committed/`;
`python -m tests.bench --keep` puts another in their place. Read the ratios: seconds are of the machine that is named.
What every figure is of stands in the docstring of the benchmark, and what is promised in [Measured](measured.md).

*Plain way* is a straightforward way of doing the same, in the same run; above 1x means that asd is faster. *Limit*
says how much of the time is what the hardware takes at least: reading the recordings (`decode`) or the products of
matrices (`matmul`), measured in the same run.
"""
_WORDS = (
    "Two bar charts: how many times as fast each benchmark is as its plain way, on a logarithmic axis, and which share "
    "of the time the hardware takes at least."
)
_COLUMNS = """
| | measured | plain way | ratio | limit | load of the machine |
|---|---|---|---|---|---|
"""
_EDITION = """
### What an edition costs

16 machine types x (1,000 + 200) clips of ten seconds, as in 2024; 16 epochs. Seconds a clip are of the table above,
the rest is arithmetic: 19,200 clips x {extract:.4f} s; 16 epochs x 16,000 clips x {trained:.4f} s; 19,200 clips x
{embedded:.4f} s. 32 cores are not measured: a sixteenth is what they would take if all of it grew with the cores.

| | {machine} | 32 cores, arithmetic |{gpu_head}
|---|---|---|{gpu_line}
"""


def write() -> None:
    """The page, and a chart of each run."""
    PAGE.write_text(page(), encoding="utf-8")
    for run in runs():
        _draw(run)


def page() -> str:
    """The text of the page."""
    text = _HEAD
    gpu = _gpu()
    for run in runs():
        results = run["results"]
        text += f"\n## {run['machine']}\n\n![{_WORDS}](pictures/{chart(run).name})\n{_COLUMNS}"
        text += "".join(_row(name, result) for name, result in results.items())
        for name, result in results.items():
            if result["lines"]:
                text += f"\n`{name}`:\n\n```\n" + "\n".join(line.rstrip() for line in result["lines"]) + "\n```\n"
        text += _edition(run, gpu)
    for run in gpu:
        text += f"\n## {run['machine']}\n\n`make bench-gpu`:\n\n```\n" + "\n".join(run["lines"]) + "\n```\n"
    return text


def runs() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(COMMITTED.glob("[!.]*.json")) if GPU not in path.name]


def _gpu() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(COMMITTED.glob(f"{GPU}*.json"))]


def _row(name: str, result: dict[str, Any]) -> str:
    ratio = f"{result['ratio']:.1f}x" if result["ratio"] else ""
    limit = f"{share:.0%} {result['limit'][0]}" if (share := share_of_limit(result)) else ""
    return f"| `{name}` | {result['measured']} | {result['plain']} | {ratio} | {limit} | {result['load']} |\n"


def share_of_limit(result: dict[str, Any]) -> float | None:
    """How much of the time is what the hardware takes at least."""
    return result["limit"][1] / result["seconds"] if result["limit"] and result["seconds"] else None


def _edition(run: dict[str, Any], gpu: list[dict[str, Any]]) -> str:
    results = run["results"]
    if not {"edition", "extract", "score_all", "evaluate"} <= results.keys():
        return ""
    trained, embedded = map(float, re.findall(r"(\d\.\d+) \w+", results["edition"]["lines"][0]))
    extract = results["extract"]["seconds"] / 600
    steps = {
        "`extract-features`": _CLIPS * extract,
        "`train`": _EPOCHS * _TRAINED * trained,
        "`embed`": _CLIPS * embedded,
        "`score`, 13 methods": results["score_all"]["seconds"],
        "`evaluate`": results["evaluate"]["seconds"],
    }
    on_gpu = [one["edition"] for one in gpu[:1]]
    head = f" {gpu[0]['machine']}, measured (clips of twelve seconds) |" if on_gpu else ""
    text = _EDITION.format(
        machine=run["machine"],
        extract=extract,
        trained=trained,
        embedded=embedded,
        gpu_head=head,
        gpu_line="---|" if on_gpu else "",
    )
    for what, seconds in steps.items():
        there = [f" {_told(one[what])} |" if what in one else " |" for one in on_gpu]
        text += f"| {what} | {_told(seconds)} | {_told(seconds / 16)} |{''.join(there)}\n"
    whole = sum(steps.values())
    return text + f"| all | {_told(whole)} | {_told(whole / 16)} |{' |' * len(on_gpu)}\n"


def _told(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def chart(run: dict[str, Any]) -> Path:
    """Where the chart of a run is kept."""
    return PICTURES / f"performance-{record.slug(run['machine'])}.svg"


def _draw(run: dict[str, Any]) -> None:
    """Ratios to the plain way, and shares of the limit."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    results = run["results"]
    ratios = {name: result["ratio"] for name, result in results.items() if result["ratio"]}
    shares = {name: share for name, result in results.items() if (share := share_of_limit(result))}
    with mpl.rc_context({"svg.hashsalt": "asd", "font.size": 9}):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 0.6 + 0.28 * len(ratios)), layout="constrained")
        left.barh([*ratios], [*ratios.values()], color="#4477aa")
        left.set(xscale="log", xlabel="times as fast as the plain way (log scale)")
        left.axvline(1, color="black", linewidth=0.8)
        right.barh([*shares], [100 * share for share in shares.values()], color="#66ccee")
        right.set(xlabel="% of the time that the hardware takes at least", xlim=(0, 100))
        for axes in (left, right):
            axes.invert_yaxis()
        figure.suptitle(run["machine"])
        figure.savefig(chart(run), metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    write()
