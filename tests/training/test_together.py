"""Autoencoders that take their steps as one: what they learn, on what, and where they go on."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from asdcli.features.frames import stacked
from asdcli.models.networks.autoencoder import AutoencoderNetwork
from asdcli.models.networks.stacked_autoencoders import StackedAutoencoders
from asdcli.stages import train
from asdcli.training.optimizers import adam
from asdcli.training.recipes import autoencoder
from asdcli.training.recipes.autoencoder import FrameBank
from asdcli.training.recipes.together import Together, Turn
from asdcli.training.seeds import generator
from tests.helpers.heard import Interrupting

CPU = torch.device("cpu")
N_MELS, WIDTH = 4, 9


def networks(n: int) -> list[AutoencoderNetwork]:
    torch.manual_seed(0)
    made = [AutoencoderNetwork(5 * N_MELS).double().train() for _ in range(n)]
    for network in made:
        for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm1d)):
            nn.init.normal_(norm.weight), nn.init.normal_(norm.bias)
    return made


def test_side_by_side_each_network_gives_what_it_gives_alone_and_follows_its_own_statistics() -> None:
    alone = networks(3)
    own = copy.deepcopy(alone)
    part = StackedAutoencoders(own).part(1, 3)
    x = torch.randn(2, 5 * N_MELS, 30, dtype=torch.float64)
    y = part(x, torch.float64)
    for i in (0, 1):
        torch.testing.assert_close(y[i].T, alone[1 + i](x[i].T), rtol=1e-10, atol=1e-10)
    for a, b in zip(own, alone, strict=True):  # of the first, which took no part, too
        assert list(a.state_dict()) == list(b.state_dict())
        for name, tensor in b.state_dict().items():
            torch.testing.assert_close(a.state_dict()[name], tensor, rtol=1e-10, atol=1e-12)


def test_batches_of_one_size_are_one_step_and_none_is_repeated() -> None:
    sizes = ((4, 4, 1), (4, 3), (4, 3))
    frames = [torch.zeros(100 * (i + 1), N_MELS, dtype=torch.float64) for i in range(3)]
    made = networks(3)
    together = Together(made, [], frames, width=WIDTH, dtype=torch.float64)
    batches = [[torch.arange(n) + 10 * j for j, n in enumerate(of)] for of in sizes]
    turns, starts = together._planned(batches)
    assert turns == [Turn(0, 3, 4), Turn(0, 1, 4), Turn(1, 3, 3), Turn(0, 1, 1)]
    expected = [0, 1, 2, 3, 100, 101, 102, 103, 300, 301, 302, 303]
    assert starts.tolist() == [*expected, 10, 11, 12, 13, 110, 111, 112, 310, 311, 312, 20]


def test_trained_as_one_they_learn_what_plain_loops_teach_them() -> None:
    made = networks(3)
    plain = copy.deepcopy(made)
    draws = torch.Generator().manual_seed(1)
    frames = [torch.randn(n, N_MELS, dtype=torch.float64, generator=draws) for n in (80, 60, 50)]
    sizes = ((4, 4, 2), (4, 4), (4, 2))

    def draw(epoch: int) -> list[list[torch.Tensor]]:
        rng = torch.Generator().manual_seed(epoch)
        return [
            [torch.randint(len(own) - WIDTH, (n,), generator=rng) for n in of]
            for own, of in zip(frames, sizes, strict=True)
        ]

    together = Together(
        made, [adam(n.parameters(), CPU, lr=1e-3) for n in made], frames, width=WIDTH, dtype=torch.float64
    )
    optimizers = [torch.optim.Adam(n.parameters(), lr=1e-3) for n in plain]
    for epoch in range(3):
        steps = list(together.steps(epoch, draw, last=epoch == 2))
        errors = []
        for network, optimizer, of, batches in zip(plain, optimizers, frames, draw(epoch), strict=True):
            for starts in batches:
                x = torch.cat([stacked(of[s : s + WIDTH]) for s in starts.tolist()])
                optimizer.zero_grad()
                error = nn.functional.mse_loss(network(x), x)
                error.backward()
                optimizer.step()
                errors.append(float(error.detach()) * len(starts))
        assert sum(float(s.loss) * s.items for s in steps) == pytest.approx(sum(errors), rel=1e-9)
        assert sum(s.items for s in steps) == 24
    for a, b in zip(made, plain, strict=True):
        for name, tensor in b.state_dict().items():
            torch.testing.assert_close(a.state_dict()[name], tensor, rtol=1e-7, atol=1e-9, msg=name)


def test_where_windows_begin_does_not_hang_on_the_size_of_batches() -> None:
    count = torch.randint(WIDTH, 40, (50,), generator=torch.Generator().manual_seed(0))
    bank = FrameBank(torch.empty(0), count.cumsum(0) - count, count, torch.arange(50) % 5 == 4)
    one, other = (torch.cat(list(bank.windows(WIDTH, n, generator(0, "epoch")))) for n in (7, 16))
    assert torch.equal(one, other) and len(one) == 40
    clips = torch.bucketize(one[:, 0].contiguous(), bank.first, right=True) - 1
    assert sorted(clips.tolist()) == [i for i in range(50) if i % 5 < 4]
    assert torch.equal(
        clips, torch.bucketize(one[:, -1].contiguous(), bank.first, right=True) - 1
    )  # each within its clip


# --- asd train ----------------------------------------------------------------------------------------------------

SMALL: dict[str, Any] = {"model": "autoencoder", "device": "cpu", "precision": "fp32", "epochs": 2, "batch_size": 12}


@pytest.fixture
def as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoencoder, "TOGETHER", ("cpu",))


def test_interrupted_training_as_one_ends_with_the_same_weights_on_disk(
    noise: tuple[Path, Path], tmp_path: Path, as_one: None
) -> None:
    train.run(*noise, tmp_path / "whole", **SMALL)
    with pytest.raises(KeyboardInterrupt):
        train.run(*noise, tmp_path / "cut", progress=Interrupting(0.6), **SMALL)
    train.run(*noise, tmp_path / "cut", **SMALL)
    cut, whole = (load_file(tmp_path / name / "weights.safetensors") for name in ("cut", "whole"))
    assert len(cut) == 2 * (20 + 3 * 9 + 18) and all(torch.equal(cut[name], tensor) for name, tensor in whole.items())


def test_as_one_and_by_turns_see_the_same_batches(
    noise: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {}
    for kinds in ((), ("cpu",)):
        monkeypatch.setattr(autoencoder, "TOGETHER", kinds)
        train.run(*noise, tmp_path / "-".join(("of", *kinds)), **SMALL)
        lines = (tmp_path / "-".join(("of", *kinds)) / "metrics.jsonl").read_text().splitlines()
        rows[kinds] = [json.loads(line) for line in lines]
    for one, other in zip(*rows.values(), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)  # float32, over four steps of Adam
    assert rows[()][0]["loss"] == pytest.approx(rows[("cpu",)][0]["loss"], rel=1e-5)


@pytest.mark.gpu
def test_recorded_steps_are_those_that_are_not_recorded() -> None:
    from tests.bench.autoencoders import compared

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    for line in compared(torch.device("cuda"), 3):
        assert float(line.split("by ")[1].split(" ")[0]) < 1e-3, line
