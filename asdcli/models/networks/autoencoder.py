"""The ten-layer fully connected autoencoder of the DCASE baselines: five log-mel frames in, the same five out."""

from __future__ import annotations

import itertools

import torch
from torch import nn

HIDDEN, BOTTLENECK = 128, 8


class AutoencoderNetwork(nn.Module):
    """640-128-128-128-128-8-128-128-128-128-640, batch normalisation and ReLU after every layer but the last.

    267,928 parameters for 640 inputs.
    """

    def __init__(self, n_inputs: int = 640) -> None:
        super().__init__()
        widths = [n_inputs, *[HIDDEN] * 4, BOTTLENECK, *[HIDDEN] * 4]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.BatchNorm1d(after, momentum=0.01, eps=1e-3), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(HIDDEN, n_inputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Reconstruction of (n_vectors, n_inputs), in its shape."""
        reconstruction: torch.Tensor = self.layers(x)
        return reconstruction
