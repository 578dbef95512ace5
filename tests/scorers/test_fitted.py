"""The protocol of scorers: what is learnt is data, and what a method does not say has a default."""

from __future__ import annotations

import inspect
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.cli import score
from asdcli.errors import BadData, UsageError
from asdcli.scorers import PAPER, SCORERS, Fitted, own_unit, scorers_of, takes
from asdcli.scorers.residuals import Residuals
from asdcli.scorers.rules import told
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors, unit_norm
from asdcli.vocabulary import Domain, Unit
from tests.helpers.heard import Heard
from tests.stages.test_score import make_rows, scores_of

# What documentation shows as a whole scorer.


@dataclass(frozen=True)
class Centre:
    """A(x) = |x - mu|, mu the mean of the unit's training windows."""

    def fit(self, unit: UnitVectors) -> Fitted:
        return Fitted(self, {"mean": unit.train.raw.mean(axis=0)})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        return np.linalg.norm(windows.raw - learnt["mean"], axis=1)


@dataclass(frozen=True)
class Told(Centre):
    """The same, with a rule that has no text."""

    def fit(self, unit: UnitVectors) -> Fitted:
        return Fitted(self, {"mean": unit.train.raw.mean(axis=0)}, {"rules": ["a rule of mine"]})


@dataclass(frozen=True)
class Nonsense(Centre):
    """Scores that are no numbers."""

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        return np.where(np.arange(len(windows)) == 3, np.nan, 1.0)


EMBEDDINGS = (
    "nn",
    "nn:k=3",
    "kmeans:clusters=4",
    "kmeans:clusters=4,renormalise=false",
    "smote:ratio=0.7,k=3",
    "smote",
    "rescale:k=4",
    "rescale:k=4,metric=euclidean",
    "rescale:k=4,form=difference",
    "varmin:k=4,val=train-all",
    "varmin:k=4,val=test-all,loo=loose",
    "varmin:k=4,space=log,winsorise=0.8",
    "varmin:k=4,alpha=2",
    "gmm:clusters=2",
    "gmm:clusters=1,data=source",
    "mahalanobis",
)


def make_unit(n_source: int = 30, n_target: int = 5, windows: int = 1, seed: int = 0) -> UnitVectors:
    rng = np.random.default_rng(seed)
    n_train, n = n_source + n_target, n_source + n_target + 12
    raw = np.repeat(rng.standard_normal((n, 1, 6)) + 1, windows, axis=1) + 0.3 * rng.standard_normal((n, windows, 6))
    raw = raw.astype(np.float32).reshape(-1, 6)
    clip = np.repeat(np.arange(n), windows)
    every = Vectors(unit_norm(raw), clip, np.linalg.norm(raw.astype(float), axis=1))
    train = clip < n_train
    return UnitVectors("fan", every.take(train), every.take(~train), clip[train] >= n_source, seed=3)


def through_a_file(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.mark.parametrize("spelling", EMBEDDINGS)
@pytest.mark.parametrize("windows", [1, 3])
def test_what_was_learnt_scores_from_its_arrays_as_before_to_the_bit(spelling: str, windows: int) -> None:
    unit = make_unit(windows=windows)
    scorer = SCORERS.build(spelling)
    fitted = scorer.fit(unit)
    again = Fitted.from_state(scorer, through_a_file(fitted.state()), unit.train.take)
    for queries in (unit.train, unit.test):
        np.testing.assert_array_equal(again.score(queries), fitted.score(queries))
    for name, array in again.state().items():
        if name != "reference.windows":  # it counts in the windows that it was given
            np.testing.assert_array_equal(array, fitted.state()[name])


@pytest.mark.parametrize("spelling", ["rescale:k=4", "varmin:k=4", "rescale:k=4,metric=euclidean"])
def test_a_single_reference_is_kept_too(spelling: str) -> None:
    unit = make_unit(n_source=1, n_target=0)
    fitted = SCORERS.build(spelling).fit(unit)
    again = Fitted.from_state(fitted.scorer, through_a_file(fitted.state()), unit.train.take)
    np.testing.assert_array_equal(again.score(unit.test), fitted.score(unit.test))
    assert np.isinf(again.score(unit.train)).all()


@pytest.mark.parametrize("spelling", ["mse", "selective-mahalanobis", "selective-mahalanobis:mode=per-frame"])
@pytest.mark.parametrize("n_target", [0, 3])
def test_scorers_of_residuals_are_kept_too(spelling: str, n_target: int) -> None:
    rng = np.random.default_rng(0)
    residuals = [rng.standard_normal((40, 5, 6)).astype(np.float32) for _ in range(12)]
    training = Residuals(6, 480)
    for i, one in enumerate(residuals):
        training.add(one, Domain.TARGET if i < n_target else Domain.SOURCE)
    fitted = SCORERS.build(spelling).fit(training)
    again = Fitted.from_state(fitted.scorer, through_a_file(fitted.state()), lambda _: pytest.fail("no windows here"))
    np.testing.assert_array_equal(again.score(residuals), fitted.score(residuals))


def test_what_comes_out_of_a_state_is_what_went_in_and_nothing_else() -> None:
    for spelling in ("nn", "varmin:k=4", "mahalanobis"):
        fitted = SCORERS.build(spelling).fit(make_unit())
        assert set(Fitted.from_state(fitted.scorer, fitted.state(), make_unit().train.take).learnt) == set(
            fitted.learnt
        )


def test_a_state_names_only_the_training_windows_that_it_needs() -> None:
    unit = make_unit()
    of = {s: SCORERS.build(s).fit(unit).state() for s in ("nn", "kmeans:clusters=4", "mahalanobis")}
    assert of["nn"]["reference.windows"].tolist() == list(range(35))
    assert of["kmeans:clusters=4"]["reference.windows"].tolist() == [30, 31, 32, 33, 34]
    assert of["kmeans:clusters=4"]["reference.chosen"].tolist() == [-1, -2, -3, -4, 0, 1, 2, 3, 4]
    assert set(of["mahalanobis"]) == {"mean", "half"}


def test_nothing_but_arrays_can_be_learnt() -> None:
    with pytest.raises(TypeError, match="Centre learnt 'mean', a function: no array"):
        Fitted(Centre(), {"mean": lambda: 1}).state()


# ---------------------------------------------------------------------------------------------------------------------
# Somebody else's scorer


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    for cls in (Centre, Told, Nonsense):
        monkeypatch.setitem(SCORERS.entries, cls.__name__.lower(), f"{__name__}:{cls.__name__}")


@pytest.mark.usefixtures("theirs")
def test_a_scorer_of_two_methods_scores_clips_and_says_nothing(tmp_path: Path) -> None:
    rows, heard = make_rows(), Heard()
    got = scores_of(tmp_path / "a", rows, "centre", progress=heard)["centre"]
    x = {row["clip_id"]: np.float32(row["vector"]) for row in rows}
    mean = np.mean([x[row["clip_id"]] for row in rows if row["split"] == "train"], axis=0)
    assert got == pytest.approx({clip: np.linalg.norm(vector - mean) for clip, vector in x.items()}, rel=1e-5)
    assert heard.warnings == []
    header = artifacts.read_header(tmp_path / "a" / "0.parquet", artifacts.SCORES)
    assert header.params == {"method": "centre", "unit": "machine-type"}
    assert header.diagnostics["units"] == {"fan": {}}


@pytest.mark.usefixtures("theirs")
def test_a_rule_without_a_text_speaks_for_itself(tmp_path: Path) -> None:
    heard = Heard()
    scores_of(tmp_path / "a", make_rows(), "told", progress=heard)
    assert heard.warnings == ["a rule of mine (told; fan)"]


@pytest.mark.usefixtures("theirs")
def test_a_score_that_is_no_number_is_refused_by_the_clips_name(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"nonsense: the score of .*section_00_source_0003 is not a number"):
        scores_of(tmp_path / "a", make_rows(), "nonsense")
    assert not (tmp_path / "a" / "0.parquet").exists()


def test_what_a_scorer_does_not_say_has_a_default() -> None:
    assert (takes(Centre()), own_unit(Centre())) == ("embeddings", Unit.MACHINE_TYPE)
    looked_at = {name: takes(SCORERS.load(name)()) for name in SCORERS.names()}
    assert {name for name, what in looked_at.items() if what == "residuals"} == {"mse", "selective-mahalanobis"}
    units = {name: own_unit(SCORERS.load(name)()) for name in SCORERS.names()}
    assert {name for name, unit in units.items() if unit is Unit.SECTION} == {"gmm", "mahalanobis"}


def test_a_method_is_refused_where_it_cannot_look() -> None:
    with pytest.raises(UsageError, match="'mse' looks at residuals, and these are embeddings"):
        scorers_of(["nn", "mse"], "embeddings")
    assert list(scorers_of(["nn:k=1", "nn", "kmeans"], "embeddings")) == ["nn", "kmeans"]


def test_every_figure_that_a_method_finds_is_shown() -> None:
    for spelling in PAPER:
        found = SCORERS.build(spelling).fit(make_unit()).diagnostics
        assert "n_reference" in found and set(found) - {"rules"} <= set(score.COLUMNS), spelling


def test_up_to_three_places_are_named_and_of_more_the_first_two() -> None:
    units = ["fan", "valve", "pump", "slider"]
    assert told({"a": {unit: ["mine"] for unit in units[:3]}}) == ["mine (a; fan, valve, pump)"]
    assert told({"a": {unit: ["mine"] for unit in units}}) == ["mine (a; fan, valve, … 4 units)"]


def test_rules_are_told_once_with_methods_and_units() -> None:
    fired = {"a": {"fan": ["no-target"], "valve": ["no-target", "mine"]}, "b": {"fan": ["no-target"]}}
    assert told(fired) == ["no target training clips (a, b; fan, valve)", "mine (a; valve)"]


# ---------------------------------------------------------------------------------------------------------------------
# What `asd methods` prints


@pytest.mark.parametrize("name", SCORERS.names())
def test_a_scorer_documents_its_source_and_each_of_its_parameters(name: str) -> None:
    cls = SCORERS.load(name)
    text = inspect.cleandoc(cls.__doc__ or "")
    assert re.search(r"^Source: .+", text, flags=re.M)
    documented = re.findall(r"^    (\w+): \S", text.partition("Attributes:")[2], flags=re.M)
    assert documented == [f.name for f in fields(cls)]
