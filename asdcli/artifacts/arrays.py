"""Arrays on disk: uncompressed npz without pickle, the `asd` header as one more entry."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asdcli.artifacts.header import Header
from asdcli.artifacts.kinds import Kind
from asdcli.artifacts.store import atomic, check_kind, require
from asdcli.errors import BadArtifact

_KEY = "asd"


def write_arrays(path: Path, kind: Kind, arrays: Mapping[str, np.ndarray], header: Header) -> Header:
    """Write named arrays to `path` (npz) whole or not at all and return the header with its content digest."""
    header = header.with_content(digest_arrays(arrays))
    with atomic(path) as temporary, temporary.open("wb") as file:
        entries: dict[str, Any] = {_KEY: np.frombuffer(header.to_json().encode(), np.uint8), **arrays}
        np.savez(file, **entries)
    return header


def read_arrays(path: Path, kind: Kind) -> tuple[dict[str, np.ndarray], Header]:
    """Read all arrays of an npz artifact and its header. Errors as `read_arrays_header`."""
    header = read_arrays_header(path, kind)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if name != _KEY}, header
    except (ValueError, zipfile.BadZipFile, EOFError, KeyError) as error:
        raise BadArtifact(f"{path} cannot be read as npz: {error}", f"make it again: {kind.made_by}") from None


def read_arrays_header(path: Path, kind: Kind) -> Header:
    """Read only the header of an npz artifact (cheap).

    Raises:
        MissingArtifact: no such file; the hint names the command that makes it.
        BadArtifact: not npz, no asd header, another kind, a newer version.
    """
    require(path, kind)
    try:
        with np.load(path, allow_pickle=False) as archive:
            text = archive[_KEY].tobytes()
    except (ValueError, zipfile.BadZipFile, EOFError, KeyError, AttributeError, TypeError):
        raise BadArtifact(f"{path} is no npz written by asdcli", f"{kind.name} come from: {kind.made_by}") from None
    header = Header.from_json(text, where=str(path))
    check_kind(header, kind, path)
    return header


def digest_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Digest of names, dtypes, shapes and bytes, independent of the mapping's order."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(array.view(np.uint8).data if array.size and array.dtype.kind != "U" else array.tobytes())
    return digest.hexdigest()
