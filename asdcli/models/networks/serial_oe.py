"""`serial-oe`: EfficientNet-B0 on a mel spectrogram, a neck to 128 dimensions, heads for machine and product.

Source: Fujimura et al. 2024, II-B and IV-A.

The front end is `features.standardised_mels`.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import nn

from asdcli.models.networks import depthwise, squeezed

MachineHead = Literal["linear", "norm"]
_KEPT = (nn.SiLU, nn.Hardswish)  # activations whose gradient takes their input


class SerialOENetwork(nn.Module):
    """f_D with its heads g_mac and g_id.

    Args:
        n_samples: of a window; the network itself takes any.
        sample_rate: in Hz.
        n_products: C of Eq. 6, the product IDs (sections) of the machine type.
        backbone: a timm network, whose globally pooled features are used.
        machine_head: `linear` from the embedding, or `norm`: from its mean square, as in the reference code.
        weights: a file with pretrained weights of the backbone, or None for random ones. Nothing is downloaded here.

    Raises:
        ValueError, RuntimeError: the weights are not those of the backbone.
    """

    n_dims = 128
    shortest_clip = 1
    takes = "standardised-mels"

    def __init__(
        self,
        n_samples: int,
        sample_rate: int,
        *,
        n_products: int,
        backbone: str = "tf_efficientnet_b0",
        machine_head: MachineHead = "linear",
        weights: str | None = None,
    ) -> None:
        import timm

        super().__init__()
        self.n_samples, self.sample_rate = n_samples, sample_rate
        pretrained: dict[str, Any] = (
            {"pretrained": True, "pretrained_cfg_overlay": {"file": weights}} if weights else {}
        )
        network: Any = timm.create_model(backbone, in_chans=1, num_classes=0, **pretrained)
        if weights:  # timm itself passes over what a file lacks
            lost = set(network.state_dict()) - set(timm.models.load_state_dict(weights))
            if lost:
                raise ValueError(f"the file lacks {len(lost)} of its tensors, such as {min(lost)}")
        width = int(getattr(network, "head_hidden_size", network.num_features))
        depthwise.replace_in(network)
        squeezed.replace_in(network)
        self.backbone = network
        self.neck = nn.Sequential(
            nn.Dropout(0.3),
            nn.Linear(width, self.n_dims),
            nn.BatchNorm1d(self.n_dims),
            nn.PReLU(),
            nn.Linear(self.n_dims, self.n_dims),
        )
        self.machine_head = machine_head
        self.g_mac = nn.Linear(self.n_dims if machine_head == "linear" else 1, 1)
        self.g_id = nn.Linear(self.n_dims, n_products, bias=False)
        nn.Module.to(self, memory_format=torch.channels_last)  # type: ignore[call-overload]  # twice as fast on CPUs
        self.train()

    def train(self, mode: bool = True) -> SerialOENetwork:
        """Training or evaluation. In training activations do not work in place: they would have to copy first."""
        for module in self.backbone.modules():
            if isinstance(module, _KEPT):
                module.inplace = not mode
        return super().train(mode)

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        """Embeddings (batch, 128), not normalised, of mel spectrograms (batch, n_mels, n_frames)."""
        pooled = self.backbone(mels[:, None].contiguous(memory_format=torch.channels_last))
        embeddings: torch.Tensor = self.neck(pooled.flatten(1))
        return embeddings

    def heads(self, embeddings: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of "normal sound of this machine type" (batch,) and of its products (batch, n_products)."""
        seen = embeddings
        if self.machine_head == "norm":
            seen = embeddings.square().mean(dim=1, keepdim=True)
        return self.g_mac(seen)[:, 0], self.g_id(embeddings)
