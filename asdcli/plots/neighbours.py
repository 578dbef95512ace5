"""`neighbours`: the metric by the number K of neighbours that scores are smoothed over, as `asd tune` measured it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.errors import BadData
from asdcli.plots import PLOTS, Material, Numbers, Source, page
from asdcli.plots.style import INK, SERIES
from asdcli.progress import Progress
from asdcli.spec.spelling import parse
from asdcli.views.making import Making
from asdcli.views.samples import SMOOTHED
from asdcli.views.signature import many

if TYPE_CHECKING:
    from matplotlib.figure import Figure

On = Literal["reported", "choosing"]

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("method", "machine_type", "data")),
        ("k", pa.int64()),
        *((name, pa.float64()) for name in ("mean", "std")),
        ("n_machine_types", pa.int64()),
        *((name, pa.bool_()) for name in ("chosen", "oracle")),
        ("metric", pa.string()),
        ("signature", pa.string()),
    ]
)
"""A row a method, machine type, data and K: the metric over its sections. The machine type `all` has the mean and
standard deviation over machine types; of one of them `std` is null."""

_ALL = "all"


@dataclass(frozen=True)
class SmoothingByK:
    """What smoothing is worth by K, for neighbours of the source domain and of all, on sections that did not choose it.

    A mark says which K the choosing sections chose, another which one would have been best. With several machine types
    the first panel is their mean, with a band of one standard deviation over them.

    Attributes:
        on: the sections that are `reported` on, or those that were `choosing`.
    """

    reads: ClassVar[tuple[Source, ...]] = ("tuning",)

    on: On = "reported"

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row a method, machine type, data and K, as SCHEMA says.

        Raises:
            MissingArtifact: there is no tuning.parquet. BadData: it says nothing of K on these sections.
        """
        path = material.files["tuning"]
        table, header = artifacts.read_table(path, artifacts.TUNING)
        metric = str(header.params.get("metric"))
        column = "reported_on" if self.on == "reported" else "chosen_on"
        rows = []
        for row in table.to_pylist():
            if SMOOTHED not in row["method"] or row[column] is None:
                continue
            params = parse(f"smooth:{row['params']}")[1]
            rows.append(
                {
                    **{name: row[name] for name in ("method", "machine_type", "chosen", "oracle")},
                    "data": params["data"],
                    "k": int(params["k"]),
                    "mean": row[column],
                    "n_machine_types": 1,
                }
            )
        if not rows:
            raise BadData(
                f"{path.name} says nothing of K on the sections that were {self.on}",
                "label their clips and tune again: asd tune -m METHOD",
            )
        rows = [*_means(rows), *rows]
        stale = ",".join(material.stale.get(path, ())) or None
        machines = len({row["machine_type"] for row in rows} - {_ALL})
        signed = {
            method: many(
                header.dataset or path.stem,
                Making.of(header),
                method,
                counts={"machines": machines},
                rest={"stale": stale, "metric": metric, "figure": PLOTS.spell(self)},
            )
            for method in dict.fromkeys(row["method"] for row in rows)
        }
        rows = [{**row, "metric": metric, "signature": signed[row["method"]]} for row in rows]
        found = pa.Table.from_pylist(rows, SCHEMA)
        title = "metric by number of neighbours"
        return Numbers(found, title, self._caption(found, metric), list(signed.values()), list(_facts(found)))

    def draw(self, numbers: Numbers) -> Figure:
        """A panel a machine type, their mean first; a line whose samples may be neighbours."""
        cells = _cells(numbers.table)
        data = list(dict.fromkeys(numbers.table["data"].to_pylist()))
        strokes = {name: SERIES[1 + i % (len(SERIES) - 1)] for i, name in enumerate(data)}
        names = sorted(cells, key=lambda name: (name != _ALL, name))
        figure, [panels] = page.laid_out(
            {"": len(names)},
            above=page.above(0),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(ratio=0.8, gap=0.4),
            key=[
                *(page.Sample(f"neighbours: {name}", strokes[name].line) for name in data),
                page.Sample("chosen", {**_CHOSEN, "ls": "none"}),
                page.Sample("best there (oracle)", {**_ORACLE, "ls": "none"}),
            ],
        )
        ks = sorted(set(numbers.table["k"].to_pylist()))
        for panel, name in zip(panels, names, strict=True):
            ax = panel.axes
            for of, line in cells[name].items():
                k, mean = line["k"], 100 * line["mean"]
                if not np.isnan(line["std"]).all():
                    band: dict[str, Any] = {"color": strokes[of].color, "alpha": 0.2, "lw": 0}
                    ax.fill_between(k, mean - 100 * line["std"], mean + 100 * line["std"], **band)
                ax.plot(k, mean, marker=".", ms=3, **strokes[of].line)
                for how, which in ((_ORACLE, "oracle"), (_CHOSEN, "chosen")):
                    ax.plot(k[line[which]], mean[line[which]], ls="none", zorder=4, **how)
            ax.set_xscale("log", base=2)
            shown = ks if len(ks) <= 8 else ks[:: -(-len(ks) // 8)]
            ax.set_xticks(shown, [str(k) for k in shown])
            ax.minorticks_off()
            ax.locator_params(axis="y", nbins=5)
            ax.set_xlabel("K neighbours", labelpad=1)
            if panel.first:
                ax.set_ylabel(f"{numbers.table['metric'][0].as_py()} (%)", labelpad=2)
            page.write_above(panel, "mean of machine types" if name == _ALL else name)
        return figure

    def _caption(self, table: pa.Table, metric: str) -> list[str]:
        where = "reported on" if self.on == "reported" else "that K was chosen by"
        several = _ALL in table["machine_type"].to_pylist()
        band = " The mean has a band of one standard deviation over machine types." if several else ""
        return [
            f"{metric} over the sections {where}, by the number K of neighbours (the clip counts) that scores are "
            f"averaged over. Marks: the K that the choosing sections chose, and the best of the reported ones.{band}"
        ]


_CHOSEN: dict[str, Any] = {"marker": "o", "mfc": "none", "mec": INK, "mew": 0.9, "ms": 7}
_ORACLE: dict[str, Any] = {"marker": "x", "mec": INK, "mew": 0.9, "ms": 4}


def _means(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The mean over machine types of each method, data and K that all of them have; none of a single one."""
    machines = {row["machine_type"] for row in rows}
    if len(machines) < 2:
        return
    values: dict[tuple[str, str, int], list[float]] = {}
    for row in rows:
        values.setdefault((row["method"], row["data"], row["k"]), []).append(row["mean"])
    for (method, data, k), own in values.items():
        if len(own) == len(machines):
            alike = {"method": method, "machine_type": _ALL, "data": data, "k": k, "n_machine_types": len(own)}
            yield {**alike, "mean": float(np.mean(own)), "std": float(np.std(own)), "chosen": False, "oracle": False}


def _cells(table: pa.Table) -> dict[str, dict[str, Mapping[str, np.ndarray]]]:
    """Machine type -> data -> columns in ascending order of K."""
    found: dict[str, dict[str, Mapping[str, np.ndarray]]] = {}
    rows = table.to_pylist()
    for machine_type, data in dict.fromkeys((row["machine_type"], row["data"]) for row in rows):
        own = [row for row in rows if (row["machine_type"], row["data"]) == (machine_type, data)]
        own.sort(key=lambda row: row["k"])
        line = {name: np.array([row[name] for row in own]) for name in ("k", "mean", "chosen", "oracle")}
        line["std"] = np.array([np.nan if row["std"] is None else row["std"] for row in own])
        found.setdefault(machine_type, {})[data] = line
    return found


def _facts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for machine_type, lines in _cells(table).items():
        for data, line in lines.items():
            yield {
                "machine_type": machine_type,
                "data": data,
                "k": line["k"].tolist(),
                "mean": line["mean"].tolist(),
                "chosen": line["k"][line["chosen"]].tolist(),
                "oracle": line["k"][line["oracle"]].tolist(),
            }
