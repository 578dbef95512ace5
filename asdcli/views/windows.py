"""Values of windows made into those of their clips."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.vocabulary import OfWindows


def first_windows(table: pa.Table) -> np.ndarray:
    """(n_clips,) int64, the rows at which a clip begins: the windows of a clip lie together."""
    return first_of_each(np.array(table["clip_id"].to_pylist(), dtype=object))


def first_of_each(clip: np.ndarray) -> np.ndarray:
    """(n_clips,) int64, the same of the clips `clip` (n_windows,), by name or number, that windows are of."""
    return np.flatnonzero(np.append(True, clip[1:] != clip[:-1]))[: len(clip)]


def mean_by_clip(values: np.ndarray, clip: np.ndarray, n_clips: int = 0) -> np.ndarray:
    """(n_clips,) means of values (n_windows,) over the windows of each clip; `clip` (n_windows,) counts from 0."""
    return np.bincount(clip, weights=values, minlength=n_clips) / np.bincount(clip, minlength=n_clips)


def of_clips(values: np.ndarray, clip: np.ndarray, how: OfWindows, n_clips: int = 0) -> np.ndarray:
    """(n_clips,) of values (n_windows,): the mean or the highest of each clip's windows; `clip` ascends from 0."""
    if how == "mean":
        return mean_by_clip(values, clip, n_clips)
    highest: np.ndarray = np.maximum.reduceat(values, first_of_each(clip)) if len(values) else np.empty(0)
    return highest


def says_of_windows(header: Header) -> OfWindows:
    """What clips have of their windows' scores where nobody says it: the highest where long ones were cut, so that a
    fault that lasts a minute is heard in an hour; else the mean, as of channels and of what a network takes."""
    history = (entry for entry in header.history if entry["kind"] == artifacts.FEATURES.name)
    return "max" if any("window_s" in entry["params"] for entry in history) else "mean"


def mean_of_windows(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(n_clips, …) float64 means of `values` (n_windows, …) over the windows of each clip; `first` as above."""
    counts = np.diff(np.append(first, len(values)))
    values = np.asarray(values, np.float64)
    if not len(first):
        return values[:0]
    means: np.ndarray = np.add.reduceat(values, first, axis=0) / counts.reshape(-1, *[1] * (values.ndim - 1))
    return means


def per_clip(table: pa.Table, scores: np.ndarray, spelling: str) -> pa.Table:
    """A table of SCORES: the mean of `scores` (n_windows,) over each clip's windows, which are the rows of `table`."""
    first = first_windows(table)
    return score_table(table.take(pa.array(first)).drop_columns(["window"]), spelling, mean_of_windows(scores, first))


def mean_vectors(table: pa.Table, vectors: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    """One row a clip (its window is 0), with the mean vector of its windows."""
    first = first_windows(table)
    clips = table.take(pa.array(first))
    window = clips.column_names.index("window")
    clips = clips.set_column(window, "window", pa.array(np.zeros(len(clips), np.int32)))
    return clips, mean_of_windows(vectors, first)


def score_table(labels: pa.Table, spelling: str, scores: np.ndarray) -> pa.Table:
    """The label columns of clips (and `window`, where there is one) with the method's spelling and its scores.

    Where `labels` say how training clips were scored (`scored_as`), so does the table.
    """
    columns = [name for name in (*artifacts.CLIP_COLUMNS, "window", "scored_as") if name in labels.column_names]
    table = labels.select(columns).append_column("method", pa.array([spelling] * len(labels), pa.string()))
    return table.append_column("anomaly_score", pa.array(scores, pa.float64()))
