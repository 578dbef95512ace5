"""Several autoencoders of one shape side by side: every layer of all of them is one grouped product.

What belongs to a network lies in one place of tensors that hold that of all, and is still its own: parameters and
buffers of the networks that were stacked are views, and follow. Inside, vectors are columns, so that a normalisation
over the vectors of each network and feature is one over the last axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from asdcli.models.networks.autoencoder import AutoencoderNetwork


class StackedAutoencoders:
    """The networks, of one shape and on one device, from now on with common memory.

    Attributes:
        networks: in the order given.
    """

    def __init__(self, networks: Sequence[AutoencoderNetwork]) -> None:
        self.networks = list(networks)
        layers = [list(network.layers) for network in self.networks]
        self._layers = [_Layer.stacked(same) for same in zip(*layers, strict=True) if not isinstance(same[0], nn.ReLU)]

    def part(self, start: int, stop: int) -> StackPart:
        """The networks from `start` up to `stop`, which are trained together."""
        return StackPart(self.networks[start:stop], [layer.part(start, stop) for layer in self._layers])


class StackPart:
    """Some neighbouring networks in training.

    Attributes:
        networks: those.
        parameters: leaves (n_networks, ...) in the memory of the networks' own: what there is to descend.
    """

    def __init__(self, networks: Sequence[AutoencoderNetwork], layers: Sequence[_Layer]) -> None:
        self.networks, self._layers = networks, layers
        self.parameters = [parameter for layer in layers for parameter in layer.parameters]

    def __call__(self, x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Reconstructions of (n_networks, n_inputs, n_vectors) by each network, in that shape.

        Products are computed in `dtype`. The networks' running statistics follow, as theirs do in training.
        """
        x = x.to(dtype)
        for layer in self._layers:
            x = layer(x, dtype)
            if isinstance(layer.like, nn.BatchNorm1d):
                x = nn.functional.relu(x)
        return x

    def give(self, gradients: Sequence[torch.Tensor]) -> None:
        """Let each network's parameters have their part of the gradients of `parameters`."""
        own = iter(gradients)
        for layer in self._layers:
            for name in ("weight", "bias"):
                for place, gradient in zip(layer.places, next(own), strict=True):
                    getattr(place, name).grad = gradient


class _Layer:
    """The same layer of some networks: `places` there, `tensors` (n_networks, ...) by name, and leaves to train."""

    def __init__(self, places: Sequence[nn.Module], tensors: dict[str, torch.Tensor]) -> None:
        self.places, self.tensors, self.like = places, tensors, places[0]
        self.parameters = [tensors[name].detach().requires_grad_() for name in ("weight", "bias")]

    @classmethod
    def stacked(cls, places: Sequence[nn.Module]) -> _Layer:
        """Lay what the places hold together, and let them hold views of that."""
        tensors = {}
        for name in (*dict(places[0].named_parameters()), *dict(places[0].named_buffers())):
            tensors[name] = torch.stack([getattr(place, name).detach() for place in places])
            for place, own in zip(places, tensors[name], strict=True):
                getattr(place, name).data = own
        return cls(places, tensors)

    def part(self, start: int, stop: int) -> _Layer:
        tensors = {name: tensor[start:stop] for name, tensor in self.tensors.items()}
        return _Layer(self.places[start:stop], tensors)

    def __call__(self, x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        weight, bias = self.parameters
        if isinstance(self.like, nn.Linear):
            return torch.baddbmm(bias[..., None].to(dtype), weight.to(dtype), x)
        norm = self.like
        assert isinstance(norm, nn.BatchNorm1d) and norm.momentum is not None
        self.tensors["num_batches_tracked"].add_(1)
        mean, variance = (self.tensors[name].view(-1) for name in ("running_mean", "running_var"))
        columns = x.reshape(1, -1, x.shape[-1])
        normalised = nn.functional.batch_norm(
            columns, mean, variance, weight.view(-1), bias.view(-1), True, norm.momentum, norm.eps
        )
        return normalised.view_as(x)
