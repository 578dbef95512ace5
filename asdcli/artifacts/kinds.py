"""The kinds of file that stages exchange: columns, key, version and the command that makes each."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from asdcli.artifacts.rules import Rule, at_least, file_names, finite, number, one_of, paths, some_text, vectors
from asdcli.vocabulary import Condition, ConditionFrom, Domain, ScoredAs, Split, Subset


@dataclass(frozen=True)
class Column:
    """One column; `type` None means "any" (a vector's width differs); a nullable one may be absent in foreign files.

    `rule` says what its values must be, beyond their type.
    """

    name: str
    type: pa.DataType | None
    nullable: bool = False
    rule: Rule | None = None


@dataclass(frozen=True)
class Kind:
    """What a file promises.

    `key` columns identify a row; `made_by` is the command that makes such files, and `to_type` that command with what
    it cannot do without.
    """

    name: str
    version: int
    made_by: str
    key: tuple[str, ...] = ()
    columns: tuple[Column, ...] = field(default=())
    needs: str = ""

    @property
    def to_type(self) -> str:
        return f"{self.made_by} {self.needs}".rstrip()


_text, _real, _count = pa.string(), pa.float64(), pa.int64()

_LABELS = (
    Column("clip_id", _text, rule=some_text),
    Column("machine_type", _text, rule=file_names),
    Column("section", _text, nullable=True),
    Column("subset", _text, rule=one_of(Subset)),
    Column("split", _text, rule=one_of(Split)),
    Column("domain", _text, nullable=True, rule=one_of(Domain)),
    Column("condition", _text, nullable=True, rule=one_of(Condition)),
    Column("attributes", pa.map_(_text, _text), nullable=True),
    Column("attribute_string", _text, nullable=True),
    Column("group", _text, nullable=True),  # of training clips: those of a machine type that belong together
)

_WINDOW = Column("window", pa.int32(), rule=at_least(0))
_METHOD = Column("method", _text, rule=some_text)
_SCORE = Column("anomaly_score", _real, rule=finite)
_SCORED_AS = Column("scored_as", _text, nullable=True, rule=one_of(ScoredAs))  # of training clips; null: nobody knows
_VECTOR = Column("vector", None, rule=vectors)
_SEEN = Column("seen", pa.bool_(), nullable=True)  # whether the model that made the vector was trained on the clip

CLIP_COLUMNS = tuple(c.name for c in _LABELS)
"""The label columns that travel with a clip through every later table."""

CLIPS = Kind(
    "clips",
    1,
    "asd download",
    ("clip_id",),
    (
        _LABELS[0],
        Column("path", _text, rule=paths),
        *_LABELS[1:],
        Column("duration_s", _real, nullable=True, rule=at_least(0)),
        Column("sample_rate", pa.int32(), nullable=True, rule=at_least(1)),
        Column("channels", pa.int32(), nullable=True, rule=at_least(1)),
        Column("condition_from", _text, nullable=True, rule=one_of(ConditionFrom)),
        Column("group_from", _text, nullable=True),  # what tells which belong together
        Column("since", _text, nullable=True),  # the day on which it came to the others, or was taken out: YYYY-MM-DD
    ),
    needs="EDITION",
)
FEATURES = Kind("features", 1, "asd extract-features")
FEATURES_SHARD = Kind("features-shard", 1, "asd extract-features", needs="--shard I/N")
MODEL = Kind("model", 1, "asd train")
EMBEDDINGS = Kind(
    "embeddings",
    1,
    "asd embed",
    ("clip_id", "window"),
    (_LABELS[0], _WINDOW, *_LABELS[1:], _SEEN, _VECTOR),
)
FOLD_EMBEDDINGS = Kind(
    "fold-embeddings",
    1,
    "asd embed",
    ("fold", "clip_id", "window"),
    (
        Column("fold", pa.int32(), rule=at_least(1)),  # of the model that made the vectors: it has not seen this fold
        _LABELS[0],
        _WINDOW,
        *_LABELS[1:],
        _SEEN,
        _VECTOR,
    ),
)
EMBEDDINGS_SHARD = Kind(
    "embeddings-shard",
    1,
    "asd embed",
    ("fold", "clip_id", "window"),
    (
        Column("fold", pa.int32(), rule=at_least(0)),  # as in fold-embeddings; 0: of the model itself
        *EMBEDDINGS.columns,
    ),
    needs="--shard I/N",
)
SCORES = Kind(
    "scores",
    1,
    "asd score",
    ("clip_id",),
    (*_LABELS, _METHOD, _SCORE, _SCORED_AS),
)
WINDOW_SCORES = Kind(
    "window-scores",
    1,
    "asd score",
    ("clip_id", "window"),
    (_LABELS[0], _WINDOW, *_LABELS[1:], _METHOD, _SCORE, _SCORED_AS),
)
DETECTOR = Kind("detector", 1, "asd score")
POOL = Kind(
    "pool",
    1,
    "asd smooth --append",
    ("clip_id", "window"),
    (
        _LABELS[0],
        _WINDOW,
        *_LABELS[1:],
        _SCORE,
        _VECTOR,
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
        _METHOD,
        Column("subset", _text, rule=one_of(Subset)),
        Column("machine_type", _text, nullable=True),  # null: over all machine types
        Column("section", _text, nullable=True),  # null: over all sections
        Column("term", _text),
        Column("value", _real, rule=finite),
        Column("n_normal", _count, nullable=True, rule=at_least(0)),
        Column("n_anomalous", _count, nullable=True, rule=at_least(0)),
    ),
)
THRESHOLDS = Kind(
    "thresholds",
    1,
    "asd threshold",
    ("method", "machine_type", "section"),
    (
        _METHOD,
        Column("machine_type", _text),
        Column("section", _text, nullable=True),  # null: one threshold for the machine type
        Column("threshold", _real, rule=number),
        Column("rule", _text),  # that set it: another than the one asked for where that failed
        Column("n_clips", _count, rule=at_least(0)),
        Column("n_groups", _count, nullable=True, rule=at_least(0)),
        Column("scored_as", _text, nullable=True, rule=one_of(ScoredAs)),  # null: nobody knows
        Column("false_alarm_rate", _real),  # share of these clips above the threshold
        Column("low", _real, nullable=True),  # 95 % interval of the share above it in a new group
        Column("high", _real, nullable=True),
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
        _METHOD,
        Column("machine_type", _text),
        Column("params", _text),
        Column("chosen_on", _real, nullable=True),  # objective over the sections that choose, or where no label does
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
        _METHOD,
        Column("machine_type", _text),
        Column("fraction", _real),
        Column("mean", _real),
        Column("std", _real),
        Column("n_repeats", _count),
        Column("n_clips", _real),
    ),
    needs="START:STOP:STEP",
)
ERRORS = Kind(
    "errors",
    1,
    "asd extract-features",
    ("clip_id",),
    (Column("clip_id", _text), Column("path", _text), Column("error", _text)),
)

KINDS = {kind.name: kind for kind in tuple(vars().values()) if isinstance(kind, Kind)}
"""Every kind by its name."""

ANY = Kind("artifact", 0, "the stages of asd")
"""Stands for whichever kind a file is of, where only its header is read."""
