"""`asd train --folds`: models that have not seen a fold each, and what the model that has seen all is worth by them."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from asdcli import artifacts
from asdcli.errors import BadArtifact, MissingArtifact, UsageError
from asdcli.pipeline.options import of_model
from asdcli.stages import embed, import_embeddings, reconstruct, score, threshold, train
from asdcli.training.holdout import dealt_groups
from asdcli.views.scores import ScoreFiles
from tests.helpers.heard import Heard, Interrupting
from tests.training.test_hold_out import AUTOENCODER, SMALL

FOLDS = 3


@pytest.fixture(scope="module")
def run(noise: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model/ in folds, e.parquet and fold-e.parquet."""
    folder = tmp_path_factory.mktemp("run")
    facts = train.run(*noise, folder / "model", folds=FOLDS, **SMALL).facts
    assert (facts.folds, facts.held_out, facts.n_units) == (FOLDS, None, 40)
    embed.run(*noise, folder / "e.parquet", model=folder / "model", device="cpu")
    return folder


def held_out(folder: Path) -> set[str]:
    return set(json.loads((folder / "card.json").read_text())["card"].get("held_out", ()))


def training(noise: tuple[Path, Path]) -> list[dict[str, Any]]:
    return [r for r in artifacts.read_table(noise[0], artifacts.CLIPS)[0].to_pylist() if r["split"] == "train"]


def rows_of(path: Path, kind: artifacts.Kind) -> list[dict[str, Any]]:
    return artifacts.read_table(path, kind)[0].to_pylist()


def scored(folder: Path, *methods: str) -> dict[str, Path]:
    files = {m: ScoreFiles.beside(folder / "scores" / f"{i}.parquet") for i, m in enumerate(methods)}
    done = score.run(folder / "e.parquet", files, errors=folder / "errors.parquet")
    return {m: done[m].path for m in methods}


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdefg"), st.sampled_from(["00", "01"]), st.sampled_from(["source", "target"])),
        min_size=1,
        max_size=40,
    ),
    st.integers(2, 4),
    st.integers(0, 3),
)
def test_whole_groups_are_in_one_fold_each_and_no_fold_takes_all_of_a_section_and_domain(
    clips: list[tuple[str, str, str]], n_folds: int, seed: int
) -> None:
    group, section, domain = zip(*clips, strict=True)
    table = pa.table({"machine_type": ["fan"] * len(clips), "section": section, "domain": domain, "group": group})
    try:
        found = dealt_groups(table, n_folds, seed)
    except UsageError as error:
        most = int(error.message.split("more than ")[1].split()[0])
        assert most < n_folds and most <= len({*group})
        return
    assert len({(g, f) for g, f in zip(group, found.fold, strict=True)}) == len({*group})
    for fold in range(1, n_folds + 1):
        out = Counter((s, d) for s, d, f in zip(section, domain, found.fold, strict=True) if f == fold)
        total = Counter(zip(section, domain, strict=True))
        assert all(out[stratum] < total[stratum] for stratum in total)
    assert found.groups == {"fan": (len({g for g, f in zip(group, found.fold, strict=True) if f}), len({*group}))}
    order = np.random.default_rng(seed).permutation(len(clips))
    assert np.array_equal(dealt_groups(table.take(pa.array(order)), n_folds, seed).fold, found.fold[order])


def test_equal_groups_are_dealt_evenly() -> None:
    rows = [
        ("fan", "00", d, f"{d} {i}") for d, n in (("source", 12), ("target", 6)) for i in range(n) for _ in range(5)
    ]
    machine_type, section, domain, group = zip(*rows, strict=True)
    table = pa.table({"machine_type": machine_type, "section": section, "domain": domain, "group": group})
    found = dealt_groups(table, 3, seed=1)
    assert Counter(zip(domain, found.fold.tolist(), strict=True)) == {
        (d, f): n for d, n in (("source", 20), ("target", 10)) for f in (1, 2, 3)
    }
    assert (found.fold != dealt_groups(table, 3, seed=2).fold).any()


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"folds": 1}, "--folds must be 2 or more, got 1"),
        ({"folds": 11}, "--folds 11: no machine type has more than 10 groups of training clips"),
        ({"folds": 3, "hold_out": 0.1}, "with --folds the model sees all"),
    ],
)
def test_folds_that_cannot_be_are_refused_before_any_work(
    noise: tuple[Path, Path], tmp_path: Path, given_: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        train.run(*noise, tmp_path / "model", **SMALL, **given_)
    assert caught.value.hint
    assert not (tmp_path / "model").exists()


def test_every_clip_is_unseen_by_one_model_and_the_model_itself_is_that_of_all_clips(
    noise: tuple[Path, Path], run: Path, tmp_path: Path
) -> None:
    out = [held_out(run / "model" / f"fold-{i}") for i in range(1, FOLDS + 1)]
    assert sorted(c for one in out for c in one) == sorted(r["clip_id"] for r in training(noise))
    assert held_out(run / "model") == set()
    header = artifacts.read_header(run / "model", artifacts.MODEL)
    assert of_model(header)[-2:] == ["--folds", str(FOLDS)]
    train.run(*noise, tmp_path / "whole", hold_out=0.0, **SMALL)
    expected, found = (load_file(folder / "weights.safetensors") for folder in (tmp_path / "whole", run / "model"))
    assert all(np.array_equal(found[name], tensor) for name, tensor in expected.items())


def test_a_cross_fitted_score_is_the_distance_in_the_space_of_the_model_that_has_not_seen_the_clip(
    noise: tuple[Path, Path], run: Path
) -> None:
    found = {r["clip_id"]: r for r in rows_of(scored(run, "nn")["nn"], artifacts.SCORES)}
    assert Counter(r["scored_as"] for r in found.values()) == {"cross-fitted": 40, None: 8}
    vectors = rows_of(run / "fold-e.parquet", artifacts.FOLD_EMBEDDINGS)
    assert len(vectors) == FOLDS * 48
    for fold in range(1, FOLDS + 1):
        out = held_out(run / "model" / f"fold-{fold}")
        own = [r for r in vectors if r["fold"] == fold and r["machine_type"] == "fan" and r["split"] == "train"]
        assert {r["clip_id"] for r in own if r["seen"]} == {r["clip_id"] for r in own} - out
        x = {r["clip_id"]: np.array(r["vector"]) / np.linalg.norm(r["vector"]) for r in own}
        rest = np.array([x[c] for c in x if c not in out])
        for clip_id in out & x.keys():
            assert found[clip_id]["anomaly_score"] == pytest.approx((1 - rest @ x[clip_id]).min() / 2, abs=1e-7)


def test_scores_of_test_clips_are_those_of_the_model_that_has_seen_all(
    noise: tuple[Path, Path], run: Path, tmp_path: Path
) -> None:
    embed.run(*noise, tmp_path / "e.parquet", model=_alone(run, tmp_path), device="cpu")
    alone = rows_of(scored(tmp_path, "nn")["nn"], artifacts.SCORES)
    within = rows_of(scored(run, "nn")["nn"], artifacts.SCORES)
    tests = [[(r["clip_id"], r["anomaly_score"]) for r in rows if r["split"] == "test"] for rows in (alone, within)]
    assert tests[0] == tests[1]
    assert {r["scored_as"] for r in alone if r["split"] == "train"} == {"seen"}


def _alone(run: Path, to: Path) -> Path:
    """The model that has seen all, as if it had been trained without folds."""
    shutil.copytree(run / "model", to / "model", ignore=shutil.ignore_patterns("fold-*"))
    header = artifacts.read_header(to / "model", artifacts.MODEL)
    card = json.loads((to / "model" / "card.json").read_text())["card"]
    plain = {name: value for name, value in header.params.items() if name != "folds"}
    text = dataclasses.replace(header, params=plain).to_json(indent=1, card=card)
    (to / "model" / "card.json").write_text(text + "\n")
    return to / "model"


def test_embeddings_without_those_of_the_folds_are_not_scored_as_if_there_were_none(run: Path, tmp_path: Path) -> None:
    shutil.copy(run / "e.parquet", tmp_path)
    with pytest.raises(MissingArtifact, match="fold-e"):
        scored(tmp_path, "nn")


def test_other_folds_are_embedded_and_scored_anew_though_the_model_is_the_same(
    noise: tuple[Path, Path], run: Path, tmp_path: Path
) -> None:
    for name in ("model", "e.parquet", "fold-e.parquet"):
        (shutil.copytree if name == "model" else shutil.copy)(run / name, tmp_path / name)
    before = rows_of(scored(tmp_path, "nn")["nn"], artifacts.SCORES)
    train.run(*noise, tmp_path / "model", folds=2, **SMALL)
    headers = [artifacts.read_header(folder / "model", artifacts.MODEL) for folder in (run, tmp_path)]
    assert headers[0].content == headers[1].content
    assert embed.run(*noise, tmp_path / "e.parquet", model=tmp_path / "model", device="cpu").status == "done"
    after = rows_of(scored(tmp_path, "nn")["nn"], artifacts.SCORES)
    own = [[r["anomaly_score"] for r in rows if r["split"] == "train"] for rows in (before, after)]
    assert own[0] != own[1]


def test_clips_of_no_known_group_are_seen_by_every_model() -> None:
    group = [*"aabbcc", None, None]
    table = pa.table({"machine_type": ["fan"] * 8, "section": ["00"] * 8, "domain": ["source"] * 8, "group": group})
    found = dealt_groups(table, 2, seed=0)
    assert found.fold[-2:].tolist() == [0, 0] and (found.fold[:-2] > 0).all()
    assert found.groups == {"fan": (3, 4)}
    with pytest.raises(UsageError, match="no machine type has more than 3 groups"):
        dealt_groups(table, 4, seed=0)


def test_alpha_of_held_out_clips_and_thresholds_stand_on_them_and_that_is_said(run: Path) -> None:
    method = "varmin:k=2,val=held-out"
    path = scored(run, method)[method]
    units = artifacts.read_header(path, artifacts.SCORES).diagnostics["units"]
    assert {name: found["n_val"] for name, found in units.items()} == {"fan": 20, "valve": 20}
    heard = Heard()
    threshold.run([path], run / "t.parquet", rule="quantile:quantile=0.9", progress=heard)
    assert {(r["scored_as"], r["n_clips"], r["n_groups"]) for r in threshold.rows(run / "t.parquet")} == {
        ("cross-fitted", 20, 10)
    }
    assert any("new clips are scored by one that has seen all" in w for w in heard.warnings)


def test_nothing_is_made_twice_and_a_fold_that_is_gone_is_trained_alone(
    noise: tuple[Path, Path], run: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(run / "model", tmp_path / "model")
    assert train.run(*noise, folder, folds=FOLDS, **SMALL).status == "current"
    shutil.rmtree(folder / "fold-2")
    with pytest.raises(MissingArtifact, match="fold-2"):
        embed.run(*noise, tmp_path / "e.parquet", model=folder, device="cpu")
    heard = Heard()
    train.run(*noise, folder, folds=FOLDS, progress=heard, **SMALL)
    assert [note for note in heard.notes if "of 3" in note] == [note for note in heard.notes if "fold 2 of 3" in note]
    again, before = (load_file(f / "fold-2" / "weights.safetensors") for f in (folder, run / "model"))
    assert all(np.array_equal(again[name], tensor) for name, tensor in before.items())


def test_an_interrupted_training_goes_on_with_the_folds_that_are_not_done(
    noise: tuple[Path, Path], tmp_path: Path
) -> None:
    class Second(Interrupting):
        """Interrupts the training of the second fold."""

        def advance(self, n: int, **fields: Any) -> None:
            if any("fold 2" in note for note in self.notes):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.run(*noise, tmp_path / "model", folds=2, progress=Second(1.0), **SMALL)
    assert (tmp_path / "model" / "fold-1" / "card.json").exists()
    assert not (tmp_path / "model" / "card.json").exists()
    heard = Heard()
    train.run(*noise, tmp_path / "model", folds=2, progress=heard, **SMALL)
    assert not any("fold 1" in note for note in heard.notes)
    assert (tmp_path / "model" / "card.json").exists()


def test_a_model_without_folds_takes_those_of_an_earlier_one_with_it(
    noise: tuple[Path, Path], run: Path, tmp_path: Path
) -> None:
    for name in ("model", "e.parquet", "fold-e.parquet"):
        (shutil.copytree if name == "model" else shutil.copy)(run / name, tmp_path / name)
    (tmp_path / "model" / "fold-3" / "notes.txt").write_text("mine")
    train.run(*noise, tmp_path / "model", hold_out=0.25, **SMALL)
    assert sorted(p.name for p in (tmp_path / "model").glob("fold-*/*")) == ["notes.txt"]
    embed.run(*noise, tmp_path / "e.parquet", model=tmp_path / "model", device="cpu")
    assert not (tmp_path / "fold-e.parquet").exists()
    assert "cross-fitted" not in {r["scored_as"] for r in rows_of(scored(tmp_path, "nn")["nn"], artifacts.SCORES)}


def test_vectors_of_another_model_beside_the_embeddings_are_refused(
    noise: tuple[Path, Path], run: Path, tmp_path: Path
) -> None:
    shutil.copy(run / "fold-e.parquet", tmp_path)
    table, header = artifacts.read_table(run / "e.parquet", artifacts.EMBEDDINGS)
    other = dataclasses.replace(header, inputs={**header.inputs, "model": "another"})
    artifacts.write_table(tmp_path / "e.parquet", artifacts.EMBEDDINGS, table, other)
    with pytest.raises(BadArtifact, match=r"fold-e\.parquet is not of the model") as caught:
        scored(tmp_path, "nn")
    assert "asd embed" in str(caught.value.hint)


def test_vectors_brought_from_elsewhere_have_no_folds(run: Path, tmp_path: Path) -> None:
    shutil.copy(run / "fold-e.parquet", tmp_path)
    table = artifacts.read_table(run / "e.parquet", artifacts.EMBEDDINGS)[0]
    foreign = tmp_path / "brought.npz"
    labels = {name: np.array(table[name].to_pylist()) for name in ("clip_id", "machine_type", "split")}
    np.savez(foreign, vectors=np.array(table["vector"].to_pylist()), **labels)
    import_embeddings.run(
        import_embeddings.read(foreign), tmp_path / "e.parquet", errors=tmp_path / "errors.parquet", dataset="own"
    )
    assert not (tmp_path / "fold-e.parquet").exists()


@pytest.mark.parametrize("profile", ["default", "dcase-baseline"])
def test_autoencoders_of_folds_score_what_they_have_not_seen(
    noise: tuple[Path, Path], tmp_path: Path, profile: str
) -> None:
    train.run(*noise, tmp_path / "model", folds=2, profile=profile, **AUTOENCODER)
    methods = ("mse", "selective-mahalanobis")

    def scores(model: Path, folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
        files = {m: ScoreFiles.beside(folder / f"{m}.parquet") for m in methods}
        done = reconstruct.run(*noise, files, model=model, device="cpu")
        return {m: {r["clip_id"]: r for r in rows_of(o.path, artifacts.SCORES)} for m, o in done.items()}

    found = scores(tmp_path / "model", tmp_path / "all")
    for fold in (1, 2):
        folder = tmp_path / "model" / f"fold-{fold}"
        for method, rows in scores(folder, tmp_path / str(fold)).items():
            of = found[next(m for m in found if m == method)]
            for clip_id in held_out(folder):
                assert of[clip_id]["scored_as"] == "cross-fitted"
                assert rows[clip_id]["scored_as"] == "held-out"
                assert of[clip_id]["anomaly_score"] == pytest.approx(rows[clip_id]["anomaly_score"], rel=1e-5)
    assert all(Counter(r["scored_as"] for r in of.values()) == {"cross-fitted": 40, None: 8} for of in found.values())


def test_verifying_a_model_looks_at_its_folds(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run / "model", tmp_path / "model")
    artifacts.verify(folder, artifacts.MODEL)
    weights = folder / "fold-2" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    with pytest.raises(BadArtifact, match="fold-2"):
        artifacts.verify(folder, artifacts.MODEL)
