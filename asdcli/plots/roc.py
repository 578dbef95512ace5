"""`roc`: ROC curves by section and domain, with the region that pAUC is taken over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.errors import BadData, UsageError
from asdcli.metrics import roc
from asdcli.metrics.official import SectionScores
from asdcli.plots import Material, Numbers, Source, page
from asdcli.plots.scored import Part, called, drawn, fewer, methods_of, signature
from asdcli.plots.style import BAND, FAINT, INK, STROKES
from asdcli.progress import Progress
from asdcli.views.roc_curves import roc_curves
from asdcli.views.scores import Scored, by_section
from asdcli.wording import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("method", "subset", "machine_type", "section", "domain")),
        *((name, pa.float64()) for name in ("false_positive_rate", "true_positive_rate", "anomaly_score")),
        *((name, pa.float64()) for name in ("auc", "pauc", "max_fpr")),
        *((name, pa.int64()) for name in ("n_normal", "n_anomalous")),
        ("signature", pa.string()),
    ]
)
"""A row an operating point: clips with a score of at least `anomaly_score` are called anomalous (null: none). `domain`
is that of the normal clips, null where they are of any. `pauc` is null where the rule takes none over these clips."""


@dataclass(frozen=True)
class Roc:
    """ROC curves of the areas that the edition's rule takes, a panel a section and method.

    From 2022 on, the curves of the domains set their normal clips against the anomalies of both, and pAUC is taken
    over all clips; in 2021 each curve stays inside its domain; in 2020 there is one. Grey: the false-positive rates
    that pAUC is taken over.

    Attributes:
        max_fpr: upper end of that region, in (0, 1].
    """

    reads: ClassVar[tuple[Source, ...]] = ("scores", "clips")

    max_fpr: float = roc.MAX_FPR

    def __post_init__(self) -> None:
        if not 0 < self.max_fpr <= 1:
            raise UsageError(f"roc:max_fpr must lie in (0, 1], got {self.max_fpr:g}")

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row an operating point, as SCHEMA says.

        Raises:
            BadData: no section has labelled clips of both conditions. UsageError: an unknown method.
        """
        methods = methods_of(material, progress)
        methods = methods[: drawn([method.method for method in methods], material, progress)]
        found: list[tuple[Scored, dict[str, list[SectionScores]]]] = []
        for method in methods:
            of_subset, sentences = by_section(method)
            for sentence in sentences:
                progress.left_out(f"{method.method}: {sentence}")
            found.append((method, of_subset))
        keys = [(subset, (s.machine_type, s.section)) for _, of in found for subset, own in of.items() for s in own]
        parts = sorted(set(keys), key=lambda key: (key[0], key[1][0], key[1][1] or ""))
        shown = set(parts[: len(fewer([part for _, part in parts], len(found), progress))])
        tables, signatures, without = [], [], []
        for method, of_subset in found:
            signatures.append(signature(self, method, _labelled(method), material))
            for subset, sections in of_subset.items():
                for section in sections:
                    if (subset, (section.machine_type, section.section)) not in shown:
                        continue
                    own = list(self._curves(method, subset, section, signatures[-1]))
                    tables += own
                    if not own:
                        without.append(called((section.machine_type, section.section)))
        if not tables:
            raise BadData("no section has labelled clips of both conditions: a ROC curve needs both", _LABEL)
        if without:
            progress.left_out(f"without normal or without anomalous clips, and not drawn: {listed(_once(without))}")
        table = pa.concat_tables(tables)
        return Numbers(table, "ROC curves", self._caption(), signatures, list(_facts(table)))

    def draw(self, numbers: Numbers) -> Figure:
        """A block a subset; a panel a section and method, the methods of a section side by side."""
        cells = _cells(numbers.table)
        methods = list(dict.fromkeys(numbers.table["method"].to_pylist()))
        n = len(methods)
        places = {subset: [(part, method) for part in of for method in methods] for subset, of in cells.items()}
        most = max(map(len, places.values()))
        columns = min(n, 8) if n > 4 or most == n else n * max(1, (8 if most > 8 else 4) // n)
        lines = max(len(curves) for of in cells.values() for own in of.values() for curves in own.values())
        figure, blocks = page.laid_out(
            {subset if len(places) > 1 else "": len(own) for subset, own in places.items()},
            above=page.above(lines + 1),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(columns),
        )
        for panels, (subset, own) in zip(blocks, places.items(), strict=True):
            for panel, (part, method) in zip(panels, own, strict=True):
                curves = cells[subset][part].get(method)
                if curves is None:
                    panel.axes.set_axis_off()
                    continue
                _draw(panel.axes, curves, self.max_fpr, left=panel.first, last=panel.last)
                said = [(_said(curve), STROKES[curve["domain"]].line) for curve in curves]
                page.write_above(panel, called(part), said, over=method)
        return figure

    def _curves(self, method: Scored, subset: str, section: SectionScores, signed: str) -> Iterator[pa.Table]:
        for curve in roc_curves(method.header, section, self.max_fpr):
            alike = {
                "method": method.method,
                "subset": subset,
                "machine_type": section.machine_type,
                "section": section.section,
                "domain": curve.domain,
                "auc": curve.auc,
                "pauc": curve.pauc,
                "max_fpr": self.max_fpr,
                "n_normal": curve.n_normal,
                "n_anomalous": curve.n_anomalous,
                "signature": signed,
            }
            columns = {
                "false_positive_rate": pa.array(curve.false),
                "true_positive_rate": pa.array(curve.true),
                "anomaly_score": pa.array(curve.at, from_pandas=True),
                **{name: [value] * len(curve.false) for name, value in alike.items()},
            }
            yield pa.table(columns).select(SCHEMA.names).cast(SCHEMA)

    def _caption(self) -> list[str]:
        return [
            "Each axis counts clips at or above a score: of the normal ones, and of the anomalous ones. A curve of a "
            "domain has its normal clips, and the anomalies that the edition's official score sets against them. Grey: "
            f"false-positive rates up to {100 * self.max_fpr:g} %, over which pAUC is taken. Areas are in %, 50 being "
            "chance (the diagonal; pAUC is McClish-standardised), of so many normal : anomalous clips."
        ]


_LABEL = "label the clips (asd download EDITION, asd index DIR)"


def _labelled(method: Scored) -> pa.Table:
    test = pc.and_(pc.equal(method.table["split"], "test"), pc.is_valid(method.table["condition"]))
    return method.table.filter(test)


def _once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


Curve = Mapping[str, Any]
"""What is drawn of one term: `x` and `y` are (n_points,), the others are alike in all rows."""


def _cells(table: pa.Table) -> dict[str, dict[Part, dict[str, list[Curve]]]]:
    """Subset -> section -> method -> curves."""
    found: dict[str, dict[Part, dict[str, list[Curve]]]] = {}
    columns = {name: table[name].to_pylist() for name in table.column_names}
    keys = zip(*(columns[c] for c in ("subset", "machine_type", "section", "method", "domain")), strict=True)
    rows: dict[tuple[Any, ...], list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    order = sorted(rows, key=lambda key: (key[0], key[1], key[2] or ""))
    for subset, machine_type, section, method, domain in order:
        own = rows[subset, machine_type, section, method, domain]
        curve = {name: columns[name][own[0]] for name in ("domain", "auc", "pauc", "n_normal", "n_anomalous")}
        curve["x"] = [columns["false_positive_rate"][row] for row in own]
        curve["y"] = [columns["true_positive_rate"][row] for row in own]
        found.setdefault(subset, {}).setdefault((machine_type, section), {}).setdefault(method, []).append(curve)
    return found


def _facts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for subset, of in _cells(table).items():
        for (machine_type, section), methods in of.items():
            for method, curves in methods.items():
                for curve in curves:
                    told = {name: curve[name] for name in ("domain", "auc", "pauc", "n_normal", "n_anomalous")}
                    yield {
                        "method": method,
                        "subset": subset,
                        "machine_type": machine_type,
                        "section": section,
                        **told,
                    }


def _said(curve: Curve) -> str:
    partial = "" if curve["pauc"] is None else f", pAUC {100 * curve['pauc']:.1f}"
    of = f"{curve['n_normal']:,} : {curve['n_anomalous']:,}"
    return f"{curve['domain'] or 'all'}: AUC {100 * curve['auc']:.1f}{partial} ({of})"


def _draw(ax: Axes, curves: list[Curve], max_fpr: float, *, left: bool, last: bool) -> None:
    ax.axvspan(0, 100 * max_fpr, color=BAND, lw=0, zorder=0)
    ax.plot([0, 100], [0, 100], color=INK, lw=0.5, zorder=1)
    for curve in curves:
        x, y = 100 * np.array(curve["x"]), 100 * np.array(curve["y"])
        ax.plot(x, y, zorder=3, clip_on=False, **STROKES[curve["domain"]].line)
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 100)
    ticks = [0, 25, 50, 75, 100]
    ax.set_xticks(ticks)
    ax.set_yticks(ticks, [str(t) for t in ticks] if left else [""] * len(ticks))
    ax.grid(True, color=FAINT, lw=0.25, alpha=0.6)
    ax.set_axisbelow(True)
    if last:
        ax.set_xlabel("false positives (%)", labelpad=2)
    if left:
        ax.set_ylabel("true positives (%)", labelpad=2)
