"""Networks that go on from an encoder: they begin as it, and are had again without its checkpoint, of every family."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from asdcli.embedders import EMBEDDERS
from asdcli.embedders.rebuilt import rebuilt
from asdcli.embedders.trained import Trained
from asdcli.errors import BadArtifact, BadData, UsageError
from asdcli.features.pack import WaveformPack
from asdcli.models.adapters import LowRankLinear, folded
from asdcli.models.encoders.architectures import ARCHITECTURES
from asdcli.models.networks import NETWORKS
from asdcli.models.networks.encoder import EncoderNetwork
from asdcli.progress import SILENT
from asdcli.training.encoders import FoundEncoder
from tests.helpers.heard import Heard
from tests.helpers.tiny_encoders import tiny
from tests.reference_values import CPU, sounds

RATE = 16_000


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def eat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eat")
    tiny("eat", folder)
    return folder


def built(spelling: str, n_samples: int = 1, rate: int = RATE) -> EncoderNetwork:
    torch.manual_seed(5)
    found = FoundEncoder.of(spelling, SILENT)
    assert found is not None
    network: EncoderNetwork = NETWORKS.build(spelling, n_samples, rate, found.start(rate, SILENT))
    return network.eval()


def waves(network: EncoderNetwork, n: int = 2) -> torch.Tensor:
    torch.manual_seed(6)
    return torch.randn(n, network.n_samples) / 10


def card_of(network: EncoderNetwork, spelling: str) -> dict[str, Any]:
    return {"network": spelling, "n_samples": network.n_samples, "sample_rate": network.sample_rate, **network.card()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_was_learnt_is_folded_and_had_again_without_the_checkpoint(name: str, tmp_path: Path) -> None:
    """Of WavLM too, whose attention reaches for the weights of its layers."""
    pytest.importorskip("transformers")
    pytest.importorskip("openbeats")
    pytest.importorskip("dasheng")
    tiny(name, tmp_path / "w")
    spelling = f"{name}:checkpoint={tmp_path / 'w'},lora=3,pool=attentive,dims=6"
    network = built(spelling)
    begins = network(waves(network, 1)).detach()
    adapters = [module for module in network.modules() if isinstance(module, LowRankLinear)]
    for layer in adapters:
        torch.nn.init.normal_(layer.up, std=0.3)
    learnt = network(waves(network, 1)).detach()
    assert adapters and (begins - learnt).abs().max() > 1e-4
    weights = {f"network.{key}": value for key, value in folded(network).items()}
    card = card_of(network, spelling)
    (tmp_path / "w").rename(tmp_path / "away")
    (again,) = rebuilt(card, weights)[0].values()
    torch.testing.assert_close(again.eval()(waves(network, 1)), learnt, rtol=1e-4, atol=1e-5)  # sums in another order
    assert not any(isinstance(module, LowRankLinear) for module in again.modules())
    assert card["n_parameters"] == sum(p.numel() for p in again.parameters())


def test_it_begins_as_the_frozen_encoder(eat: Path) -> None:
    """Two windows and a half of a clip at another rate; a linear layer that changes nothing."""
    network = built(f"eat:checkpoint={eat},pool=gem:p=2,layer=1,dims=16", 2 * 330_000, 32_000)
    torch.nn.init.eye_(network.project.weight)
    torch.nn.init.zeros_(network.project.bias)
    pack = sounds(2 * 330_000, 32_000, 2)
    frozen = EMBEDDERS.build(f"eat:checkpoint={eat},pool=gem:p=2,layer=1").found(SILENT).loaded(CPU, 2, SILENT)
    want = frozen.embed(pack, np.ones(2, bool)).vectors
    assert network.n_samples == 660_000 > 2 * network.start.front.window
    got = Trained({None: network}, CPU).embed(pack, np.ones(2, bool)).vectors
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_clips_shorter_than_a_window_are_repeated_until_they_fill_it(eat: Path) -> None:
    network = built(f"eat:checkpoint={eat}", 4000)
    assert network.n_samples == network.start.front.window
    short = sounds(4000, RATE).samples
    packs = [WaveformPack.of([clip], ["a"], RATE) for clip in (short, np.resize(short, network.n_samples))]
    one, other = (Trained({None: network}, CPU).embed(pack, np.ones(1, bool)).vectors for pack in packs)
    assert np.array_equal(one, other)


def trained_names(network: EncoderNetwork) -> set[str]:
    return {name for name, parameter in network.named_parameters() if parameter.requires_grad}


def test_with_lora_adapters_and_head_learn_and_without_everything_in_use(eat: Path) -> None:
    head = {"project.weight", "project.bias"}
    of_blocks = [{f"encoder.blocks.{i}.attn.qkv.{part}" for part in ("down", "up")} for i in range(2)]
    assert trained_names(built(f"eat:checkpoint={eat},lora=2")) == of_blocks[0] | of_blocks[1] | head
    assert trained_names(built(f"eat:checkpoint={eat},lora=2,layer=1")) == of_blocks[0] | head
    others = trained_names(built(f"eat:checkpoint={eat},lora=2,targets=proj+fc1")) - head
    assert {name.split(".")[-2] for name in others} == {"proj", "fc1"} and len(others) == 2 * 2 * 2
    assert len(trained_names(built(f"eat:checkpoint={eat},lora=2,targets=all")) - head) == 2 * 2 * 4
    full = built(f"eat:checkpoint={eat},layer=1")
    of_no_use = {name for name, _ in full.named_parameters() if name.startswith("encoder.blocks.1.")}
    fixed = {"encoder.fixed_positional_encoder.positions"}
    assert {name for name, _ in full.named_parameters()} - trained_names(full) == of_no_use | fixed


def test_how_far_its_layers_lie_below_the_head(eat: Path) -> None:
    network = built(f"eat:checkpoint={eat}")
    names = (
        "project.weight",
        "encoder.blocks.1.attn.qkv.weight",
        "encoder.blocks.0.norm1.bias",
        "encoder.pre_norm.bias",
    )
    assert [network.below_head(name) for name in names] == [0, 1, 2, 3]
    assert network.below_head("pooling.inner.weight") == 0
    assert built(f"eat:checkpoint={eat},layer=1").below_head("encoder.blocks.0.norm1.bias") == 1


def test_what_blocks_share_counts_as_the_first_ones(tmp_path: Path) -> None:
    pytest.importorskip("openbeats")
    tiny("beats", tmp_path)
    network = built(f"beats:checkpoint={tmp_path}")
    shared = "encoder.encoder.layers.0.self_attn.relative_attention_bias.weight"
    assert shared in dict(network.named_parameters()) and network.below_head(shared) == 2


def gradients(network: EncoderNetwork) -> tuple[dict[str, torch.Tensor], int]:
    """Of the sum of squares, and how many bytes were kept for them."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    torch.manual_seed(8)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = network.train()(waves(network)).square().sum()
    loss.backward()
    return {name: p.grad for name, p in network.named_parameters() if p.grad is not None}, sum(kept.values())


@pytest.mark.parametrize("layer", ["", ",layer=1"])
def test_blocks_that_are_computed_again_give_the_same_gradients_and_keep_less(layer: str, tmp_path: Path) -> None:
    """Of BEATs, which drops out by lot and takes what it looks back on from block to block."""
    pytest.importorskip("openbeats")
    tiny("beats", tmp_path / "w")
    usual, bytes_usual = gradients(built(f"beats:checkpoint={tmp_path / 'w'}{layer}"))
    again, bytes_again = gradients(built(f"beats:checkpoint={tmp_path / 'w'}{layer},recompute=true"))
    assert usual.keys() == again.keys()
    for name, gradient in usual.items():
        torch.testing.assert_close(again[name], gradient)
    assert bytes_again < 0.6 * bytes_usual


@pytest.mark.parametrize("name", ["wavlm", "beats"])
def test_nothing_is_drawn_that_a_seed_does_not_reach(name: str, tmp_path: Path) -> None:
    """Both would mask or leave out blocks by a generator of numpy's."""
    pytest.importorskip("transformers")
    pytest.importorskip("openbeats")
    changes = {"layerdrop": 0.5, "mask_time_prob": 0.5} if name == "wavlm" else {"encoder_layerdrop": 0.5}
    tiny(name, tmp_path / "w", **changes)
    network = built(f"{name}:checkpoint={tmp_path / 'w'}").train()
    outputs = []
    for _ in range(4):
        torch.manual_seed(9)
        outputs.append(network(waves(network)))
    assert all(torch.equal(outputs[0], other) for other in outputs[1:])


def test_statistics_of_the_encoder_stay_those_of_its_authors(tmp_path: Path) -> None:
    pytest.importorskip("dasheng")
    tiny("ced", tmp_path / "w")
    network = built(f"ced:checkpoint={tmp_path / 'w'},pool=attentive").train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(waves(network))
    changed = {name for name, value in network.named_buffers() if not torch.equal(value, before[name])}
    assert changed == {"pooling.norm.running_mean", "pooling.norm.running_var", "pooling.norm.num_batches_tracked"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (",lora=0", "lora=0: a rank is at least 1"),
        (",lora=17", "lora=17: the layer attn.qkv takes 16 numbers to 48"),
        (",lora=2,targets=q_proj", "no linear layer called q_proj"),
        (",alpha=0", "alpha must be a number above 0"),
        (",dims=0", "dims must be at least 1"),
        (",layer=3", "layer=3: this eat has the layers 1 to 2"),
        (",pool=median", "unknown pooling 'median'"),
    ],
)
def test_what_no_encoder_has_is_refused(eat: Path, more: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        built(f"eat:checkpoint={eat}{more}")


def test_a_rate_that_cannot_be_brought_to_the_encoders_is_refused(eat: Path) -> None:
    with pytest.raises(BadData, match="clips at 12345 Hz cannot be resampled to the 16000 Hz of the encoder"):
        built(f"eat:checkpoint={eat}", rate=12_345)


def test_a_checkpoint_for_another_rate_and_one_that_does_not_say_what_it_hears(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    tiny("ast", tmp_path)
    said = tmp_path / "preprocessor_config.json"
    said.write_text(json.dumps({**json.loads(said.read_text()), "sampling_rate": 8000}))
    with pytest.raises(BadArtifact, match="is for 8000 Hz, and ast hears 16000 Hz"):
        FoundEncoder.of(f"ast:checkpoint={tmp_path}", SILENT)
    said.unlink()
    progress = Heard()
    found = FoundEncoder.of(f"ast:checkpoint={tmp_path}", progress)
    assert found is not None
    found.start(RATE, progress)
    assert progress.notes == [f"{tmp_path} has no preprocessor_config.json: ast hears what it was published with"]


def test_a_frozen_encoder_takes_no_pooling_that_learns(eat: Path) -> None:
    with pytest.raises(UsageError, match="pool=attentive has weights, and a frozen encoder learns none"):
        EMBEDDERS.build(f"eat:checkpoint={eat},pool=attentive")


def test_a_network_that_begins_anew_has_no_encoder() -> None:
    assert FoundEncoder.of("dual-branch", SILENT) is None


@pytest.mark.parametrize("lost", ["model", "settings", "weights", "sense"])
def test_a_card_or_weights_that_do_not_say_enough_are_refused(eat: Path, lost: str) -> None:
    spelling = f"eat:checkpoint={eat}"
    network = built(spelling)
    card, weights = card_of(network, spelling), {f"network.{k}": v for k, v in network.state_dict().items()}
    if lost == "weights":
        weights = {key: value for key, value in weights.items() if "blocks.1" not in key}
    elif lost == "sense":
        card["encoder"]["settings"] = ["depth"]
    else:
        card["encoder"] = {key: value for key, value in card["encoder"].items() if key != lost}
    with pytest.raises(BadArtifact, match="the model's weights do not fit its network") as error:
        rebuilt(card, weights)
    assert error.value.hint == "train again: asd train --force"
