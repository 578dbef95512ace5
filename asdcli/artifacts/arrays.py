"""Arrays on disk: uncompressed npz without pickle, the `asd` header as one more entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asdcli.artifacts.digest import are_arrays_of, digest_arrays
from asdcli.artifacts.header import Header
from asdcli.artifacts.kinds import Kind
from asdcli.artifacts.npz import read_entries
from asdcli.artifacts.store import check_kind, damaged, require
from asdcli.errors import BadArtifact
from asdcli.writing.whole import atomic
from asdcli.zips import DamagedZip

KEY = "asd"
"""The entry that is the header."""


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], header: Header) -> Header:
    """Write named arrays to `path` (npz) whole or not at all and return the header with its content digest."""
    header = header.with_content(digest_arrays(arrays))
    with atomic(path) as temporary, temporary.open("wb") as file:
        entries: dict[str, Any] = {KEY: np.frombuffer(header.to_json().encode(), np.uint8), **arrays}
        np.savez(file, **entries)
    return header


def read_arrays(
    path: Path, kind: Kind, *, verify: bool = True, map_long: bool = False
) -> tuple[dict[str, np.ndarray], Header]:
    """Read all arrays of an npz artifact and its header.

    Every byte of an array is checked against the zip's own checksum; `verify` compares the digest of them all too,
    which takes as long as reading. What that finds beyond is an array that is gone. With `map_long`, long arrays are
    read-only views of the file and take no memory of their own: they are checked in the same way, once, now. A file
    that is replaced later is still there for them as it was; one that is changed in its place is not noticed.

    Errors as `read_arrays_header`; BadArtifact for arrays that are not as they were written.
    """
    header = read_arrays_header(path, kind)
    try:
        arrays = read_entries(path, lambda name: name != KEY, map_long=map_long)
    except DamagedZip as error:
        raise damaged(path, kind, str(error)) from None
    if verify and not are_arrays_of(header.content, arrays):
        raise damaged(path, kind, "its arrays are not those that its header speaks of")
    return arrays, header


def read_arrays_header(path: Path, kind: Kind) -> Header:
    """Read only the header of an npz artifact (cheap).

    Raises:
        MissingArtifact: no such file; the hint names the command that makes it.
        BadArtifact: not npz, no asd header, another kind, a newer version.
    """
    require(path, kind)
    try:
        text = read_entries(path, lambda name: name == KEY)[KEY].tobytes()
    except (DamagedZip, KeyError):
        raise BadArtifact(
            f"{path} is no npz written by asdcli", f"{kind.name} come from: {kind.to_type}", path
        ) from None
    header = Header.from_json(text, where=str(path))
    check_kind(header, kind, path)
    return header
