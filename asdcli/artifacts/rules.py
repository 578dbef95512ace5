"""What the values of a column must be. A rule names the first row that breaks it, and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath, PureWindowsPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.filenames import fault, twins

Rule = Callable[[pa.ChunkedArray], tuple[int, str] | None]
"""A column -> the first row that breaks the rule and why; None where all keep it. Nulls keep every rule."""

_MAYBE_NO_PATH_BELOW = r"^$|^[/\\]|:|\.\.|\x00"
"""In all paths that lead out of a folder or are none, and in few others."""


def one_of(words: Iterable[object]) -> Rule:
    """One of a few words."""
    known = [str(word) for word in words]

    def rule(column: pa.ChunkedArray) -> tuple[int, str] | None:
        strange = pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, pa.array(known, column.type))))
        return _first(strange, f"it is none of {', '.join(known)}")

    return rule


def at_least(least: float) -> Rule:
    """A finite number that is not smaller than `least`."""

    def rule(column: pa.ChunkedArray) -> tuple[int, str] | None:
        return finite(column) or _first(pc.less(column, least), f"it is less than {least:g}")

    return rule


def number(column: pa.ChunkedArray) -> tuple[int, str] | None:
    """A number, infinite ones among them."""
    return _first(pc.is_nan(column), "it is no number")


def finite(column: pa.ChunkedArray) -> tuple[int, str] | None:
    """A number that is finite."""
    return _first(pc.invert(pc.is_finite(column)), "it is not finite")


def file_names(column: pa.ChunkedArray) -> tuple[int, str] | None:
    """Words that files are called by, no two of them alike on any file system."""
    words = [word for word in pc.unique(column).to_pylist() if word is not None]
    for word in words:
        if why := fault(word):
            return _first(pc.equal(column, word), f"it cannot be the name of a file ({why}): call it otherwise")
    if alike := twins(words):
        return _first(
            pc.equal(column, alike[1]), f"some file systems take it for {alike[0]!r}: call one of them otherwise"
        )
    return None


def paths(column: pa.ChunkedArray) -> tuple[int, str] | None:
    """Paths below a folder."""
    odd = pc.match_substring_regex(column, _MAYBE_NO_PATH_BELOW)
    rows = np.flatnonzero(odd.to_numpy()).tolist()  # pyarrow's indices_nonzero crashes where there is no row
    for row in rows:  # an object a path would be slow
        text = column[row].as_py()
        if not text or "\0" in text:
            return row, "it is no path"
        if PurePosixPath(text).is_absolute() or PureWindowsPath(text).drive or ".." in PurePosixPath(text).parts:
            return row, "it leads out of the dataset's folder"
    return None


def some_text(column: pa.ChunkedArray) -> tuple[int, str] | None:
    """Text that is not empty."""
    return _first(pc.equal(pc.binary_length(column), 0), "it is empty")


def vectors(column: pa.ChunkedArray) -> tuple[int, str] | None:
    """Lists of finite numbers, all of one length."""
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return 0, f"the column holds {kind}, not lists of numbers"
    if not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        return 0, f"the column holds {kind}, not lists of numbers"
    lengths = pc.list_value_length(column).to_numpy()
    if len(odd := np.flatnonzero((lengths != lengths[:1]) | (lengths == 0))):
        return int(odd[0]), f"it has {lengths[odd[0]]} dimensions, the first one {lengths[0]}"
    rows = 0
    for chunk in column.chunks:
        values = chunk.flatten().to_numpy(zero_copy_only=False)  # null entries become NaN
        if not np.isfinite(values).all():
            return rows + int(np.flatnonzero(~np.isfinite(values))[0]) // int(lengths[0]), "it is not finite"
        rows += len(chunk)
    return None


def _first(broken: pa.ChunkedArray, why: str) -> tuple[int, str] | None:
    row = pc.index(broken, True).as_py()
    return (row, why) if row >= 0 else None
