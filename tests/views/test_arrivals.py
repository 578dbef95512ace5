"""How many clips come in a day, from the dates in their names."""

from __future__ import annotations

import pytest

from asdcli.views.arrivals import clips_per_day


def names(per_day, form):
    return [form.format(day=day, i=i) for day, n in enumerate(per_day, start=1) for i in range(n)]


@pytest.mark.parametrize(
    "form",
    [
        "audio/2024-10-{day:02}T{i:02}-00-00",
        "audio/SMA01234_202410{day:02}_{i:02}3000",
        "audio/2024-10-{day:02}/clip_{i}",
        "audio/2024-01-01/2024_10_{day:02}_{i}",  # the file's own date, not the folder's
    ],
)
def test_the_median_of_the_whole_days_is_taken(form):
    assert clips_per_day(names([2, 24, 20, 24, 3], form)) == 24


@pytest.mark.parametrize(
    "clip_ids",
    [
        [],
        names([5, 5], "audio/2024-10-{day:02}_{i}"),  # no whole day
        [*names([5, 5, 5], "audio/2024-10-{day:02}_{i}"), "audio/extra"],  # one without a date
        ["train/section_00_source_train_normal_0000_vel_12"] * 9,
        [f"audio/20249{i}99" for i in range(9)],  # numbers, no dates
        [f"audio/1202410{i:02}7" for i in range(1, 9)],
    ],
)
def test_nothing_is_said_where_the_names_do_not_tell(clip_ids):
    assert clips_per_day(clip_ids) is None
