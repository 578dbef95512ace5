"""`fractions`: the metric by the share of clips that scores are smoothed over, with bands of one standard deviation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.errors import BadArtifact
from asdcli.plots import PLOTS, Material, Numbers, Source, page
from asdcli.plots.style import SERIES
from asdcli.progress import Progress
from asdcli.views.making import Making
from asdcli.views.signature import many

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("method", "machine_type")),
        *((name, pa.float64()) for name in ("fraction", "mean", "std")),
        ("n_repeats", pa.int64()),
        ("n_clips", pa.float64()),
        ("metric", pa.string()),
        ("signature", pa.string()),
    ]
)
"""A row a method, machine type and share: the mean and standard deviation of `metric` over `n_repeats` random subsets
of `n_clips` clips. The machine type `all` joins all of them."""


@dataclass(frozen=True)
class Fractions:
    """What smoothing is worth by the share of clips that there are to smooth over, as `asd smooth --fraction` measured.

    The mean over random subsets of each share, and a band of one standard deviation to either side. Each subset had
    the K that is best for it: labels took part.

    Source: Fujimura et al. 2024, Fig. 5.
    """

    reads: ClassVar[tuple[Source, ...]] = ("fractions",)

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row a method, machine type and share, as SCHEMA says.

        Raises:
            MissingArtifact: there is no fractions.parquet. BadArtifact: not one, or one without a row.
        """
        path = material.files["fractions"]
        table, header = artifacts.read_table(path, artifacts.FRACTIONS)
        if not len(table):
            raise BadArtifact(
                f"{path} holds no share of clips", f"make it again: {artifacts.FRACTIONS.to_type} --force"
            )
        metric = str(header.params.get("metric"))
        methods = list(dict.fromkeys(table["method"].to_pylist()))
        stale = ",".join(material.stale.get(path, ())) or None
        place, machines = header.dataset or path.stem, len(set(table["machine_type"].to_pylist()) - {_ALL})
        rest = {"stale": stale, "metric": metric, "figure": PLOTS.spell(self)}
        signatures = [
            many(place, Making.of(header), method, counts={"machines": machines}, rest=rest) for method in methods
        ]
        signed = dict(zip(methods, signatures, strict=True))
        columns = {name: table[name] for name in SCHEMA.names if name in table.column_names}
        columns |= {"metric": [metric] * len(table), "signature": [signed[m] for m in table["method"].to_pylist()]}
        found = pa.table(columns).select(SCHEMA.names).cast(SCHEMA)
        return Numbers(found, "metric by share of clips", _caption(found), signatures, list(_facts(found)))

    def draw(self, numbers: Numbers) -> Figure:
        """A panel a machine type, all together first; a line a method."""
        cells = _cells(numbers.table)
        methods = list(dict.fromkeys(numbers.table["method"].to_pylist()))
        strokes = {method: SERIES[i % len(SERIES)] for i, method in enumerate(methods)}
        names = sorted(cells, key=lambda name: (name != _ALL, name))
        figure, [panels] = page.laid_out(
            {"": len(names)},
            above=page.above(0),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(ratio=0.8, gap=0.4),
            key=[page.Sample(method, strokes[method].line) for method in methods],
        )
        for panel, name in zip(panels, names, strict=True):
            ax = panel.axes
            for method, (share, mean, std) in cells[name].items():
                how: dict[str, Any] = {"marker": "o", "ms": 3} if len(share) == 1 else {}
                band: dict[str, Any] = {"color": strokes[method].color, "alpha": 0.2, "lw": 0}
                ax.fill_between(100 * share, 100 * (mean - std), 100 * (mean + std), **band)
                ax.plot(100 * share, 100 * mean, **strokes[method].line, **how)
            ax.locator_params(axis="both", nbins=5)
            ax.set_xlabel("clips smoothed over (%)", labelpad=1)
            if panel.first:
                ax.set_ylabel(f"{numbers.table['metric'][0].as_py()} (%)", labelpad=2)
            page.write_above(panel, "all machine types" if name == _ALL else name)
        return figure


_ALL = "all"


def _caption(table: pa.Table) -> list[str]:
    repeats = sorted(set(table["n_repeats"].to_pylist()))
    many_of = f"{repeats[0]}" if len(repeats) == 1 else f"{repeats[0]} to {repeats[-1]}"
    return [
        f"Mean of {table['metric'][0].as_py()} over {many_of} random subsets of each share of the clips, and a band of "
        "one standard deviation to either side. Each subset has the K that is best for it: labels took part in that."
    ]


def _cells(table: pa.Table) -> dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Machine type -> method -> shares in ascending order, means and standard deviations, (n_shares,) each."""
    rows: dict[str, dict[str, list[tuple[float, float, float]]]] = {}
    for row in table.to_pylist():
        own = rows.setdefault(row["machine_type"], {}).setdefault(row["method"], [])
        own.append((row["fraction"], row["mean"], row["std"]))
    return {name: {method: tuple(np.array(sorted(own)).T) for method, own in of.items()} for name, of in rows.items()}


def _facts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for machine_type, methods in _cells(table).items():
        for method, (share, mean, std) in methods.items():
            yield {
                "method": method,
                "machine_type": machine_type,
                "shares": share.tolist(),
                "mean": mean.tolist(),
                "std": std.tolist(),
            }
