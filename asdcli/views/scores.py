"""Scored clips: score tables from disk, joined with the truth by clip_id, cut into the sections that metrics take."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData, MissingArtifact
from asdcli.filenames import natural
from asdcli.metrics.official import SectionScores
from asdcli.views.named import told_apart
from asdcli.vocabulary import Condition, Split
from asdcli.wording import they_are

TRUTH = ("machine_type", "section", "subset", "split", "domain", "condition")
_AT_ONCE = 4  # tables that are read and checked at once
_COLUMNS = ("clip_id", *TRUTH, "group", "anomaly_score", "scored_as")


@dataclass(frozen=True)
class ScoreFacts:
    """What scoring by one method found.

    Attributes:
        clips: how many have a score.
        windows: of clips that have several.
        alpha: the range of it over the units, in words, of a method that has one.
        units: the diagnostics of every unit, of a method that has units.
    """

    clips: int | None = None
    windows: int | None = None
    alpha: str | None = None
    units: dict[str, dict[str, Any]] | None = None


@dataclass(frozen=True)
class Scored:
    """The clips that one method scored: `clip_id`, the columns of TRUTH, `group`, `anomaly_score` and `scored_as`.

    Scores that came with decisions have a bool column `decision`. `method` is the name it goes by here, `spelling`
    the one in the file; they differ when two runs used the same method. `stale` names what they were made of and has
    changed since.
    """

    method: str
    spelling: str
    table: pa.Table
    header: Header
    path: Path
    stale: tuple[str, ...] = ()

    def split(self, split: Split) -> Scored:
        """Only the clips of one split."""
        return replace(self, table=self.table.filter(pc.equal(self.table["split"], str(split))))


def read_scores(paths: Iterable[Path]) -> list[Scored]:
    """Read score tables; a folder stands for all Parquet files in it.

    A method that occurs in several files is called after their runs or files: `run-a/nn`, `run-b/nn`.

    Raises:
        MissingArtifact: nothing there. BadArtifact: no score table. BadData: a table without a row, or one twice.
    """
    found: list[Scored] = []
    every = list(_expand(paths))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        tables = list(threads.map(lambda path: artifacts.read_table(path, artifacts.SCORES, headerless=True), every))
    for path, (table, header) in zip(every, tables, strict=True):
        _require_clips(table, path)
        for method in pc.unique(table["method"]).to_pylist():
            own = table.filter(pc.equal(table["method"], method)).select(_COLUMNS)
            found.append(Scored(method, method, own, header, path))
    return told_apart(found)


def join_truth(scored: Scored, clips: pa.Table) -> tuple[Scored, list[str]]:
    """Take every label that `clips` knows over the one in the score table; what `clips` does not know stays.

    Returns:
        the scored clips that `clips` has, and a sentence about the others.
    """
    warnings = []
    place = pc.index_in(scored.table["clip_id"], value_set=clips["clip_id"])
    strangers = scored.table.filter(pc.is_null(place))["clip_id"].to_pylist()
    if strangers:
        warnings.append(f"{they_are(strangers, 'test clip')} not in clips.parquet and left out")
    table = scored.table.filter(pc.is_valid(place))
    if not len(table):
        raise BadData(
            f"none of the clips of {scored.path} is in the table of clips: its labels are of others",
            "name the table that labels them: --clips FILE",
        )
    truth = clips.take(pc.drop_null(place))
    for name in TRUTH:
        known = pc.coalesce(truth[name], table[name])
        table = table.set_column(table.column_names.index(name), name, known)
    return replace(scored, table=table), warnings


def by_section(scored: Scored) -> tuple[dict[str, list[SectionScores]], list[str]]:
    """The test clips of known condition by subset, machine type and section, each in the order of clip_id.

    Returns:
        subset -> sections in alphabetical order, and one sentence a subset about clips left out for want of truth.

    Raises:
        BadData: no test clip has a known condition.
    """
    test = scored.split(Split.TEST).table
    hidden = test.filter(pc.is_null(test["condition"]))
    subsets = sorted(pc.unique(hidden["subset"]).to_pylist())
    lost = [(subset, of_subset(hidden, subset)["clip_id"].to_pylist()) for subset in subsets]
    warnings = [
        f"{they_are(own, 'test clip')} without known condition in {subset} and left out" for subset, own in lost
    ]
    test = test.filter(pc.is_valid(test["condition"]))
    if not len(test):
        raise BadData(
            f"{scored.path}: no test clip has a known condition: there is nothing to compare the scores with",
            "label the clips (asd download EDITION, asd index DIR), or name a table that does: --clips FILE",
        )
    order = [(name, "ascending") for name in ("subset", "machine_type", "section", "clip_id")]
    test = test.sort_by(order)
    columns = [test[name].combine_chunks() for name in ("subset", "machine_type", "section")]
    codes = [pc.dictionary_encode(column, null_encoding="encode").indices.to_numpy() for column in columns]
    begins = [0, *(np.flatnonzero(np.any([np.diff(code) for code in codes], axis=0)) + 1).tolist()]
    places = list(map(slice, begins, [*begins[1:], len(test)]))
    scores = test["anomaly_score"].to_numpy()
    anomalous = pc.equal(test["condition"], str(Condition.ANOMALY)).to_numpy()
    domain = np.array(pc.fill_null(test["domain"], "").to_pylist(), dtype=np.str_)
    decisions = test["decision"].to_numpy() if "decision" in test.column_names else None
    found: dict[str, list[SectionScores]] = {}
    for rows in places:
        subset, machine_type, section = (column[rows.start].as_py() for column in columns)
        given = None if decisions is None else decisions[rows]
        one = SectionScores(machine_type, section, scores[rows], anomalous[rows], domain[rows], given)
        found.setdefault(subset, []).append(one)
    return found, warnings


def shared_clips(a: Scored, b: Scored) -> tuple[Scored, Scored, list[str]]:
    """Both methods on the test clips that both scored, with a sentence about the others.

    Raises:
        BadData: no clip in common, or different labels on one.
    """
    a, b = a.split(Split.TEST), b.split(Split.TEST)
    kept = []
    for one, other in ((a, b), (b, a)):
        both = pc.is_in(one.table["clip_id"], value_set=other.table["clip_id"])
        kept.append(replace(one, table=one.table.filter(both).sort_by("clip_id")))
    for name in TRUTH:
        of_a, of_b = (k.table[name].to_pylist() for k in kept)
        if of_a != of_b:
            i = next(i for i, (x, y) in enumerate(zip(of_a, of_b, strict=True)) if x != y)
            raise BadData(
                f"{a.method} and {b.method} disagree on the {name} of {kept[0].table['clip_id'][i].as_py()}: "
                f"{of_a[i]} and {of_b[i]}",
                "take the truth from one table: --clips FILE",
            )
    lost = sorted({*a.table["clip_id"].to_pylist()} ^ {*b.table["clip_id"].to_pylist()})
    left_out = f"{they_are(lost, 'test clip')} scored by only one of {a.method} and {b.method} and left out"
    if not len(kept[0].table):
        raise BadData(f"{a.method} and {b.method} have no test clip in common: they cannot be compared")
    return kept[0], kept[1], [left_out] if lost else []


def read_labels(path: Path) -> tuple[pa.Table, Header]:
    """`clip_id` and the columns of TRUTH of a clips table, and its header."""
    table, header = artifacts.read_table(path, artifacts.CLIPS, headerless=True)
    return table.select(("clip_id", *TRUTH)), header


def known_test(clips: pa.Table) -> pa.Table:
    """The test clips whose condition is known."""
    return clips.filter(pc.and_(pc.equal(clips["split"], str(Split.TEST)), pc.is_valid(clips["condition"])))


def of_subset(table: pa.Table, subset: str) -> pa.Table:
    return table.filter(pc.equal(table["subset"], subset))


def _expand(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(path.glob("*.parquet"), key=lambda file: natural(file.stem))
        if not inside:
            raise MissingArtifact(f"no scores in {path}", f"make them first: {artifacts.SCORES.to_type}")
        files += inside
    return files


def _require_clips(table: pa.Table, path: Path) -> None:
    if not len(table):
        why = path.resolve().parent.parent / "errors-score.parquet"
        raise BadData(
            f"{path} holds no clip: not one could be scored",
            f"why is said for each clip in {why}"
            if why.exists()
            else f"make it again: {artifacts.SCORES.to_type} --force",
        )


@dataclass(frozen=True)
class ScoreFiles:
    """What scoring with one method makes.

    Attributes:
        clips: scores of clips.
        windows: those of the windows whose mean they are, where clips have several.
        detector: what the method has learnt, to score new clips with.
    """

    clips: Path
    windows: Path
    detector: Path

    @staticmethod
    def beside(clips: Path) -> ScoreFiles:
        """The other two next to `clips`, called after it."""
        return ScoreFiles(clips, *(clips.with_name(f"{clips.stem}.{w}") for w in ("windows.parquet", "detector.npz")))

    def claim(self, *, force: bool) -> None:
        """As `artifacts.claim`, of all three."""
        artifacts.claim(self.clips, artifacts.SCORES, force=force)
        artifacts.claim(self.windows, artifacts.WINDOW_SCORES, force=force)
        artifacts.claim(self.detector, artifacts.DETECTOR, force=force)
