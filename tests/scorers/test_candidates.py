"""Candidates of a search in float32: none that is nearest is missed, whatever the numbers; and by numpy as by torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.scorers import candidates
from asdcli.scorers.backends import backend
from asdcli.scorers.candidates import Form, Pairs, Rows

BACKENDS = [backend("cpu"), backend("torch:cpu")]


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Form, Pairs, int]:
    """Queries, rows, a form, pairs struck out, and how many are wanted: alike, twice the same, of any size."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_dims = draw(st.integers(20, 120)), draw(st.integers(1, 40))
    scale = 10.0 ** draw(st.sampled_from([-120, -45, -20, -3, 0, 4, 30, 100]))
    y = rng.standard_normal((n, n_dims))
    if draw(st.booleans()):  # near ties: float32 does not tell them apart
        y = y[rng.integers(0, 5, n)] + 1e-8 * y
    y[rng.integers(0, n, 5)] = y[0]
    if draw(st.booleans()):  # of all lengths, down to what float32 takes for zero
        y *= 10.0 ** rng.integers(-60, 1, (n, 1))
    x = np.concatenate([y[:4], rng.standard_normal((3, n_dims)), np.zeros((1, n_dims))])
    x, y = x * scale, y * scale
    weight = 10.0 ** rng.integers(-6, 7, n) if draw(st.booleans()) else 2.0
    offset = (y * y).sum(axis=1) if draw(st.booleans()) else rng.standard_normal(n)
    pairs = np.unique(np.stack([rng.integers(0, len(x), 30), rng.integers(0, n, 30)], axis=1), axis=0)
    slack = draw(st.sampled_from([0.0, 1e-14])) * float(np.abs(offset).max())
    return x, y, Form(weight, offset, slack), Pairs(*pairs.T), draw(st.integers(1, 5))


@pytest.mark.parametrize("where", BACKENDS)
@settings(max_examples=60, deadline=None)
@given(problem=problems(), width=st.sampled_from([16, 50, 2048]))
def test_no_neighbour_is_missed_among_near_ties_duplicates_and_any_scale(
    where: candidates.Backend, problem: tuple[np.ndarray, np.ndarray, Form, Pairs, int], width: int
) -> None:
    x, y, form, struck, m = problem
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "TILE", width)
        rows = Rows(y, form, float(np.linalg.norm(x, axis=1).max()), where)
        found = rows.candidates(x, m, struck) if rows.usable else None
    assert found is not None
    exact = np.asarray(form.offset, np.longdouble) - form.weight * (x.astype(np.longdouble) @ y.astype(np.longdouble).T)
    exact[struck.query, struck.row] = np.inf
    furthest = np.sort(exact, axis=1)[:, [m - 1]]
    wanted = set(zip(*np.nonzero(exact <= furthest + 2 * form.slack), strict=True))
    assert wanted <= set(zip(*found, strict=True))
    assert not set(zip(struck.query, struck.row, strict=True)) & set(zip(*found, strict=True))
    assert (np.lexsort(found[::-1]) == np.arange(len(found[0]))).all()


def test_what_float32_cannot_tell_apart_is_kept_and_what_it_can_is_not() -> None:
    # <x, y> of x = (0.6, 0.8) is 0.6, 0.6 + 8e-10, 0.6008, 0 and -0.6; the largest is the nearest
    y = np.array([[1.0, 0.0], [1.0, 1e-9], [1.0, 1e-3], [0.0, 0.0], [-1.0, 0.0]])
    rows = Rows(y, Form(1.0, 0.0, 0.0), 1.0, backend("cpu"))
    for struck, expected in (([], [2]), ([2], [0, 1]), ([0, 1, 2], [3])):
        pairs = Pairs(np.zeros(len(struck), int), np.array(struck, int))
        _, row = rows.candidates(np.array([[0.6, 0.8]]), 1, pairs)
        assert row.tolist() == expected


def test_a_query_with_fewer_rows_than_wanted_and_one_to_which_all_are_alike_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    y = np.ones((50, 2))
    rows = Rows(y, Form(1.0, 0.0, 0.0), 2.0, backend("cpu"))
    all_but_one = Pairs(np.zeros(49, int), np.arange(49))
    assert rows.candidates(y[:1], 1, all_but_one)[1].tolist() == [49]
    assert rows.candidates(y[:1], 2, all_but_one) is None
    assert len(rows.candidates(y[:1], 2, Pairs(*np.empty((2, 0), int)))[1]) == 50
    monkeypatch.setattr(candidates, "_MOST", 100)
    assert len(rows.candidates(y[:1], 1, Pairs(*np.empty((2, 0), int)))[1]) == 50
    many = Rows(np.ones((200, 2)), Form(1.0, 0.0, 0.0), 2.0, backend("cpu"))
    assert many.candidates(y[:1], 1, all_but_one) is None


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e300, 1e-300])
def test_numbers_at_the_end_of_float64_are_left_to_it(number: float) -> None:
    with np.errstate(all="ignore"):
        assert not Rows(np.full((3, 2), number), Form(2.0, 0.0, 0.0), 1.0, backend("cpu")).usable
        assert not Rows(np.ones((3, 2)), Form(number, 0.0, 0.0), 1.0, backend("cpu")).usable
        assert not Rows(np.ones((3, 2)), Form(2.0, 0.0, 0.0), number, backend("cpu")).usable


def test_torch_makes_its_products_in_whole_float32_whatever_was_allowed_before() -> None:
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        where = backend("torch:cpu")
        x, y = (
            np.random.default_rng(0).standard_normal(shape).astype(np.float32) for shape in ((300, 400), (400, 300))
        )
        place, low = where.product(where.put(x), where.put(y)).below(np.full(300, np.inf, np.float32))
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    np.testing.assert_allclose(low.reshape(300, 300), x.astype(float) @ y, rtol=0, atol=1e-4)
    assert (place == np.arange(90_000)).all()
