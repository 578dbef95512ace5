"""`scale`: what VarMin's alpha hangs on: distance against local scale, their slope, and each point's leverage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from asdcli.errors import BadData
from asdcli.plots import Material, Numbers, Source, page
from asdcli.plots.embedded import Loo, RunVectors
from asdcli.plots.scored import Part, called, fewer
from asdcli.plots.style import INK, STROKES
from asdcli.progress import Progress
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.leverage import Points
from asdcli.scorers.slopes import Slope
from asdcli.scorers.varmin import Space as Transform
from asdcli.scorers.varmin import VarMin, slope
from asdcli.vocabulary import Domain, Unit, ValidationSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("machine_type", "section", "clip_id", "domain")),
        *((name, pa.float64()) for name in ("v", "u", "leverage")),
        ("first", pa.bool_()),
        ("n_points", pa.int64()),
        *((name, pa.float64()) for name in ("alpha", "alpha_without_first")),
        ("signature", pa.string()),
    ]
)
"""A row a validation window: u is its distance to the nearest reference y*, v = b(y*), `leverage` its share in the sum
of (v - mean v)^2. The 1 % of most leverage are `first`; `alpha` is the slope of all `n_points`, and of all but those.
`section` is null where units are machine types."""

_FINE = 3000  # with more points on the page they are one image in an SVG or PDF
_LEAST_PT, _MOST_PT = 3.0, 70.0  # squared: the area of a point without leverage, and of one with all of it


@dataclass(frozen=True)
class Scale:
    """Distance u of each validation window against the local scale v = b(y*) of its nearest reference.

    alpha* is the slope of u on v. A window's leverage is its share in the sum of (v - mean v)^2, its share of the vote
    on the slope: where a few have most of it, alpha hangs on them. The areas of points grow with it, and the 1 % of
    most leverage have a ring; the slope is drawn with and without them.

    Source: Matsumoto et al. 2025, Eq. 6 to 8.

    Attributes:
        k: neighbours averaged in b.
        val: the validation set, as of `varmin`.
        loo: as of `varmin`.
        space: as of `varmin`.
        slope: as of `varmin`; leverages are those of `ols`.
        unit: the clips that share one reference set and one alpha.
        seed: of the clips that are drawn at random.
    """

    reads: ClassVar[tuple[Source, ...]] = ("embeddings", "clips")

    k: int = 16
    val: ValidationSet = "train-all"
    loo: Loo = "strict"
    space: Transform = "id"
    slope: Slope = "ols"
    unit: Unit = Unit.MACHINE_TYPE
    seed: int = 0

    def __post_init__(self) -> None:
        at_least_one(scale_k=self.k)

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row a point, as SCHEMA says.

        Raises:
            MissingArtifact: no embeddings. BadData: no unit has a validation window with a reference of another clip.
        """
        space = RunVectors.read(material, progress)
        plans = space.plans(self.unit, progress)
        parts: list[Part] = [(plan.machine_type, plan.section) for plan in plans]
        plans = plans[: len(fewer(parts, 1, progress))]
        subsets = {s for plan in plans for s in space.column("subset")[np.union1d(plan.train, plan.test)]}
        machines = len({plan.machine_type for plan in plans})
        signed = space.signature(self, f"varmin:k={self.k},val={self.val}", subsets, machines, material)
        clip_ids, domains = space.column("clip_id"), space.column("domain")
        varmin = VarMin(self.k, self.val, loo=self.loo, space=self.space)
        tables, without = [], []
        for plan in plans:
            draws = varmin.points(space.unit(plan, self.seed))
            if not sum(map(len, draws)):
                without.append(plan.name)
                continue
            points = Points.joined(draws)
            u, v, clip, shares, rest = points.u, points.v, points.clip, points.leverage, points.without_first()
            first = np.zeros(len(v), dtype=bool)
            first[points.first] = True
            alike = {
                "machine_type": plan.machine_type,
                "section": plan.section,
                "n_points": len(u),
                "alpha": slope(u, v, self.slope)["alpha"],
                "alpha_without_first": slope(rest.u, rest.v, self.slope)["alpha"],
                "signature": signed,
            }
            columns: dict[str, Any] = {
                "clip_id": clip_ids[clip],
                "domain": domains[clip],
                "v": v,
                "u": u,
                "leverage": shares,
            }
            columns["first"] = first
            columns |= {name: [value] * len(u) for name, value in alike.items()}
            tables.append(pa.table(columns).select(SCHEMA.names).cast(SCHEMA))
        if not tables:
            raise BadData(
                f"no unit has a clip of {self.val} to set alpha on",
                "choose another: asd plot scale:val=train-all"
                if self.val != "held-out"
                else "the model has seen all clips, or nobody knows: asd train --hold-out 0.1",
            )
        if without:
            progress.left_out(f"nothing to set alpha on, and not drawn: {', '.join(without)}")
        table = pa.concat_tables(tables)
        return Numbers(table, "distance against local scale", self._caption(), [signed], list(_facts(table)))

    def draw(self, numbers: Numbers) -> Figure:
        """A panel a unit."""
        cells = _cells(numbers.table)
        present = {domain for cell in cells.values() for domain in cell["domain"]}
        figure, [panels] = page.laid_out(
            {"": len(cells)},
            above=page.above(2),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(gap=0.4),
            key=[
                page.Sample(f"{domain or 'unknown'} clips", {**STROKES[domain].mark, "ls": "none", "ms": 4})
                for domain in (*map(str, Domain), None)
                if domain in present
            ],
        )
        for panel, (part, cell) in zip(panels, cells.items(), strict=True):
            self._draw(panel.axes, cell, fine=len(numbers.table) <= _FINE, left=panel.first)
            held = 100 * float(cell["leverage"][cell["first"]].sum())
            lines = [
                (f"alpha of {len(cell['u']):,} points: {cell['alpha']:.3f}", _LINE),
                (f"without {cell['first'].sum()} ringed ({held:.0f} %): {cell['without']:.3f}", _DASHED),
            ]
            page.write_above(panel, called(part), lines)
        return figure

    def _draw(self, ax: Axes, cell: Mapping[str, Any], *, fine: bool, left: bool) -> None:
        v, u, first = cell["v"], cell["u"], cell["first"]
        area = _LEAST_PT + (_MOST_PT - _LEAST_PT) * cell["leverage"]
        for domain, stroke in STROKES.items():
            own = cell["domain"] == domain
            filled: dict[str, Any] = {"color": stroke.color, "lw": 0, "alpha": 0.6 if domain == "source" else 0.9}
            ax.scatter(v[own], u[own], area[own], marker=stroke.marker, zorder=2, rasterized=not fine, **filled)
            ring = own & first
            empty: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "linewidths": 0.7}
            ax.scatter(v[ring], u[ring], area[ring] + 4, marker=stroke.marker, zorder=3, **empty)
        ends = np.array([v.min(), v.max()])
        for slope_of, kept, line in ((cell["alpha"], v == v, _LINE), (cell["without"], ~first, _DASHED)):
            if kept.any():
                ax.plot(ends, u[kept].mean() + slope_of * (ends - v[kept].mean()), zorder=4, **line)
        room_x, room_y = 0.04 * (v.max() - v.min() or 1), 0.04 * (u.max() - u.min() or 1)
        ax.set_xlim(v.min() - room_x, v.max() + room_x)
        ax.set_ylim(u.min() - room_y, u.max() + room_y)
        ax.locator_params(axis="both", nbins=4)
        log = "log " if self.space == "log" else ""
        ax.set_xlabel(f"v: {log}local scale b(y*)", labelpad=1)
        if left:
            ax.set_ylabel(f"u: {log}distance D(z, y*)", labelpad=2)

    def _caption(self) -> list[str]:
        return [
            f"Windows of {self.val}: u is the distance (1 - cos)/2 to the nearest reference y*, v the mean distance of "
            f"y* to its {self.k} neighbours{', both as logarithms' if self.space == 'log' else ''}. The area of a "
            "point grows with its leverage (v - mean v)^2 / sum, its vote on the slope alpha; ringed: the 1 % of most "
            "leverage, and how much of it they have. Where the dashed line (without these) has another slope, alpha "
            "hangs on few points."
        ]


_LINE: dict[str, Any] = {"color": INK, "lw": 1.0}
_DASHED: dict[str, Any] = {"color": INK, "lw": 1.0, "dashes": (4.0, 2.0)}


def _cells(table: pa.Table) -> dict[Part, dict[str, Any]]:
    """Unit -> what is drawn of it: (n_points,) arrays, and both slopes."""
    keys = list(zip(table["machine_type"].to_pylist(), table["section"].to_pylist(), strict=True))
    found: dict[Part, dict[str, Any]] = {}
    for part in dict.fromkeys(keys):
        own = table.filter(pa.array([key == part for key in keys]))
        cell: dict[str, Any] = {name: own[name].to_numpy() for name in ("v", "u", "leverage", "first")}
        cell["domain"] = np.array(own["domain"].to_pylist(), dtype=object)
        found[part] = cell | {"alpha": own["alpha"][0].as_py(), "without": own["alpha_without_first"][0].as_py()}
    return found


def _facts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for (machine_type, section), cell in _cells(table).items():
        yield {
            "machine_type": machine_type,
            "section": section,
            "points": len(cell["u"]),
            "alpha": cell["alpha"],
            "first": int(cell["first"].sum()),
            "leverage_of_first": float(cell["leverage"][cell["first"]].sum()),
            "alpha_without_first": cell["without"],
        }
