"""Checkpoints and weights on disk: a damaged one is refused in words, and numbers that are none are not kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import AsdError, BadArtifact
from asdcli.files import CARD, CHECKPOINT
from asdcli.progress import Silent
from asdcli.training import checkpoint, loop, model_files

HEADER = Header.make(artifacts.MODEL, dataset="toy", seed=1)
HISTORY = [{"epoch": 1, "loss": 0.5, "seconds": 0.1}]


class Told(Silent):
    def __init__(self) -> None:
        self.words: list[str] = []

    def warn(self, text: str) -> None:
        self.words.append(text)


def module() -> tuple[nn.Module, list[torch.optim.Optimizer]]:
    """A network that has taken one step, and its optimizer."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 40), nn.BatchNorm1d(40), nn.Linear(40, 2))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(8, 3)).square().mean().backward()
    optimizer.step()
    return net, [optimizer]


def saved(path: Path) -> dict[str, torch.Tensor]:
    net, optimizers = module()
    checkpoint.save(path, net, optimizers, HEADER, HISTORY)
    return checkpoint.tensors_of(net)


def restored(path: Path) -> tuple[list[dict[str, Any]] | None, dict[str, torch.Tensor]]:
    net, optimizers = module()
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    history = checkpoint.restore(path, net, optimizers, HEADER)
    return history, checkpoint.tensors_of(net)


def test_a_whole_checkpoint_comes_back(tmp_path: Path) -> None:
    weights = saved(tmp_path / "c")
    history, again = restored(tmp_path / "c")
    assert history == HISTORY
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_no_flipped_byte_of_a_checkpoint_is_trained_on(tmp_path: Path) -> None:
    weights = saved(tmp_path / "c")
    whole = (tmp_path / "c").read_bytes()
    refused = 0
    for place in range(0, len(whole), 37):
        (tmp_path / "c").write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        try:
            history, again = restored(tmp_path / "c")
        except BadArtifact as error:
            assert "is damaged" in error.message and "asd train --force" in str(error.hint)
            refused += 1
            continue
        assert history == HISTORY, place
        assert all(torch.equal(weights[name], again[name]) for name in weights), place
    assert refused > 50


@pytest.mark.parametrize("content", [b"", b"cut off", b"\xff" * 100, bytes(5000)])
def test_what_is_no_checkpoint_is_refused_not_taken_for_another_trainings(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(BadArtifact, match="is damaged"):
        restored(tmp_path / "c")


def test_a_zeroed_page_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "c")
    whole = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(whole[:-512] + bytes(512))
    with pytest.raises(BadArtifact, match="it is not as it was written"):
        restored(tmp_path / "c")


def first_version(path: Path, **changed: torch.Tensor) -> None:
    """The checkpoint as it was written before there were digests."""
    with safe_open(path, framework="pt") as file:
        said = json.loads(file.metadata()["asd"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file({**tensors, **changed}, path, {"asd": json.dumps({n: said[n] for n in ("header", "history")})})


def test_a_checkpoint_without_a_digest_still_goes_on_unless_its_weights_are_none(tmp_path: Path) -> None:
    saved(tmp_path / "c")
    first_version(tmp_path / "c")
    assert restored(tmp_path / "c")[0] == HISTORY
    first_version(tmp_path / "c", **{"module.0.weight": torch.full((40, 3), torch.nan)})
    with pytest.raises(BadArtifact, match=r"module\.0\.weight is not finite"):
        restored(tmp_path / "c")


def test_a_checkpoint_of_other_shapes_is_another_trainings(tmp_path: Path) -> None:
    saved(tmp_path / "c")
    net = nn.Linear(2, 2)
    before = net.weight.clone()
    assert checkpoint.restore(tmp_path / "c", net, [torch.optim.Adam(net.parameters())], HEADER) is None
    assert torch.equal(net.weight, before)


class Nothing:
    """A task of which every epoch has been done."""

    epoch_size, unit = 1, "clips"

    def __init__(self) -> None:
        self.module, self.optimizers = module()


def test_a_training_that_starts_anew_says_why(tmp_path: Path) -> None:
    told = Told()
    (tmp_path / CHECKPOINT).write_bytes(b"cut off")
    assert loop.fit(Nothing(), epochs=0, folder=tmp_path, header=HEADER, progress=told) == []  # type: ignore[arg-type]
    assert len(told.words) == 1 and "is damaged" in told.words[0] and told.words[0].endswith("; starting anew")


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_not_written(tmp_path: Path, value: float) -> None:
    net, optimizers = module()
    nn.init.constant_(net[0].bias, value)
    with pytest.raises(AsdError, match=r"0\.bias are not finite: training has diverged") as error:
        model_files.write_model(tmp_path / "m", net, {}, HEADER)
    assert "--lr" in str(error.value.hint)
    with pytest.raises(AsdError, match="not finite"):
        checkpoint.save(tmp_path / "c", net, optimizers, HEADER, HISTORY)
    assert not list(tmp_path.iterdir())


def test_a_card_that_was_edited_is_refused(tmp_path: Path) -> None:
    net, _ = module()
    model_files.write_model(tmp_path, net, {"n_dims": 2}, HEADER)
    assert model_files.read_model(tmp_path)[1] == {"n_dims": 2}
    card = tmp_path / CARD
    card.write_text(card.read_text().replace('"n_dims": 2', '"n_dims": 3'))
    with pytest.raises(BadArtifact, match=r"asd header of .*card\.json is damaged"):
        model_files.read_model(tmp_path)
    assert not model_files.is_finished(tmp_path, HEADER)
