"""Parameters and multiply-accumulates in the meta file of a submission, against counts by hand."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace

import pytest
import yaml

from asdcli import artifacts, catalogue
from asdcli.models.costs import Cost
from asdcli.progress import SILENT
from asdcli.stages.submit_costs import cost_of
from tests.helpers import noise_run
from tests.helpers.tiny_encoders import tiny
from tests.helpers.typed import typed

WIDTHS = [640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640]
SUBMIT = ["submit", "--label", "Doe_Lab", "--edition", "dcase2023", "--subset", "dev", "-q"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a run on noise that has an autoencoder's scores and thresholds."""
    place = tmp_path_factory.mktemp("costs")
    noise_run.write(place, seconds=1.5)
    return typed(
        place,
        "train --model autoencoder --profile dcase-baseline --epochs 1 --dataset noise",
        "score --method mse --dataset noise",
        "threshold --from-training --dataset noise",  # one group of a few clips: none is held out
    )


@pytest.fixture
def run(asd, made, tmp_path):
    """A copy of it in the working folder; the dataset is what its last word was of."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "runs/noise"


def complexity(run):
    return meta(run)["system"]["complexity"]


def meta(run):
    text = (run / "submission/dev/task2/Doe_Lab_task2_1/Doe_Lab_task2_1.meta.yaml").read_text()
    return yaml.safe_load(text)


def test_a_submission_says_what_its_network_costs_for_the_editions_longest_clip(asd, run):
    assert asd(*SUBMIT) == 3  # a few machine types, and a meta file that is not filled in
    layers = list(itertools.pairwise(WIDTHS))
    parameters = sum(i * o + o for i, o in layers) + sum(2 * o for _, o in layers[:-1])
    vectors = 1 + 18 * 16_000 // 512 - 4  # five frames each; a clip of 2023 lasts up to 18 seconds
    assert complexity(run) == {"total_parameters": parameters, "MACS": vectors * sum(i * o for i, o in layers)}


def test_what_a_model_costs_that_is_gone_is_not_guessed(asd, run, capsys):
    shutil.rmtree(run / "autoencoder")
    capsys.readouterr()
    assert asd(*(word for word in SUBMIT if word != "-q"), "--allow-stale") == 3
    assert "what it costs is not counted" in capsys.readouterr().err.replace("\n", " ")
    assert complexity(run) == {"total_parameters": None, "MACS": None}


# --- encoders that others have trained -----------------------------------------------------------------------------

WINDOWS = 1 + 18 * 16_000 // (400 + 97 * 160)  # of the tiny AST; the last is flush with the end
TOKENS = 9 * 4 + 2  # patches of 16 x 16, ten apart, and two tokens of no place
AST = {
    "total_parameters": (TOKENS + 2 + 2) * 16 + 16 * 257 + 3 * (6 * 16 * 17 + 4 * 16),
    "MACS": WINDOWS * ((TOKENS - 2) * 16 * 256 + 3 * (6 * TOKENS * 16 * 16 + 2 * TOKENS * TOKENS * 16)),
}
"""Its places, patches, three blocks of six layers, norms; patches, and in each block six layers and attention."""


@pytest.fixture(scope="module")
def made_too(made, tmp_path_factory):
    """The same with scores of a frozen encoder, alone and fused with the autoencoder's."""
    pytest.importorskip("transformers")
    place = tmp_path_factory.mktemp("encoded")
    shutil.copytree(made, place, dirs_exist_ok=True)
    tiny("ast", place / "weights")
    return typed(
        place,
        "embed --embedder ast:checkpoint=weights,layer=2 --device cpu --dataset noise",
        "score --method nn --dataset noise",
        "fuse mse nn --dataset noise",
        "threshold --from-training --dataset noise",
    )


@pytest.fixture
def encoded(asd, made_too, tmp_path):
    """A copy of it in the working folder."""
    shutil.copytree(made_too, tmp_path, dirs_exist_ok=True)
    return tmp_path / "runs/noise"


def test_a_frozen_encoder_costs_what_a_count_by_hand_gives_and_a_fused_method_the_sum(asd, encoded):
    assert asd(*SUBMIT, encoded / "scores/mse.parquet") == 3
    autoencoder = complexity(encoded)
    assert asd(*SUBMIT, encoded / "scores/nn.parquet") == 3
    assert complexity(encoded) == AST
    (fused,) = (encoded / "scores").glob("*fuse*")
    assert asd(*SUBMIT, fused) == 3
    assert complexity(encoded) == {name: AST[name] + autoencoder[name] for name in AST}
    described = meta(encoded)["system"]["description"]
    assert described["ensemble_method_subsystem_count"] == 2
    assert described["front_end_system"] == "pretrained:model=ast,checkpoint=weights,layer=2"


def test_two_layers_of_one_checkpoint_have_its_parameters_once(encoded):
    header = artifacts.read_header(encoded / "scores/nn.parquet", artifacts.SCORES)
    (entry,) = [e for e in header.history if e["kind"] == "embeddings"]
    other = {**entry, "content": "0" * 32, "params": {"embedder": entry["params"]["embedder"].replace("=2", "=1")}}
    both = replace(header, history=(*header.history, other))
    found = cost_of(both, [], catalogue.load("dcase2023"), SILENT)
    assert found == Cost(AST["total_parameters"], 2 * AST["MACS"])


def test_an_encoder_of_other_weights_or_none_is_not_counted(asd, encoded, capsys):
    tiny("ast", encoded.parents[1] / "weights", seed=1)
    loud = [word for word in SUBMIT if word != "-q"]
    assert asd(*loud, encoded / "scores/nn.parquet", "--allow-stale") == 3
    assert "the checkpoint of pretrained:model=ast,checkpoint=weights,layer=2 is not the one" in capsys.readouterr().err
    assert complexity(encoded) == {"total_parameters": None, "MACS": None}
    shutil.rmtree(encoded.parents[1] / "weights")
    assert asd(*loud, encoded / "scores/nn.parquet", "--allow-stale") == 3
    assert "not counted: there is no checkpoint weights" in capsys.readouterr().err
