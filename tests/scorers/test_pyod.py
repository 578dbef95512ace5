"""`pyod`: detectors of PyOD by name, seeded, kept without a pickle, and named where they are not there."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from asdcli.errors import AsdError, BadData, UsageError
from asdcli.scorers import SCORERS, Fitted, pyod_registry
from asdcli.scorers import pyod_detectors as ours
from asdcli.scorers.pyod_registry import MODULES, PYOD
from tests.scorers.test_fitted import make_unit, through_a_file

pytest.importorskip("pyod")


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("pyod", "pyod:detector=IForest"),
        ("pyod:IForest", "pyod:detector=IForest"),
        ("pyod:IForest,n_estimators=200", "pyod:detector=IForest,n_estimators=200"),
        ("pyod:IForest,n_estimators=100", "pyod:detector=IForest"),
        ("pyod:detector=KNN,method=mean", "pyod:detector=KNN,method=mean"),
    ],
)
def test_a_detector_is_typed_by_its_name_and_its_parameters(typed: str, canonical: str) -> None:
    assert SCORERS.canonical(typed) == canonical
    assert SCORERS.spell(SCORERS.build(typed)) == canonical and SCORERS.build(canonical) == SCORERS.build(typed)


def test_new_clips_have_the_decision_function_and_training_clips_what_they_were_fitted_with() -> None:
    from pyod.models.iforest import IForest
    from pyod.models.knn import KNN

    unit = make_unit(windows=3)
    seed = unit.seed_for("pyod")
    pairs = {
        "pyod:IForest,n_estimators=20": IForest(n_estimators=20, random_state=seed),
        "pyod:KNN,n_neighbors=3,method=mean": KNN(n_neighbors=3, method="mean"),
    }
    for spelling, theirs in pairs.items():
        theirs.fit(unit.train.raw)
        fitted = SCORERS.build(spelling).fit(unit)
        np.testing.assert_array_equal(fitted.score(unit.test), theirs.decision_function(unit.test.raw))
        np.testing.assert_array_equal(fitted.score(unit.train), theirs.decision_scores_)
        some = np.array([9, 10, 11, 2])  # the third window of clip 0 alone is taken for its first
        np.testing.assert_array_equal(fitted.score(unit.train.take(some[:3])), theirs.decision_scores_[some[:3]])
        assert fitted.score(unit.train.take(some))[3] == theirs.decision_scores_[0]


QUICK = ("GMM", "IForest", "KNN", "KPCA", "LODA", "LOF", "MCD", "OCSVM", "PCA", "Sampling")
"""The others compile for seconds before they do anything."""


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in MODULES])
def test_every_detector_scores_alone_as_in_company_and_again_from_its_arrays(name: str) -> None:
    unit = make_unit()
    scorer = SCORERS.build(f"pyod:{name}")
    fitted = scorer.fit(unit)
    scores = fitted.score(unit.test)
    assert np.isfinite(scores).all() and np.isfinite(fitted.score(unit.train)).all()
    alone = fitted.score(unit.test.take(np.array([4])))
    np.testing.assert_allclose(alone, scores[4:5], rtol=1e-9, atol=1e-12)
    state = through_a_file(fitted.state())
    assert set(state) == {"seed", "reference.windows", "reference.chosen", "reference.made", "reference.parents"}
    ours._fitted.cache_clear()
    again = Fitted.from_state(scorer, state, unit.train.take)
    np.testing.assert_array_equal(again.score(unit.test), scores)


def test_the_seed_reaches_the_detector() -> None:
    unit = make_unit()
    one, same, other = (
        SCORERS.build("pyod").fit(u).score(unit.test) for u in (unit, make_unit(), replace(unit, seed=4))
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize(
    ("spelling", "words"),
    [
        ("pyod:IForrest", "did you mean 'IForest'"),
        ("pyod:ECOD", "unknown detector of pyod 'ECOD'"),
        ("pyod:IForest,trees=3", "has no parameter 'trees'"),
        ("pyod:IForest,random_state=3", "has no parameter 'random_state'"),
        ("pyod:IForest,detector=KNN", "stands twice"),
    ],
)
def test_a_wrong_detector_is_refused_with_a_hint(spelling: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        SCORERS.build(spelling)
    assert words in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    "spelling", ["pyod:KNN,n_neighbors=99", "pyod:KNN,n_neighbors=x", "pyod:IForest,max_samples=-1"]
)
def test_what_a_detector_cannot_be_fitted_with_is_told_with_the_machine(spelling: str) -> None:
    with pytest.raises(BadData, match=r"fan: .* of pyod cannot be fitted on 35 training windows: "):
        SCORERS.build(spelling).fit(make_unit())


def test_without_pyod_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pyod_registry._parameters.cache_clear()
    monkeypatch.setitem(sys.modules, "pyod.models.iforest", None)
    for module in [name for name in sys.modules if name == "pyod" or name.startswith("pyod.")]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(AsdError, match="IForest is a detector of pyod, which is not installed") as error:
        SCORERS.build("pyod:IForest")
    assert error.value.hint == "install it beside asd: pip install 'asdcli[pyod]'"
    assert PYOD.names() == list(MODULES)  # known without it
