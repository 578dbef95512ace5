"""`distributions`: anomaly scores by domain and condition, one method beside the other, with the run's thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.errors import BadData, UsageError
from asdcli.plots import Material, Numbers, Source, page
from asdcli.plots.scored import By, Part, called, drawn, fewer, fitting, methods_of, of_parts, signature
from asdcli.plots.style import FAINT, HATCH, INK, STROKES
from asdcli.progress import Progress
from asdcli.views.scores import Scored
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Condition, Split
from asdcli.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("method", "machine_type", "section", "split", "domain", "condition")),
        *((name, pa.float64()) for name in ("low", "high")),
        ("clips", pa.int64()),
        ("share", pa.float64()),
        ("n_clips", pa.int64()),
        *((name, pa.int64()) for name in ("lower", "higher")),
        *((name, pa.float64()) for name in ("median", "threshold", "above")),
        ("signature", pa.string()),
    ]
)
"""A row a bin: `clips` of the `n_clips` of a domain and condition, a share of `share`, have a score from `low` to
`high`; those `lower` and `higher` than all bins are counted in the outermost. `above` is the share above the threshold.
`section` is null where panels are of machine types."""

_FENCES = 6  # interquartile ranges beyond the quartiles, up to which bins go
_LANE_IN, _TEXT_PT = 0.24, 5.0
_OVER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.4}  # a text over bins

Group = tuple[str, str | None, str | None]
"""Split, domain and condition."""


@dataclass(frozen=True)
class Distributions:
    """How anomaly scores are distributed, by domain and condition.

    A panel a machine type and method, the methods side by side: so the discrepancy between domains is seen before and
    after a back-end. Scores of two methods have scales of their own.

    Source: Matsumoto et al. 2025, Fig. 1.

    Attributes:
        by: a panel a machine type, or a section of one.
        training: training clips are shown too, as they were scored: without themselves, or without their group.
        bins: of a panel.
    """

    reads: ClassVar[tuple[Source, ...]] = ("scores", "clips", "thresholds")

    by: By = "machine-type"
    training: bool = False
    bins: int = 25

    def __post_init__(self) -> None:
        if not 2 <= self.bins <= 1000:
            raise UsageError(f"distributions:bins must lie in 2 to 1000, got {self.bins}")

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row a bin and group of clips, as SCHEMA says.

        Raises:
            BadData: no clip is to be shown. UsageError: an unknown method.
        """
        limits = Thresholds.read(material.files["thresholds"]) if "thresholds" in material.files else None
        methods = methods_of(material, progress, limits)
        found = [(method, clips) for method in methods if len(clips := self._clips(method))]
        if not found:
            raise BadData("there are no scores of test clips", "distributions:training=true shows training clips")
        found = found[: drawn([method.method for method, _ in found], material, progress)]
        of = [(method, of_parts(clips, self.by), clips) for method, clips in found]
        parts = sorted({part for _, own, _ in of for part in own}, key=lambda part: (part[0], part[1] or ""))
        parts = fewer(parts, len(of), progress)
        tables: list[pa.Table] = []
        signatures: list[str] = []
        for method, own, clips in of:
            signatures.append(signature(self, method, clips, material))
            fitted = fitting(limits, method, progress)
            for part in parts:
                if part in own:
                    tables += self._binned(method, part, own[part], fitted, signatures[-1])
        table = pa.concat_tables(tables)
        return Numbers(table, "distributions of anomaly scores", _caption(table), signatures, list(_facts(table)))

    def draw(self, numbers: Numbers) -> Figure:
        """A row of panels a machine type, one a method; in each a lane a domain and condition."""
        cells = _cells(numbers.table)
        methods = list(dict.fromkeys(method for panels in cells.values() for method in panels))
        groups = _in_order({group for panels in cells.values() for own in panels.values() for group in own})
        n = len(methods)
        together = 1 if n > 8 else min(8 // n, max(1, 4 // n) if len(cells) * n <= 8 else 8)
        columns = min(n, 8) * together
        places = [(part, method) for part in cells for method in methods]
        from_left = 0.2 + max(len(_lane(group)) for group in groups) * 6.0 * 0.55 / 72
        side = {1: 3.2, 2: 2.5, 3: 2.0, 4: 1.75}.get(min(columns, len(places)), 1.5)
        shape = page.Shape(columns, ratio=(0.12 + _LANE_IN * len(groups)) / side, left=from_left)
        figure, [panels] = page.laid_out(
            {"": len(places)},
            above=page.above(1),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=shape,
        )
        for panel, (part, method) in zip(panels, places, strict=True):
            own = cells[part].get(method)
            if own is None:
                panel.axes.set_axis_off()
                continue
            _draw(panel.axes, own, groups, labels=panel.first)
            page.write_above(panel, called(part), [(method, None)])
        return figure

    def _clips(self, method: Scored) -> pa.Table:
        shown = [str(Split.TEST), *([str(Split.TRAIN)] if self.training else [])]
        return method.table.filter(pc.is_in(method.table["split"], pa.array(shown)))

    def _binned(
        self, method: Scored, part: Part, clips: pa.Table, limits: Thresholds | None, signed: str
    ) -> Iterator[pa.Table]:
        scores = clips["anomaly_score"].to_numpy()
        threshold = limits.of(method, part[0]) if limits else None
        keys = list(zip(*(clips[name].to_pylist() for name in ("split", "domain", "condition")), strict=True))
        groups = {group: scores[[key == group for key in keys]] for group in _in_order(set(keys))}
        edges = _edges(list(groups.values()), threshold, self.bins)
        for group, own in groups.items():
            counts, _ = np.histogram(np.clip(own, edges[0], edges[-1]), edges)
            alike = {
                "method": method.method,
                "machine_type": part[0],
                "section": part[1],
                **dict(zip(("split", "domain", "condition"), group, strict=True)),
                "n_clips": len(own),
                "lower": int((own < edges[0]).sum()),
                "higher": int((own > edges[-1]).sum()),
                "median": float(np.median(own)),
                "threshold": threshold,
                "above": None if threshold is None else float((own > threshold).mean()),
                "signature": signed,
            }
            columns = {"low": edges[:-1], "high": edges[1:], "clips": counts, "share": counts / len(own)}
            yield (
                pa.table({**columns, **{name: [value] * len(counts) for name, value in alike.items()}})
                .select(SCHEMA.names)
                .cast(SCHEMA)
            )


def _edges(groups: Sequence[npt.NDArray[np.float64]], threshold: float | None, bins: int) -> npt.NDArray[np.float64]:
    """(bins + 1,) from the smallest to the largest score, but for outliers of a group, and to a near threshold."""
    fences = [(q[0] - _FENCES * (q[1] - q[0]), q[1] + _FENCES * (q[1] - q[0])) for q in map(_quartiles, groups)]
    within = [own[(own >= low) & (own <= high)] for own, (low, high) in zip(groups, fences, strict=True)]
    first, last = min(own.min() for own in within), max(own.max() for own in within)
    room = last - first
    if threshold is not None and first - room <= threshold <= last + room:
        first, last = min(first, threshold), max(last, threshold)
    if first == last:
        first, last = first - 0.5, last + 0.5
    return np.linspace(first, last, bins + 1)


def _quartiles(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.quantile(scores, [0.25, 0.75], method="nearest")


def _in_order(groups: set[Group]) -> list[Group]:
    """Training clips first, source before target, normal before anomalous, what is not known last."""
    conditions = [*(str(c) for c in Condition), None]
    splits = [str(Split.TRAIN), str(Split.TEST)]
    return sorted(groups, key=lambda g: (splits.index(g[0]), g[1] or "~", conditions.index(g[2])))


def _lane(group: Group) -> str:
    """What a group is called beside its lane: `target anomaly`, `train source`, `unlabelled`."""
    split, domain, condition = group
    named = condition or "unlabelled"
    if split == str(Split.TRAIN):
        named = "train" if condition != str(Condition.ANOMALY) else "train anomaly"
    return f"{domain} {named}" if domain else named


_ALIKE = ("n_clips", "lower", "higher", "median", "threshold", "above")
Bins = Mapping[str, Any]
"""What is drawn of one group: `edges`, `share`, and what its rows have in common."""


def _cells(table: pa.Table) -> dict[Part, dict[str, dict[Group, Bins]]]:
    """Machine type or section -> method -> group -> bins."""
    columns = {name: table[name].to_pylist() for name in table.column_names}
    rows: dict[tuple[Part, str, Group], list[int]] = {}
    of = zip(*(columns[c] for c in ("machine_type", "section", "method", "split", "domain", "condition")), strict=True)
    for row, (machine_type, section, method, *group) in enumerate(of):
        rows.setdefault(((machine_type, section), method, tuple(group)), []).append(row)
    found: dict[Part, dict[str, dict[Group, Bins]]] = {}
    for (part, method, key), own in sorted(rows.items(), key=lambda item: (item[0][0][0], item[0][0][1] or "")):
        bins = {name: columns[name][own[0]] for name in _ALIKE}
        bins["edges"] = np.array([columns["low"][row] for row in own] + [columns["high"][own[-1]]])
        bins["share"] = np.array([columns["share"][row] for row in own])
        found.setdefault(part, {}).setdefault(method, {})[key] = bins
    return found


def _facts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for (machine_type, section), panels in _cells(table).items():
        for method, groups in panels.items():
            for (split, domain, condition), bins in groups.items():
                yield {
                    "method": method,
                    "machine_type": machine_type,
                    "section": section,
                    "split": split,
                    "domain": domain,
                    "condition": condition,
                    "clips": bins["n_clips"],
                    "median": bins["median"],
                    "threshold": bins["threshold"],
                    "share_above_threshold": bins["above"],
                }


def _caption(table: pa.Table) -> list[str]:
    sentences = [
        "Numbers of clips by anomaly score, larger being more anomalous: a lane a domain and condition, each up to its "
        "highest bin. The tick in a lane is its median. Each panel has a score axis of its own."
    ]
    if table["threshold"].null_count < len(table):
        sentences.append("Dotted: the run's threshold, and the share of the clips above it.")
    if pc.sum(table["lower"]).as_py() or pc.sum(table["higher"]).as_py():
        sentences.append(
            f"Clips further than {_FENCES} interquartile ranges beyond the quartiles of their lane may lie beyond the "
            "axis: a triangle says so, and they are counted in the outermost bin."
        )
    return sentences


def _draw(ax: Axes, own: Mapping[Group, Bins], groups: Sequence[Group], *, labels: bool) -> None:
    """The lanes of one machine type and method, the first at the top."""
    edges = next(iter(own.values()))["edges"]
    last = len(groups) - 1
    for i, group in enumerate(groups):
        base = float(last - i)
        ax.axhline(base, color=FAINT, lw=0.4, zorder=0)
        if group not in own:
            continue
        bins, colour = own[group], STROKES[group[1]].color
        top = base + 0.8 * bins["share"] / bins["share"].max()
        hatched = group[2] == str(Condition.ANOMALY)
        how: dict[str, Any] = {"facecolor": "white", "hatch": HATCH} if hatched else {"facecolor": colour}
        ax.stairs(top, edges, baseline=base, fill=True, edgecolor=colour, lw=0.5, zorder=2, **how)
        ax.plot([bins["median"]] * 2, [base - 0.1, base + 0.1], color=INK, lw=1.4, zorder=4, clip_on=False)
        for x, marker, many in ((-0.015, "<", bins["lower"]), (1.015, ">", bins["higher"])):
            if many:
                at = ax.get_yaxis_transform()
                ax.plot(x, base + 0.15, marker=marker, ms=2.5, color=INK, transform=at, clip_on=False)
        said = counted(bins["n_clips"], "clip")
        if bins["above"] is not None:
            said = f"{bins['n_clips']:,}: {100 * bins['above']:.0f} % above"
        how = {"size": _TEXT_PT, "ha": "right", "va": "top", "zorder": 5, "bbox": _OVER}
        ax.text(0.99, base + 0.82, said, transform=ax.get_yaxis_transform(), **how)
    threshold = next(iter(own.values()))["threshold"]
    if threshold is not None and edges[0] <= threshold <= edges[-1]:
        ax.axvline(threshold, color=INK, lw=0.8, ls=(0, (1, 1.5)), zorder=3)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(-0.1, last + 1)
    ax.set_yticks(
        [last - i + 0.3 for i in range(len(groups))], [_lane(g) for g in groups] if labels else [""] * len(groups)
    )
    ax.tick_params(axis="y", length=0)
    ax.locator_params(axis="x", nbins=4)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("anomaly score", labelpad=1)
