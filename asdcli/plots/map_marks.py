"""How a map looks: the marks of clips by domain, split and condition, or their colours by score, and the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from asdcli.plots import page
from asdcli.plots.style import FAINT, INK, RAMP, STROKES
from asdcli.vocabulary import Condition, Domain, Split

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cell = Mapping[str, Any]
"""What is drawn in one panel: `xy` (n, 2), `split`, `domain`, `condition`, `score` (n,), and shares of variance."""

_CROSS = {str(Domain.SOURCE): "x", str(Domain.TARGET): "+", None: "1"}
"""How an anomaly of a domain is marked."""


_ALONE: dict[str, dict[str, Any]] = {
    "supplemental machine": {"marker": "P", "mfc": "white", "mec": INK, "mew": 0.6, "ms": 4.0},
    "supplemental noise": {"marker": "X", "mfc": FAINT, "mec": INK, "mew": 0.4, "ms": 4.0},
    "supplemental": {"marker": "*", "mfc": FAINT, "mec": INK, "mew": 0.4, "ms": 4.5},
}
"""How supplemental clips are marked: of a machine alone, of noise alone, of nobody knows what."""


def splits(split: np.ndarray, attributes: np.ndarray) -> np.ndarray:
    """(n,) the split of each clip, which says of supplemental ones what they are of."""
    kinds = [dict(pairs or ()).get(str(Split.SUPPLEMENTAL)) for pairs in attributes]
    names = [(s, f"{s} {kind}") for s, kind in zip(split, kinds, strict=True)]
    return np.array([full if full in _ALONE else s for s, full in names], dtype=object)


def tally(split: np.ndarray) -> dict[str, int]:
    """How many training and test clips there are, and supplemental ones where there are some."""
    train, alone = (int(np.isin(split, names).sum()) for names in ([str(Split.TRAIN)], list(_ALONE)))
    return {"train": train, "test": len(split) - train - alone, **({"supplemental": alone} if alone else {})}


def _marks(split: str, domain: str | None, condition: str | None) -> dict[str, Any]:
    """How a clip is marked where colours are domains."""
    stroke = STROKES[domain]
    if split in _ALONE:
        return _ALONE[split]
    if split == str(Split.TRAIN) and domain == str(Domain.TARGET):  # few, and what test clips of the target stand by
        return {"marker": stroke.marker, "mfc": INK, "mec": stroke.color, "mew": 0.7, "ms": 3.0, "zorder": 3}
    if split == str(Split.TRAIN):
        return {"marker": stroke.marker, "mfc": stroke.color, "mec": "none", "ms": 2.2, "alpha": 0.35}
    if condition == str(Condition.ANOMALY):
        return {"marker": _CROSS[domain], "mec": stroke.color, "mew": 0.9, "ms": 4.5}
    if condition is None:
        return {"marker": stroke.marker, "mfc": "white", "mec": stroke.color, "mew": 0.8, "ms": 4.0}
    return {"marker": stroke.marker, "mfc": stroke.color, "mec": INK, "mew": 0.4, "ms": 3.6}


_SCORED = {str(Condition.NORMAL): ("o", "normal"), str(Condition.ANOMALY): ("^", "anomaly"), None: ("D", "unlabelled")}
"""How a test clip of a condition is marked where colours are scores, and what it is called."""
_TRAIN: dict[str, Any] = {"marker": ".", "mfc": FAINT, "mec": "none", "ms": 2.2, "alpha": 0.6}


def _groups(table_or_cell: Mapping[str, np.ndarray]) -> list[tuple[str, str | None, str | None]]:
    """Split, domain and condition of what there is; what is drawn last, and so on top, last."""
    keys = set(zip(*(table_or_cell[c] for c in ("split", "domain", "condition")), strict=True))
    order = [str(Condition.NORMAL), None, str(Condition.ANOMALY)]
    return sorted(keys, key=lambda key: (key[0] != str(Split.TRAIN), order.index(key[2]), key[1] or "~"))


def key(table: pa.Table, *, coloured: bool) -> Sequence[page.Sample]:
    """What stands for what on a page with the clips of `table`, where colours are scores or not."""
    labels = {c: np.array(table[c].to_pylist(), dtype=object) for c in ("split", "domain", "condition")}
    groups = _groups(labels)
    if coloured:
        shown = [condition for split, _, condition in groups if split != str(Split.TRAIN)]
        of_test = [
            page.Sample(f"test {_SCORED[c][1]}", {"marker": _SCORED[c][0], "mfc": "white", "mec": INK, "ls": "none"})
            for c in dict.fromkeys(shown)
        ]
        train = [page.Sample("train", {**_TRAIN, "ls": "none", "ms": 4})] * any(g[0] == "train" for g in groups)
        return [*train, *of_test]
    names = [_name(*group) for group in groups]
    return [
        page.Sample(name, {**_marks(*g), "ls": "none"}) for name, g in dict(zip(names, groups, strict=True)).items()
    ]


def _name(split: str, domain: str | None, condition: str | None) -> str:
    if split in _ALONE:
        return f"{split} alone" if " " in split else split
    return f"{domain or 'unknown domain'}: " + (
        "train" if split == str(Split.TRAIN) else f"test {condition or 'unlabelled'}"
    )


def draw_domains(ax: Axes, cell: Cell, *, fine: bool) -> None:
    """Clips by domain, split and condition; those that are not `fine` are one image in an SVG or PDF."""
    for group in _groups(cell):
        split, domain, condition = group
        own = (cell["split"] == split) & _is(cell["domain"], domain) & _is(cell["condition"], condition)
        x, y = cell["xy"][own].T
        ax.plot(x, y, ls="none", rasterized=not fine, **_marks(*group))


def draw_scores(panel: page.Panel, cell: Cell, *, fine: bool) -> None:
    """Test clips by anomaly score, with a bar of colours beside; `fine` as above."""
    from matplotlib.colors import Normalize
    from matplotlib.ticker import MaxNLocator

    ax = panel.axes
    train = cell["split"] == str(Split.TRAIN)
    x, y = cell["xy"].T
    ax.plot(x[train], y[train], ls="none", rasterized=not fine, **_TRAIN)
    scored = cell["score"][~train]
    if not len(scored):
        return
    low, high = np.quantile(scored, [0.02, 0.98])
    scale = Normalize(low, high if high > low else low + 1)
    for condition, (marker, _) in _SCORED.items():
        own = ~train & _is(cell["condition"], condition)
        if own.any():
            how: dict[str, Any] = {"cmap": RAMP, "norm": scale, "linewidths": 0.3, "edgecolors": INK}
            drawn = ax.scatter(x[own], y[own], 14, cell["score"][own], marker=marker, rasterized=not fine, **how)
    beside = ax.inset_axes((1.03, 0.0, 0.08 / panel.side, 1.0))
    bar = ax.figure.colorbar(drawn, cax=beside, extend="both", ticks=MaxNLocator(4))
    bar.ax.tick_params(labelsize=5, length=1.5, pad=1)
    bar.set_label("anomaly score", size=5.5, labelpad=1)


def _is(values: np.ndarray, wanted: str | None) -> np.ndarray:
    return np.array([value == wanted for value in values], dtype=bool)
