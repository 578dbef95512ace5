"""Learning rates by step and by layer, worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from asdcli.errors import UsageError
from asdcli.training import MODELS
from asdcli.training.rates import Rates


class Stack(nn.Module):
    """A patch embedding, two blocks and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.blocks = nn.Linear(2, 2), nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
        self.head = nn.Linear(2, 2)

    def below_head(self, name: str) -> int:
        return {"patches": 3, "blocks.0": 2, "blocks.1": 1}.get(name.rpartition(".")[0], 0)


def rates_by_name(module: nn.Module, groups: list[dict]) -> dict[str, float]:
    names = {id(p): name for name, p in module.named_parameters()}
    return {names[id(p)]: group["lr"] for group in groups for p in group["params"]}


def test_each_block_learns_at_a_share_of_the_rate_of_the_next() -> None:
    module = nn.ModuleDict({"network": Stack(), "loss": nn.Linear(2, 3, bias=False)})
    got = rates_by_name(module, Rates(0.8, 0, 0.5).groups(module, module["network"]))
    assert {name.removesuffix(".weight"): rate for name, rate in got.items() if name.endswith("weight")} == {
        "network.head": 0.8,
        "loss": 0.8,
        "network.blocks.1": 0.4,
        "network.blocks.0": 0.2,
        "network.patches": 0.1,
    }
    assert len(got) == len(list(module.parameters()))


def test_what_does_not_learn_is_in_no_group() -> None:
    network = Stack()
    network.patches.requires_grad_(False)
    for decay, n in ((1.0, 1), (0.5, 3)):
        groups = Rates(1.0, 0, decay).groups(network, network)
        assert len(groups) == n
        assert not {"patches.weight", "patches.bias"} & rates_by_name(network, groups).keys()


def test_rates_rise_in_a_line_and_stay() -> None:
    network = Stack()
    rates = Rates(0.8, 4, 0.5)
    groups = rates.groups(network, network)
    first = [group["lr"] for group in groups]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    seen = []
    for step in range(6):
        rates.set(optimizer, first, step)
        seen.append([group["lr"] for group in optimizer.param_groups][:2])
    assert seen == [
        pytest.approx(pair) for pair in ([0.2, 0.1], [0.4, 0.2], [0.6, 0.3], [0.8, 0.4], [0.8, 0.4], [0.8, 0.4])
    ]
    Rates(0.8, 0, 0.5).set(optimizer, first, 0)
    assert optimizer.param_groups[0]["lr"] == 0.8


def test_layers_that_do_not_stand_one_on_the_other_have_one_rate() -> None:
    with pytest.raises(UsageError, match=r"layer_decay=0.5: this network's layers do not stand") as error:
        Rates(1.0, 0, 0.5).groups(nn.Linear(2, 2), nn.Linear(2, 2))
    assert "network=beats" in str(error.value.hint)


def test_a_rate_that_is_large_for_an_encoder_is_told_of() -> None:
    assert "1e-4 is usual" in str(Rates(1e-3, 0, 1.0).told(Stack()))
    assert Rates(1e-4, 0, 1.0).told(Stack()) is None
    assert Rates(1e-3, 0, 1.0).told(nn.Linear(2, 2)) is None


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("warmup=-1", "warmup must be at least 0"),
        ("layer_decay=0", "layer_decay is a share above 0"),
        ("layer_decay=1.1", "layer_decay is a share above 0"),
    ],
)
def test_rates_that_are_none_are_refused(more: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        MODELS.build(f"discriminative:{more}")
