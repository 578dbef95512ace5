"""An npz artifact whose one long array is written while it is made, so that it is never in memory whole.

The long array is the first entry, and its values begin at a multiple of 64 bytes, so that they can be mapped. Its
length, and with it the checksum of the entry, is put into its place at the end.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asdcli.artifacts.arrays import KEY
from asdcli.artifacts.blocks import BlockDigests
from asdcli.artifacts.checksums import joined
from asdcli.artifacts.digest import digest_arrays
from asdcli.artifacts.header import Header
from asdcli.artifacts.npz import SUFFIX, mapped
from asdcli.writing.whole import draft

_ALIGNMENT = 64
_SAVED_AT_ONCE = 32 << 20  # bytes that may wait for the disk
_PADDING = 0xD935  # the extra field of a zip that aligns what follows it


class GrowingArrays:
    """The file while it grows. `append` what comes, then `finish`; without, nothing is kept.

    Args:
        path: where it is written; there is no file before there is something to write.
        name: of the long array.
        dtype: of its values.
    """

    def __init__(self, path: Path, name: str, dtype: np.dtype) -> None:
        self._path, self._name, self._dtype = path, name, dtype
        self._info = _aligned(name + SUFFIX)
        self._begin = len(self._info.FileHeader(zip64=True))
        self._n = 0
        self._disk = ThreadPoolExecutor(1)
        self._saving: Future[None] | None = None
        self._unsaved = 0
        self._digests = BlockDigests(checksum=True)
        self.is_finished = False

    @functools.cached_property
    def _file(self) -> BinaryIO:
        file = self._path.open("w+b")
        file.seek(self._begin + len(self._head()))
        return file

    def append(self, values: np.ndarray) -> None:
        """More values, (n,) of the array's dtype, that stay as they are."""
        content = np.ascontiguousarray(values, self._dtype).view(np.uint8).data
        self._digests.add(content)
        self._file.write(content)
        self._n += len(values)
        self._unsaved += content.nbytes
        if self._unsaved >= _SAVED_AT_ONCE:
            self._saved_up_to_here()

    def values(self) -> np.ndarray:
        """(n,) all that was appended, mapped; nothing may be appended any more."""
        self._file.flush()
        return mapped(self._path, self._begin + len(self._head()), self._n * self._dtype.itemsize).view(self._dtype)

    def finish(self, arrays: Mapping[str, np.ndarray], header: Header) -> Header:
        """Write all else and return the header with its content digest.

        Args:
            arrays: all of the artifact by name, the long one, if there is one, as `values` gave it.
            header: what the artifact says of itself.
        """
        rest = {name: array for name, array in arrays.items() if not (name == self._name and self._n)}
        on_disk = self._saved_up_to_here()  # while the digest is computed
        header = header.with_content(digest_arrays(arrays, {self._name: self._digests.finish()}))
        on_disk.result()
        self._file.seek(0)
        with zipfile.ZipFile(self._file, "w") as archive:
            if len(rest) < len(arrays):
                self._close_entry(archive)
            for name, array in {KEY: np.frombuffer(header.to_json().encode(), np.uint8), **rest}.items():
                with archive.open(name + SUFFIX, "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
        self.is_finished = True
        return header

    def close(self) -> None:
        """Close the file, if there is one, and end the threads."""
        self._digests.close()
        self._disk.shutdown()
        if "_file" in vars(self):
            self._file.close()

    def _saved_up_to_here(self) -> Future[None]:
        """Bring what was written to the disk beside other work. Raises OSError where the last time failed."""
        self._file.flush()
        if self._saving:
            self._saving.result()  # the system tells once what went wrong
        self._saving, self._unsaved = self._disk.submit(os.fsync, self._file.fileno()), 0
        return self._saving

    def _close_entry(self, archive: zipfile.ZipFile) -> None:
        """Put head and checksum of the long array into their places, and go on behind it."""
        info, head, n_bytes = self._info, self._head(), self._n * self._dtype.itemsize
        info.CRC = joined(zlib.crc32(head), self._digests.checksum, n_bytes)
        info.file_size = info.compress_size = len(head) + n_bytes
        self._file.seek(0)
        self._file.write(info.FileHeader(zip64=True) + head)
        info.header_offset, info.extra = 0, b""
        archive.filelist.append(info)
        archive.NameToInfo[info.filename] = info
        archive.start_dir = self._begin + info.file_size

    def _head(self) -> bytes:
        """What numpy writes before the values; it leaves room for a longer array, so all heads have one length."""
        head = io.BytesIO()
        shape = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": (self._n,)}
        np.lib.format.write_array_header_1_0(head, shape)
        return head.getvalue()


@contextlib.contextmanager
def growing_arrays(path: Path, name: str, dtype: type) -> Iterator[GrowingArrays]:
    """Write an npz artifact to `path` whole or not at all, its array `name` of (n,) `dtype` while it is made.

    What was there stays where the block ends without `finish`.
    """
    with draft(path) as temporary:
        growing = GrowingArrays(temporary.path, name, np.dtype(dtype))
        try:
            yield growing
        finally:
            growing.close()
        if growing.is_finished:
            temporary.keep()


def _aligned(name: str) -> zipfile.ZipInfo:
    """An entry, stored as it is, whose content begins at a multiple of the alignment."""
    info = zipfile.ZipInfo(name)
    info.CRC = info.file_size = info.compress_size = 0
    info.external_attr = 0o600 << 16  # as numpy has it
    fields = 4 + 2
    padding = -(len(info.FileHeader(zip64=True)) + fields) % _ALIGNMENT
    words = (_PADDING, 2 + padding, _ALIGNMENT)
    info.extra = b"".join(word.to_bytes(2, "little") for word in words) + bytes(padding)
    return info
