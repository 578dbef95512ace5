"""`asd train --hold-out`: what no model sees, from the card through embeddings to how its scores are called."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from asdcli import artifacts
from asdcli.pipeline.chain import STAGES
from asdcli.pipeline.options import of_model
from asdcli.stages import embed, reconstruct, score, train
from asdcli.views.scores import ScoreFiles
from tests.helpers import noise_run
from tests.helpers.heard import Heard

SMALL: dict[str, Any] = {
    "epochs": 1,
    "batch_size": 8,
    "device": "cpu",
    "precision": "fp32",
    "machine_types": ["fan", "valve"],
}
AUTOENCODER: dict[str, Any] = {**SMALL, "model": "autoencoder"}


@pytest.fixture(scope="module")
def model(noise: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    outcome = train.run(*noise, folder, hold_out=0.25, **SMALL)
    assert outcome.facts.held_out == 12
    return folder


def card(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "card.json").read_text())["card"]


def labels(noise: tuple[Path, Path]) -> list[dict[str, Any]]:
    return artifacts.read_table(noise[0], artifacts.CLIPS)[0].to_pylist()


def test_blocks_of_each_domain_are_held_out_and_the_card_names_its_clips(noise: tuple[Path, Path], model: Path) -> None:
    out = [row for row in labels(noise) if row["clip_id"] in card(model)["held_out"]]
    assert Counter((row["machine_type"], row["domain"]) for row in out) == {
        (m, d): n for m in ("fan", "valve") for d, n in (("source", 4), ("target", 2))
    }
    assert len({(row["machine_type"], row["group"]) for row in out}) == 2 * 3
    assert card(model)["n_clips"] == 40 - 12
    header = artifacts.read_header(model, artifacts.MODEL)
    assert of_model(header)[-2:] == ["--hold-out", "0.25"]


def test_the_model_is_that_of_a_table_without_these_clips(
    noise: tuple[Path, Path], model: Path, tmp_path: Path
) -> None:
    table, header = artifacts.read_table(noise[0], artifacts.CLIPS)
    out = set(card(model)["held_out"])
    moved = [
        "supplemental" if c in out else s
        for c, s in zip(*(table[n].to_pylist() for n in ("clip_id", "split")), strict=True)
    ]
    column = table.column_names.index("split")
    clips = tmp_path / "clips.parquet"
    artifacts.write_table(clips, artifacts.CLIPS, table.set_column(column, "split", [moved]), header)
    train.run(clips, noise[1], tmp_path / "model", hold_out=0.0, **SMALL)
    expected, found = (load_file(folder / "weights.safetensors") for folder in (tmp_path / "model", model))
    assert all(np.array_equal(found[name], tensor) for name, tensor in expected.items())


def test_embeddings_and_scores_say_what_was_seen(noise: tuple[Path, Path], model: Path, tmp_path: Path) -> None:
    embed.run(*noise, tmp_path / "e.parquet", model=model, device="cpu")
    embedded = artifacts.read_table(tmp_path / "e.parquet", artifacts.EMBEDDINGS)[0].to_pylist()
    out = set(card(model)["held_out"])
    assert {r["clip_id"] for r in embedded if r["seen"]} == {
        r["clip_id"] for r in labels(noise) if r["split"] == "train" and r["clip_id"] not in out
    }
    files = ScoreFiles.beside(tmp_path / "nn.parquet")
    score.run(tmp_path / "e.parquet", {"nn": files}, errors=tmp_path / "errors.parquet")
    scored = artifacts.read_table(files.clips, artifacts.SCORES)[0].to_pylist()
    assert {r["clip_id"] for r in scored if r["scored_as"] == "held-out"} == out
    assert Counter(r["scored_as"] for r in scored) == {"held-out": 12, "seen": 28, None: 8}


@pytest.mark.parametrize("profile", ["default", "dcase-baseline"])
def test_autoencoders_and_their_covariances_see_none_of_it(
    noise: tuple[Path, Path], tmp_path: Path, profile: str
) -> None:
    train.run(*noise, tmp_path / "whole", hold_out=0.0, profile=profile, **AUTOENCODER)
    train.run(*noise, tmp_path / "some", hold_out=0.25, profile=profile, **AUTOENCODER)
    out = set(card(tmp_path / "some")["held_out"])
    assert len(out) == 12
    assert "held_out" not in card(tmp_path / "whole")
    files = {m: ScoreFiles.beside(tmp_path / f"{m}.parquet") for m in ("mse", "selective-mahalanobis")}
    done = reconstruct.run(*noise, files, model=tmp_path / "some", device="cpu")
    for outcome in done.values():
        rows = artifacts.read_table(outcome.path, artifacts.SCORES)[0].to_pylist()
        assert {r["clip_id"] for r in rows if r["scored_as"] == "held-out"} == out
        assert Counter(r["scored_as"] for r in rows) == {"held-out": 12, "seen": 28, None: 8}


def test_where_nothing_can_be_held_out_the_model_sees_all_and_that_is_said(tmp_path: Path) -> None:
    noise = noise_run.write(tmp_path, n_train=10)  # a table from before there were groups
    heard = Heard()
    train.run(*noise, tmp_path / "model", progress=heard, **SMALL)
    (sentence,) = (w for w in heard.warnings if "held out" in w)
    assert sentence.startswith("nothing is held out of fan 00 source, fan 00 target, valve 00 source and 1 more")
    assert "--group-by block:N" in sentence
    assert "held_out" not in card(tmp_path / "model")


def test_another_share_is_another_model_and_other_groups_make_it_stale(noise: tuple[Path, Path], model: Path) -> None:
    header = artifacts.read_header(model, artifacts.MODEL)
    table, _ = artifacts.read_table(noise[0], artifacts.CLIPS)
    digest = STAGES["train"].clips_of
    assert digest and digest(table, header) == header.inputs["clips"]
    other = table.set_column(table.column_names.index("group"), "group", table["path"])
    assert digest(other, header) != header.inputs["clips"]
    whole = dataclasses.replace(header, params={"model": "discriminative"})
    assert digest(table, whole) == digest(other, whole)  # groups mean nothing to a model that saw all
