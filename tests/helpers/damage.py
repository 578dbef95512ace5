"""A file that is not as it was written."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pyarrow.parquet as pq


def flip(path: Path) -> None:
    """Turn the bits of one byte in the middle of its largest piece of content (not of structure around it)."""
    content = bytearray(path.read_bytes())
    content[_middle(path, len(content))] ^= 0xFF
    path.write_bytes(content)


def _middle(path: Path, length: int) -> int:
    if path.suffix == ".parquet":
        group = pq.read_metadata(path).row_group(0)
        largest = max(map(group.column, range(group.num_columns)), key=lambda c: c.total_compressed_size)
        start = largest.dictionary_page_offset or largest.data_page_offset
        return int(start + largest.total_compressed_size // 2)
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            arrays = [entry for entry in archive.infolist() if entry.filename != "asd.npy"]
        entry = max(arrays, key=lambda e: e.compress_size)
        name, extra = struct.unpack("<HH", path.read_bytes()[entry.header_offset + 26 :][:4])
        return int(entry.header_offset + 30 + name + extra + entry.compress_size - 1)
    return length * 3 // 4
