"""The files that stages exchange: every one says what it is and what it was made from."""

from __future__ import annotations

from pathlib import Path

from asdcli.artifacts import own
from asdcli.artifacts.arrays import read_arrays, read_arrays_header, write_arrays
from asdcli.artifacts.digest import are_arrays_of, digest_arrays, digest_bytes, digest_file
from asdcli.artifacts.growing import GrowingArrays, growing_arrays
from asdcli.artifacts.header import Header
from asdcli.artifacts.kinds import (
    ANY,
    CLIP_COLUMNS,
    CLIPS,
    DETECTOR,
    EMBEDDINGS,
    EMBEDDINGS_SHARD,
    ERRORS,
    FEATURES,
    FEATURES_SHARD,
    FOLD_EMBEDDINGS,
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
from asdcli.artifacts.store import check_kind, damaged, require
from asdcli.errors import MissingArtifact
from asdcli.files import CARD, WEIGHTS, fold_folder
from asdcli.writing.whole import atomic

__all__ = [
    "ANY",
    "CLIPS",
    "CLIP_COLUMNS",
    "DETECTOR",
    "EMBEDDINGS",
    "EMBEDDINGS_SHARD",
    "ERRORS",
    "FEATURES",
    "FEATURES_SHARD",
    "FOLD_EMBEDDINGS",
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
    "GrowingArrays",
    "Header",
    "Kind",
    "are_arrays_of",
    "atomic",
    "check_kind",
    "claim",
    "damaged",
    "digest_arrays",
    "digest_bytes",
    "digest_file",
    "growing_arrays",
    "is_current",
    "own",
    "read_arrays",
    "read_arrays_header",
    "read_header",
    "read_table",
    "read_table_header",
    "require",
    "verify",
    "write_arrays",
    "write_table",
]


def read_header(path: Path, kind: Kind) -> Header:
    """Read only the header of an artifact: a table, an npz, or a folder with a `card.json`. `ANY` takes every kind."""
    path = Path(path)
    if path.is_dir():
        card = path / CARD
        require(card, kind)
        header = Header.from_json(card.read_bytes(), where=str(card))
        check_kind(header, kind, card)
        return header
    if path.suffix == ".npz":
        return read_arrays_header(path, kind)
    return read_table_header(path, kind)


def verify(path: Path, kind: Kind) -> Header:
    """Read an artifact to its last byte and compare it with the digest in its header; returns the header.

    A stage that reads a whole table does so anyway; packs and what no stage of today reads are looked at only here.

    Raises:
        MissingArtifact, BadArtifact: not there, not of `kind`, or not as it was written.
    """
    path = Path(path)
    if path.is_dir():
        header = _verify_model(path, kind)
        for fold in range(1, 1 + header.n_folds):
            _verify_model(fold_folder(path, fold), kind)
        return header
    if path.suffix == ".npz":
        return read_arrays(path, kind)[1]
    return read_table(path, kind)[1]


def _verify_model(folder: Path, kind: Kind) -> Header:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    header, weights = read_header(folder, kind), folder / WEIGHTS
    require(weights, kind)
    try:
        weights_are_whole = are_arrays_of(header.content, load_file(weights))
    except (SafetensorError, OSError, KeyError) as error:
        raise damaged(weights, kind, str(error)) from None
    if not weights_are_whole:
        raise damaged(weights, kind, f"these are not the weights that {CARD} speaks of")
    return header


def is_current(path: Path, kind: Kind, header: Header) -> bool:
    """Whether `path` says that it was made of the same inputs with the same parameters as `header` says.

    Who is told no writes it anew, so it is claimed. Where the answer is yes only the header is read: to look at the
    content each time would cost more than what it saves. Whoever reads the content and finds it damaged says so.

    Raises:
        BadData: as `claim`.
    """
    found = _found(path, kind)
    if found is not None and found.same_making(header):
        return True
    _require_unchanged(path, kind, found)
    return False


def claim(path: Path, kind: Kind, *, force: bool = False) -> None:
    """Make sure that `path` may be written: the door of every stage, before its work.

    Raises:
        BadData: something else than `kind` lies there, or a file whose content was changed since asd wrote it, and no
            `force`.
    """
    if not force:
        _require_unchanged(path, kind, _found(path, kind))


def _found(path: Path, kind: Kind) -> Header | None:
    try:
        with own.readable(path):
            return read_header(path, kind)
    except MissingArtifact:
        return None


def _require_unchanged(path: Path, kind: Kind, found: Header | None) -> None:
    """Nobody edits packs by hand, and to read them for that would take as long as to make them."""
    if found is None or kind is FEATURES:
        return
    with own.readable(path):
        verify(path, kind)
