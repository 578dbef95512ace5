"""Every loss, network and augmentation in a training: the same bytes again, also after an interruption; it embeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from asdcli import artifacts
from asdcli.embedders.rebuilt import rebuilt
from asdcli.errors import UsageError
from asdcli.stages import embed, score, train
from asdcli.training import MODELS, model_files
from asdcli.views.scores import ScoreFiles
from tests.helpers import noise_run
from tests.helpers.heard import Heard, Interrupting

TINY = "discriminative:network=tests.helpers.tiny_network:TwoBranches"
LOSSES = [
    "adacos,centers=trainable,scale=dynamic",
    "arcface,margin=0.3",
    "adaproj,subspace=3,centers=trainable",
    "subspace,branch=4",
    "featex,branch=4",
    "featex,branch=4,noise=0.5,label_smoothing=0.1",
]


def scored(noise: tuple[Path, Path], model: Path, folder: Path) -> np.ndarray:
    embed.run(*noise, folder / "e.parquet", model=model, device="cpu")
    files = ScoreFiles.beside(folder / "nn.parquet")
    score.run(folder / "e.parquet", {"nn": files}, errors=folder / "errors.parquet")
    table, _ = artifacts.read_table(files.clips, artifacts.SCORES)
    return table["anomaly_score"].to_numpy()


@pytest.mark.parametrize("loss", LOSSES)
def test_a_training_ends_with_the_same_weights_whether_interrupted_or_not(
    noise: tuple[Path, Path], tmp_path: Path, loss: str
) -> None:
    model, how = f"{TINY},loss={loss}", {"epochs": 3, "batch_size": 8, "device": "cpu"}
    train.run(*noise, tmp_path / "whole", model=model, **how)
    with pytest.raises(KeyboardInterrupt):
        train.run(*noise, tmp_path / "cut", model=model, progress=Interrupting(0.75), **how)
    progress = Heard()
    torch.rand(1)  # what others draw changes nothing
    train.run(*noise, tmp_path / "cut", model=model, progress=progress, **how)
    assert any("going on after epoch" in note for note in progress.notes)
    whole, cut = (tmp_path / name / "weights.safetensors" for name in ("whole", "cut"))
    assert whole.read_bytes() == cut.read_bytes()
    _, card, _ = model_files.read_model(tmp_path / "whole")
    assert card["loss"].startswith(loss.partition(",")[0]) and card["loss_scale"] > 0
    assert card["spec"] == MODELS.canonical(f"{model},epochs=3,batch_size=8")
    assert np.isfinite(scored(noise, tmp_path / "whole", tmp_path)).all()


def test_a_multi_resolution_network_is_rebuilt_from_its_card_and_embeds(tmp_path: Path) -> None:
    noise = noise_run.write(tmp_path, n_train=5)
    model = "discriminative:network=multi-resolution,windows=256+2048,specaugment=0.5,centers=trainable"
    how = {"epochs": 1, "batch_size": 20, "device": "cpu", "precision": "fp32"}
    train.run(*noise, tmp_path / "m", model=model, **how)
    weights, card, _ = model_files.read_model(tmp_path / "m")
    assert card["network"] == "multi-resolution:windows=256+2048,specaugment=0.5"
    assert card["n_dims"] == 384
    (network,) = rebuilt(card, weights)[0].values()
    assert all(torch.equal(tensor, weights[f"network.{name}"]) for name, tensor in network.state_dict().items())
    assert np.isfinite(scored(noise, tmp_path / "m", tmp_path)).all()


def test_what_a_network_draws_leaves_the_generator_of_others_alone(noise: tuple[Path, Path], tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    train.run(*noise, tmp_path / "m", model=f"{TINY},loss=featex,branch=4,epochs=1", device="cpu")
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("spelling", "complaint"),
    [
        ("discriminative:label_smoothing=1", "label_smoothing is a share below 1"),
        ("discriminative:noise=1.5", "noise is a probability"),
        ("discriminative:snr_low=30", "snr_low must not be above snr_high"),
        ("discriminative:loss=arcface,subclusters=2", "has no parameter 'subclusters'"),
        ("discriminative:windows=256", "has no parameter 'windows'"),
    ],
)
def test_a_part_that_is_none_is_refused(spelling: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        MODELS.build(spelling)
