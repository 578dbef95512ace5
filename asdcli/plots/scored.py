"""The methods of a run as figures take them: which are drawn, with today's labels, and how they were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from asdcli.plots import PLOTS, Material, Plot, page
from asdcli.progress import Progress
from asdcli.views.making import Making
from asdcli.views.named import chosen
from asdcli.views.scores import Scored, join_truth, read_labels, read_scores
from asdcli.views.signature import many
from asdcli.views.thresholds import Thresholds
from asdcli.wording import listed

MOST_METHODS = 4
"""So many are drawn where nobody says which."""

By = Literal["machine-type", "section"]
"""Whose clips a panel shows."""

Part = tuple[str, str | None]
"""A machine type, and its section where panels are of sections."""


def of_parts(clips: pa.Table, by: By) -> dict[Part, pa.Table]:
    """The clips of each machine type, or of each of its sections, in alphabetical order."""
    sections = clips["section"].to_pylist() if by == "section" else [None] * len(clips)
    rows: dict[Part, list[int]] = {}
    for row, part in enumerate(zip(clips["machine_type"].to_pylist(), sections, strict=True)):
        rows.setdefault(part, []).append(row)
    return {part: clips.take(rows[part]) for part in sorted(rows, key=lambda part: (part[0], part[1] or ""))}


def called(part: Part) -> str:
    """What a part is called over its panel: `fan`, `fan 00`."""
    machine_type, section = part
    return machine_type if section is None else f"{machine_type} {section}"


def fewer(parts: Sequence[Part], panels_each: int, progress: Progress) -> list[Part]:
    """The first parts, as many as a page holds; the others are named."""
    room = max(1, page.MOST_PANELS // panels_each)
    if len(parts) > room:
        others = listed([called(part) for part in parts[room:]], 8)
        progress.left_out(
            f"{room} of {len(parts)} machine types or sections are drawn, all that a page holds: not {others}"
        )
    return list(parts[:room])


def methods_of(material: Material, progress: Progress, limits: Thresholds | None = None) -> list[Scored]:
    """Those that are wanted, else all, those with thresholds in `limits` first; with the labels that there are today.

    Raises:
        UsageError: an unknown method. MissingArtifact: there are no scores.
    """
    methods = read_scores([material.files["scores"]])
    methods = chosen(material.methods, methods) if material.methods else methods
    if limits and not material.methods:
        methods = sorted(methods, key=lambda one: not limits.has(one))
    if "clips" not in material.files:
        return methods
    labels, _ = read_labels(material.files["clips"])
    lost: dict[str, list[str]] = {}
    joined = []
    for method in methods:
        method, sentences = join_truth(method, labels)
        joined.append(method)
        for sentence in sentences:
            lost.setdefault(sentence, []).append(method.method)
    for sentence, who in lost.items():
        progress.left_out(f"{listed(who)}: {sentence}")
    return joined


def drawn(names: Sequence[str], material: Material, progress: Progress) -> int:
    """How many of the methods of these names are drawn: all, or the first few where nobody says which."""
    if material.methods or len(names) <= MOST_METHODS:
        return len(names)
    others = listed(names[MOST_METHODS:], 8)
    progress.left_out(f"{MOST_METHODS} methods of {len(names)} are drawn; others by --method: {others}")
    return MOST_METHODS


def fitting(limits: Thresholds | None, method: Scored, progress: Progress) -> Thresholds | None:
    """The thresholds, where they were fitted on these very scores."""
    if limits and limits.has(method) and not limits.fitted_on(method):
        progress.warn(f"{method.method}: thresholds were fitted on other scores and are not shown: asd threshold")
        return None
    return limits


def signature(plot: Plot, method: Scored, clips: pa.Table, material: Material) -> str:
    """The line of what a figure shows of a method, on these of its clips."""
    subsets = "+".join(sorted(pc.unique(clips["subset"]).to_pylist()))
    return many(
        f"{method.header.dataset or method.path.stem}|{subsets}",
        Making.of(method.header),
        method.spelling,
        counts={"machines": len(pc.unique(clips["machine_type"]))},
        rest={"stale": ",".join(material.stale.get(method.path, ())) or None, "figure": PLOTS.spell(plot)},
    )
