"""fuse: scores of several methods and runs in, one score a clip out, normalised by clips that stand for new ones.

Each part is held against its own scores of normal training clips, unit by unit: of held-out clips where there are
some, else leave-one-out scores. So a clip's fused score does not depend on which other clips are tested with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from asdcli import artifacts
from asdcli.errors import BadData
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.scorers.fuse import DEV, Fuse, written_weights
from asdcli.scorers.fusing import NORMALISED, Flat, joined
from asdcli.stages.fuse_weights import chosen
from asdcli.views.parts import Fusion, Parts, join_parts
from asdcli.views.windows import score_table
from asdcli.vocabulary import ScoredAs, Split
from asdcli.wording import listed
from asdcli.writing.locks import alone_with

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FuseFacts:
    """What was fused.

    Attributes:
        clips: how many got a score.
        parts: how many scores each is made of.
        weights: share of each part, by its name; None where the smallest counts.
        official_on_dev: that of the development set with the weights that were chosen by it, to four places.
    """

    clips: int
    parts: int
    weights: dict[str, float] | None = None
    official_on_dev: float | None = None


@alone_with("output")
def run(
    fusion: Fusion,
    output: Path,
    *,
    truth: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Fuse the scores of all clips that the parts have, and write them to `output`.

    Args:
        fusion: of what, and how.
        output: table of clip scores.
        truth: clips.parquet, by whose labels weights of the development machines are chosen; None means those that
            came with the scores.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        UsageError: fewer or more weights than parts, or an unknown machine type.
        BadData: parts of other clips or labels, no training clips to normalise by, or no labels to choose weights by.
    """
    how, tuned = fusion.how, fusion.how.weights == DEV
    shares = how.shares(len(fusion.methods))
    known = artifacts.read_table_header(truth, artifacts.CLIPS, headerless=True) if tuned and truth else None
    header = fusion.header(known)
    if not force and artifacts.is_current(output, artifacts.SCORES, header):
        return Outcome(output, "current")
    artifacts.claim(output, artifacts.SCORES, force=force)
    parts = join_parts(fusion)
    if bare := [one.method for one in fusion.methods if not len(one.split(Split.TRAIN).table)]:
        progress.left_out(f"training clips are left out: {listed(bare)} has scores of test clips alone")
    normalised = normalise(parts, how, progress)
    on_dev = None
    if tuned:
        shares, worth = chosen(parts, normalised, truth, progress)
        told = f"{written_weights(shares) or 'all alike'}, official score {worth:.4f} there"
        on_dev = round(worth, 4)
        progress.note(f"weights chosen by the labels of the development set: {told}")
    weights = dict(zip((one.method for one in fusion.methods), shares, strict=True)) if how.by != "min" else None
    table = score_table(_labels(parts, how), fusion.spelling, joined(how, normalised, shares))
    header = replace(header, diagnostics={"weights": weights} if weights else {})
    artifacts.write_table(output, artifacts.SCORES, table, header)
    return Outcome(output, facts=FuseFacts(len(table), len(fusion.methods), weights, on_dev))


def normalise(parts: Parts, fuse: Fuse, progress: Progress) -> Array:
    """(n_parts, n_clips): the parts' scores made comparable, unit by unit.

    Raises:
        BadData: a unit has too few normal clips for that, or such whose scores do not differ.
    """
    if not fuse.normalises:
        return parts.scores
    test = parts.rows_of(Split.TEST)
    normal = [test] * len(parts.methods) if fuse.transductive else parts.normal()
    if fuse.transductive:
        progress.warn("normalised by the test clips, all together: scores depend on which clips are tested together")
    found = np.empty_like(parts.scores)
    for unit, (machine_type, section) in enumerate(parts.units):
        rows = parts.unit == unit
        alike = np.isin(parts.unit, [i for i, (m, _) in enumerate(parts.units) if m == machine_type])
        for part, (method, of_part) in enumerate(zip(parts.methods, normal, strict=True)):
            by = of_part & rows if (of_part & rows).any() else of_part & alike
            at = rows | by
            try:
                found[part, rows] = NORMALISED[fuse.by](parts.scores[part, at], by[at])[rows[at]]
            except Flat as error:
                place = machine_type + (f", section {section}" if section else "")
                raise BadData(f"{method.method}, {place}: {error}", _way_out(fuse, by)) from None
    _tell_of_seen(parts, fuse, progress)
    return found


def _way_out(fuse: Fuse, by: npt.NDArray[np.bool_]) -> str:
    if fuse.by != "rank" and by.sum() > 1:
        return "fuse --by rank, which needs no scale"
    if fuse.transductive:
        return "leave --transductive out"
    return (
        "it takes scores of normal training clips, which asd score makes and asd smooth does not: name the parts' "
        "unsmoothed scores, or --by mean; --transductive takes the test clips instead"
    )


def _tell_of_seen(parts: Parts, fuse: Fuse, progress: Progress) -> None:
    ways = parts.table["scored_as"].to_pylist()
    if not fuse.transductive and ScoredAs.SEEN.value in ways and not {w.value for w in _UNSEEN} & set(ways):
        progress.note(
            "normalised by leave-one-out scores of clips that the model was trained on: there are none held out "
            "(asd train --hold-out 0.1)"
        )


_UNSEEN = (ScoredAs.HELD_OUT, ScoredAs.CROSS_FITTED, ScoredAs.LEFT_OUT_GROUP, ScoredAs.LEFT_OUT_CLIP)


def _labels(parts: Parts, fuse: Fuse) -> pa.Table:
    """The label columns of the parts; scores that depend on the test clips tell nobody knows what about new ones."""
    table = parts.table
    if fuse.transductive:
        at = table.column_names.index("scored_as")
        table = table.set_column(at, "scored_as", pa.nulls(len(table), pa.string()))
    return table
