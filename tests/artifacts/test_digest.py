"""The digest of a table is that of the table alone, whatever was digested before it."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.artifacts import digest
from asdcli.artifacts.digest import digest_table

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
