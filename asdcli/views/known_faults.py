"""What operators called faults, as vectors: whether a recording is nearer to one of them than to any normal one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.layouts.dates import day_of
from asdcli.scorers.reference import Reference
from asdcli.scorers.vectors import Vectors
from asdcli.views.embeddings import matrix
from asdcli.views.scores import Scored
from asdcli.views.thresholds import Thresholds
from asdcli.views.windows import first_of_each
from asdcli.vocabulary import Condition, Split


@dataclass(frozen=True)
class KnownFaults:
    """The faults of a run.

    Attributes:
        windows: machine -> vectors (n_windows, n_dims) as the run's embedder makes them.
        names: machine -> (n_windows,) the fault that each is of: `2024-11-03, 0071.wav`.
    """

    windows: Mapping[str, np.ndarray]
    names: Mapping[str, np.ndarray]

    @staticmethod
    def read(clips: Path, embeddings: Path, scored: Scored, windows: Path, limits: Thresholds) -> KnownFaults | None:
        """Those of a run; None where there are none.

        Of a long recording only the windows above the threshold are the fault, or the one that is nearest to it.

        Args:
            clips: clips.parquet.
            embeddings: the run's.
            scored: the scores of its clips.
            windows: those of their windows, by the same method; not there where clips have but one.
            limits: the run's thresholds.
        """
        if not pc.any(_are_faults(scored.table)).as_py():
            return None
        own = ["clip_id", "window", "machine_type", "split", "condition", "vector"]
        table, _ = artifacts.read_table(embeddings, artifacts.EMBEDDINGS, columns=own)
        table = table.filter(_are_faults(table))
        if windows.exists():
            table = table.filter(pa.array(_are_telling(table, windows, scored, limits), pa.bool_()))
        told = {row["clip_id"]: _name(row) for row in artifacts.read_table(clips, artifacts.CLIPS)[0].to_pylist()}
        vectors, names = {}, {}
        for machine in table["machine_type"].unique().to_pylist():
            rows = table.filter(pc.equal(table["machine_type"], machine))
            vectors[machine] = matrix(rows["vector"])
            names[machine] = np.array([told[clip_id] for clip_id in rows["clip_id"].to_pylist()], object)
        return KnownFaults(vectors, names)

    def nearer(self, machine: str, windows: Vectors, clip: np.ndarray, normal: np.ndarray) -> list[str | None]:
        """The fault that each clip is nearer to than to any normal recording; None where to none.

        Args:
            machine: of the clips.
            windows: (n_windows,) of them.
            clip: (n_windows,) the place of the clip that each is of, ascending.
            normal: (n_clips,) distance of the nearest normal recording to any of a clip's windows.
        """
        there = self.windows.get(machine)
        if there is None:
            return [None] * len(normal)
        nobody = -1 - np.arange(len(there))  # no clip is left out: the fault itself sounds like itself
        rows, distances = nearest_of_clips(Vectors.of(there, nobody), windows, clip)
        found = np.where(distances < normal, self.names[machine][rows], None)
        return [None if name is None else str(name) for name in found]


def nearest_of_clips(there: Vectors, windows: Vectors, clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The row of `there` that is nearest to any window of each clip (n_clips,), and its distance; `clip` ascends."""
    rows, distances = Reference(there).nearest(windows)
    order = np.lexsort((distances, clip))  # of each clip the window that is nearest to something stands first
    best = order[first_of_each(clip[order])]
    return rows[best], distances[best]


def _are_telling(table: pa.Table, windows: Path, scored: Scored, limits: Thresholds) -> list[bool]:
    """Whether each window lies above the threshold, or is the highest of a clip of which none does."""
    own = ["clip_id", "window", "anomaly_score"]
    known, _ = artifacts.read_table(windows, artifacts.WINDOW_SCORES, columns=own)
    known = known.filter(pc.is_in(known["clip_id"], value_set=table["clip_id"].combine_chunks()))
    scores = {(row["clip_id"], row["window"]): row["anomaly_score"] for row in known.to_pylist()}
    highest: dict[str, float] = {}
    for (clip_id, _), score in scores.items():
        highest[clip_id] = max(score, highest.get(clip_id, score))
    found = []
    for row in table.select(["clip_id", "window", "machine_type"]).to_pylist():
        limit = limits.of(scored, row["machine_type"])
        least = highest[row["clip_id"]] if limit is None else min(limit, highest[row["clip_id"]])
        found.append(scores[row["clip_id"], row["window"]] >= least)
    return found


def _are_faults(table: pa.Table) -> pa.ChunkedArray:
    answered = pc.equal(table["split"], str(Split.ANSWERED))
    return pc.and_(answered, pc.fill_null(pc.equal(table["condition"], str(Condition.ANOMALY)), False))


def _name(row: Mapping[str, str]) -> str:
    day = day_of(row["path"]) or row["since"]
    file = row["path"].rpartition("/")[2]
    return f"{day}, {file}" if day else file
