"""Trained networks, rebuilt from cards of today and of before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from asdcli.embedders.rebuilt import rebuilt
from asdcli.embedders.trained import Trained
from asdcli.errors import BadArtifact, UsageError
from asdcli.features.pack import WaveformPack
from asdcli.stages import embed, train
from asdcli.training import MODELS, model_files
from tests.helpers import noise_run

CPU = torch.device("cpu")
BACKBONE = "mobilenetv3_small_050"
SPELLINGS = {
    "discriminative": "discriminative:epochs=1,batch_size=10",
    "serial-oe": f"serial-oe:backbone={BACKBONE},machine_head=norm,epochs=1,batch_size=10",
}
NEW = {"discriminative": {"network", "loss"}, "serial-oe": {"networks", "n_samples", "hop_s"}}
"""What the first cards of each recipe did not have."""


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return noise_run.write(tmp_path_factory.mktemp("noise"))


@pytest.fixture(scope="module")
def models(noise: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    for name, spelling in SPELLINGS.items():
        train.run(*noise, folder / name, model=spelling, precision="fp32", device="cpu")
    return {name: folder / name for name in SPELLINGS}


def pack() -> WaveformPack:
    rows = noise_run.rows("fan", 4, 2)
    return WaveformPack.of([noise_run.waveform(r) for r in rows], [r["clip_id"] for r in rows], noise_run.RATE)


def vectors(card: dict[str, Any], weights: dict[str, torch.Tensor]) -> np.ndarray:
    return Trained.load(card, weights, CPU, 4).of_machine_type("fan").embed(pack(), np.ones(6, bool)).vectors


@pytest.mark.parametrize("recipe", SPELLINGS)
def test_a_card_names_the_networks_that_are_rebuilt_from_it(models: dict[str, Path], recipe: str) -> None:
    weights, card, _ = model_files.read_model(models[recipe])
    networks, _ = rebuilt(card, weights)
    for number, network in enumerate(networks.values()):
        prefix = "network." if recipe == "discriminative" else f"{number}."
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, weights[prefix + name])


@pytest.mark.parametrize("recipe", SPELLINGS)
def test_a_card_of_before_that_names_no_network_gives_the_same_embeddings(models: dict[str, Path], recipe: str) -> None:
    weights, card, _ = model_files.read_model(models[recipe])
    assert NEW[recipe] <= card.keys()
    old = {key: value for key, value in card.items() if key not in NEW[recipe]}
    np.testing.assert_array_equal(vectors(old, weights), vectors(card, weights))


def test_a_card_that_names_no_network_that_embeds_is_refused(models: dict[str, Path]) -> None:
    weights, card, _ = model_files.read_model(models["discriminative"])
    with pytest.raises(BadArtifact, match="recipe autoencoder, which has no network that embeds"):
        rebuilt({"spec": "autoencoder:profile=default"}, weights)
    with pytest.raises(BadArtifact, match=r"card\.json has no 'n_samples'"):
        rebuilt({k: v for k, v in card.items() if k != "n_samples"}, weights)
    with pytest.raises(BadArtifact, match=r"do not fit its network dual-branch: size mismatch for spectrum_branch"):
        rebuilt({**card, "n_samples": 200_000}, weights)
    with pytest.raises(BadArtifact, match="do not fit its network dual-branch"):
        rebuilt(card, {})
    with pytest.raises(UsageError, match="there is no module 'gone'"):
        rebuilt({**card, "network": "gone:Network"}, weights)


def test_a_trained_embedder_takes_no_parameters_and_is_that_of_the_model(
    noise: tuple[Path, Path], models: dict[str, Path], tmp_path: Path
) -> None:
    def run(embedder: str | None) -> Any:
        return embed.run(*noise, tmp_path / "e.parquet", model=models["serial-oe"], embedder=embedder, device="cpu")

    assert run(None).status == "done"
    assert run("serial-oe").status == run("trained").status == "current"
    with pytest.raises(UsageError, match="is serial-oe, not discriminative"):
        run("discriminative")
    with pytest.raises(UsageError, match="embedder 'serial-oe' has no parameter 'backbone'"):
        run("serial-oe:backbone=x")


# --- parts by name -------------------------------------------------------------------------------------------------


def test_parts_at_their_defaults_are_not_spelled() -> None:
    assert MODELS.canonical("discriminative") == "discriminative:centers=fixed"
    assert MODELS.canonical("discriminative:network=dual-branch,loss=scac") == "discriminative:centers=fixed"
    assert (
        MODELS.canonical("discriminative:loss.subclusters=4,epochs=2,centers=trainable,scale=dynamic")
        == "discriminative:centers=trainable,subclusters=4,scale=dynamic,epochs=2"
    )


def test_a_network_that_takes_no_waveforms_is_no_part_of_a_classifier() -> None:
    with pytest.raises(UsageError, match="'serial-oe:n_products=2' takes no waveforms"):
        MODELS.build("discriminative:network=serial-oe,n_products=2")


def test_a_loss_without_centres_is_refused_by_name(noise: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="subclusters must be at least 1, got 0"):
        train.run(*noise, tmp_path / "m", model="discriminative:subclusters=0", device="cpu")
