"""`p-values`: whether promised false-alarm rates are kept: p-values of fresh normal clips against the diagonal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from asdcli.errors import BadData
from asdcli.metrics.shares import Share, binomial_band
from asdcli.plots import Material, Numbers, Source, page
from asdcli.plots.scored import drawn, fitting, methods_of, signature
from asdcli.plots.style import BAND, FAINT, INK, STROKES
from asdcli.progress import Progress
from asdcli.views.fresh import Lacking, fresh_normals, held_against, share_at, with_p_values
from asdcli.views.p_values import CLIP, GROUP
from asdcli.views.scores import Scored
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import PValue
from asdcli.wording import counted, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SAID = {"clip": "clip-wise", "group": "group-wise, every group counting once"}
_TICKS = (0, 1, 5, 10, 25, 50, 75, 100)  # percent
_GRID = np.linspace(0, 1, 1001) ** 2


@dataclass(frozen=True)
class PValues:
    """How many normal test clips have a p-value as small as any that could be promised.

    The empirical distribution function of the conformal p-values of labelled normal test clips, source and target
    apart. Below the diagonal there are fewer false alarms than promised, above it more. Methods whose normal clips the
    model was all trained on promise nothing, and are not drawn.

    Source: V. Vovk, A. Gammerman, G. Shafer: Algorithmic
    learning in a random world, 2005; of groups Lee, Barber, Willett, 2023.

    Attributes:
        p: clip-wise, as thresholds are set, or group-wise, where every calibration group counts once.
    """

    reads: ClassVar[tuple[Source, ...]] = ("scores", "clips", "thresholds")

    p: PValue = "clip"

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row a normal test clip, as `views.fresh.SCHEMA` says.

        Raises:
            BadData: no test clip is known to be normal, or no method has clips to calibrate on that no model has seen.
            UsageError: an unknown method.
        """
        limits = Thresholds.read(material.files["thresholds"]) if "thresholds" in material.files else None
        lacking, unlabelled = Lacking(), []
        found: list[tuple[Scored, pa.Table]] = []
        methods = methods_of(material, progress, limits)
        for method in methods:
            fresh = fresh_normals(method)
            if not len(fresh):
                unlabelled.append(method.method)
                continue
            fresh = with_p_values(method, fresh, GROUP if self.p == "group" else CLIP, lacking)
            found += [(method, fresh)] if len(fresh) else []
        if not found:
            raise BadData(*(lacking.error() if len(unlabelled) < len(methods) else _UNLABELLED))
        for sentence in lacking.sentences():
            progress.left_out(sentence)
        if unlabelled:
            progress.left_out(f"no test clip is known to be normal among the scores of {listed(unlabelled)}")
        found = found[: drawn([method.method for method, _ in found], material, progress)]
        signatures = [signature(self, method, fresh, material) for method, fresh in found]
        tables = [
            table
            for (method, fresh), signed in zip(found, signatures, strict=True)
            for table in held_against(method, fresh, fitting(limits, method, progress), signed)
        ]
        table = pa.concat_tables(tables)
        return Numbers(table, "p-values of normal test clips", self._caption(table), signatures, list(_facts(table)))

    def draw(self, numbers: Numbers) -> Figure:
        """A block a method, a panel a machine type (or a block of a single one, a panel a method), a line a domain."""
        cells = _panels(numbers.table)
        if len(cells) > 1 and len({m for panels in cells.values() for m in panels}) == 1:
            cells = _turned(cells)
        lines = max(len(curves) for panels in cells.values() for curves in panels.values())
        blocks = {name: len(panels) for name, panels in cells.items()}
        figure, places = page.laid_out(
            blocks, above=page.above(lines + 1), caption=numbers.caption, signatures=numbers.signatures
        )
        for row, panels in zip(places, cells.values(), strict=True):
            for panel, (name, curves) in zip(row, panels.items(), strict=True):
                _draw(panel, name, curves)
        return figure

    def _caption(self, table: pa.Table) -> list[str]:
        panels = [curves for of in _panels(table).values() for curves in of.values()]
        sentences = [
            f"Conformal p-values ({_SAID[self.p]}) of n normal test clips, each among m calibration clips: those of "
            "its machine type, and of its domain where there are any. A line below the diagonal: fewer false alarms "
            "than promised; above it: more. Both axes are square roots, which make room for small rates.",
            "Grey: where a line of n independent clips is in 95 of 100 cases, at each p-value, if promises are kept "
            "(exact binomial distribution, pointwise); the luck of the calibration clips comes on top.",
        ]
        if any(len({len(curve["p"]) for curve in curves}) > 1 for curves in panels):
            sentences[-1] += " Where the other domain has another n, thin dashes are the edges of its own."
        if table["promised"].null_count < len(table):
            sentences.append(
                "Dotted: the rate that the run's threshold promises; the marks on it: the false alarms at that "
                "threshold, which is one for both domains."
            )
        return sentences


_UNLABELLED = (
    "no test clip is known to be normal: there is nothing to hold the promises against",
    "label the clips (asd download EDITION, asd index DIR)",
)


Curve = dict[str, Any]
"""What is drawn of one machine type and domain, by column: `p` is (n,), the others are alike in all rows."""


def _panels(table: pa.Table) -> dict[str, dict[str, list[Curve]]]:
    """Method -> machine type -> curves, in the order of the table."""
    found: dict[str, dict[str, list[Curve]]] = {}
    columns = {name: table[name].to_pylist() for name in table.column_names}
    keys = list(zip(columns["method"], columns["machine_type"], columns["domain"], strict=True))
    rows: dict[tuple[str, str, str | None], list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    for (method, machine_type, domain), own in rows.items():
        p, scores = (np.array([columns[name][row] for row in own]) for name in ("p_value", "anomaly_score"))
        curve = {name: columns[name][own[0]] for name in ("scored_as", "n_calibration", "n_groups", "promised")}
        limit = columns["threshold"][own[0]]
        share = None if limit is None else Share.of(scores, limit, curve["promised"])
        curve |= {"domain": domain, "p": p, "at_threshold": share}
        found.setdefault(method, {}).setdefault(machine_type, []).append(curve)
    return found


def _turned(cells: Mapping[str, Mapping[str, list[Curve]]]) -> dict[str, dict[str, list[Curve]]]:
    """Machine type -> method -> curves."""
    found: dict[str, dict[str, list[Curve]]] = {}
    for method, panels in cells.items():
        for machine_type, curves in panels.items():
            found.setdefault(machine_type, {})[method] = curves
    return found


def _facts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for method, panels in _panels(table).items():
        for machine_type, curves in panels.items():
            for curve in curves:
                promised, share = curve["promised"], curve["at_threshold"]
                yield {
                    "method": method,
                    "machine_type": machine_type,
                    "domain": curve["domain"],
                    "normal": len(curve["p"]),
                    "scored_as": curve["scored_as"],
                    "calibration_clips": curve["n_calibration"],
                    "calibration_groups": curve["n_groups"],
                    "smallest_p": float(curve["p"].min()),
                    "promised": promised,
                    "share_at_promised": None if promised is None else float(share_at(curve["p"], promised)),
                    "false_alarms_at_threshold": share.above if share else None,
                }


def _draw(panel: page.Panel, name: str, curves: Sequence[Curve]) -> None:
    """One method and machine type: the band, the diagonal, a line a domain, and what they stand on."""
    ax = panel.axes
    _axes(ax, left=panel.first, last=panel.last)
    _bands(ax, curves)
    ax.plot([0, 1], [0, 1], color=INK, lw=0.6, zorder=1)
    for promised in {curve["promised"] for curve in curves} - {None}:
        ax.axvline(promised, color=INK, lw=0.8, ls=(0, (1, 1.5)), zorder=1)
    for i, curve in enumerate(curves):
        stroke = STROKES[curve["domain"]]
        steps = np.concatenate([[0.0], np.sort(curve["p"]), [1.0]])
        ax.step(steps, share_at(curve["p"], steps), where="post", zorder=3, **stroke.line)
        if (share := curve["at_threshold"]) is not None:
            ax.plot(curve["promised"], share.measured, zorder=5 - i, clip_on=False, ms=4 + 1.5 * i, **stroke.mark)
    how = " and ".join(dict.fromkeys(str(curve["scored_as"] or "nobody knows how") for curve in curves))
    lines = [(_stands_on(curve), STROKES[curve["domain"]].line) for curve in curves]
    page.write_above(panel, name, lines, over=f"calibration clips scored as: {how}")


def _bands(ax: Axes, curves: Sequence[Curve]) -> None:
    """That of the first line filled; of another one that is of more or fewer clips the outline."""
    sizes = [len(curve["p"]) for curve in curves]
    for n, curve in zip(sizes, curves, strict=True):
        low, high = binomial_band(n, _GRID)
        steps = np.flatnonzero(np.diff(low, prepend=-1) + np.diff(high, prepend=-1))
        x, low, high = np.append(_GRID[steps], 1.0), np.append(low[steps], 1.0), np.append(high[steps], 1.0)
        if curve is curves[0]:
            ax.fill_between(x, low, high, step="post", color=BAND, lw=0, zorder=0)
        elif n != sizes[0]:
            for edge in (low, high):
                ax.step(x, edge, where="post", lw=0.6, zorder=2, **STROKES[curve["domain"]].line)


def _stands_on(curve: Curve) -> str:
    groups = counted(curve["n_groups"], "group")
    return f"{curve['domain'] or 'all'}: n = {len(curve['p']):,}; m = {curve['n_calibration']:,} in {groups}"


def _axes(ax: Axes, *, left: bool, last: bool) -> None:
    root = (lambda x: np.sqrt(np.clip(x, 0, None)), np.square)
    ticks = [t / 100 for t in _TICKS]
    ax.set_xscale("function", functions=root)
    ax.set_yscale("function", functions=root)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xticks(ticks, [f"{t}" for t in _TICKS])
    ax.set_yticks(ticks, [f"{t}" for t in _TICKS] if left else [""] * len(ticks))
    ax.grid(True, color=FAINT, lw=0.25, alpha=0.6)
    ax.set_axisbelow(True)
    if last:
        ax.set_xlabel("promised: p-value (%)", labelpad=2)
    if left:
        ax.set_ylabel("measured: normal clips\nwith one as small (%)", labelpad=2)
