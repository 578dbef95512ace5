"""Where a spectrogram differs from those of normal clips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.metrics.differing import FEWEST, FLOOR_DB, differing

FRAME_S = 0.032


def noise(seed: int, frames: int = 120, bands: int = 64) -> np.ndarray:
    rng = np.random.default_rng([3, seed])
    return -30 + 4 * rng.standard_normal((frames, bands)) + 0.5 * rng.standard_normal(bands)


NORMALS = [noise(i) for i in range(10)]


def test_a_cell_is_held_against_median_and_mad_of_its_band_over_all_frames_of_the_normal_clips() -> None:
    normals = [np.array([[1.0, 7.0], [2.0, 7.0]]), np.array([[3.0, 7.0], [4.0, 7.0], [9.0, 7.0]])]
    found = differing(np.array([[6.0, 10.0]]), normals, FRAME_S)
    assert found.median.tolist() == [3.0, 7.0]
    assert found.spread == pytest.approx([1.4826 * 1.0, FLOOR_DB])  # |x - 3| are 2, 1, 0, 1, 6: their median is 1
    assert found.cells == pytest.approx(np.array([[3.0 / 1.4826, 3.0]]))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_band_that_is_12_db_off_from_a_frame_on_is_the_region(sign: int) -> None:
    clip = noise(50)
    clip[70:, 20:30] += sign * 12
    found = differing(clip, NORMALS, FRAME_S)
    (region,) = found.regions
    assert (region.low_band, region.high_band) == (20, 30)
    assert abs(region.first - 70) <= 2 and region.last >= 118 and region.share > 0.9
    assert region.db == pytest.approx(sign * 12, abs=1.0)
    assert region.beyond == found.largest > found.limit >= 1.0


def test_what_comes_and_goes_stands_out_for_a_share_of_its_time() -> None:
    clip = noise(51)
    for start in range(10, 110, 20):
        clip[start : start + 8, 40:50] += 20
    (region,) = differing(clip, NORMALS, FRAME_S).regions
    assert (region.low_band, region.high_band) == (40, 50)
    assert 0.25 < region.share < 0.6


def test_two_bands_far_apart_are_two_regions_and_the_edge_of_one_is_none() -> None:
    clip = noise(52)
    clip[:, 10:16] += 15
    clip[:, 16:19] += 4  # where the first runs out
    clip[:, 50:54] -= 10
    found = differing(clip, NORMALS, FRAME_S).regions
    assert sorted((r.low_band, r.high_band, r.db > 0) for r in found) == [(10, 16, True), (50, 54, False)]


def test_nothing_is_clear_of_a_normal_clip_or_beside_few() -> None:
    assert not differing(noise(53), NORMALS, FRAME_S).regions
    clip = noise(53) + 40
    few = differing(clip, NORMALS[: FEWEST - 1], FRAME_S)
    assert not few.regions and few.limit == np.inf and few.largest > 5
    assert differing(clip, NORMALS[:FEWEST], FRAME_S).regions


def test_a_single_frame_and_a_single_normal_clip_will_do() -> None:
    found = differing(NORMALS[0][:1], [NORMALS[1][:1]], FRAME_S)
    assert found.cells.shape == (1, 64) and not found.regions


@settings(max_examples=6)
@given(st.floats(-20, 20), st.integers(0, 1000))
def test_how_loud_everything_was_recorded_does_not_matter(gain_db: float, seed: int) -> None:
    clip = noise(seed)
    clip[30:, 5:9] += 9
    here, there = (differing(clip + g, [n + g for n in NORMALS], FRAME_S) for g in (0.0, gain_db))
    assert [(r.low_band, r.high_band, r.first, r.last) for r in here.regions] == [
        (r.low_band, r.high_band, r.first, r.last) for r in there.regions
    ]
    assert here.cells == pytest.approx(there.cells, abs=1e-6)
    assert here.limit == pytest.approx(there.limit)
