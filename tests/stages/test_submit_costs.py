"""Parameters and multiply-accumulates in the meta file of a submission, against counts by hand."""

from __future__ import annotations

import itertools
import shutil

import pytest
import yaml

from tests.helpers import noise_run

WIDTHS = [640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640]
SUBMIT = ["submit", "--label", "Doe_Lab", "--edition", "dcase2023", "--subset", "dev", "-q"]


@pytest.fixture
def run(asd, tmp_path):
    """A run on noise with an autoencoder's scores and thresholds; its last word is the dataset's."""
    noise_run.write(tmp_path, seconds=1.5)
    where = ("--dataset", "noise", "-q")
    model = ("--model", "autoencoder", "--profile", "dcase-baseline", "--epochs", 1)
    assert asd("train", *model, *where) == 0
    assert asd("score", "--method", "mse", *where) == 0
    assert asd("threshold", "--from-training", *where) == 0  # one group of a few clips: none is held out
    return tmp_path / "runs/noise"


def complexity(run):
    text = (run / "submission/dev/task2/Doe_Lab_task2_1/Doe_Lab_task2_1.meta.yaml").read_text()
    return yaml.safe_load(text)["system"]["complexity"]


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
