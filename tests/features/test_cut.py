"""Windows cut out of blocks are those of the whole clip, wherever the blocks end."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asdcli.features.windows import cut, part, starts


@given(
    n=st.integers(1, 200),
    window=st.integers(1, 60),
    hop=st.integers(1, 80),
    ends=st.lists(st.integers(1, 199), max_size=6),
)
def test_windows_of_blocks_are_those_of_the_whole(n: int, window: int, hop: int, ends: list[int]) -> None:
    samples = np.arange(n, dtype=np.int16)
    blocks = [block for block in np.split(samples, sorted(end for end in ends if end < n)) if len(block)]
    found = list(cut(iter(blocks), window, hop))
    expected = [samples[start : start + window] for start in starts(n, window, hop)]
    assert len(found) == len(expected) and all(map(np.array_equal, found, expected))


def test_the_last_window_ends_with_the_clip_and_a_short_clip_is_one() -> None:
    samples = np.arange(23, dtype=np.int16)
    assert [(w[0], w[-1]) for w in cut([samples], 10, 5)] == [(0, 9), (5, 14), (10, 19), (13, 22)]
    assert [(w[0], w[-1]) for w in cut([samples[:20]], 10, 5)] == [(0, 9), (5, 14), (10, 19)]
    assert [len(w) for w in cut([samples[:7]], 10, 5)] == [7]


@given(start=st.integers(0, 30), length=st.integers(0, 30), size=st.integers(1, 9))
def test_a_part_of_blocks_is_that_part(start: int, length: int, size: int) -> None:
    samples = np.arange(25, dtype=np.int16)
    blocks = (samples[i : i + size] for i in range(0, 25, size))
    assert np.array_equal(part(blocks, start, start + length), samples[start : start + length])
