"""Training clips that no model has seen are scored as new clips would be: without their group, by every method."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from asdcli import artifacts
from asdcli.scorers import PAPER, SCORERS
from asdcli.stages import score
from asdcli.views.scores import ScoreFiles
from asdcli.vocabulary import Unit

Rows = list[dict[str, Any]]
METHODS = tuple(map(SCORERS.canonical, (*PAPER, "mahalanobis", "gmm:clusters=2")))


def make_rows(sizes: tuple[int, ...] = (6, 4, 3), seen: bool | None = False, windows: int = 1) -> Rows:
    """Training clips in groups of these sizes, the second of them of the target domain, and eight test clips."""
    rng = np.random.default_rng(0)
    groups = [(g, "target" if g == 1 else "source") for g, n in enumerate(sizes) for _ in range(n)]
    clips = [("train", domain, f"week {g}", seen) for g, domain in groups]
    clips += [("test", ("source", "target")[i % 2], None, False) for i in range(8)]
    return [
        {
            "clip_id": f"dev_data/raw/fan/{split}/{i:03d}",
            "window": window,
            "machine_type": "fan",
            "section": "00",
            "subset": "dev",
            "split": split,
            "domain": domain,
            "condition": "anomaly" if split == "test" and i % 3 == 0 else "normal",
            "group": group,
            "seen": known,
            "vector": rng.normal(size=4).tolist(),
        }
        for i, (split, domain, group, known) in enumerate(clips)
        for window in range(windows)
    ]


def scored(folder: Path, rows: Rows, *methods: str) -> dict[str, list[dict[str, Any]]]:
    """Method -> the rows of its table of scores."""
    folder.mkdir()
    table = pa.Table.from_pylist(rows).append_column(
        "attributes", pa.nulls(len(rows), pa.map_(pa.string(), pa.string()))
    )
    header = artifacts.Header.make(artifacts.EMBEDDINGS, dataset="noise")
    artifacts.write_table(folder / "e.parquet", artifacts.EMBEDDINGS, table, header)
    files = {m: ScoreFiles.beside(folder / f"{i}.parquet") for i, m in enumerate(map(SCORERS.canonical, methods))}
    done = score.run(folder / "e.parquet", files, errors=folder / "errors.parquet", unit=Unit.MACHINE_TYPE)
    return {m: artifacts.read_table(o.path, artifacts.SCORES)[0].to_pylist() for m, o in done.items()}


@pytest.mark.parametrize("windows", [1, 3])
def test_each_gets_the_score_of_a_test_clip_whose_group_never_trained(tmp_path: Path, windows: int) -> None:
    rows = make_rows(windows=windows)
    found = scored(tmp_path / "all", rows, *METHODS)
    for method in METHODS:
        assert {r["scored_as"] for r in found[method] if r["split"] == "train"} == {"left-out group"}
        assert {r["scored_as"] for r in found[method] if r["split"] == "test"} == {None}
    of_all = {m: {r["clip_id"]: r["anomaly_score"] for r in own} for m, own in found.items()}
    apart = [m for m in METHODS if "test-all" not in m]  # alpha of test-all would see one clip more
    for group in ("week 0", "week 1", "week 2"):
        first = next(r["clip_id"] for r in rows if r["group"] == group)
        others = [r for r in rows if r["group"] != group]
        new = [{**r, "split": "test", "group": None} for r in rows if r["clip_id"] == first]
        for method, own in scored(tmp_path / group, others + new, *apart).items():
            (alone,) = (r["anomaly_score"] for r in own if r["clip_id"] == first)
            assert of_all[method][first] == pytest.approx(alone, rel=1e-9, abs=1e-12)


def test_test_clips_and_clips_that_the_model_has_seen_are_scored_as_ever(tmp_path: Path) -> None:
    """The published figures: of a model that has seen all, and of vectors of which nobody knows."""
    unknown, seen, unseen = (scored(tmp_path / str(s), make_rows(seen=s), *METHODS) for s in (None, True, False))
    for method in METHODS:
        scores = [[r["anomaly_score"] for r in found[method]] for found in (unknown, seen, unseen)]
        assert scores[0] == scores[1]
        assert [s for s, r in zip(scores[2], unseen[method], strict=True) if r["split"] == "test"] == [
            s for s, r in zip(scores[0], unknown[method], strict=True) if r["split"] == "test"
        ]
        assert {r["scored_as"] for r in seen[method]} == {"seen", None}
        assert {r["scored_as"] for r in unknown[method]} == {None}


def test_what_was_held_out_of_the_training_is_told_from_what_was_not(tmp_path: Path) -> None:
    rows = [{**r, "seen": r["split"] == "train" and r["group"] != "week 2"} for r in make_rows()]
    found = scored(tmp_path / "held", rows, "nn")["nn"]
    assert Counter((r["group"], r["scored_as"]) for r in found) == {
        ("week 0", "seen"): 6,
        ("week 1", "seen"): 4,
        ("week 2", "held-out"): 3,
        (None, None): 8,
    }
    without = scored(
        tmp_path / "without",
        [r for r in rows if r["group"] != "week 2"]
        + [{**r, "split": "test", "group": None} for r in rows if r["group"] == "week 2"],
        "nn",
    )["nn"]
    alone = {r["clip_id"]: r["anomaly_score"] for r in without}
    for r in found:
        if r["scored_as"] == "held-out":
            assert r["anomaly_score"] == pytest.approx(alone[r["clip_id"]], abs=1e-12)


def test_one_group_alone_leaves_only_the_clip_itself_out_and_says_so(tmp_path: Path) -> None:
    rows = make_rows(sizes=(7,))
    found = scored(tmp_path / "one", rows, "nn")["nn"]
    assert {r["scored_as"] for r in found if r["split"] == "train"} == {"left-out clip"}
    unknown = scored(tmp_path / "unknown", [{**r, "seen": None} for r in rows], "nn")["nn"]
    assert [r["anomaly_score"] for r in found] == [r["anomaly_score"] for r in unknown]


def test_many_groups_share_ten_fits_and_none_is_scored_by_one_that_saw_it(tmp_path: Path) -> None:
    """With twins in every group a score of 0 would betray that a group was still in the reference set."""
    rows = make_rows(sizes=(2,) * 23)
    twins = {r["group"]: r["vector"] for r in rows if r["group"]}
    rows = [{**r, "vector": twins.get(r["group"], r["vector"])} for r in rows]
    found = scored(tmp_path / "many", rows, "nn")["nn"]
    train = [r for r in found if r["split"] == "train"]
    assert {r["scored_as"] for r in train} == {"left-out group"}
    assert min(r["anomaly_score"] for r in train) > 1e-6


def brute_alpha(rows: Rows, k: int) -> float:
    """Eq. 8 over the clips that no model has seen, with y* and b of the clips of other groups."""
    train = [r for r in rows if r["split"] == "train"]
    x = np.array([r["vector"] for r in train])
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    d = (1 - x @ x.T) / 2
    group = np.array([r["group"] for r in train])
    u, v = [], []
    for i in (i for i, r in enumerate(train) if not r["seen"]):
        others = np.flatnonzero(group != group[i])
        y = others[d[i, others].argmin()]
        u.append(d[i, y])
        v.append(np.sort(d[y, others[others != y]])[:k].mean())
    return float(np.polyfit(v, u, 1)[0])


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("out", [("week 0", "week 1", "week 2"), ("week 2",)])
def test_alpha_of_held_out_clips_is_the_slope_over_clips_compared_with_other_groups(
    tmp_path: Path, k: int, out: tuple[str, ...]
) -> None:
    rows = [{**r, "seen": r["split"] == "train" and r["group"] not in out} for r in make_rows()]
    method = f"varmin:k={k},val=held-out"
    found = scored(tmp_path / "found", rows, method)[method]
    alpha = brute_alpha(rows, k)
    fixed = f"varmin:k={k},val=train-all,alpha={alpha!r}"
    expected = {r["clip_id"]: r["anomaly_score"] for r in scored(tmp_path / "fixed", rows, fixed)[fixed]}
    for r in found:  # one alpha for all, held-out clips too
        assert r["anomaly_score"] == pytest.approx(expected[r["clip_id"]], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seen", [True, None])
def test_without_a_held_out_clip_there_is_no_alpha_and_that_is_said(tmp_path: Path, seen: bool | None) -> None:
    found = scored(tmp_path / "seen", make_rows(seen=seen), "nn", "varmin:k=4,val=held-out")
    nn, varmin = ([r["anomaly_score"] for r in own] for own in found.values())
    assert varmin == pytest.approx(nn, abs=1e-12)
    header = artifacts.read_header(tmp_path / "seen" / "1.parquet", artifacts.SCORES)
    (unit,) = header.diagnostics["units"].values()
    assert unit["rules"] == ["none-held-out"] and (unit["alpha"], unit["n_val"]) == (0.0, 0)
