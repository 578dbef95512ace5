"""Reference sets: blocks of work, and the order and owners of their rows."""

from __future__ import annotations

import numpy as np
import pytest

from asdcli.scorers import SCORERS, distances
from asdcli.scorers.reference import Reference
from asdcli.scorers.vectors import Vectors
from tests.scorers.test_fitted import make_unit


@pytest.mark.parametrize("spelling", ["nn:k=3", "rescale:k=4", "varmin:k=4", "kmeans:clusters=3", "smote:ratio=0.9"])
def test_how_work_is_cut_into_blocks_changes_no_score(spelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unit, blocks = make_unit(n_source=140, n_target=20), []
    whole = SCORERS.build(spelling).fit(unit).score(unit.train)
    monkeypatch.setattr(distances, "_BLOCK", 1)
    again = make_unit(n_source=140, n_target=20)
    blocks = again.reference._blocks(again.train)
    cut = SCORERS.build(spelling).fit(again).score(again.train)
    assert len(blocks) == 3
    np.testing.assert_allclose(cut, whole, rtol=1e-9, atol=1e-12)  # other shapes of products, other last bits


def test_a_reference_set_keeps_the_order_that_was_chosen() -> None:
    train = Vectors(np.eye(3), np.array([7, 8, 9]))
    made = np.array([[0.0, 0.6, 0.8], [0.6, 0.0, 0.8]])
    found = Reference(train, np.array([-2, 2, -1, 0]), made, np.array([[1, 2], [0, 2]]))
    np.testing.assert_array_equal(found.rows.x, [made[1], train.x[2], made[0], train.x[0]])
    assert found.rows.clip.tolist() == [-2, 9, -1, 7]
    assert found.owners.tolist() == [[-2, 7, 9], [9, 9, 9], [-1, 8, 9], [7, 7, 7]]
    again = Reference.from_state(found.state(), train.take)
    np.testing.assert_array_equal(again.rows.x, found.rows.x)
    assert (again.owners == found.owners).all()
    assert found.state()["windows"].tolist() == [0, 1, 2]


def test_each_window_of_a_training_clip_is_the_row_with_as_many_of_its_clip_before_it() -> None:
    """Of many, which sorting by a method that is not stable would mix up; by plain loops."""
    rng = np.random.default_rng(0)
    train = Vectors(rng.standard_normal((400, 3)), rng.integers(0, 9, 400))
    rows = Reference(train).rows
    queries = Vectors(rng.standard_normal((500, 3)), rng.integers(-1, 12, 500))
    seen: dict[int, int] = {}
    wanted = []
    for clip in queries.clip.tolist():
        own = np.flatnonzero(rows.clip == clip)
        nth = seen[clip] = seen.get(clip, -1) + 1
        wanted.append(own[nth] if nth < len(own) else -1)
    assert Reference(train).places(queries).tolist() == wanted
    assert -1 in wanted and max(wanted) > 300
