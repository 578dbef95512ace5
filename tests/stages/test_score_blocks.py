"""Blocks of consecutive recordings get the length for which scores stay alike, and promises stand on these."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from asdcli import artifacts
from asdcli.layouts.groups import in_blocks
from asdcli.stages import score, threshold
from asdcli.views.scores import ScoreFiles
from tests.helpers.heard import Heard


def drifting(n: int, memory: float, seed: int = 0, dims: int = 12) -> np.ndarray:
    """(n, dims) vectors of a machine whose state forgets itself after `memory` clips; 0: at once."""
    rng = np.random.default_rng(seed)
    keep = np.exp(-1 / memory) if memory else 0.0
    state, found = rng.normal(size=dims), np.empty((n, dims))
    for i in range(n):
        state = keep * state + np.sqrt(1 - keep**2) * rng.normal(size=dims)
        found[i] = state + 0.05 * rng.normal(size=dims)
    return found


def blocks_of(size: int, n: int) -> list[str]:
    """The groups of `n` training clips, as `asd index --group-by block:SIZE` has them."""
    return in_blocks([f"fan/train/{i}" for i in range(n)], [()] * n, size)


def embedded(
    folder: Path, vectors: np.ndarray, *, n_train: int, group_by: str | None = None, groups=None, seen=None
) -> Path:
    """A table of embeddings: the first `n_train` clips train, in ten blocks, and the others are normal test clips."""
    n = len(vectors)
    names = [f"fan/{'train' if i < n_train else 'test'}/{i}" for i in range(n)]
    train = blocks_of(-(-n_train // 10), n_train) if groups is None else groups
    table = pa.table(
        {
            "clip_id": names,
            "window": pa.array([0] * n, pa.int32()),
            "machine_type": ["fan"] * n,
            "section": pa.nulls(n, pa.string()),
            "subset": ["dev"] * n,
            "split": ["train"] * n_train + ["test"] * (n - n_train),
            "domain": pa.nulls(n, pa.string()),
            "condition": ["normal"] * n,
            "attributes": pa.nulls(n, pa.map_(pa.string(), pa.string())),
            "attribute_string": pa.nulls(n, pa.string()),
            "group": [*train, *[None] * (n - n_train)],
            "seen": [False] * n if seen is None else seen,
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]),
        }
    )
    folder.mkdir(exist_ok=True)
    clips = artifacts.Header.make(artifacts.CLIPS, dataset="own", params={"group_by": group_by}).with_content("c")
    header = artifacts.Header.make(artifacts.EMBEDDINGS, dataset="own", inputs={"clips": clips})
    artifacts.write_table(folder / "e.parquet", artifacts.EMBEDDINGS, table, header)
    return folder / "e.parquet"


def scored(embeddings: Path) -> tuple[pa.Table, artifacts.Header, Heard]:
    heard = Heard()
    files = {"nn": ScoreFiles.beside(embeddings.parent / "nn.parquet")}
    score.run(embeddings, files, errors=embeddings.parent / "errors.parquet", progress=heard)
    return (*artifacts.read_table(files["nn"].clips, artifacts.SCORES), heard)


def groups_of(table: pa.Table) -> dict[str, str | None]:
    return dict(zip(table["clip_id"].to_pylist(), table["group"].to_pylist(), strict=True))


def test_recordings_without_memory_are_groups_of_their_own(tmp_path: Path) -> None:
    table, header, heard = scored(embedded(tmp_path, drifting(220, 0), n_train=200))
    assert header.diagnostics["blocks"] == {"fan": 1}
    assert len({*groups_of(table).values()} - {None}) == 200
    assert heard.notes == [
        "fan: scores stay alike for 1 consecutive clip: 200 groups of that size instead of blocks of 20"
    ]
    assert not heard.warnings


def test_a_machine_that_drifts_slowly_has_few_groups(tmp_path: Path) -> None:
    sizes = {m: scored(embedded(tmp_path / str(m), drifting(400, m), n_train=400))[1] for m in (3, 30)}
    quick, slow = (sizes[m].diagnostics["blocks"]["fan"] for m in (3, 30))
    assert 2 < quick < slow
    assert slow > 20


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ({"group_by": "attributes"}, 0),
        ({"groups": ["monday", "tuesday"] * 100}, 0),
        ({"groups": ["one day"] * 200}, 0),
        ({"seen": [True] * 220}, 0),
        ({"group_by": "block:2", "groups": blocks_of(2, 200)}, 1),
        ({"group_by": "block:50", "groups": blocks_of(50, 200)}, 0),
    ],
)
def test_groups_that_something_else_tells_stay(tmp_path: Path, case: dict, told: int) -> None:
    path = embedded(tmp_path, drifting(220, 40), n_train=200, **case)
    before = artifacts.read_table(path, artifacts.EMBEDDINGS)[0]
    table, header, heard = scored(path)
    assert groups_of(table) == groups_of(before)
    assert "blocks" not in header.diagnostics
    assert not heard.notes
    doubts = [w for w in heard.warnings if "--group-by block:" in w]
    assert len(doubts) == told


@pytest.mark.parametrize("before", ["attributes", "block:2"])
def test_what_was_asked_for_when_packs_were_made_is_not_asked_for_any_more(tmp_path: Path, before: str) -> None:
    """Indexed with --group-by, then without: the packs stay, and with them what they were made of."""
    path = embedded(tmp_path, drifting(220, 0), n_train=200)
    table, _ = artifacts.read_table(path, artifacts.EMBEDDINGS)
    old, new = (
        artifacts.Header.make(artifacts.CLIPS, dataset="own", params=params).with_content(content)
        for params, content in (({"group_by": before}, "old"), ({}, "new"))
    )
    pack = artifacts.Header.make(artifacts.FEATURES, dataset="own", inputs={"clips": old}).with_content("pack")
    inputs = {"clips": new, "features/fan": pack}
    artifacts.write_table(
        path, artifacts.EMBEDDINGS, table, artifacts.Header.make(artifacts.EMBEDDINGS, dataset="own", inputs=inputs)
    )
    assert scored(path)[1].diagnostics["blocks"] == {"fan": 1}


@pytest.mark.parametrize("n", [1, 2, 7])
def test_few_recordings_stay_as_they_were_indexed(tmp_path: Path, n: int) -> None:
    path = embedded(tmp_path, drifting(n + 4, 5), n_train=n)
    before = artifacts.read_table(path, artifacts.EMBEDDINGS)[0]
    found = groups_of(scored(path)[0])
    assert found == {clip: group for clip, group in groups_of(before).items() if clip in found}


def test_equal_vectors_are_no_reason_to_fail(tmp_path: Path) -> None:
    table, header, _ = scored(embedded(tmp_path, np.ones((60, 4)), n_train=50))
    assert "blocks" not in header.diagnostics
    assert len({*groups_of(table).values()} - {None}) == 10


def test_what_a_model_has_not_seen_in_blocks_too_short_is_said_with_the_command(tmp_path: Path) -> None:
    seen = [i >= 120 for i in range(400)]
    path = embedded(tmp_path, drifting(400, 30), n_train=400, groups=blocks_of(4, 400), seen=seen)
    heard = scored(path)[2]
    (said,) = [w for w in heard.warnings if "--group-by" in w]
    assert "held-out clips resemble some that the model has seen" in said


def test_scoring_again_finds_the_same_and_does_nothing(tmp_path: Path) -> None:
    path = embedded(tmp_path, drifting(220, 10), n_train=200)
    first = scored(path)[0]
    files = {"nn": ScoreFiles.beside(tmp_path / "nn.parquet")}
    assert score.run(path, files, errors=tmp_path / "errors.parquet")["nn"].status == "current"
    (tmp_path / "nn.parquet").unlink()
    assert scored(path)[0].equals(first)


def test_thresholds_on_chosen_blocks_keep_a_promise_that_ten_blocks_and_single_clips_break(tmp_path: Path) -> None:
    """Eight machines that drift; of each the continuation, which begins after it has forgotten its state, is judged."""
    ways = {"chosen": {}, "ten": {"group_by": "block:60"}, "single": {"groups": [str(i) for i in range(600)]}}
    shares: dict[str, list[float]] = {name: [] for name in ways}
    for seed in range(8):
        vectors = drifting(1000, 25, seed)[[*range(600), *range(700, 1000)]]
        for name, how in ways.items():
            path = embedded(tmp_path / f"{name}-{seed}", vectors, n_train=600, **how)
            table = scored(path)[0]
            threshold.run([path.parent / "nn.parquet"], path.parent / "t.parquet", rule="quantile:quantile=0.9")
            (row,) = threshold.rows(path.parent / "t.parquet")
            test = table.filter(pa.array(np.equal(table["split"].to_pylist(), "test")))
            shares[name].append(float((test["anomaly_score"].to_numpy() > row["threshold"]).mean()))
    chosen, ten, single = (float(np.mean(own)) for own in shares.values())  # 11.2 %, 20.5 % and 100 % of 2,400 clips
    assert abs(chosen - 0.1) < 0.04
    assert ten > 0.15 and single > 0.9


def test_a_block_is_scored_without_what_lies_beside_it(tmp_path: Path) -> None:
    vectors = drifting(400, 10)
    table, header, _ = scored(embedded(tmp_path, vectors, n_train=400))
    size, group = header.diagnostics["blocks"]["fan"], groups_of(table)
    scores = dict(zip(table["clip_id"].to_pylist(), table["anomaly_score"].to_pylist(), strict=True))
    ordered = [group[f"fan/train/{i}"] for i in range(400)]
    blocks = list(dict.fromkeys(ordered))
    assert len(blocks) > 25  # several share a fit
    x = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for fold in np.array_split(np.arange(len(blocks)), 10_000 // 400):
        own = [i for i in range(400) if ordered[i] in {blocks[b] for b in fold}]
        rest = [i for i in range(400) if i < own[0] - size or i > own[-1] + size]
        nearest = (1 - x[own] @ x[rest].T).min(axis=1) / 2
        assert [scores[f"fan/train/{i}"] for i in own] == pytest.approx(nearest, abs=1e-6)
