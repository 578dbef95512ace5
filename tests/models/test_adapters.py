"""LoRA: by hand, against peft, folded, and what cannot be adapted."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from asdcli.errors import UsageError
from asdcli.models.adapters import LowRankLinear, adapt, folded


def linear(n_in: int, n_out: int, seed: int = 0, bias: bool = True) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(n_in, n_out, bias=bias)


def network(seed: int = 0) -> nn.Sequential:
    inner = nn.ModuleDict({"q_proj": linear(6, 5, seed), "k_proj": linear(6, 5, seed + 1)})
    return nn.Sequential(inner, nn.ModuleDict({"qkv": linear(5, 6, seed + 2, bias=False)}))


def learnt(module: nn.Module, seed: int = 3) -> None:
    """Adapters as if they had learnt something."""
    torch.manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, LowRankLinear):
            nn.init.normal_(layer.up)


def test_a_change_of_low_rank_by_hand() -> None:
    base = linear(2, 2)
    base.weight.data, base.bias.data = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([10.0, 20.0])
    layer = LowRankLinear(base, 1, 3.0)
    layer.down.data, layer.up.data = torch.tensor([[1.0, -1.0]]), torch.tensor([[2.0], [0.5]])
    # B A = [[2, -2], [0.5, -0.5]], three times that is added
    assert layer.weight.tolist() == [[7.0, -4.0], [4.5, 2.5]]
    assert layer(torch.tensor([[1.0, 1.0], [2.0, 0.0]])).tolist() == [[13.0, 27.0], [24.0, 29.0]]
    assert layer.scale == 3.0 and LowRankLinear(base, 2, 3.0).scale == 1.5


def test_it_begins_as_the_layer_and_learns_its_change_alone() -> None:
    base = linear(6, 4)
    x, before = torch.randn(3, 6), base(torch.ones(3, 6)).detach()
    layer = LowRankLinear(base, 2, 8.0)
    assert torch.equal(layer(torch.ones(3, 6)), before)
    layer(x).sum().backward()
    assert base.weight.grad is None and base.bias.grad is None
    assert layer.up.grad is not None and layer.up.grad.abs().min() > 0


@settings(max_examples=25)
@given(rank=st.integers(1, 5), alpha=st.floats(0.5, 64), seed=st.integers(0, 99))
def test_folded_weights_do_what_the_adapted_layers_do(rank: int, alpha: float, seed: int) -> None:
    adapted, plain = network(seed), network(seed + 7)
    assert adapt(dict(adapted.named_children()), rank, alpha, ("q_proj", "qkv")) == 2
    learnt(adapted, seed)
    state = folded(adapted)
    assert state.keys() == plain.state_dict().keys()
    plain.load_state_dict(state)
    x = torch.randn(4, 6)
    for a, b in ((adapted[0]["q_proj"], plain[0]["q_proj"]), (adapted[0]["k_proj"], plain[0]["k_proj"])):
        torch.testing.assert_close(a(x), b(x), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(adapted[1]["qkv"](x[:, :5]), plain[1]["qkv"](x[:, :5]), rtol=1e-4, atol=1e-4)


def test_a_module_without_adapters_is_folded_as_it_is() -> None:
    plain = network()
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in folded(plain).items())


def test_all_linear_layers_are_adapted_where_none_is_named() -> None:
    assert adapt(dict(network().named_children()), 2, 8.0, ()) == 3


def test_it_is_the_lora_of_peft() -> None:
    peft = pytest.importorskip("peft")

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q_proj, self.v_proj, self.out = linear(8, 8, 1), linear(8, 6, 2), linear(6, 3, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.out(torch.tanh(self.v_proj(torch.tanh(self.q_proj(x)))))
            return out

    ours = Both()
    adapt({"": ours}, 3, 5.0, ("q_proj", "v_proj"))
    learnt(ours)
    theirs = peft.get_peft_model(Both(), peft.LoraConfig(r=3, lora_alpha=5, target_modules=["q_proj", "v_proj"]))
    for name in ("q_proj", "v_proj"):
        of, layer = theirs.base_model.model.get_submodule(name), ours.get_submodule(name)
        of.lora_A["default"].weight.data, of.lora_B["default"].weight.data = layer.down.data, layer.up.data
    x = torch.randn(5, 8)
    torch.testing.assert_close(ours(x), theirs(x))
    trained = {name.split(".")[-4] for name, p in theirs.named_parameters() if p.requires_grad}
    assert trained == {"q_proj", "v_proj"} and sum(p.requires_grad for p in ours.q_proj.parameters()) == 2
    merged = theirs.merge_and_unload()
    for name, value in folded(ours).items():
        torch.testing.assert_close(value, merged.state_dict()[name])


@pytest.mark.parametrize(
    ("rank", "targets", "message", "hint"),
    [
        (6, ("q_proj",), r"lora=6: the layer q_proj takes 6 numbers to 5", "take lora=5 or less"),
        (2, ("v_proj", "w"), r"no linear layer called v_proj or w to adapt", "of this network: k_proj, q_proj, qkv"),
    ],
)
def test_what_cannot_be_adapted_is_refused(rank: int, targets: tuple[str, ...], message: str, hint: str) -> None:
    before = network()
    with pytest.raises(UsageError, match=message) as error:
        adapt(dict(before.named_children()), rank, 8.0, targets)
    assert hint in str(error.value.hint)


def test_a_network_without_linear_layers_is_refused() -> None:
    with pytest.raises(UsageError, match="no linear layer called anything") as error:
        adapt({"conv": nn.Sequential(nn.Conv1d(1, 1, 3))}, 1, 8.0, ())
    assert "linear layers of this network: none" in str(error.value.hint)
