"""Packs that are written while they are made, and read where they lie: the same arrays, checked as strictly."""

from __future__ import annotations

import errno
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli import artifacts
from asdcli.artifacts import FEATURES, Header, growing
from asdcli.artifacts.blocks import BLOCK
from asdcli.artifacts.checksums import joined
from asdcli.errors import BadArtifact

N = 700_000  # 1.4 MB: long enough to be mapped
HEADER = Header.make(FEATURES, dataset="toy", params={"machine_type": "fan"})


def arrays(n: int = N) -> dict[str, np.ndarray]:
    samples = np.random.default_rng(0).integers(-3000, 3000, n, dtype=np.int16)
    return {"samples": samples, "offsets": np.array([0, n]), "clip_id": np.array(["a"]), "sample_rate": np.int64(16000)}


def grown(path: Path, wanted: dict[str, np.ndarray], at: list[int]) -> Header:
    with artifacts.growing_arrays(path, "samples", np.int16) as file:
        for piece in np.split(wanted["samples"], at):
            file.append(piece)
        return file.finish({**wanted, "samples": file.values()}, HEADER)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_the_checksum_of_two_pieces_is_that_of_the_whole(one: bytes, other: bytes) -> None:
    assert joined(zlib.crc32(one), zlib.crc32(other), len(other)) == zlib.crc32(one + other)


@pytest.mark.parametrize("at", [[], [1], [0, 7, 400_001, N]])
@pytest.mark.parametrize("n", [N, BLOCK // 2, BLOCK // 2 + 1, BLOCK, 3 * BLOCK // 2 + 5])  # blocks: <1, 1, 2, 2, 4
def test_what_was_written_in_pieces_is_what_would_have_been_written_at_once(
    tmp_path: Path, n: int, at: list[int]
) -> None:
    wanted = arrays(n)
    header = grown(tmp_path / "grown.npz", wanted, at)
    assert header == artifacts.write_arrays(tmp_path / "whole.npz", wanted, HEADER)  # its digest too
    for found in (artifacts.read_arrays(tmp_path / "grown.npz", FEATURES)[0], np.load(tmp_path / "grown.npz")):
        for name, array in wanted.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype
    with zipfile.ZipFile(tmp_path / "grown.npz") as archive:
        assert archive.testzip() is None
    grown(tmp_path / "again.npz", wanted, [5])
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "grown.npz").read_bytes()


def test_arrays_without_a_long_one_are_written_too(tmp_path: Path) -> None:
    wanted = {"vectors": np.ones((3, 2), np.float32)}
    with artifacts.growing_arrays(tmp_path / "a.npz", "samples", np.int16) as file:
        file.finish(wanted, HEADER)
    found = artifacts.read_arrays(tmp_path / "a.npz", FEATURES)[0]
    np.testing.assert_array_equal(found["vectors"], wanted["vectors"])
    assert (tmp_path / "a.npz").read_bytes() == written(tmp_path / "b.npz", wanted)


def written(path: Path, wanted: dict[str, np.ndarray]) -> bytes:
    artifacts.write_arrays(path, wanted, HEADER)
    return path.read_bytes()


def test_what_is_not_finished_leaves_what_was_there(tmp_path: Path) -> None:
    before = written(tmp_path / "a.npz", arrays(10))
    with artifacts.growing_arrays(tmp_path / "a.npz", "samples", np.int16) as file:
        file.append(np.ones(9, np.int16))
    with pytest.raises(KeyError), artifacts.growing_arrays(tmp_path / "a.npz", "samples", np.int16) as file:
        file.append(np.ones(9, np.int16))
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    assert (tmp_path / "a.npz").read_bytes() == before


@pytest.mark.parametrize("write", [grown, lambda path, wanted, _: artifacts.write_arrays(path, wanted, HEADER)])
def test_long_arrays_are_views_of_the_file_whoever_wrote_it(tmp_path: Path, write: object) -> None:
    wanted = arrays()
    write(tmp_path / "a.npz", wanted, [3])  # type: ignore[operator]
    found, _ = artifacts.read_arrays(tmp_path / "a.npz", FEATURES, map_long=True)
    assert not found["samples"].flags.writeable and not found["samples"].flags.owndata
    assert found["offsets"].flags.writeable  # short: read
    artifacts.write_arrays(tmp_path / "a.npz", arrays(12), HEADER)  # another in its place changes nothing
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)


def test_a_file_that_was_written_so_is_mapped_where_every_processor_can_read_it(tmp_path: Path) -> None:
    grown(tmp_path / "a.npz", arrays(), [])
    samples = artifacts.read_arrays(tmp_path / "a.npz", FEATURES, map_long=True)[0]["samples"]
    assert samples.flags.aligned and samples.ctypes.data % 64 == 0


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
def test_a_changed_byte_of_a_view_is_refused_like_one_that_is_read(tmp_path: Path, share: float) -> None:
    grown(tmp_path / "a.npz", arrays(), [])
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[int(share * 2 * N)] ^= 4
    (tmp_path / "a.npz").write_bytes(content)
    said = []
    for mapped in (False, True):
        with pytest.raises(BadArtifact, match="is damaged") as error:
            artifacts.read_arrays(tmp_path / "a.npz", FEATURES, verify=False, map_long=mapped)
        said.append(str(error.value))
    assert said[0] == said[1]


def test_a_compressed_file_of_somebody_else_is_read_instead(tmp_path: Path) -> None:
    wanted = arrays()
    artifacts.write_arrays(tmp_path / "a.npz", wanted, HEADER)
    np.savez_compressed(tmp_path / "b.npz", **dict(np.load(tmp_path / "a.npz")))
    found, _ = artifacts.read_arrays(tmp_path / "b.npz", FEATURES, map_long=True)
    np.testing.assert_array_equal(found["samples"], wanted["samples"])


@pytest.mark.parametrize("time", [1, 2, 3])
def test_a_disk_that_fails_once_is_not_passed_over(tmp_path: Path, time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system says but once that what was written is lost, whichever time it is asked."""
    asked = []

    def fsync(_: int) -> None:
        asked.append(1)
        if len(asked) == time:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(growing, "_SAVED_AT_ONCE", 1)
    monkeypatch.setattr(growing.os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output error"):
        grown(tmp_path / "a.npz", arrays(10), [4])  # saved after each of two pieces, and at the end
    assert list(tmp_path.iterdir()) == []
