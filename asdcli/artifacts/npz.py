"""The entries of an npz file as arrays, read to the last byte: numpy believes what an entry says of its own size.

A zip keeps a CRC-32 of every entry, but it is compared only by who reads the entry to its end. Nothing is unpickled,
and no memory is reserved for more than the file can hold.
"""

from __future__ import annotations

import io
import math
import sys
import tokenize
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from asdcli.zips import DamagedZip, unzipping

_SUFFIX = ".npy"
_CHUNK = 1 << 20
_LONGEST_HEAD = 1 << 17  # bytes of what numpy writes before the values
_EXPANSION = 1100  # deflate makes at most 1,032 bytes of one


_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_SIGNS = (ValueError, TypeError, KeyError, SyntaxError, tokenize.TokenError, RecursionError)  # of numpy, for its heads


def read_entries(path: Path, wanted: Callable[[str], bool] = lambda _: True) -> dict[str, np.ndarray]:
    """The arrays of `path` by name, those that are `wanted`. Raises DamagedZip."""
    with unzipping(), zipfile.ZipFile(path) as archive:
        room = path.stat().st_size * _EXPANSION
        return {
            entry.filename.removesuffix(_SUFFIX): _array(archive, entry, room)
            for entry in archive.infolist()
            if wanted(entry.filename.removesuffix(_SUFFIX))
        }


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> np.ndarray:
    if not entry.file_size <= room:
        raise DamagedZip(f"{entry.filename} is said to have {entry.file_size} bytes")
    content = np.empty(entry.file_size, np.uint8)
    filled = 0
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            content[filled : filled + len(chunk)] = np.frombuffer(chunk, np.uint8)
            filled += len(chunk)
    if filled != len(content):
        raise DamagedZip(f"{entry.filename} ends after {filled} of {len(content)} bytes")
    head = io.BytesIO(content[:_LONGEST_HEAD].tobytes())
    try:
        shape, fortran, dtype = _READERS[np.lib.format.read_magic(head)](head)
    except _SIGNS as error:
        raise DamagedZip(f"{entry.filename} is no array: {error}") from None
    if dtype.hasobject or not dtype.itemsize:
        raise DamagedZip(f"{entry.filename} holds {dtype}, not numbers or text")
    if any(n < 0 for n in shape) or head.tell() + dtype.itemsize * math.prod(shape) != len(content):
        raise DamagedZip(f"{entry.filename} does not hold {dtype} of shape {shape}")
    array = content[head.tell() :].view(dtype).reshape(shape, order="F" if fortran else "C")
    if dtype.kind == "U" and not _is_text(array):
        raise DamagedZip(f"{entry.filename} holds numbers that are no letters")
    return array


def _is_text(array: np.ndarray) -> bool:
    """Whether it holds Unicode as every other program can write it: numpy believes any number to be a letter."""
    codes = np.ascontiguousarray(array).reshape(-1).view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    return not ((codes > sys.maxunicode) | ((codes >= 0xD800) & (codes < 0xE000))).any()
