"""Digests: of a table, whatever was digested before it; of arrays, in one stream or, of long ones, block by block."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli import artifacts
from asdcli.artifacts import FEATURES, Header, digest
from asdcli.artifacts.blocks import BLOCK
from asdcli.artifacts.digest import are_arrays_of, digest_arrays, digest_table
from asdcli.errors import BadArtifact

texts = st.lists(st.sampled_from(["a", "b", "", None]), min_size=2, max_size=2).map(lambda v: pa.array(v, pa.string()))
words = st.lists(st.sampled_from(["a", None]), min_size=2, max_size=2).map(lambda v: pa.array(v, pa.large_string()))
counts = st.lists(st.sampled_from([0, 1, None]), min_size=2, max_size=2).map(lambda v: pa.array(v, pa.int64()))
reals = st.lists(st.sampled_from([0.0, -0.0, 1.0, float("nan"), None]), min_size=2, max_size=2).map(
    lambda v: pa.array(v, pa.float64())
)
maps = st.lists(st.sampled_from([[], [("k", "v")], [("k", None)], None]), min_size=2, max_size=2).map(
    lambda v: pa.array(v, pa.map_(pa.string(), pa.string()))
)
columns = st.tuples(st.sampled_from("xy"), st.one_of(texts, words, counts, reals, maps))
tables = st.lists(columns, min_size=1, max_size=4).map(
    lambda given: pa.table([array for _, array in given], names=[f"{name}{i}" for i, (name, _) in enumerate(given)])
)


def alone(table: pa.Table) -> str:
    """The digest where nothing was digested before."""
    digest._last = pa.table({}), []
    return digest_table(table)


@given(st.lists(tables, min_size=2, max_size=4))
def test_what_was_digested_before_makes_no_difference(several: list[pa.Table]) -> None:
    expected = [alone(table) for table in several]
    alone(several[0])
    assert [digest_table(table) for table in several] == expected


def test_a_column_in_common_is_taken_in_once_and_zeros_of_another_sign_are_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fed: list[pa.DataType] = []
    feed = digest._feed
    labels = pa.array(["a", "b"])
    zeros, others = (pa.table({"label": labels, "score": pa.array([zero, 1.0])}) for zero in (0.0, -0.0))
    expected = alone(others)
    monkeypatch.setattr(digest, "_feed", lambda state, kind, chunks: (fed.append(kind), feed(state, kind, chunks)))
    assert alone(zeros) != expected
    assert digest_table(others) == expected
    assert fed == [pa.string(), pa.float64(), pa.float64()]


def of_bytes(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def test_of_a_long_array_the_digests_of_its_blocks_are_digested() -> None:
    long = np.random.default_rng(0).integers(0, 255, 2 * BLOCK + 3, dtype=np.uint8)
    short = np.arange(3)
    blocks = [long[at : at + BLOCK].tobytes() for at in range(0, len(long), BLOCK)]
    head = b"a|<i8|(3,)|" + short.tobytes() + f"b||u1|({len(long)},)|blocks of {BLOCK}|".encode()
    by_hand = of_bytes(head + b"".join(map(of_bytes, blocks))).hex()
    assert digest_arrays({"b": long, "a": short}) == by_hand
    assert digest_arrays({"b": long, "a": short}, {"b": b"".join(map(of_bytes, blocks))}) == by_hand
    for other in (long[::-1], long[:-1], np.append(long, np.uint8(0)), np.roll(long, BLOCK), long.reshape(1, -1)):
        assert digest_arrays({"b": other, "a": short}) != by_hand


def test_an_array_of_one_block_is_digested_in_one_stream() -> None:
    block = np.zeros(BLOCK, np.uint8)
    assert digest_arrays({"b": block}) == of_bytes(f"b||u1|({BLOCK},)|".encode() + block.tobytes()).hex()


def test_a_file_whose_long_array_was_digested_in_one_stream_is_whole(tmp_path: Path) -> None:
    long = np.arange(BLOCK, dtype=np.int16)
    said = of_bytes(f"b|<i2|({BLOCK},)|".encode() + long.tobytes()).hex()
    assert are_arrays_of(said, {"b": long}) and digest_arrays({"b": long}) != said
    assert not are_arrays_of(said, {"b": long + np.int16(1)})
    header = Header.make(FEATURES, dataset="toy").with_content(said)
    with (tmp_path / "old.npz").open("wb") as file:
        np.savez(file, asd=np.frombuffer(header.to_json().encode(), np.uint8), b=long)
    assert artifacts.read_arrays(tmp_path / "old.npz", FEATURES)[1].content == said
    with (tmp_path / "forged.npz").open("wb") as file:
        np.savez(file, asd=np.frombuffer(header.to_json().encode(), np.uint8), b=long + np.int16(1))
    with pytest.raises(BadArtifact, match="not those that its header speaks of"):
        artifacts.read_arrays(tmp_path / "forged.npz", FEATURES)
