"""Since when a band has moved: from when most recordings beside it show half of it."""

from __future__ import annotations

import numpy as np
import pytest

from asdcli.metrics.differing import Region
from asdcli.views.moved import _traced

REGION = Region(db=4.0, beyond=2.0, low_band=1, high_band=3, first=0, last=4, share=1.0)


@pytest.mark.parametrize(
    ("shown", "earlier", "told"),
    [
        ("....11111111", 8, (4, 12, 1.0)),  # it began before the recent ones
        ("....11101111", 8, (4, 12, 7 / 8)),  # one without it is none
        (".1..........11111111", 16, (12, 20, 1.0)),  # an early one by itself is none
        ("111111111111", 8, (0, 12, 1.0)),
        ("......111111......", 6, (6, 12, 1.0)),  # and it has gone again
        ("..........1.", 8, (8, 12, 1.0)),  # too few to be steady: as the region has it
        ("..11.11.....", 4, (2, 7, 4 / 5)),
    ],
)
def test_a_region_is_followed_back_to_where_it_began(shown: str, earlier: int, told: tuple[int, int, float]) -> None:
    difference = np.zeros((len(shown), 5))
    difference[[s == "1" for s in shown], 1:3] = 2.0  # half of it, which counts
    found = _traced(REGION, difference, earlier)
    assert (found.first, found.last) == told[:2] and found.share == pytest.approx(told[2])
    quieter = _traced(Region(-4.0, 2.0, 1, 3, 0, 4, 1.0), -difference, earlier)
    assert (quieter.first, quieter.last) == told[:2]
