"""The entries of an npz file as arrays, read to the last byte: numpy believes what an entry says of its own size.

A zip keeps a CRC-32 of every entry, but it is compared only by who reads the entry to its end. Nothing is unpickled,
and no memory is reserved for more than the file can hold.

Long entries can be mapped instead: their pages come from the file when they are looked at and can be dropped again, so
that they need not fit into memory. Their checksums are compared like those of others, when the file is opened.
"""

from __future__ import annotations

import io
import math
import os
import struct
import sys
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli.zips import DamagedZip, unzipping

SUFFIX = ".npy"
_CHUNK = 1 << 20
_LONGEST_HEAD = 1 << 17  # bytes of what numpy writes before the values
_EXPANSION = 1100  # deflate makes at most 1,032 bytes of one
_LONG = 1 << 20  # bytes from which on an entry is worth mapping
_CHECKED_AT_ONCE = 1 << 26  # bytes: how long Ctrl-C waits


_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_SIGNS = (ValueError, TypeError, KeyError, SyntaxError, tokenize.TokenError, RecursionError)  # of numpy, for its heads


def read_entries(
    path: Path, wanted: Callable[[str], bool] = lambda _: True, *, map_long: bool = False
) -> dict[str, np.ndarray]:
    """The arrays of `path` by name, those that are `wanted`. Raises DamagedZip.

    With `map_long`, those of a megabyte and more that are not compressed are read-only views of the file. An array
    that numpy wrote may begin at an odd address: whoever needs it otherwise copies what it looks at.
    """
    with unzipping(), _opened(path, map_long) as file, zipfile.ZipFile(file) as archive:
        room = path.stat().st_size * _EXPANSION
        return {
            entry.filename.removesuffix(SUFFIX): _array(_content(archive, file, entry, room), entry)
            for entry in archive.infolist()
            if wanted(entry.filename.removesuffix(SUFFIX))
        }


def mapped(path: Path, start: int, n_bytes: int) -> np.ndarray:
    """(n_bytes,) uint8 of a file from `start` on, without reading them."""
    with pa.memory_map(os.fsencode(path)) as file:
        return _region(file, start, n_bytes)


def _opened(path: Path, map_it: bool) -> Any:
    return pa.memory_map(os.fsencode(path)) if map_it else path.open("rb")


def _region(file: pa.MemoryMappedFile, start: int, n_bytes: int) -> np.ndarray:
    """What is mapped stays so after the file is closed, and takes no file handle: there may be thousands of packs."""
    file.seek(start)
    return np.frombuffer(file.read_buffer(n_bytes), np.uint8)


def _content(archive: zipfile.ZipFile, file: Any, entry: zipfile.ZipInfo, room: int) -> np.ndarray:
    """(n_bytes,) uint8 of an entry, whose checksum is right; mapped where the file is, and the entry long."""
    is_stored = entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & 1
    if isinstance(file, pa.MemoryMappedFile) and is_stored and entry.file_size >= _LONG:
        return _mapped(file, entry)
    if not entry.file_size <= room:
        raise DamagedZip(f"{entry.filename} is said to have {entry.file_size} bytes")
    content = np.empty(entry.file_size, np.uint8)
    filled = 0
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            content[filled : filled + len(chunk)] = np.frombuffer(chunk, np.uint8)
            filled += len(chunk)
    if filled != len(content):
        raise DamagedZip(f"{entry.filename} ends after {filled} of {len(content)} bytes")
    return content


def _mapped(file: pa.MemoryMappedFile, entry: zipfile.ZipInfo) -> np.ndarray:
    file.seek(entry.header_offset)
    name, extra = struct.unpack("<4s22x2H", file.read(30))[1:]
    start, n_bytes = entry.header_offset + 30 + name + extra, entry.file_size
    there = min(entry.compress_size, file.size() - start)
    if there != n_bytes:
        raise DamagedZip(f"{entry.filename} ends after {there} of {n_bytes} bytes")
    content, checksum = _region(file, start, n_bytes), 0
    for at in range(0, n_bytes, _CHECKED_AT_ONCE):
        checksum = zlib.crc32(content[at : at + _CHECKED_AT_ONCE].data, checksum)
    if checksum != entry.CRC:
        raise DamagedZip(f"Bad CRC-32 for file {entry.filename!r}")
    return content


def _array(content: np.ndarray, entry: zipfile.ZipInfo) -> np.ndarray:
    """The array whose file is the content of an entry."""
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
