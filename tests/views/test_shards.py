"""How clips are dealt out to shards: by hand, and laws that hold for any dataset and any number of shards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.errors import UsageError
from asdcli.views.shards import Piece, Shard, cut

SIZES = st.lists(st.integers(0, 40), min_size=1, max_size=12).map(lambda ns: {f"m{i:02d}": n for i, n in enumerate(ns)})


def test_ten_clips_of_three_machine_types_in_three_shards() -> None:
    shards = cut({"fan": 4, "pump": 1, "valve": 5}, 3)
    assert shards == [
        [Piece("fan", 0, 3, 4)],
        [Piece("fan", 3, 4, 4), Piece("pump", 0, 1, 1), Piece("valve", 0, 1, 5)],
        [Piece("valve", 1, 5, 5)],
    ]
    assert [piece.is_whole for piece in shards[1]] == [False, True, False]


def test_cuts_fall_on_blocks_and_whole_machine_types_stay_whole_without_one() -> None:
    assert cut({"fan": 10}, 2, 4) == [[Piece("fan", 0, 4, 10)], [Piece("fan", 4, 10, 10)]]
    assert cut({"fan": 10, "pump": 2}, 2, None) == [[Piece("fan", 0, 10, 10)], [Piece("pump", 0, 2, 2)]]
    assert cut({"fan": 3}, 5, 64) == [[], [], [], [Piece("fan", 0, 3, 3)], []]


@given(SIZES, st.integers(1, 9), st.sampled_from([None, 1, 3, 64]))
def test_one_after_the_other_the_shards_are_the_whole(sizes: dict[str, int], n: int, block: int | None) -> None:
    shards = cut(sizes, n, block)
    clips = [(p.machine_type, clip) for pieces in shards for p in pieces for clip in range(p.start, p.stop)]
    assert clips == [(name, clip) for name, size in sizes.items() for clip in range(size)]
    assert len(shards) == n
    for piece in (piece for pieces in shards for piece in pieces):
        assert piece.start % (block or sizes[piece.machine_type]) == 0
        assert piece.stop % (block or sizes[piece.machine_type]) == 0 or piece.stop == sizes[piece.machine_type]


@given(SIZES, st.integers(1, 9))
def test_no_shard_has_more_than_a_clip_beyond_its_share(sizes: dict[str, int], n: int) -> None:
    share = sum(sizes.values()) / n
    assert all(abs(sum(map(len, pieces)) - share) < 1 for pieces in cut(sizes, n))
    assert sum(not piece.is_whole for pieces in cut(sizes, n) for piece in pieces) <= 2 * (n - 1)


@pytest.mark.parametrize("text", ["0/4", "5/4", "0/0", "2", "a/4", "1/4/2", "-1/4", " 1/4", "1/٤"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no shard") as error:
        Shard.of(text)
    assert "1/4" in (error.value.hint or "") or "first of four" in (error.value.hint or "")


def test_a_shard_is_written_as_it_was_typed() -> None:
    assert (str(Shard.of("02/4")), Shard.of("4/4").name) == ("2/4", "4-of-4")
