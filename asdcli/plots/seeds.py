"""`seeds`: the official scores of many runs, each method's over its seeds as a box and all points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from asdcli.errors import BadData, unknown_name
from asdcli.filenames import natural
from asdcli.plots import PLOTS, Material, Numbers, Source, page
from asdcli.plots.style import BAND, FAINT, INK, SERIES
from asdcli.progress import Progress
from asdcli.scorers import MORE
from asdcli.views.across_runs import RunResults, merged, model_of, seeds_of
from asdcli.views.making import Making
from asdcli.views.named import as_scored
from asdcli.views.signature import many
from asdcli.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("dataset", "subset", "model", "method")),
        ("seed", pa.int64()),
        ("official", pa.float64()),
        ("signature", pa.string()),
    ]
)
"""A row a point: the official score, in [0, 1], of one method in one run; `seed` is null of what has none."""

_BOX = 3  # values from which on there is a box
_LANE_IN, _LABEL_PT, _OFFSET = 0.16, 6.0, 0.24
_NOTHING = "scores from elsewhere"

Panel = tuple[str, str, str]
"""Dataset, subset and model."""


@dataclass(frozen=True)
class Seeds:
    """The official score over seeds: a block a dataset and subset, a panel a model, a lane a method.

    A box from the first to the third quartile with its median, whiskers to the smallest and the largest, and every
    seed as a point; fewer than three seeds are points alone. It reads what many runs have evaluated, as `asd table`
    does; of two runs of one seed, model and dataset the first by its path counts.
    """

    reads: ClassVar[tuple[Source, ...]] = ("runs",)

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row a run and method, as SCHEMA says.

        Raises:
            BadData: no run has an official score. UsageError: no run has a method that is asked for.
        """
        known = dict.fromkeys(method for run in material.runs for method in run.makings)
        asked = [as_scored(method, known) for method in material.methods]
        for method in asked:
            if method not in known:
                raise unknown_name("method", method, known)
        wanted = [m for m in known if not asked or m in asked]
        found = _found(material.runs, wanted, progress)
        if not found:
            raise BadData("no run has an official score", "its test clips need labels: asd evaluate")
        panels = sorted(found, key=lambda panel: (panel[0], panel[1], natural(panel[2])))
        if len(panels) > page.MOST_PANELS:
            lost = panels[page.MOST_PANELS :]
            progress.left_out(f"{counted(len(lost), 'panel')} not drawn, from {' '.join(lost[0])} on")
        rows, signatures = [], []
        for panel in panels[: page.MOST_PANELS]:
            signatures.append(self._signature(panel, found[panel]))
            for method in sorted(found[panel], key=_order):
                for seed, (_, value) in sorted(found[panel][method].items(), key=_by_seed):
                    own = dict(zip(("dataset", "subset", "model"), panel, strict=True))
                    own |= {"method": method, "signature": signatures[-1]}
                    rows.append({**own, "seed": seed, "official": value})
        table = pa.Table.from_pylist(rows, SCHEMA)
        return Numbers(table, "official scores over seeds", _caption(table), signatures, list(_facts(table)))

    def draw(self, numbers: Numbers) -> Figure:
        """A block a dataset and subset, with one axis of scores for all its panels."""
        cells = _cells(numbers.table)
        blocks: dict[tuple[str, str], list[Panel]] = {}
        for panel in cells:
            blocks.setdefault(panel[:2], []).append(panel)
        methods = sorted({method for own in cells.values() for method in own}, key=_order)
        columns = min(3, max(map(len, blocks.values())))
        side = {1: 3.2, 2: 2.5}.get(columns, 2.0)
        figure, places = page.laid_out(
            {f"{dataset}, {subset}": len(own) for (dataset, subset), own in blocks.items()},
            above=page.above(0),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(
                columns,
                ratio=(0.1 + _LANE_IN * len(methods)) / side,
                left=0.25 + max(map(len, methods)) * _LABEL_PT * 0.55 / 72,
                side=side,
            ),
        )
        for own, block in zip(places, blocks.values(), strict=True):
            span = _span([value for panel in block for values in cells[panel].values() for value in values])
            for place, panel in zip(own, block, strict=True):
                _draw(place.axes, cells[panel], methods, span, labels=place.first)
                page.write_above(place, panel[2])
        return figure

    def _signature(self, panel: Panel, of: Mapping[str, Mapping[int | None, tuple[RunResults, float]]]) -> str:
        """The line of a panel."""
        dataset, subset, _ = panel
        makings: list[Making] = [run.makings[m] for m, seeds in of.items() for run, _ in seeds.values()]
        runs = {run.run: run for seeds in of.values() for run, _ in seeds.values()}
        counts = {
            "machines": "/".join(sorted({str(len(run.machine_types(subset))) for run in runs.values()})),
            "runs": len(runs),
            "methods": len(of),
            "seeds": seeds_of({seed for seeds in of.values() for seed in seeds}).partition(" ")[2],
        }
        return many(f"{dataset}|{subset}", merged(makings), None, counts=counts, rest={"figure": PLOTS.spell(self)})


Found = dict[Panel, dict[str, dict[int | None, tuple[RunResults, float]]]]
"""Panel -> method -> seed -> run and its official score in [0, 1]."""


def _found(runs: Sequence[RunResults], methods: Sequence[str], progress: Progress) -> Found:
    found: Found = {}
    taken: dict[tuple[str, str, str, int | None], RunResults] = {}
    lost: dict[str, None] = {}
    for run in sorted(runs, key=lambda one: str(one.run)):
        for method in (m for m in methods if m in run.makings):
            making = run.makings[method]
            model = model_of(making) or _NOTHING
            first = taken.setdefault((run.dataset, model, method, making.seed), run)
            if first is not run:
                lost[
                    f"{run.run} is left out of {model}: {first.run} is of the same seed; name the runs that are meant"
                ] = None
                continue
            for subset in run.subsets:
                value = run.value(method, subset)
                if value is not None:
                    found.setdefault((run.dataset, subset, model), {}).setdefault(method, {})[making.seed] = run, value
    for told in lost:
        progress.left_out(told)
    return found


def _order(method: str) -> tuple[Any, ...]:
    """As the paper's tables have them; others after them, by name."""
    return (MORE.index(method), ()) if method in MORE else (len(MORE), natural(method))


def _by_seed(item: tuple[int | None, Any]) -> tuple[bool, int]:
    return item[0] is None, item[0] or 0


def _cells(table: pa.Table) -> dict[Panel, dict[str, list[float]]]:
    """Panel -> method -> official scores in percent, by seed."""
    found: dict[Panel, dict[str, list[float]]] = {}
    for row in table.to_pylist():
        own = found.setdefault((row["dataset"], row["subset"], row["model"]), {})
        own.setdefault(row["method"], []).append(100 * row["official"])
    return found


def _span(values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis of scores, in percent."""
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def _caption(table: pa.Table) -> list[str]:
    numbers = sorted({len(values) for own in _cells(table).values() for values in own.values()})
    seeds = counted(numbers[0], "seed") if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]} seeds"
    said = f"Official score of each method over {seeds}: every point is a run."
    if numbers[-1] >= _BOX:
        said += " Boxes reach from the first to the third quartile, with the median, whiskers to the extremes."
    return [f"{said} The panels of a block have one axis."]


def _facts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for (dataset, subset, model), methods in _cells(table).items():
        for method, values in methods.items():
            q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
            yield {
                "dataset": dataset,
                "subset": subset,
                "model": model,
                "method": method,
                "seeds": len(values),
                "median": float(median) / 100,
                "first_quartile": float(q1) / 100,
                "third_quartile": float(q3) / 100,
                "least": min(values) / 100,
                "most": max(values) / 100,
            }


def _draw(
    ax: Axes,
    own: Mapping[str, Sequence[float]],
    methods: Sequence[str],
    span: tuple[float, float],
    *,
    labels: bool,
) -> None:
    """The lanes of a panel, the first at the top."""
    from matplotlib.patches import Rectangle

    last = len(methods) - 1
    for i, method in enumerate(methods):
        y, values = float(last - i), np.array(own.get(method, ()))
        ax.axhline(y, color=FAINT, lw=0.3, zorder=0)
        if not len(values):
            continue
        if len(values) >= _BOX:
            q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
            ax.plot([values.min(), values.max()], [y, y], color=INK, lw=0.7, zorder=1)
            ax.add_patch(Rectangle((q1, y - 0.36), q3 - q1, 0.72, facecolor=BAND, edgecolor=INK, lw=0.6, zorder=2))
            ax.plot([median] * 2, [y - 0.36, y + 0.36], color=INK, lw=1.4, zorder=3, solid_capstyle="butt")
        apart = _OFFSET if len(values) >= _BOX else 0.0
        offsets = apart * np.array([(-1, 0, 1)[k % 3] for k in range(len(values))])
        mark: dict[str, Any] = {"marker": "o", "color": SERIES[1].color, "mec": INK, "mew": 0.3, "ms": 2.2}
        ax.plot(values, y + offsets, ls="none", zorder=4, **mark)
    ax.set_xlim(*span)
    ax.set_ylim(-0.6, last + 0.6)
    ax.set_yticks([last - i for i in range(len(methods))], methods if labels else [""] * len(methods))
    ax.tick_params(axis="y", length=0)
    ax.locator_params(axis="x", nbins=5)
    ax.grid(axis="x", color=BAND, lw=0.5)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("official score (%)", labelpad=1)
