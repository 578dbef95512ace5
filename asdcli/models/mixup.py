"""Mixup of waveforms and soft labels (Zhang et al., ICLR 2018), each sample with its own weight and gate."""

from __future__ import annotations

import torch


def mixup(
    waveforms: torch.Tensor, labels: torch.Tensor, probability: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix each sample, with `probability`, with a partner of the same batch.

    x' = λ x + (1 - λ) x_partner and the same for the labels; λ ~ U(0, 1) for each sample, the partners a random
    permutation of the batch. Samples that are not chosen stay as they are. Rows of the labels keep summing to 1.

    Args:
        waveforms: (batch, n_samples).
        labels: (batch, n_classes), on the same device.
        probability: in [0, 1].
        generator: on the CPU, so that all devices draw the same.
    """
    n, device = len(waveforms), waveforms.device
    partner = torch.randperm(n, generator=generator).to(device, non_blocking=True)
    weight = torch.rand(n, generator=generator)
    chosen = torch.rand(n, generator=generator) < probability
    keep = torch.where(chosen, weight, 1.0).to(device, non_blocking=True)[:, None]
    mixed_waveforms = torch.lerp(waveforms[partner], waveforms, keep)
    mixed_labels = torch.lerp(labels[partner], labels, keep)
    return mixed_waveforms, mixed_labels
