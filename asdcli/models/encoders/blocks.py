"""Blocks of transformers of patches, with the names that the checkpoints of their authors have."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import nn
from torch.nn import functional


class TokenAttention(nn.Module):
    """Attention of all tokens to all."""

    def __init__(self, n_dims: int, n_heads: int, bias: bool) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv, self.proj = nn.Linear(n_dims, 3 * n_dims, bias=bias), nn.Linear(n_dims, n_dims)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, n_tokens, n_dims) -> the same."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        heard = functional.scaled_dot_product_attention(q, k, v)
        out: torch.Tensor = self.proj(heard.transpose(1, 2).flatten(2))
        return out


class TokenBlock(nn.Module):
    """Attention and a perceptron, each with what it was given added, and normed before or after.

    Args:
        n_dims, n_heads: of a token.
        ratio: of the perceptron's hidden units to `n_dims`.
        bias: whether queries, keys and values have one.
        norm: makes a norm of so many dimensions.
        norm_first: before, else after.
    """

    def __init__(
        self,
        n_dims: int,
        n_heads: int,
        *,
        ratio: float = 4.0,
        bias: bool = True,
        norm: partial[nn.LayerNorm],
        norm_first: bool = True,
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.norm1, self.norm2 = norm(n_dims), norm(n_dims)
        self.attn = TokenAttention(n_dims, n_heads, bias)
        hidden = int(n_dims * ratio)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(n_dims, hidden), "fc2": nn.Linear(hidden, n_dims)})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, n_tokens, n_dims) -> the same."""
        if self.norm_first:
            x = x + self.attn(self.norm1(x))
            return x + self._perceptron(self.norm2(x))
        x = self.norm1(x + self.attn(x))
        out: torch.Tensor = self.norm2(x + self._perceptron(x))
        return out

    def _perceptron(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.mlp["fc2"](functional.gelu(self.mlp["fc1"](x)))
        return out


class TokenEncoder:
    """A network of patches at work: an `Encoder`, whose network has `blocks` and takes the layer after the sound."""

    def __init__(self, network: nn.Module) -> None:
        self.module = network

    @property
    def blocks(self) -> Sequence[nn.Module]:
        return list(cast(nn.ModuleList, self.module.blocks))

    def to(self, device: torch.device) -> TokenEncoder:
        self.module.to(device)
        return self

    def tokens(self, sound: torch.Tensor, layer: int | None) -> torch.Tensor:
        out: torch.Tensor = self.module(sound, layer)
        return out
