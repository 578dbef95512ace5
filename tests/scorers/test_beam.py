"""`beam`: a method a band, and the bands that embeddings have; by plain loops, and refused where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.embedders.logmel import LogMel
from asdcli.errors import BadData, UsageError
from asdcli.scorers import SCORERS, Fitted, leverage
from asdcli.scorers.beam import Beam, found_in
from asdcli.scorers.unit import UnitVectors, Unseen
from asdcli.scorers.vectors import Vectors
from tests.scorers.test_scorers import alpha_brute, nearest_brute, scores_brute

LAYOUT = LogMel.bands(13)
"""Six bands of a mean, a deviation and the constant."""


def unit_of(seed: int = 0, windows: int = 1, n: int = 26) -> UnitVectors:
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=((n + 7) * windows, 13))
    raw[:, -1] = 20
    clip = np.repeat(np.arange(n + 7), windows)
    every = Vectors.of(raw.astype(np.float32), clip)
    is_target = clip[clip < n] >= n - 5
    return UnitVectors("fan", every.take(clip < n), every.take(clip >= n), is_target, bands=LAYOUT)


def band(windows: Vectors, columns: list[int]) -> Vectors:
    x = windows.raw[:, columns]
    return Vectors(x / np.linalg.norm(x, axis=1, keepdims=True), windows.clip)


THREE = [[0, 1, 6, 7, 12], [2, 3, 8, 9, 12], [4, 5, 10, 11, 12]]


@pytest.mark.parametrize("windows", [1, 2])
def test_beam_is_the_mean_of_its_bands_by_plain_loops(windows: int) -> None:
    unit = unit_of(windows=windows, n=26 // windows)
    of_bands = [(band(unit.train, columns), columns) for columns in THREE]
    nn, varmin = (SCORERS.build(s).fit(unit) for s in ("beam:bands=3,method=nn", "beam:bands=3,k=3"))
    for queries in (unit.train, unit.test):
        expected = np.mean([nearest_brute(ref, band(queries, columns)) for ref, columns in of_bands], axis=0)
        np.testing.assert_allclose(nn.score(queries), expected, rtol=1e-9, atol=1e-9)
        expected = []
        for ref, columns in of_bands:
            alpha = alpha_brute(ref, ref, 3, True)
            expected.append(scores_brute(ref, band(queries, columns), 3, True, lambda d, b, a=alpha: d - a * b))
        np.testing.assert_allclose(varmin.score(queries), np.mean(expected, axis=0), rtol=1e-9, atol=1e-9)
    assert (varmin.diagnostics["n_bands"], varmin.diagnostics["k"], varmin.diagnostics["rules"]) == (3, 3, [])


def test_two_bands_by_hand() -> None:
    # band 0 is turned by 90 degrees (D = 1/2), band 1 is the other clip's
    train = np.array([[1.0, 0, 0, 1], [0.0, 1, 1, 0]])
    unit = UnitVectors(
        "fan", Vectors.of(train, np.arange(2)), Vectors.of(train, np.arange(2)), np.zeros(2, bool), brought=True
    )
    query = Vectors.of(np.array([[-5.0, 0, 3, 0]]), np.array([9]))
    assert SCORERS.build("beam:bands=2,method=nn").fit(unit).score(query) == pytest.approx([(0.5 + 0.0) / 2])


def test_one_band_of_all_dimensions_is_the_method_itself() -> None:
    unit = unit_of()
    for method in ("varmin:k=4,val=test-all", "rescale:k=3", "lof:k=3", "kmeans:clusters=3", "mahalanobis"):
        one, whole = SCORERS.build(f"beam:bands=1,method={method}"), SCORERS.build(method)
        for queries in (unit.train, unit.test):
            np.testing.assert_allclose(
                one.fit(unit).score(queries), whole.fit(unit).score(queries), rtol=1e-7, atol=1e-9
            )


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.permutations(range(6)))
def test_neither_the_order_of_bands_nor_the_energy_of_one_matters(seed: int, order: list[int]) -> None:
    unit = unit_of(seed)
    plain = SCORERS.build("beam:bands=6,method=nn").fit(unit).score(unit.test)
    turned = SCORERS.build("beam:bands=6,method=nn").fit(replace(unit, bands=LAYOUT[order])).score(unit.test)
    np.testing.assert_allclose(turned, plain, rtol=1e-12)
    brought = replace(unit_of(seed), bands=None, brought=True)
    raw = [(v.raw[:, :12], v.clip) for v in (brought.train, brought.test)]
    louder = np.repeat([1.0, 100, 1], 4)
    one, other = (
        replace(brought, train=Vectors.of(raw[0][0] * by, raw[0][1]), test=Vectors.of(raw[1][0] * by, raw[1][1]))
        for by in (np.ones(12), louder)
    )
    scores = [SCORERS.build("beam:bands=3,method=nn").fit(unit).score(unit.test) for unit in (one, other)]
    np.testing.assert_allclose(*scores, rtol=1e-9)


def test_what_was_held_out_is_cut_into_bands_too() -> None:
    unit = unit_of()
    keep = unit.train.clip > 5
    rest = replace(unit, train=unit.train.take(keep), is_target=unit.is_target[keep])
    out = unit.train.take(~keep)
    unit = replace(unit, left_out=(Unseen(rest, out),))
    found = SCORERS.build("beam:bands=3,method=varmin,val=held-out,k=2").fit(unit).diagnostics
    alphas = [alpha_brute(band(rest.train, columns), band(out, columns), 2, True) for columns in THREE]
    assert found["n_val"] == 6 and found["alpha"] == pytest.approx(np.mean(alphas), rel=1e-9)


def test_what_alpha_hangs_on_is_told_of_the_band_where_it_hangs_most() -> None:
    def one(alpha: float, share: float, *rules: str) -> Fitted:
        figures = {"alpha": alpha, "leverage_top1": share, "top1_target": None, "alpha_without_top1": 0.9}
        return Fitted(Beam(), {}, {"n_reference": 40, "k": 4, **figures, "rules": list(rules)})

    calm = found_in([one(0.25, 0.1), one(0.75, 0.3)])
    assert (calm["alpha"], calm["leverage_top1"], calm["n_reference"], calm["n_bands"]) == (0.5, 0.2, 40, 2)
    found = found_in([one(0.1, 0.6, leverage.ON_FEW), one(0.2, 0.9, leverage.ON_FEW), one(0.7, 0.95)])
    assert (found["alpha"], found["leverage_top1"], found["rules"]) == (0.2, 0.9, [leverage.ON_FEW])
    (sentence,) = leverage.told({"beam:bands=6,k=2,val=train-all": {"fan": found}})
    assert "90 % of the leverage" in sentence and "-m beam:bands=6,k=2,val=train-all,slope=theil-sen" in sentence
    assert SCORERS.canonical("beam:bands=6,k=2,val=train-all,slope=theil-sen")


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("beam", "beam:k=4,val=train-all"),
        ("beam:k=8", "beam:k=8,val=train-all"),
        ("beam:method=varmin", "beam:k=16,val=train-all"),
        ("beam:method=nn", "beam:method=nn"),
        ("beam:bands=4,method=difference,k=2", "beam:bands=4,method=rescale,k=2,form=difference"),
    ],
)
def test_a_method_of_bands_brings_its_parameters_along(typed: str, canonical: str) -> None:
    assert SCORERS.canonical(typed) == canonical
    assert SCORERS.build(canonical) == SCORERS.build(typed) and SCORERS.spell(SCORERS.build(typed)) == canonical
    assert SCORERS.build("beam") == Beam()


@pytest.mark.parametrize(
    ("spelling", "changes", "words"),
    [
        ("beam", {"bands": None}, "no bands of frequencies"),
        ("beam:bands=2", {"bands": None}, "asd embed --embedder logmel"),
        ("beam:bands=7", {}, "6 bands in these embeddings, not 7"),
        ("beam", {}, "6 bands in these embeddings, not 8"),
        ("beam", {"bands": None, "brought": True}, "-m beam:bands=8"),
        ("beam:bands=4", {"bands": None, "brought": True}, "13 dimensions cannot be cut into 4 bands"),
    ],
)
def test_bands_that_are_not_there_are_refused(spelling: str, changes: dict, words: str) -> None:
    with pytest.raises(BadData) as caught:
        SCORERS.build(spelling).fit(replace(unit_of(), **changes))
    assert words in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("spelling", ["beam:method=mse", "beam:method=beam", "beam:bands=0", "beam:method=nm"])
def test_what_no_band_can_be_scored_by_is_refused(spelling: str) -> None:
    with pytest.raises(UsageError):
        SCORERS.build(spelling)


def test_the_bands_of_log_mel_embeddings_are_mean_deviation_and_the_constant() -> None:
    assert LogMel.bands(257).shape == (128, 3)
    assert LogMel.bands(257)[[0, 127]].tolist() == [[0, 128, 256], [127, 255, 256]]
