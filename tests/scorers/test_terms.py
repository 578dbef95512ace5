"""What a score is the minimum of is what its method says it is."""

from __future__ import annotations

import numpy as np
import pytest

from asdcli.scorers import SCORERS
from asdcli.scorers.terms import terms
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors

DIVIDING = ("rescale:k=4", "rescale:k=4,metric=euclidean")
"""Methods that take nothing off a distance."""
MEASURES = {"varmin:k=4,val=train-all,space=log": "ln D", "rescale:k=4,metric=euclidean": "sqrt D"}


def unit(n: int = 40) -> UnitVectors:
    rng = np.random.default_rng(4)
    train, test = (
        Vectors.of(rng.normal(size=(2 * k, 8)), first + np.arange(2 * k) // 2) for k, first in ((n, 0), (6, n))
    )
    return UnitVectors("fan", train, test, np.arange(2 * n) >= 2 * n - 8)


@pytest.mark.parametrize(
    "spelling",
    [
        "varmin:k=4,val=train-all",
        "varmin:k=4,val=train-all,loo=loose",
        "varmin:k=4,val=train-all,space=log",
        "varmin:k=4,val=train-all,winsorise=0.5",
        "rescale:k=4",
        "rescale:k=4,form=difference",
        "rescale:k=4,metric=euclidean",
    ],
)
def test_the_least_of_the_adjusted_is_the_score_of_new_and_of_training_windows(spelling: str) -> None:
    own = unit()
    fitted = SCORERS.build(spelling).fit(own)
    for windows in (own.test, own.train):
        found = terms(fitted, windows)
        assert found is not None
        assert np.array_equal(found.adjusted.min(axis=1), fitted.score(windows))
        if found.taken_off is not None:
            finite = np.isfinite(found.distance)
            off = found.distance[finite] - found.adjusted[finite]
            assert off == pytest.approx(found.taken_off[finite], abs=1e-12)
            assert found.alpha == pytest.approx(float(fitted.learnt.get("alpha", 1.0)))
        assert (found.taken_off is None) == (spelling in DIVIDING)
        assert found.measure == MEASURES.get(spelling, "D")


def test_a_method_without_terms_and_a_single_clip_have_none() -> None:
    own = unit()
    assert terms(SCORERS.build("nn").fit(own), own.test) is None
    alone = UnitVectors("fan", own.train.take(np.arange(2)), own.test, np.zeros(2, bool))
    for spelling in ("varmin:k=4,val=train-all", "rescale:k=4"):
        assert terms(SCORERS.build(spelling).fit(alone), own.test) is None
