"""`drift`: p-values of checked recordings in the order in which they were made, and what a bet on a change has won."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from asdcli import __version__
from asdcli.errors import BadData
from asdcli.metrics.martingale import LINE
from asdcli.plots import PLOTS, Material, Numbers, Source, page
from asdcli.plots.style import FAINT, INK, SERIES
from asdcli.progress import Progress
from asdcli.views.checked import SUSPICIOUS
from asdcli.views.drifting import Course, courses
from asdcli.views.named import chosen
from asdcli.views.scores import read_scores
from asdcli.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("machine", "recording", "made", "verdict")),
        ("p_value", pa.float64()),
        ("log10_capital", pa.float64()),
        ("begun", pa.bool_()),
        ("crossed", pa.bool_()),
        ("signature", pa.string()),
    ]
)
"""A row a recording; `begun` and `crossed` mark where a change began and where the bet reached the line."""
_TICKS = 5


@dataclass(frozen=True)
class Drifting:
    """Whether checked recordings are still like those that were learned.

    Above, the p-value of each recording in the order in which they were made; below, what a bet has won that each is
    less like the learned ones than those before it. On a machine that does not change it reaches the line by chance in
    1 case of 100 at most.
    Recordings that were confirmed to be faults take no part.

    Source: V. Vovk: Testing randomness online, Statistical Science 36, 2021.

    Attributes:
        machine: only this one.
    """

    reads: ClassVar[tuple[Source, ...]] = ("history", "scores")

    machine: str | None = None

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row a recording, as SCHEMA says.

        Raises:
            MissingArtifact: nothing was checked. BadData: no recording of the machine has a p-value.
        """
        methods = read_scores([material.files["scores"]])
        methods = chosen(material.methods, methods) if material.methods else methods
        found = list(courses(material.files["history"], methods, self.machine))
        found = [course for course in found if course.recordings]
        if not found:
            raise BadData("no checked recording has a p-value: there is nothing to draw", "check some: asd check DIR")
        dataset = {method.spelling: method.header.dataset for method in methods}
        signatures = [self._signature(course, dataset[course.method]) for course in found]
        rows = [row for course, line in zip(found, signatures, strict=True) for row in _rows(course, line)]
        table = pa.Table.from_pylist(rows, SCHEMA)
        return Numbers(table, "drift", _caption(found), signatures, [_fact(course) for course in found])

    def draw(self, numbers: Numbers) -> Figure:
        """A block a machine: its p-values, and below them the bet."""
        machines: dict[str, list[dict[str, Any]]] = {}
        for row in numbers.table.to_pylist():
            machines.setdefault(row["machine"], []).append(row)
        figure, blocks = page.laid_out(
            dict.fromkeys(machines, 2),
            above=page.above(0),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(columns=1, ratio=0.32, side=5.0),
        )
        for (upper, lower), rows in zip(blocks, machines.values(), strict=True):
            _draw_p(upper.axes, rows)
            _draw_bet(lower.axes, rows)
            page.write_above(upper, "p-value")
            page.write_above(lower, "what the bet has won")
        return figure

    def _signature(self, course: Course, dataset: str) -> str:
        fields = {
            "machine": course.machine,
            "method": course.method,
            "detector": course.detector[:6],
            "recordings": len(course.recordings),
            "figure": PLOTS.spell(self),
            "asd": __version__,
        }
        return "|".join([dataset, *(f"{name}:{value}" for name, value in fields.items())])


def _rows(course: Course, signature: str) -> Iterator[dict[str, Any]]:
    change = course.change
    for i, one in enumerate(course.recordings):
        yield {
            "machine": course.machine,
            "recording": one.recording,
            "made": one.order[0],
            "verdict": one.verdict,
            "p_value": float(course.p_values[i]),
            "log10_capital": float(course.log_capital[i] / np.log(10)),
            "begun": change is not None and change[1] == i,
            "crossed": change is not None and change[0] == i,
            "signature": signature,
        }


def _fact(course: Course) -> Mapping[str, Any]:
    change = course.change
    return {
        "machine": course.machine,
        "recordings": len(course.recordings),
        "median_p": float(np.median(course.p_values)),
        "highest_log10": float(course.log_capital.max() / np.log(10)),
        "crossed": change and course.recordings[change[0]].order[0],
        "begun": change and course.recordings[change[1]].order[0],
    }


def _caption(found: Sequence[Course]) -> list[str]:
    held = "; ".join(
        f"{course.machine}: {counted(len(course.recordings), 'recording')}, m = {course.m}" for course in found
    )
    return [
        f"Conformal p-values among m learned recordings ({held}), in the order in which recordings were made. Crosses "
        "lie above the threshold.",
        "The bet is that each recording is less like the learned ones than those before it (conformal test "
        f"martingale). Dotted: {LINE:.0f} times its stake, which it reaches by chance on one machine in {LINE:.0f} at "
        "most. Dashed: where a change began, of which it told.",
    ]


def _draw_p(ax: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    place = np.arange(1, len(rows) + 1)
    p = np.array([row["p_value"] for row in rows])
    odd = np.array([row["verdict"] == SUSPICIOUS for row in rows])
    ax.plot(place[~odd], p[~odd], ls="none", marker="o", ms=2, color=INK)
    ax.plot(place[odd], p[odd], ls="none", marker="x", ms=4, mew=1.0, color=SERIES[2].color, zorder=3)
    ax.set_ylim(0, 1.03)
    ax.set_yticks([0, 0.5, 1])
    _along(ax, rows)


def _draw_bet(ax: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    won = np.array([row["log10_capital"] for row in rows])
    ax.plot(np.arange(len(rows) + 1), np.append(0.0, won), color=SERIES[1].color)
    ax.axhline(np.log10(LINE), color=INK, lw=0.8, ls=(0, (1, 1.5)))
    low, high = min(-1.0, float(won.min())), max(np.log10(LINE) + 0.5, float(won.max()) * 1.05)
    ax.set_ylim(low, high)
    step = max(1, math.ceil((high - low) / _TICKS))
    ticks = [t for t in range(round(np.log10(LINE)) - 10 * step, math.ceil(high), step) if low <= t <= high]
    ax.set_yticks(ticks, [_power(t) for t in ticks])
    for i, row in enumerate(rows, 1):
        if row["begun"]:
            ax.axvline(i, color=INK, lw=0.8, ls=(0, (4, 2)))
    _along(ax, rows)


def _power(exponent: int) -> str:
    return f"{10.0**exponent:g}" if -3 <= exponent <= 3 else f"1e{exponent}"


def _along(ax: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    ax.set_xlim(0, len(rows) + 1)
    ticks = sorted({round(t) for t in np.linspace(1, len(rows), min(_TICKS, len(rows)))})
    ax.set_xticks(ticks, [rows[t - 1]["made"][:10] for t in ticks])
    ax.grid(True, color=FAINT, lw=0.25, alpha=0.6)
    ax.set_axisbelow(True)
