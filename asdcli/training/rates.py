"""Learning rates that differ by step and by layer: a warm-up, and less for the layers further from the head."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from asdcli.errors import UsageError

_LARGEST_USUAL = 3e-4  # of a network that goes on from an encoder


class Rates:
    """What the parameters of a network and its loss learn at.

    The rate of a parameter in step t, from 0 on, is lr decay^n min(1, (t + 1) / warmup), n the number of blocks that it
    lies below the head (`below_head` of the network). Source: layer-wise decay of Clark et al. 2020, ICLR (ELECTRA), as
    in Bao et al. 2022, ICLR (BEiT).

    Args:
        lr: of the head, after the warm-up.
        warmup: steps over which rates rise in a line.
        decay: in (0, 1]; 1: all layers alike.
    """

    def __init__(self, lr: float, warmup: int, decay: float) -> None:
        self.lr, self.warmup, self.decay = lr, warmup, decay

    @property
    def steady(self) -> bool:
        """Whether all steps have the same."""
        return not self.warmup

    def groups(self, module: nn.Module, network: nn.Module) -> list[dict[str, Any]]:
        """The trainable parameters of `module`, in which `network` lies, as groups of an optimizer, the head first.

        Raises:
            UsageError: rates that differ by layer, of a network that does not know its layers' order.
        """
        if self.decay == 1:
            return [{"params": [p for p in module.parameters() if p.requires_grad], "lr": self.lr}]
        below: Any = getattr(network, "below_head", None)
        if below is None:
            raise UsageError(
                f"layer_decay={self.decay:g}: this network's layers do not stand one on the other",
                "leave it out, or train an encoder on: --model discriminative:network=beats,checkpoint=…",
            )
        depth = {id(p): below(name) for name, p in network.named_parameters()}
        of_depth: dict[int, list[nn.Parameter]] = {}
        for parameter in module.parameters():
            if parameter.requires_grad:
                of_depth.setdefault(depth.get(id(parameter), 0), []).append(parameter)
        return [{"params": of_depth[n], "lr": self.lr * self.decay**n} for n in sorted(of_depth)]

    def set(self, optimizer: torch.optim.Optimizer, first: Iterable[float], step: int) -> None:
        """Give each group its rate in a step; `first` are the groups' rates after the warm-up."""
        share = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        for group, rate in zip(optimizer.param_groups, first, strict=True):
            group["lr"] = rate * share

    def told(self, network: nn.Module) -> str | None:
        """What is unusual about them, in words."""
        if self.lr <= _LARGEST_USUAL or not hasattr(network, "below_head"):
            return None
        return f"lr {self.lr:g} is large for an encoder that is trained on: 1e-4 is usual (--lr 1e-4)"
