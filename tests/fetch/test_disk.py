"""What a refusal of the disk is, and what only looks like one."""

from __future__ import annotations

import bz2
import errno
from pathlib import Path

import pytest

from asdcli.fetch.disk import DiskError, guard_disk


def test_bytes_that_cannot_be_unpacked_are_no_refusal_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Invalid data stream") as caught, guard_disk(tmp_path):
        bz2.decompress(b"BZh9" + bytes(40))
    assert caught.type is OSError


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "is full"), (errno.EACCES, "cannot write")]
)
def test_a_refusal_is_told_with_its_place(tmp_path: Path, number: int, said: str) -> None:
    with pytest.raises(DiskError, match=said) as caught, guard_disk(tmp_path / "there"):
        raise OSError(number, "no")
    assert str(tmp_path / "there") in caught.value.message
