"""LoRA: a linear layer keeps its weight, and learns a change of low rank that is added to it.

Source: Hu et al., "LoRA: low-rank adaptation of large language models", ICLR 2022.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import torch
from torch import nn

from asdcli.errors import UsageError

QUERIES_AND_VALUES = ("q_proj", "v_proj", "query", "value", "qkv")
"""What layers that make queries and values are called in one encoder or another; `qkv` makes the keys as well."""


class LowRankLinear(nn.Module):
    """y = x (W + (alpha / r) B A)ᵀ + b; W and b stay, A (r, n_in) and B (n_out, r) learn.

    B begins at 0: the layer begins as the one that it stands for. Its `weight` and `bias` are those of that sum, for
    modules that reach for them and for whoever folds the layer.

    Args:
        layer: with W and b.
        rank: r, from 1 to the smaller of the layer's sides.
        alpha: how much the change counts.
    """

    def __init__(self, layer: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = layer.requires_grad_(False)
        self.scale = alpha / rank
        self.down = nn.Parameter(torch.empty(rank, layer.in_features))
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    @property
    def weight(self) -> torch.Tensor:
        """W + (alpha / r) B A, (n_out, n_in)."""
        return self.base.weight + self.scale * (self.up @ self.down)

    @property
    def bias(self) -> torch.Tensor | None:
        return self.base.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, n_in) -> (…, n_out)."""
        low = nn.functional.linear(nn.functional.linear(x, self.down), self.up)
        out: torch.Tensor = self.base(x) + self.scale * low
        return out


def adapt(blocks: Mapping[str, nn.Module], rank: int, alpha: float, targets: Collection[str]) -> int:
    """Put a `LowRankLinear` in place of each linear layer in `blocks` that is called as one of `targets`.

    Args:
        blocks: what a block is called -> it.
        rank: of all of them.
        alpha: of all of them.
        targets: last parts of names; none: every linear layer.

    Returns:
        how many there are.

    Raises:
        UsageError: there are none, or one that is smaller than the rank.
    """
    linear = {
        (where, name): layer
        for where, block in blocks.items()
        for name, layer in block.named_modules()
        if isinstance(layer, nn.Linear)
    }
    chosen = {at: layer for at, layer in linear.items() if not targets or at[1].rpartition(".")[2] in targets}
    if not chosen:
        there = ", ".join(sorted({name.rpartition(".")[2] for _, name in linear})) or "none"
        raise UsageError(
            f"there is no linear layer called {' or '.join(targets) or 'anything'} to adapt",
            f"linear layers of this network: {there}; without lora= all weights are trained",
        )
    for (where, name), layer in chosen.items():
        most = min(layer.in_features, layer.out_features)
        if rank > most:
            raise UsageError(
                f"lora={rank}: the layer {name} takes {layer.in_features} numbers to {layer.out_features}, "
                f"and no change of it has a rank above {most}",
                f"take lora={most} or less; without lora= all weights are trained",
            )
        parent, _, own = name.rpartition(".")
        setattr(blocks[where].get_submodule(parent), own, LowRankLinear(layer, rank, alpha))
    return len(chosen)


def folded(module: nn.Module) -> dict[str, torch.Tensor]:
    """The state of a module by name, as it is without adapters: each weight with its change added."""
    state = dict(module.state_dict())
    for name, layer in module.named_modules():
        if isinstance(layer, LowRankLinear):
            state = {key: value for key, value in state.items() if not key.startswith(f"{name}.")}
            state[f"{name}.weight"] = layer.weight.detach()
            if layer.bias is not None:
                state[f"{name}.bias"] = layer.bias.detach()
    return state
