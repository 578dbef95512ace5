"""Samples samples: scores of one run and vectors of another, joined by clip and window, cut into pools.

A sample is a window of a test clip, or a whole test clip with the mean vector of its windows. Both tables must hold the
same samples: what one lacks is named, never dropped in silence.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from asdcli import artifacts, parquets
from asdcli.errors import BadData, MissingArtifact, UsageError, unknown_name
from asdcli.filenames import stem
from asdcli.progress import SILENT, Progress
from asdcli.scorers.smooth import Level
from asdcli.views.embeddings import matrix
from asdcli.views.named import as_scored
from asdcli.views.windows import mean_vectors, per_clip
from asdcli.vocabulary import Split

SMOOTHED = "+smooth"
"""What stands in the spelling of every smoothed method."""


@dataclass(frozen=True)
class Samples:
    """Test samples in the order of (clip_id, window).

    Attributes:
        table: label columns, `window` and `anomaly_score`, one row a sample.
        vectors: (n, n_dims).
        method: spelling of the method whose scores these are.
        level: what a sample is.
        scores_header, embeddings_header: of the tables they come from.
        paths: of these tables.
    """

    table: pa.Table
    vectors: np.ndarray
    method: str
    level: Level
    scores_header: artifacts.Header
    embeddings_header: artifacts.Header
    paths: tuple[Path, ...] = ()

    @property
    def scores(self) -> np.ndarray:
        return self.table["anomaly_score"].to_numpy()

    @property
    def inputs(self) -> dict[str, artifacts.Header]:
        return {"scores": self.scores_header, "embeddings": self.embeddings_header}

    @property
    def dataset(self) -> str:
        return self.scores_header.dataset or self.embeddings_header.dataset


def read_samples(
    scores: Path,
    embeddings: Path,
    *,
    method: str | None = None,
    level: Level | None = None,
    machine_types: Sequence[str] | None = None,
    progress: Progress = SILENT,
) -> Samples:
    """Join the test samples of two tables.

    Args:
        scores: a table of scores, or a run that holds some.
        embeddings: a table of embeddings, or a run that holds one.
        method: which of the run's methods; not needed where there is only one that is not smoothed itself.
        level: `window` or `clip`; None means windows where both have them.
        machine_types: only these.
        progress: is told what only one of the tables has.

    Raises:
        MissingArtifact, BadArtifact: no such tables.
        UsageError: several methods to choose from, or an unknown machine type.
        BadData: samples that only one of the tables has.
    """
    embeddings = embeddings / "embeddings.parquet" if embeddings.is_dir() else embeddings
    vectors_of, embeddings_header = artifacts.read_table(embeddings, artifacts.EMBEDDINGS, headerless=True)
    table, scores_header, spelling, level, table_path = _scores(scores, method, level, vectors_of)
    table, vectors_of = (_of_machine_types(_test(t), machine_types) for t in (table, vectors_of))
    table, vectors_of = _shared_machine_types(table, vectors_of, progress)
    if not len(table):
        raise BadData(f"{scores} and {embeddings} have no test clip of the same machine type")
    vectors = matrix(vectors_of["vector"])
    if level == "clip":
        vectors_of, vectors = mean_vectors(vectors_of, vectors)
    _require_same(table, vectors_of, scores, embeddings, level)
    return Samples(table, vectors, spelling, level, scores_header, embeddings_header, (table_path, embeddings))


def _scores(
    scores: Path, method: str | None, level: Level | None, embeddings: pa.Table
) -> tuple[pa.Table, artifacts.Header, str, Level, Path]:
    """The table of scores to take, with a column `window`, what it holds, and where it lies."""
    clips = artifacts.SCORES
    if scores.is_dir():
        several = bool((embeddings["window"].to_numpy() > 0).any())
        path, method, level = _in_run(scores, method, level, several)
        has_windows = level == "window"
    else:
        artifacts.require(scores, clips)
        path, has_windows = scores, _has_windows(scores)
        if level == "window" and not has_windows:
            raise BadData(f"{path} holds scores of clips, not of windows", "smooth clips: --level clip")
        level = level or ("window" if has_windows else "clip")
    table, header = artifacts.read_table(path, artifacts.WINDOW_SCORES if has_windows else clips, headerless=True)
    table, spelling = _of_method(table, method, path)
    if has_windows and level == "clip":
        table = _sorted(table)
        table, has_windows = per_clip(table, table["anomaly_score"].to_numpy(), spelling), False
    table = table.drop_columns(["method"])
    if not has_windows:
        table = table.add_column(1, "window", pa.array(np.zeros(len(table), np.int32)))
    return _sorted(table), header, spelling, level, path


def _in_run(run: Path, method: str | None, level: Level | None, several: bool) -> tuple[Path, str, Level]:
    """Which table of a run's to take, its method and its level; `several`: whether clips have more than one window."""
    folders = {"window": (run / "window-scores", artifacts.WINDOW_SCORES), "clip": (run / "scores", artifacts.SCORES)}
    found = {of: _methods(folder, kind, method) for of, (folder, kind) in folders.items()}
    known = sorted({**found["window"], **found["clip"]})
    asked = ["--method", method] if method else []
    makes_them = f"make them first: {shlex.join(['asd', 'score', *asked, '--run', str(run)])}"
    if not known:
        raise MissingArtifact(f"no scores in {run}", makes_them)
    if method is None:
        if len(known) > 1:
            raise UsageError(f"{run} holds several methods: {', '.join(known)}", "choose one with --method")
        method = known[0]
    method = as_scored(method, known)
    if method not in known:
        raise unknown_name("method", method, known)
    level = level or ("window" if method in found["window"] and several else "clip")
    if method not in found[level]:
        raise MissingArtifact(
            f"no {level} scores of {method} in {run}",
            "smooth its clips: --level clip" if level == "window" else makes_them,
        )
    return found[level][method], method, level


def _of_method(table: pa.Table, method: str | None, path: Path) -> tuple[pa.Table, str]:
    """The rows of one method, and its spelling."""
    spellings = [str(s) for s in pc.unique(table["method"]).to_pylist()]
    if not spellings:
        raise BadData(f"{path} holds no scores", f"make them again: {artifacts.SCORES.to_type}")
    method = None if method is None else as_scored(method, spellings)
    if method is not None and method not in spellings:
        raise unknown_name("method", method, spellings)
    if method is None and len(spellings) > 1:
        raise UsageError(f"{path} holds several methods: {', '.join(spellings)}", "choose one with --method")
    spelling = method or spellings[0]
    return table.filter(pc.equal(table["method"], spelling)), spelling


def _has_windows(path: Path) -> bool:
    try:
        with parquets.reading():
            return "window" in pq.read_schema(path).names
    except parquets.DamagedParquet:  # reading it as scores will say what it is
        return False


def _methods(folder: Path, kind: artifacts.Kind, method: str | None) -> dict[str, Path]:
    """Spelling -> file of the scores in `folder` that are not smoothed; where `method` has one, only that."""
    found = {}
    own = folder / f"{stem(method)}.parquet" if method else None
    for path in [own] if own and own.exists() else sorted(folder.glob("*.parquet")):
        table, _ = artifacts.read_table(path, kind, headerless=True)
        for spelling in pc.unique(table["method"]).to_pylist():
            if SMOOTHED not in spelling:
                found[str(spelling)] = path
    return found


def _sorted(table: pa.Table) -> pa.Table:
    return table.take(pc.sort_indices(table, [("clip_id", "ascending"), ("window", "ascending")])).combine_chunks()


def _test(table: pa.Table) -> pa.Table:
    return _sorted(table.filter(pc.equal(table["split"], str(Split.TEST))))


def _of_machine_types(table: pa.Table, asked: Sequence[str] | None) -> pa.Table:
    known = sorted(set(table["machine_type"].to_pylist()))
    for name in asked or ():
        if name not in known:
            raise unknown_name("machine type", name, known)
    return table.filter(pc.is_in(table["machine_type"], pa.array(asked, pa.string()))) if asked else table


def _shared_machine_types(table: pa.Table, vectors_of: pa.Table, progress: Progress) -> tuple[pa.Table, pa.Table]:
    of_scores, of_vectors = (set(t["machine_type"].to_pylist()) for t in (table, vectors_of))
    for what, names in (("embeddings", of_scores - of_vectors), ("scores", of_vectors - of_scores)):
        if names:
            progress.left_out(f"no {what} of {', '.join(sorted(names))}: left out")
    both = pa.array(sorted(of_scores & of_vectors), pa.string())
    return tuple(t.filter(pc.is_in(t["machine_type"], both)).combine_chunks() for t in (table, vectors_of))


def _require_same(table: pa.Table, vectors_of: pa.Table, scores: Path, embeddings: Path, level: Level) -> None:
    """Raises BadData naming the first sample that only one of the tables has."""
    a, b = (list(zip(t["clip_id"].to_pylist(), t["window"].to_pylist(), strict=True)) for t in (table, vectors_of))
    if a == b:
        return
    for path, other, mine, others in ((scores, embeddings, a, b), (embeddings, scores, b, a)):
        lost = sorted(set(mine) - set(others))
        if not lost:
            continue
        clip_id = lost[0][0]
        if level == "window" and any(c == clip_id for c, _ in others):
            n, m = (sum(c == clip_id for c, _ in s) for s in (mine, others))
            raise BadData(
                f"the windows disagree: {clip_id} has {n} in {path} and {m} in {other}",
                "make both with the same windows, or smooth whole clips: --level clip",
            )
        raise BadData(
            f"{len({c for c, _ in lost})} test clips of {path} are not in {other}, such as {clip_id}",
            "make both of the same clips, or choose machine types that both have: --machine-type",
        )
