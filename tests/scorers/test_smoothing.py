"""Neighbourhood smoothing: Eq. 7 against brute force, its laws, appending, and `asd smooth` through its front door."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

from asdcli import artifacts
from asdcli.scorers import exact_search, smoothing
from tests.helpers import two_runs
from tests.helpers.rewrite import rewrite


def brute_force(
    scores: np.ndarray, vectors: np.ndarray, k: int, in_pool: np.ndarray, apart: np.ndarray | None = None
) -> np.ndarray:
    """Eq. 7 word for word: each sample with the K - 1 nearest others of the pool, ties to the lower row."""
    apart = np.arange(len(vectors)) if apart is None else apart
    smoothed = []
    for i in range(len(vectors)):
        others = [j for j in np.flatnonzero(in_pool) if apart[j] != apart[i]]
        others.sort(key=lambda j: (((vectors[i] - vectors[j]) ** 2).sum(), j))
        smoothed.append(np.mean([scores[i], *scores[others[: k - 1]]]))
    return np.array(smoothed)


@st.composite
def samples(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, vectors (with many ties when on a grid) and a pool."""
    n, d = draw(st.integers(1, 30)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = rng.integers(0, 3, (n, d)).astype(float) if draw(st.booleans()) else rng.standard_normal((n, d))
    return rng.standard_normal(n), vectors, rng.random(n) < draw(st.sampled_from([0.5, 1.0]))


@settings(max_examples=60, deadline=None)
@given(samples(), st.lists(st.integers(1, 40), min_size=1, max_size=4), st.none() | st.integers(1, 8))
def test_smoothing_equals_brute_force_also_with_ties_a_partial_pool_and_clips_apart(
    given: tuple[np.ndarray, np.ndarray, np.ndarray], ks: list[int], n_clips: int | None
) -> None:
    scores, vectors, in_pool = given
    apart = None if n_clips is None else np.random.default_rng(0).integers(0, n_clips, len(scores))
    found = exact_search.neighbours(exact_search.prepare(vectors), max(ks) - 1, in_pool, apart)
    for k, smoothed in zip(ks, smoothing.smooth(scores, found, ks), strict=True):
        np.testing.assert_allclose(smoothed, brute_force(scores, vectors, k, in_pool, apart), rtol=0, atol=1e-12)
    kept = smoothing.smooth(scores, exact_search.alone(found, ~in_pool), ks)
    assert (kept[:, ~in_pool] == scores[~in_pool]).all()
    assert (kept[:, in_pool] == smoothing.smooth(scores, found, ks)[:, in_pool]).all()


def test_many_random_samples_equal_three_lines_of_brute_force() -> None:
    rng = np.random.default_rng(0)
    scores, vectors, k = rng.random(700), rng.standard_normal((700, 16)).astype(np.float32), 64
    found = exact_search.neighbours(exact_search.prepare(vectors), k - 1)
    x = vectors.astype(float)
    d = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    d[np.arange(700), np.arange(700)] = -1
    expected = scores[np.argsort(d, axis=1, kind="stable")[:, :k]].mean(axis=1)
    np.testing.assert_allclose(smoothing.smooth(scores, found, [k])[0], expected, rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(samples())
def test_k_of_one_returns_the_scores_and_k_of_the_pool_its_mean(
    given: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    scores, vectors, _ = given
    n = len(scores)
    found = exact_search.neighbours(exact_search.prepare(vectors), n)
    one, whole, beyond = smoothing.smooth(scores, found, [1, n, n + 100])
    assert (one == scores).all()
    np.testing.assert_allclose(whole, scores.mean(), rtol=0, atol=1e-12)
    assert (beyond == whole).all()


def test_a_pool_of_one_or_of_nobody_leaves_the_score_alone() -> None:
    x = exact_search.prepare(np.array([[0.0], [1.0]]))
    alone = exact_search.neighbours(x[:1], 10)
    assert smoothing.smooth(np.array([0.7]), alone, [1, 10]).tolist() == [[0.7], [0.7]]
    nobody = exact_search.neighbours(x, 10, np.array([False, False]))
    assert smoothing.smooth(np.array([0.7, 0.2]), nobody, [10]).tolist() == [[0.7, 0.2]]
    outside = exact_search.neighbours(x, 10, np.array([True, False]))
    assert smoothing.smooth(np.array([0.5, 0.25]), outside, [10]).tolist() == [[0.5, 0.375]]


def test_values_worked_out_by_hand() -> None:
    # on a line at 0, 1, 3, 7 with scores 1, 2, 4, 8: the nearest of 0 is 1, of 1 is 0, of 3 is 1, of 7 is 3
    x = exact_search.prepare(np.array([[0.0], [1.0], [3.0], [7.0]]))
    smoothed = smoothing.smooth(np.array([1.0, 2.0, 4.0, 8.0]), exact_search.neighbours(x, 2), [2, 3])
    np.testing.assert_allclose(smoothed, [[1.5, 1.5, 3.0, 6.0], [7 / 3, 7 / 3, 7 / 3, 14 / 3]], rtol=1e-15)


def test_cosine_neighbours_do_not_see_the_length_of_a_vector() -> None:
    vectors = np.array([[1.0, 0.0], [100.0, 1.0], [1.0, 1.0]])
    scores = np.array([0.0, 1.0, 10.0])
    by = {
        m: smoothing.smooth(scores, exact_search.neighbours(exact_search.prepare(vectors, m), 1), [2])[0]
        for m in ("euclidean", "cosine")
    }
    assert by["euclidean"][0] == 5.0 and by["cosine"][0] == 0.5


@settings(max_examples=60, deadline=None)
@given(samples(), st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_appending_equals_doing_it_all_at_once_to_the_last_bit(
    given: tuple[np.ndarray, np.ndarray, np.ndarray], k: int, seed: int, by_clip: bool
) -> None:
    scores, vectors, in_pool = given
    x, rng = exact_search.prepare(vectors), np.random.default_rng(seed)
    arrival = rng.integers(0, 3, len(x))
    apart = rng.integers(0, 6, len(x)) if by_clip else np.arange(len(x))
    seen = np.flatnonzero(arrival == 0)
    found = exact_search.neighbours(x[seen], k - 1, in_pool[seen], apart[seen])
    for step in (1, 2):
        now = np.flatnonzero(arrival <= step)
        found = exact_search.append(x[now], found, np.searchsorted(now, seen), k - 1, in_pool[now], apart[now])
        seen = now
    at_once = exact_search.neighbours(x, k - 1, in_pool, apart)
    assert (found.count == at_once.count).all()
    assert (smoothing.smooth(scores, found, [k]) == smoothing.smooth(scores, at_once, [k])).all()


def test_appending_many_samples_equals_doing_it_all_at_once_to_the_last_bit() -> None:
    rng = np.random.default_rng(1)
    x = exact_search.prepare(rng.standard_normal((900, 64)).astype(np.float32))
    x[300:340] = x[:40]  # duplicates: distances that tie
    scores, old = rng.random(900), np.sort(rng.choice(900, 700, replace=False))
    appended = exact_search.append(x, exact_search.neighbours(x[old], 99), old, 99)
    at_once = exact_search.neighbours(x, 99)
    assert (appended.index == at_once.index).all()
    assert (smoothing.smooth(scores, appended, [100]) == smoothing.smooth(scores, at_once, [100])).all()


@settings(max_examples=40, deadline=None)
@given(samples(), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_restricting_neighbours_equals_searching_among_fewer(
    given: tuple[np.ndarray, np.ndarray, np.ndarray], k: int, seed: int
) -> None:
    scores, vectors, in_pool = given
    x, keep = exact_search.prepare(vectors), np.random.default_rng(seed).random(len(vectors)) < 0.6
    fewer = exact_search.restrict(exact_search.neighbours(x, len(x), in_pool), keep)
    searched = exact_search.neighbours(x[keep], len(x), in_pool[keep])
    a, b = (smoothing.smooth(scores[keep], found, [k]) for found in (fewer, searched))
    np.testing.assert_array_equal(a, b)
    for mine, theirs, n in zip(fewer.distance, searched.distance, fewer.count, strict=True):
        # a product of other rows may round its last bit otherwise
        np.testing.assert_allclose(mine[:n], theirs[:n], rtol=1e-12, atol=1e-12)


# The command line


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    return two_runs.write(tmp_path, two_runs.rows(["fan", "valve"], ["00", "03"]))


def smoothed(run: Path, spelling: str) -> dict[str, float]:
    table = pq.read_table(run / "scores" / f"{spelling.replace(':', '.')}.parquet")
    return dict(zip(table["clip_id"].to_pylist(), table["anomaly_score"].to_pylist(), strict=True))


def smooth(asd: Callable[..., int], runs: tuple[Path, Path], *more: object, run: str = "out") -> int:
    return asd("smooth", "--scores", runs[0], "--embeddings", runs[1], "--dataset", "made", "--run", run, *more)


def test_two_runs_are_smoothed_by_window_within_sections(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path
) -> None:
    assert smooth(asd, runs, "-k", 5, "-k", 7, "--neighbours", "source") == 0
    scores = pq.read_table(runs[0] / "window-scores/mse.parquet").to_pylist()
    embedded = pq.read_table(runs[1] / "embeddings.parquet").to_pylist()
    vectors = {(r["clip_id"], r["window"]): r["vector"] for r in embedded}
    expected: dict[str, list[float]] = {}
    for group in {(r["machine_type"], r["section"]) for r in scores}:
        own = [r for r in scores if (r["machine_type"], r["section"]) == group and r["split"] == "test"]
        own.sort(key=lambda r: (r["clip_id"], r["window"]))
        x = np.array([vectors[r["clip_id"], r["window"]] for r in own], dtype=float)
        pool = np.array([r["domain"] == "source" for r in own])
        a = brute_force(np.array([r["anomaly_score"] for r in own]), x, 7, pool)
        for r, value in zip(own, a, strict=True):
            expected.setdefault(r["clip_id"], []).append(value)
    got = smoothed(tmp_path / "out", "mse+smooth:k=7,data=source")
    assert got.keys() == expected.keys()
    for clip_id, values in expected.items():
        assert got[clip_id] == pytest.approx(np.mean(values), abs=1e-12)
    assert (tmp_path / "out/scores/mse+smooth.k=5,data=source.parquet").exists()


def test_target_clips_can_keep_their_scores_and_windows_stay_out_of_their_own_clip(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path
) -> None:
    how = ("-k", 24, "--neighbours", "source")  # a section has 24 source windows
    assert smooth(asd, runs, *how) == smooth(asd, runs, *how, "--outside", "keep") == 0
    assert smooth(asd, runs, *how, "--own-windows", "out") == 0
    table = pq.read_table(runs[0] / "scores/mse.parquet").to_pylist()
    before = {r["clip_id"]: r["anomaly_score"] for r in table if r["split"] == "test"}
    target = {r["clip_id"] for r in table if r["domain"] == "target"} & set(before)
    ways = ("", ",outside=keep", ",own_windows=out")
    plain, kept, apart = (smoothed(tmp_path / "out", f"mse+smooth:k=24,data=source{way}") for way in ways)
    assert {c for c in before if kept[c] == pytest.approx(before[c], abs=1e-15)} == target
    assert {c for c in before if kept[c] == plain[c]} == set(before) - target
    assert {c for c in before if apart[c] == pytest.approx(plain[c], abs=1e-15)} == target  # their own are no source
    assert smooth(asd, runs, *how, "--own-windows", "out", "--append", run="pooled") == 0
    assert smoothed(tmp_path / "pooled", "mse+smooth:k=24,data=source,own_windows=out") == apart
    assert smooth(asd, runs, *how, "--own-windows", "some") == 2


def test_k_of_one_gives_the_clips_scores_back(asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path) -> None:
    assert smooth(asd, runs, "-k", 1, "--level", "clip") == 0
    before = smoothed(runs[0], "mse")
    after = smoothed(tmp_path / "out", "mse+smooth:k=1,data=all,level=clip")
    assert len(after) == 2 * 2 * 16
    assert all(before[clip_id] == score for clip_id, score in after.items())


def test_smoothing_again_does_nothing(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smooth(asd, runs, "-k", 4) == 0
    path = tmp_path / "out/scores/mse+smooth.k=4,data=all.parquet"
    before = path.stat().st_mtime_ns
    assert smooth(asd, runs, "-k", 4) == 0
    assert path.stat().st_mtime_ns == before and "up to date" in capsys.readouterr().err


def test_smoothed_scores_can_be_evaluated(asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path) -> None:
    assert smooth(asd, runs, "-k", 8) == 0
    assert asd("evaluate", tmp_path / "out/scores", runs[0] / "scores", "--metric", "dcase2021", "--run", "out") == 0


@pytest.mark.parametrize("level", ["window", "clip"])
def test_appended_clips_give_the_same_table_as_all_at_once(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path, level: str
) -> None:
    options = ("-k", 6, "--neighbours", "source", "--level", level)
    assert smooth(asd, runs, *options, run="at-once") == 0
    whole = {name: pq.read_table(path) for name, path in tables(runs).items()}
    rng = np.random.default_rng(0)
    ids = sorted(set(whole["clips"]["clip_id"].to_pylist()))
    arrival = dict(zip(ids, rng.integers(0, 3, len(ids)), strict=True))
    arrival |= {i: 1 for i in ids if "/valve/" in i and "section_03" in i}  # a pool that is new in the second batch
    for step, seen in ((0, {0}), (1, {1}), (2, {0, 1, 2})):  # at last everything, old clips again among it
        part = tmp_path / f"part-{step}"
        for name, path in tables(runs).items():
            keep = pa.array([arrival[i] in seen for i in whole[name]["clip_id"].to_pylist()])
            to = part / path.relative_to(runs[0].parent)
            to.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(whole[name].filter(keep).replace_schema_metadata(None), to)
        assert smooth(asd, (part / "ae", part / "oe"), "--append", *options, run="bit-by-bit") == 0
    spelling = "mse+smooth:k=6,data=source" + (",level=clip" if level == "clip" else "")
    assert smoothed(tmp_path / "bit-by-bit", spelling) == smoothed(tmp_path / "at-once", spelling)


def test_a_run_killed_between_pool_and_scores_is_made_good_by_the_next(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smooth(asd, runs, "--append", "-k", 4) == 0
    path = tmp_path / "out/scores/mse+smooth.k=4,data=all.parquet"
    whole = path.read_bytes()
    table, header = artifacts.read_table(path, artifacts.SCORES)
    before = dataclasses.replace(header, inputs={"pool": "0" * 32})
    for leave in (
        lambda: path.unlink(),
        lambda: artifacts.write_table(path, artifacts.SCORES, table.slice(0, 3), before),
    ):
        leave()
        assert smooth(asd, runs, "--append", "-k", 4) == 0
        assert pq.read_table(path).equals(pq.read_table(pa.BufferReader(whole)))
    capsys.readouterr()
    assert smooth(asd, runs, "--append", "-k", 4) == 0
    assert "up to date" in capsys.readouterr().err


def tables(runs: tuple[Path, Path]) -> dict[str, Path]:
    scores, embeddings = runs
    return {
        "windows": scores / "window-scores/mse.parquet",
        "clips": scores / "scores/mse.parquet",
        "vectors": embeddings / "embeddings.parquet",
    }


def change(path: Path, **columns: object) -> None:
    """Write a table again with some columns replaced by functions of its rows, or without the rows of `drop`."""
    table = pq.read_table(path)
    listed = table.to_pylist()
    for name, value in columns.items():
        if name == "drop":
            table = table.filter(pa.array([not value(r) for r in listed]))
        else:
            column = pa.array([value(r) for r in listed], table.schema.field(name).type)
            table = table.set_column(table.column_names.index(name), name, column)
    rewrite(path, table)


def test_a_pool_refuses_a_clip_with_another_score(
    asd: Callable[..., int], runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert smooth(asd, runs, "--append") == 0
    change(tables(runs)["windows"], anomaly_score=lambda r: r["anomaly_score"] + 1)
    assert smooth(asd, runs, "--append") == 1
    assert "another score or embedding" in capsys.readouterr().err
    assert smooth(asd, runs, "--append", "--force") == 0


def test_clips_of_one_run_only_are_named(
    asd: Callable[..., int], runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    lost = "dev_data/raw/fan/test/section_00_source_test_normal_0002"
    change(tables(runs)["vectors"], drop=lambda r: r["clip_id"] == lost)
    assert smooth(asd, runs) == 1
    assert f"1 test clips of {runs[0]}" in (said := capsys.readouterr().err) and lost in said


def test_files_may_be_named_and_windows_of_a_file_averaged_first(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path
) -> None:
    files = tables(runs)
    named = (files["windows"], files["vectors"])
    assert smooth(asd, named, "-k", 3, run="by-file") == 0
    assert smooth(asd, runs, "-k", 3, run="by-run") == 0
    assert smoothed(tmp_path / "by-file", "mse+smooth:k=3,data=all") == smoothed(
        tmp_path / "by-run", "mse+smooth:k=3,data=all"
    )
    assert smooth(asd, named, "-k", 3, "--level", "clip", run="by-file") == 0
    assert smooth(asd, runs, "-k", 3, "--level", "clip", run="by-run") == 0
    of_clips = [smoothed(tmp_path / run, "mse+smooth:k=3,data=all,level=clip") for run in ("by-file", "by-run")]
    assert of_clips[0] == pytest.approx(of_clips[1], abs=1e-12)


@pytest.mark.parametrize(
    ("level", "words"), [("window", "scores of clips, not of windows"), (None, "is not a Parquet file")]
)
def test_a_file_that_does_not_serve_is_refused_in_words(
    asd: Callable[..., int], runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str], level: str | None, words: str
) -> None:
    file = tables(runs)["clips"]
    if level is None:
        file.write_text("no table")
    assert smooth(asd, (file, runs[1]), *(("--level", level) if level else ())) == 1
    assert words in capsys.readouterr().err


def test_windows_that_disagree_are_named(
    asd: Callable[..., int], runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    change(tables(runs)["vectors"], drop=lambda r: r["window"] == 2)
    assert smooth(asd, runs) == 1
    said = capsys.readouterr().err
    assert "the windows disagree" in said and "has 3 in" in said and "--level clip" in said
    assert smooth(asd, runs, "--level", "clip") == 0


def test_a_machine_type_of_one_run_only_is_left_out_with_a_word(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(tables(runs)["vectors"], drop=lambda r: r["machine_type"] == "fan")
    assert smooth(asd, runs, "-k", 3) == 0
    assert "no embeddings of fan" in capsys.readouterr().err
    assert all("/valve/" in clip_id for clip_id in smoothed(tmp_path / "out", "mse+smooth:k=3,data=all"))


def test_hidden_domains_have_no_source_pool(
    asd: Callable[..., int], runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    change(tables(runs)["windows"], domain=lambda r: None)
    assert smooth(asd, runs, "--neighbours", "source") == 1
    assert "no domain of these test clips is known" in capsys.readouterr().err
    assert smooth(asd, runs, "--neighbours", "all") == 0


def test_a_k_larger_than_the_pool_is_said(
    asd: Callable[..., int], runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert smooth(asd, runs, "-k", 1000) == 0
    assert "k = 1000 is larger than 4 of 4 pools (the smallest has 48 samples)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("-k", "0"), 2, "-k"),
        (("--neighbours", "surce"), 2, "did you mean 'source'"),
        (("--level", "clips"), 2, "did you mean 'clip'"),
        (("--append", "-k", "2", "-k", "3"), 2, "--append takes one"),
        (("--method", "msa"), 2, "did you mean 'mse'"),
        (("--machine-type", "vale"), 2, "did you mean 'valve'"),
        (("--fraction", "0:1:0.1"), 2, "START:STOP:STEP"),
        (("--fraction", "0.5", "--sections", "07"), 2, "sections with labels: 00, 03"),
    ],
)
def test_wrong_options_are_refused_in_words(
    asd: Callable[..., int],
    runs: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    assert smooth(asd, runs, *options) == code
    assert words in capsys.readouterr().err


def test_a_table_of_fractions_that_lacks_a_machine_type_is_shown_with_a_gap(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--fraction", "0.5:1.0:0.5", "--repeats", 1, "-k", 8)
    assert smooth(asd, runs, *options) == 0
    change(tmp_path / "out/fractions.parquet", drop=lambda r: (r["machine_type"], r["fraction"]) == ("fan", 0.5))
    capsys.readouterr()
    assert smooth(asd, runs, *options) == 0
    said = capsys.readouterr()
    assert "up to date" in said.err and "\u2013" in said.out


def test_the_whole_fraction_is_smoothing_itself(
    asd: Callable[..., int], runs: tuple[Path, Path], tmp_path: Path
) -> None:
    options = ("--fraction", "0.5:1.0:0.5", "--repeats", 3, "-k", 8, "--neighbours", "all")
    assert smooth(asd, runs, *options) == 0
    table = pq.read_table(tmp_path / "out/fractions.parquet").to_pylist()
    whole = {(r["machine_type"], r["method"]): r for r in table if r["fraction"] == 1.0}
    half = {(r["machine_type"], r["method"]): r for r in table if r["fraction"] == 0.5}
    assert whole["fan", "mse+smooth"]["std"] < 1e-12 < half["fan", "mse"]["std"]
    assert whole["fan", "mse+smooth"]["n_clips"] == 32 and half["fan", "mse+smooth"]["n_clips"] == 16
    assert smooth(asd, runs, "-k", 8) == 0
    scores = smoothed(tmp_path / "out", "mse+smooth:k=8,data=all")
    areas = []
    for section in ("00", "03"):
        own = {i: s for i, s in scores.items() if f"/fan/test/section_{section}" in i}
        of = {c: [s for i, s in own.items() if c in i] for c in ("normal", "anomaly")}
        y = np.repeat([0, 1], [len(of["normal"]), len(of["anomaly"])])
        areas += [roc_auc_score(y, of["normal"] + of["anomaly"], max_fpr=p) for p in (None, 0.1)]
    assert whole["fan", "mse+smooth"]["mean"] == pytest.approx(hmean(areas), abs=1e-9)
