"""Few long recordings as many: how many stretches there are, where they begin and end, and when nothing is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.audio import Info
from asdcli.audio.parts import FilePart, split, whole_of
from asdcli.layouts import Recording
from asdcli.views.listing import table_of
from asdcli.views.stretches import cut, in_stretches, number_of, size_of, told

DAY = 86_400


def stretched(*seconds: float, least_s: float = 20.0, before: float | None = None) -> list[str]:
    infos = {f"{i}.wav": Info(round(s * 1_000), 1_000, 1) for i, s in enumerate(seconds)}
    read = [Recording(path, "fan") for path in infos]
    table = None
    if before is not None:
        table = table_of(
            [Recording("x@00:00:00-00:00:01.wav", "fan")], {"x@00:00:00-00:00:01.wav": Info(round(before), 1, 1)}, ""
        )
    found, of_path = in_stretches(read, infos, least_s, table)
    assert sum(info.n_samples for info in of_path.values()) == sum(info.n_samples for info in infos.values())
    return [one.path for one in found]


@pytest.mark.parametrize(
    ("seconds", "n"),
    [
        ([DAY], 144),  # ten minutes each
        ([DAY / 2, DAY / 2], 144),
        ([3600.0], 60),  # one minute each
        ([300.0], 10),  # ten in all
        ([60.0], 3),  # two windows each
        ([39.9], 1),
        ([40.0], 2),
        ([300.0, 35.0], 11),  # of 35 s there are no two
        ([3600.0, 10.0], 61),  # what is short is one
        ([300.0, 300.0, 300.0, 300.0], 20),
        ([DAY] * 5, 5),  # enough as they are
    ],
)
def test_there_are_ten_or_more_where_the_length_allows(seconds: list[float], n: int) -> None:
    assert len(stretched(*seconds)) == n


def test_none_is_shorter_than_two_windows_and_what_was_cut_before_is_cut_likewise() -> None:
    assert len(stretched(300.0, least_s=100.0)) == 3
    assert len(stretched(*[3600.0] * 6, before=600.0)) == 36


@given(st.integers(41_000, 10_000_000), st.integers(20, 600))
def test_they_follow_each_other_without_a_gap_and_are_as_long_as_each_other(n_samples: int, size: int) -> None:
    found = cut("day.wav", Info(n_samples, 1_000, 1), number_of(n_samples / 1_000, size))
    parts = [split_of(path) for path, _ in found]
    if len(parts) == 1:
        assert found == [("day.wav", Info(n_samples, 1_000, 1))]
        return
    assert parts[0].start_s == 0 and (parts[-1].end_s - 1) * 1_000 < n_samples <= parts[-1].end_s * 1_000
    assert [one.end_s for one in parts[:-1]] == [one.start_s for one in parts[1:]]
    lengths = [one.end_s - one.start_s for one in parts]
    assert (
        max(lengths) - min(lengths) <= 2
        and min(lengths) >= size - 1
        and sum(info.n_samples for _, info in found) == n_samples
    )


def split_of(path: str) -> FilePart:
    from pathlib import Path

    return split(Path(path))[1] or FilePart(0, 0)


def test_the_table_tells_of_them() -> None:
    infos = {"a/day.wav": Info(3_600, 1, 1), "a/x.wav": Info(10, 1, 1)}
    read, of_path = in_stretches([Recording(path, "fan") for path in infos], infos, 20.0)
    table = table_of(read, of_path, "audio/")
    assert table["clip_id"][0].as_py() == "audio/a/day@00:00:00-00:01:00"
    assert {whole_of(path) for path in table["path"].to_pylist()} == {"audio/a/day.wav", "audio/a/x.wav"}
    assert size_of(table, "fan") == 60.0 and size_of(table, "pump") is None
    (sentence,) = told(table)
    assert sentence.startswith(
        "1 long recording of fan is learned as 60 stretches of 1 min, each a recording of its own"
    )


@given(st.lists(st.integers(40, 50_000), min_size=1, max_size=4))
def test_what_was_cut_is_cut_so_again_whatever_came_beside_it(seconds: list[int]) -> None:
    infos = {f"{i}.wav": Info(s, 1, 1) for i, s in enumerate(seconds)}
    read = [Recording(path, "fan") for path in infos]
    first, of_path = in_stretches(read, infos, 20.0)
    table = table_of(first, of_path, "audio/")
    infos["x.wav"] = Info(123_456, 1, 1)
    again, _ = in_stretches([*read, Recording("x.wav", "fan")], infos, 20.0, table, "audio/")
    cut_before = {whole_of(one.path) for one in first if whole_of(one.path) != one.path}
    assert [one for one in again if whole_of(one.path) in cut_before] == [
        one for one in first if whole_of(one.path) in cut_before
    ]
