"""`asd score --from FILE`: somebody's own scores become a score table like any other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import AsdError, BadArtifact, BadData, MissingArtifact, UsageError
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.scorers import SCORERS
from asdcli.spec import parse
from asdcli.views.errors_table import is_whole, write_errors
from asdcli.views.foreign import ForeignTable, read_foreign
from asdcli.views.scores import ScoreFacts
from asdcli.views.windows import score_table
from asdcli.vocabulary import Split, Subset
from asdcli.wording import they_are
from asdcli.writing.locks import alone_with

_SCORES = ("anomaly_score", "score")
_NAME = re.compile(r"[A-Za-z0-9][\w.=,-]*")
_FILLED = ("section", "domain", "condition")
HINT = (
    "columns: clip_id, anomaly_score (larger is more anomalous), and without a dataset machine_type, split, condition?"
)


@alone_with("output")
def run(
    source: Path,
    output: Path,
    *,
    clips: Path | None,
    errors: Path,
    name: str,
    dataset: str = "",
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Check the scores in `source` and write them to `output` as those of the method `name`.

    Labels are those of `clips`, joined by clip_id. What is not known there (a hidden condition) is taken from the file,
    and without `clips` everything is.

    Args:
        source: CSV, Parquet or npz with the columns clip_id and anomaly_score, one row a clip, and label columns.
        output: table of scores.
        clips: clips.parquet, None where there is none.
        errors: table of the rows left out because `clips` has no such clip; removed when there are none.
        name: what the method is called, as `method_name` allows.
        dataset: name for the header where there is no `clips`.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact, UsageError: no such file, another format, or a name that is none.
        BadArtifact: `output` holds scores that were not brought.
        BadData: a missing column, scores that are no finite numbers, a clip twice, or no clip of `clips`.
    """
    method_name(name)
    foreign = read_foreign(source, numeric=lambda column: column in _SCORES)
    table, known = (None, None) if clips is None else artifacts.read_table(clips, artifacts.CLIPS)
    inputs = {"source": artifacts.Header.foreign(foreign.digest)}
    inputs |= {"clips": known} if known else {}
    header = artifacts.Header.make(
        artifacts.SCORES,
        dataset=known.dataset if known else dataset,
        params={"method": name},
        inputs=inputs,
    )
    if not force and is_whole(output, artifacts.SCORES, header):
        return Outcome(output, "current")
    artifacts.claim(errors, artifacts.ERRORS, force=force)
    _refuse_others(output)
    ids, scores = _scores(foreign)
    strangers: list[str] = []
    if table is None:
        labelled = _own_labels(foreign)
    else:
        rows = pc.index_in(pa.array(ids, pa.string()), value_set=table["clip_id"].combine_chunks())
        strangers = [ids[i] for i in np.flatnonzero(rows.is_null().to_numpy(zero_copy_only=False))]
        if len(strangers) == len(ids):
            raise _all_strangers(source, strangers, table)
        labelled = _labels_of(table, rows, foreign, progress)
        scores = scores[rows.is_valid().to_numpy(zero_copy_only=False)]
        _name_missing(table, labelled, progress)
    if strangers:
        told = f"{they_are(strangers, 'scored clip')} not in clips.parquet and left out (all are named in {errors})"
        progress.left_out(told)
    header = replace(header, diagnostics={"skipped": len(strangers)}) if strangers else header
    left_out = artifacts.Header.make(artifacts.ERRORS, dataset=header.dataset, inputs=inputs)
    write_errors(errors, [(clip_id, clip_id, "clips.parquet has no such clip") for clip_id in strangers], left_out)
    artifacts.write_table(output, artifacts.SCORES, score_table(labelled, name, scores), header)
    if not pc.any(pc.equal(labelled["split"], str(Split.TRAIN))).as_py():
        progress.note("no training clip has a score: asd threshold cannot take them")
    return Outcome(output, skipped=len(strangers), facts=ScoreFacts(len(labelled)))


def method_name(name: str) -> str:
    """`name`, which scores of somebody's own may bear.

    Raises:
        UsageError: it is no plain word, or means a method of asd's own.
    """
    if not _NAME.fullmatch(name) or name.endswith(".tuned"):
        plain = re.sub(r"[^\w.=,-]+", "-", name.removesuffix(".tuned")).strip("-_.") or "mine"
        plain = f"my-{plain}" if plain in SCORERS.names() else plain
        raise UsageError(f"{name!r} cannot be the name of a method", f"choose a plain one: --name {plain}")
    try:
        SCORERS.load(parse(name)[0])
    except AsdError:
        return name
    raise UsageError(f"{name!r} is a method of asd score", f"choose another name for your scores: --name my-{name}")


def _scores(foreign: ForeignTable) -> tuple[list[str], np.ndarray]:
    """The clip and the finite score of every row, no clip twice."""
    source, has = foreign.path, ", ".join(foreign.table.column_names)
    columns = [c for c in foreign.table.column_names if c.lower() in _SCORES]
    if "clip_id" not in foreign.labels or not columns:
        lacking = "anomaly_score" if "clip_id" in foreign.labels else "clip_id"
        raise BadData(f"{source}: column {lacking!r} is missing; it has: {has}", HINT)
    if len(columns) > 1:
        raise BadData(f"{source}: columns {' and '.join(columns)} both hold scores", "keep one of them")
    if not len(foreign):
        raise BadData(f"{source} holds no scores", HINT)
    ids = foreign.labels["clip_id"]
    if None in ids:
        raise BadData(f"{source}: clip_id is empty in row {ids.index(None) + 1}")
    often, n = Counter(ids).most_common(1)[0]
    if n > 1:
        raise BadData(f"{source}: clip {often!r} stands {n} times", "give one score a clip: the mean of its windows")
    column = foreign.table[columns[0]]
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise BadData(f"{source}: column {columns[0]!r} is {column.type}, not numbers", HINT)
    scores = column.cast(pa.float64()).to_numpy()  # an empty cell becomes NaN
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        raise BadData(
            f"{source}: NaN, empty or infinite scores of {len(bad)} clips, the first of {ids[bad[0]]!r}",
            "leave such clips out or repair what made them",
        )
    return ids, scores


def _own_labels(foreign: ForeignTable) -> pa.Table:
    """The label columns of the file, where there is no table of clips."""
    n = len(foreign)
    said: dict[str, list[Any]] = {name: foreign.labels.get(name, [None] * n) for name in artifacts.CLIP_COLUMNS}
    if "subset" not in foreign.labels:
        said["subset"] = [str(Subset.DEV)] * n
    for name in ("machine_type", "split"):
        if None in said[name]:
            row = said[name].index(None) + 1
            where = f"is empty in row {row}" if name in foreign.labels else "is missing"
            hint = "index the recordings first (asd index DIR), so that clip_id says it all; or add the column"
            raise BadData(f"{foreign.path}: {name} {where}, and there is no dataset that knows", hint)
    columns = {c.name: c.type for c in artifacts.SCORES.columns}
    return pa.table({name: pa.array(values, columns[name]) for name, values in said.items()})


def _labels_of(table: pa.Table, rows: pa.Array, foreign: ForeignTable, progress: Progress) -> pa.Table:
    """The label columns of the clips that `table` knows; what it does not know of them, from the file."""
    labelled = table.take(rows.drop_null()).select(artifacts.CLIP_COLUMNS)
    for name in _FILLED:
        own = pa.array(foreign.labels.get(name, [None] * len(foreign)), pa.string()).filter(rows.is_valid())
        known = labelled[name].combine_chunks()
        differs = pc.fill_null(pc.not_equal(own, known), False)
        if (first := pc.index(differs, True).as_py()) >= 0:
            progress.warn(
                f"{foreign.path} says {name} {own[first]} of {labelled['clip_id'][first]}, where clips.parquet says "
                f"{known[first]}; {pc.sum(differs)} clips differ so: clips.parquet is believed"
            )
        labelled = labelled.set_column(labelled.column_names.index(name), name, pc.coalesce(known, own))
    return labelled


def _name_missing(table: pa.Table, labelled: pa.Table, progress: Progress) -> None:
    test = table.filter(pc.equal(table["split"], str(Split.TEST)))
    test = test.filter(pc.is_in(test["machine_type"], value_set=pc.unique(labelled["machine_type"])))
    missing = test.filter(pc.invert(pc.is_in(test["clip_id"], value_set=labelled["clip_id"])))["clip_id"].to_pylist()
    if missing:
        progress.left_out(f"{they_are(missing, 'test clip')} in clips.parquet but without a score")


def _all_strangers(source: Path, strangers: Sequence[str], table: pa.Table) -> BadData:
    known = set(table["clip_id"].to_pylist())
    without = [s for s in strangers if s.rpartition(".")[0] in known]
    hint = (
        "a clip_id has no suffix: leave .wav out"
        if without
        else f"a clip_id is the path below the dataset without suffix, such as {min(known)}"
    )
    return BadData(f"{source}: not one of its {len(strangers)} clips is in clips.parquet, such as {strangers[0]}", hint)


def _refuse_others(output: Path) -> None:
    """Scores that asd made are not overwritten by what is brought."""
    try:
        there = artifacts.read_header(output, artifacts.SCORES)
    except (MissingArtifact, BadArtifact):
        return
    if "source" not in there.inputs:
        raise UsageError(f"{output} holds scores that were not brought from elsewhere", "choose another --name")
