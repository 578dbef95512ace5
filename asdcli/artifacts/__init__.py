"""The files that stages exchange: every one says what it is and what it was made from."""

from __future__ import annotations

from pathlib import Path

from asdcli.artifacts.arrays import digest_arrays, read_arrays, read_arrays_header, write_arrays
from asdcli.artifacts.header import Header
from asdcli.artifacts.kinds import (
    ANY,
    CLIP_COLUMNS,
    CLIPS,
    DETECTOR,
    EMBEDDINGS,
    ERRORS,
    FEATURES,
    FRACTIONS,
    KINDS,
    MODEL,
    POOL,
    RESULTS,
    SCORES,
    THRESHOLDS,
    TUNING,
    WINDOW_SCORES,
    Column,
    Kind,
)
from asdcli.artifacts.parquet import read_table, read_table_header, write_table
from asdcli.artifacts.store import atomic, check_kind, require
from asdcli.errors import BadArtifact, MissingArtifact

__all__ = [
    "ANY",
    "CLIPS",
    "CLIP_COLUMNS",
    "DETECTOR",
    "EMBEDDINGS",
    "ERRORS",
    "FEATURES",
    "FRACTIONS",
    "KINDS",
    "MODEL",
    "POOL",
    "RESULTS",
    "SCORES",
    "THRESHOLDS",
    "TUNING",
    "WINDOW_SCORES",
    "Column",
    "Header",
    "Kind",
    "atomic",
    "check_kind",
    "digest_arrays",
    "is_current",
    "read_arrays",
    "read_arrays_header",
    "read_header",
    "read_table",
    "read_table_header",
    "require",
    "write_arrays",
    "write_table",
]


def read_header(path: Path, kind: Kind) -> Header:
    """Read only the header of an artifact: a table, an npz, or a folder with a `card.json`. `ANY` takes every kind."""
    path = Path(path)
    if path.is_dir():
        card = path / "card.json"
        require(card, kind)
        header = Header.from_json(card.read_bytes(), where=str(card))
        check_kind(header, kind, card)
        return header
    if path.suffix == ".npz":
        return read_arrays_header(path, kind)
    return read_table_header(path, kind)


def is_current(path: Path, kind: Kind, header: Header) -> bool:
    """Whether `path` holds a whole artifact made of the same inputs with the same parameters as `header` says."""
    try:
        return read_header(path, kind).same_making(header)
    except (MissingArtifact, BadArtifact):
        return False
