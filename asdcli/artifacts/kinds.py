"""The kinds of file that stages exchange: columns, key, version and the command that makes each."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """One column; `type` None means "any" (a vector's width differs); a nullable one may be absent in foreign files."""

    name: str
    type: pa.DataType | None
    nullable: bool = False


@dataclass(frozen=True)
class Kind:
    """What a file promises. `key` columns identify a row; `made_by` is the command that a missing file needs."""

    name: str
    version: int
    made_by: str
    key: tuple[str, ...] = ()
    columns: tuple[Column, ...] = field(default=())


_text, _real, _count = pa.string(), pa.float64(), pa.int64()

_LABELS = (
    Column("clip_id", _text),
    Column("machine_type", _text),
    Column("section", _text, nullable=True),
    Column("subset", _text),
    Column("split", _text),
    Column("domain", _text, nullable=True),
    Column("condition", _text, nullable=True),
    Column("attributes", pa.map_(_text, _text), nullable=True),
    Column("attribute_string", _text, nullable=True),
)

CLIP_COLUMNS = tuple(c.name for c in _LABELS)
"""The label columns that travel with a clip through every later table."""

CLIPS = Kind(
    "clips",
    1,
    "asd download",
    ("clip_id",),
    (
        _LABELS[0],
        Column("path", _text),
        *_LABELS[1:],
        Column("duration_s", _real, nullable=True),
        Column("sample_rate", pa.int32(), nullable=True),
        Column("channels", pa.int32(), nullable=True),
    ),
)
FEATURES = Kind("features", 1, "asd extract-features")
MODEL = Kind("model", 1, "asd train")
EMBEDDINGS = Kind(
    "embeddings",
    1,
    "asd embed",
    ("clip_id", "window"),
    (_LABELS[0], Column("window", pa.int32()), *_LABELS[1:], Column("vector", None)),
)
SCORES = Kind(
    "scores",
    1,
    "asd score",
    ("clip_id",),
    (*_LABELS, Column("method", _text), Column("anomaly_score", _real)),
)
WINDOW_SCORES = Kind(
    "window-scores",
    1,
    "asd score",
    ("clip_id", "window"),
    (_LABELS[0], Column("window", pa.int32()), *_LABELS[1:], Column("method", _text), Column("anomaly_score", _real)),
)
DETECTOR = Kind("detector", 1, "asd score")
POOL = Kind(
    "pool",
    1,
    "asd smooth --append",
    ("clip_id", "window"),
    (
        _LABELS[0],
        Column("window", pa.int32()),
        *_LABELS[1:],
        Column("anomaly_score", _real),
        Column("vector", None),
        # nearest first: rows of this table within the sample's pool, counted from 0, and squared distances
        Column("neighbours", pa.large_list(pa.int32())),
        Column("distances", pa.large_list(_real)),
    ),
)
RESULTS = Kind(
    "results",
    1,
    "asd evaluate",
    ("method", "subset", "machine_type", "section", "term"),
    (
        Column("method", _text),
        Column("subset", _text),
        Column("machine_type", _text, nullable=True),  # null: over all machine types
        Column("section", _text, nullable=True),  # null: over all sections
        Column("term", _text),
        Column("value", _real),
        Column("n_normal", _count, nullable=True),
        Column("n_anomalous", _count, nullable=True),
    ),
)
THRESHOLDS = Kind(
    "thresholds",
    1,
    "asd threshold",
    ("method", "machine_type", "section"),
    (
        Column("method", _text),
        Column("machine_type", _text),
        Column("section", _text, nullable=True),  # null: one threshold for the machine type
        Column("threshold", _real),
        Column("rule", _text),  # that set it: another than the one asked for where that failed
        Column("n_clips", _count),
        Column("false_alarm_rate", _real),  # share of these clips above the threshold
        Column("asked", _text, nullable=True),
        Column("promised", _real, nullable=True),  # share of normal clips that may lie above it
        Column("clips_per_day", _real, nullable=True),
    ),
)
TUNING = Kind(
    "tuning",
    1,
    "asd tune",
    ("method", "machine_type", "params"),
    (
        Column("method", _text),
        Column("machine_type", _text),
        Column("params", _text),
        Column("chosen_on", _real, nullable=True),  # objective over the sections that choose
        Column("reported_on", _real, nullable=True),  # and over those that are reported
        Column("chosen", pa.bool_()),
        Column("oracle", pa.bool_()),
    ),
)
FRACTIONS = Kind(
    "fractions",
    1,
    "asd smooth --fraction",
    ("method", "machine_type", "fraction"),
    (
        Column("method", _text),
        Column("machine_type", _text),
        Column("fraction", _real),
        Column("mean", _real),
        Column("std", _real),
        Column("n_repeats", _count),
        Column("n_clips", _real),
    ),
)
ERRORS = Kind(
    "errors",
    1,
    "asd extract-features",
    ("clip_id",),
    (Column("clip_id", _text), Column("path", _text), Column("error", _text)),
)

KINDS = {
    kind.name: kind
    for kind in (
        CLIPS,
        FEATURES,
        MODEL,
        EMBEDDINGS,
        SCORES,
        WINDOW_SCORES,
        DETECTOR,
        POOL,
        RESULTS,
        THRESHOLDS,
        TUNING,
        FRACTIONS,
        ERRORS,
    )
}
"""Every kind by its name."""

ANY = Kind("artifact", 0, "the stages of asd")
"""Stands for whichever kind a file is of, where only its header is read."""
