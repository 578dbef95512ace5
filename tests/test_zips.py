"""Zips that are damaged: one error, whatever the standard library raises for them."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from asdcli.errors import BadData, DownloadError
from asdcli.fetch import unzip
from asdcli.submission.package import opened
from asdcli.zips import DamagedZip, unzipping

NAME = "fan/train/a.wav"


def archive(held: bytes = bytes(range(256)) * 9, *, method: int | None = None, flags: int = 0) -> bytes:
    """A zip of one file; `method` and `flags` stand in its head and in the directory in place of the true ones."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(NAME, held)
    content = bytearray(out.getvalue())
    for head in (content.index(b"PK\3\4") + 6, content.index(b"PK\1\2") + 8):
        kept = struct.unpack_from("<H", content, head + 2)[0]
        struct.pack_into("<HH", content, head, flags, kept if method is None else method)
    return bytes(content)


ODD = {
    "of a method that nobody knows": archive(method=97),
    "bzip2 by its head alone": archive(method=zipfile.ZIP_BZIP2),
    "lzma by its head alone": archive(method=zipfile.ZIP_LZMA),
    "lzma of odd properties": archive(b"\t\x14\5\0" + b"\xff" * 200, method=zipfile.ZIP_LZMA),
    "deflated by its head alone": archive(method=zipfile.ZIP_DEFLATED),
    "encrypted": archive(flags=1),
    "patched": archive(flags=1 << 5),
    "cut": archive()[:-30],
    "of another name in the head": archive().replace(b"a.wav", b"b.wav", 1),
    "no zip": b"no zip at all",
    "empty": b"",
}


@pytest.mark.parametrize("what", ODD)
def test_every_damage_is_the_same_error_and_nothing_is_unpacked(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(ODD[what])
    with pytest.raises(DamagedZip), unzipping(), zipfile.ZipFile(path) as packed:
        packed.read(NAME)
    with pytest.raises(DownloadError, match=r"a\.zip is a damaged zip"):
        unzip(path, tmp_path / "raw", top="fan")
    assert not (tmp_path / "raw/fan").exists()


@pytest.mark.parametrize("what", ["bzip2 by its head alone", "lzma by its head alone", "encrypted", "cut"])
def test_a_damaged_package_is_refused_in_words(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(ODD[what].replace(NAME.encode(), b"task2/x/a.wav  "))
    with pytest.raises(BadData, match="cannot be read as a zip"), opened(path):
        pass
