"""Benjamini and Hochberg's procedure: their own example, its definition, and its law."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asdcli.metrics.false_discovery import stand_out

EXAMPLE = (0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528)
"""Benjamini and Hochberg (1995), section 3.2, with 0.7590 and 1: at 0.05 the first four are rejected."""


def test_the_example_of_the_paper() -> None:
    p = np.array([*EXAMPLE, 0.7590, 1.0])
    assert stand_out(p, 0.05).nonzero()[0].tolist() == [0, 1, 2, 3]
    assert stand_out(p[::-1], 0.05).nonzero()[0].tolist() == [11, 12, 13, 14]


@given(st.lists(st.floats(1e-6, 1.0), max_size=30), st.floats(0.01, 0.5))
def test_it_is_what_its_definition_says(values: list[float], rate: float) -> None:
    p = np.array(values)
    m = len(p)
    ks = [k for k in range(1, m + 1) if sorted(values)[k - 1] <= rate * k / m]
    expected = set(np.argsort(p, kind="stable")[: max(ks)].tolist()) if ks else set()
    found = set(stand_out(p, rate).nonzero()[0].tolist())
    assert expected <= found and all(p[i] <= sorted(values)[max(ks) - 1] for i in found)


@given(st.floats(0.001, 0.5), st.integers(1, 20))
def test_nothing_is_singled_out_of_equal_p_values_above_the_rate(rate: float, n: int) -> None:
    assert not stand_out(np.full(n, min(rate * 1.01, 1.0)), rate).any()
    assert stand_out(np.full(n, rate), rate).all()
