"""Parts of the page of `asd report` that figures have the numbers of: maps of vectors, and VarMin's weight."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asdcli.errors import AsdError
from asdcli.page.parts import ClipList, MapPart, Weights
from asdcli.plots import Material
from asdcli.plots.alpha import Alpha
from asdcli.plots.projection import project
from asdcli.progress import Progress, Silent
from asdcli.scorers import SCORERS
from asdcli.scorers.varmin import VarMin
from asdcli.scorers.vectors import unit_norm
from asdcli.views.embeddings import Embedded
from asdcli.views.scores import Scored
from asdcli.views.windows import first_of_each, mean_of_windows
from asdcli.vocabulary import Condition, Projector, Split, Unit

_STEPS = 60
_CALLED = {"pca": "principal component", "tsne": "t-SNE", "umap": "UMAP"}


def map_of(embedded: Embedded, machine: str, clips: ClipList, by: Projector, progress: Progress) -> MapPart | None:
    """The vectors of a machine on a plane; None where it has none, or cannot be laid out."""
    split = embedded.column("split")
    rows = np.flatnonzero((embedded.column("machine_type") == machine) & (split != str(Split.SUPPLEMENTAL)))
    windows = np.flatnonzero(np.isin(embedded.clip, rows))
    if len(rows) < 3:
        return None
    means = mean_of_windows(unit_norm(embedded.vectors[windows]), first_of_each(embedded.clip[windows]))
    try:
        plane = project(means, by, seed=0)
    except AsdError as error:
        progress.warn(f"no map of {machine}: {error.message}")
        return None
    shares = [f" ({100 * share:.0f} % of variance)" for share in plane.explained] if plane.explained else ["", ""]
    place = {name: i for i, name in enumerate(clips.name)}
    names = embedded.column("clip_id")[rows]
    labels = [_label(embedded, int(row)) for row in rows]
    kinds = sorted(set(labels))
    return MapPart(
        axes=(f"{_CALLED[by]} 1{shares[0]}", f"{_CALLED[by]} 2{shares[1]}"),
        x=[float(f"{v:.4g}") for v in plane.places[:, 0]],
        y=[float(f"{v:.4g}") for v in plane.places[:, 1]],
        clip=[place.get(name, -1) for name in names],
        label=[kinds.index(label) for label in labels],
        labels=kinds,
        name=["" if name in place else name for name in names],
    )


def _label(embedded: Embedded, row: int) -> str:
    """`learned, source`, `anomaly, target`."""
    domain, condition = embedded.column("domain")[row], embedded.column("condition")[row]
    is_test = embedded.column("split")[row] == str(Split.TEST)
    what = (condition or "condition unknown") if is_test else "learned"
    if not is_test and condition == str(Condition.ANOMALY):
        what = "not learned"
    return ", ".join([what, *([domain] if domain else [])])


def weights_of(method: Scored, embeddings: Path, clips: Path | None, progress: Progress) -> dict[str, list[Weights]]:
    """Machine -> the curves of VarMin's weight; nothing for other methods, or where there is no truth."""
    try:
        scorer = SCORERS.build(method.spelling)
    except AsdError:  # scores that were smoothed or brought are no method's own
        return {}
    if not isinstance(scorer, VarMin):
        return {}
    unit = Unit(str(method.header.params.get("unit") or Unit.MACHINE_TYPE))
    figure = Alpha(scorer.k, scorer.loo, scorer.space, scorer.slope, unit, steps=_STEPS)
    files = {"embeddings": embeddings, **({"clips": clips} if clips else {})}
    try:
        rows = figure.numbers(Material(files), Silent()).table.to_pylist()  # type: ignore[arg-type]
    except AsdError as error:
        progress.warn(f"no curve of alpha: {error.message}")
        return {}
    parts: dict[tuple[str, str, str | None], list[dict[str, Any]]] = {}
    for row in rows:
        parts.setdefault((row["machine_type"], row["subset"], row["section"]), []).append(row)
    several = len({subset for _, subset, _ in parts}) > 1
    found: dict[str, list[Weights]] = {}
    for (machine, subset, section), own in parts.items():
        named = " ".join(filter(None, [subset if several else None, section]))
        found.setdefault(machine, []).append(_weights(named, own, scorer.val))
    return found


def _weights(unit: str, rows: Sequence[dict[str, Any]], used: str) -> Weights:
    curve = [row for row in rows if row["chosen_by"] is None]
    return Weights(
        unit=unit,
        alpha=[round(row["alpha"], 4) for row in curve],
        official=[None if row["official"] is None else round(row["official"], 4) for row in curve],
        chosen={row["chosen_by"]: (row["alpha"], row["official"]) for row in rows if row["chosen_by"]},
        used=used,
    )
