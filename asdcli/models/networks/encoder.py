"""`encoder`: an encoder that others have trained, a pooling and a linear layer, which are trained on together.

Source: LoRA of encoders of machines after Zheng et al., SLT 2024, arXiv 2409.07016; sizes and settings of ASDKit (arXiv
2507.10264), recipes `dis_beats_scac_trainable` and `dis_eat_scac_trainable`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint as recomputed

from asdcli.errors import UsageError
from asdcli.models.adapters import QUERIES_AND_VALUES, LowRankLinear, adapt
from asdcli.models.encoders import EncoderName
from asdcli.models.encoders.start import Start
from asdcli.models.poolings import POOLINGS

_QV, _ALL = "qv", "all"


class EncoderNetwork(nn.Module):
    """`(batch, n_samples)` float32 waveforms in [-1, 1) -> `(batch, dims)` embeddings, not normalised.

    Clips are cut into windows as a frozen encoder has them, the last flush with the end; the places of each window are
    pooled, the mean over the windows goes through a linear layer. Filter banks are always float32, the layers follow
    the caller's autocast. Without `lora` all weights are trained. Running statistics of the encoder's batch
    normalisations stay as its authors left them.

    Args:
        n_samples: of every clip; one that is shorter than a window counts as one.
        sample_rate: in Hz.
        start: the encoder, and what it hears.
        model: its family.
        checkpoint: a folder with config.json and weights, the weights in it, or OWNER/NAME on a hub.
        layer: after so many blocks, from 1 on; none: what the encoder gives at its end.
        pool: how the places of a window become one vector; attentive learns it.
        dims: of the embeddings.
        lora: rank of the changes that are learnt in place of the encoder's weights; none: its weights are.
        alpha: how much these changes count: by alpha / lora.
        targets: the linear layers of its blocks that change: qv, those of queries and values; all; or names as the
            encoder has them, with + between them.
        recompute: gradient checkpointing: blocks are computed again for the gradients and not kept, which takes more
            time and much less memory.

    Raises:
        UsageError: a rank, targets or a pooling that there are not for this encoder.
    """

    shortest_clip = 1

    def __init__(
        self,
        n_samples: int,
        sample_rate: int,
        start: Start,
        *,
        model: EncoderName,  # noqa: ARG002 - `start` is made of these two
        checkpoint: str,  # noqa: ARG002
        layer: int | None = None,
        pool: str = "mean",
        dims: int = 256,
        lora: int | None = None,
        alpha: float = 8.0,
        targets: str = _QV,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        check(dims=dims, lora=lora, alpha=alpha)
        self.sample_rate, self.n_dims, self.layer = sample_rate, dims, layer
        self.n_samples = max(n_samples, start.front.window)
        self.start, self.encoder = start, start.encoder.module
        every = start.encoder.blocks
        blocks = every[:layer]
        for block in every[len(blocks) :]:
            block.requires_grad_(False)
        if lora is not None and not start.is_tuned:
            self.encoder.requires_grad_(False)
            names = {_QV: QUERIES_AND_VALUES, _ALL: ()}.get(targets, tuple(targets.split("+")))
            adapt({str(i): block for i, block in enumerate(blocks)}, lora, alpha, names)
        if recompute and not start.is_tuned:
            for block in blocks:
                block.forward = partial(_again, block, block.forward)
        width = self._width()
        pooling = POOLINGS.build(pool)
        self.pooling = pooling.module(width) if getattr(pooling, "trained", False) else _Pooled(pooling.pool, width)
        self.project = nn.Linear(self.pooling.n_dims, dims)
        self._below = self._depths(blocks)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        with torch.autocast(waveforms.device.type, enabled=False), torch.no_grad():
            sound = self.start.front(waveforms)
        places = self.start.encoder.tokens(sound, self.layer).float().flatten(1, 2)
        of_windows = self.pooling(places).float().unflatten(0, (len(waveforms), -1))
        out: torch.Tensor = self.project(of_windows.mean(dim=1)).float()
        return out

    def train(self, mode: bool = True) -> EncoderNetwork:
        super().train(mode)
        for module in self.encoder.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
        return self

    def below_head(self, name: str) -> int:
        """How many blocks a parameter of that name lies below the head: 0 of the head, 1 of the last block, …

        What stands before or beside the blocks lies one below the first; what blocks share counts as the first's.
        """
        return self._below.get(name, 0)

    def card(self) -> dict[str, Any]:
        """What the network is rebuilt from without the checkpoint, and how many weights it has and were trained."""
        adapters = [layer for layer in self.modules() if isinstance(layer, LowRankLinear)]
        added = sum(layer.down.numel() + layer.up.numel() for layer in adapters)
        return {
            "encoder": dict(self.start.facts),
            "n_parameters": sum(p.numel() for p in self.parameters()) - added,
            "n_trained": sum(p.numel() for p in self.parameters() if p.requires_grad),
        }

    def _depths(self, blocks: Sequence[nn.Module]) -> dict[str, int]:
        below = {id(p): len(blocks) - i for i, block in reversed(list(enumerate(blocks))) for p in block.parameters()}
        own = self.encoder.named_parameters(prefix="encoder")
        return {name: below.get(id(p), len(blocks) + 1) for name, p in own}

    def _width(self) -> int:
        """Dimensions of a place, by trying."""
        with torch.no_grad():
            self.encoder.eval()
            sound = self.start.front(torch.zeros(1, self.start.front.window))
            return self.start.encoder.tokens(sound, self.layer).shape[-1]


class _Pooled(nn.Module):
    """A pooling without weights: `(batch, n_places, n_dims)` -> `(batch, n_dims)`."""

    def __init__(self, pool: Callable[[torch.Tensor], torch.Tensor], n_dims: int) -> None:
        super().__init__()
        self.pool, self.n_dims = pool, n_dims

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        return self.pool(places)


def check(*, dims: int = 256, lora: int | None = None, alpha: float = 8.0) -> None:
    """Raises UsageError for what no encoder can have."""
    if dims < 1:
        raise UsageError(f"dims must be at least 1, got {dims}")
    if lora is not None and lora < 1:
        raise UsageError(f"lora={lora}: a rank is at least 1", "leave lora out: then all weights are trained")
    if not (alpha > 0 and math.isfinite(alpha)):
        raise UsageError(f"alpha must be a number above 0, got {alpha:g}")


def _again(block: nn.Module, forward: Callable[..., Any], *given: Any, **named: Any) -> Any:
    if not (block.training and torch.is_grad_enabled()):
        return forward(*given, **named)
    return recomputed(forward, *given, use_reentrant=False, **named)
