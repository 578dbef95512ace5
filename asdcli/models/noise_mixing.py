"""Noise mixing: noise is added to training waveforms, so loud that a drawn signal-to-noise ratio comes out.

Source: Ko et al., "A study on data augmentation of reverberant speech for robust speech recognition", ICASSP 2017, as
many systems of DCASE Task 2 use it with the noise recordings of 2025.
"""

from __future__ import annotations

import torch


def with_noise(waveforms: torch.Tensor, noise: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
    """x + g n with g = √(mean x² / (mean n² 10^(SNR / 10))), for each clip; x where the noise is silent.

    Args:
        waveforms: (batch, n_samples).
        noise: the same, one noise for each.
        snr_db: (batch,) SNR in dB; infinity adds none.
    """
    powers = noise.square().mean(dim=1)
    wanted = waveforms.square().mean(dim=1) * 10 ** (-snr_db.to(waveforms, non_blocking=True) / 10)
    gain = torch.where(powers > 0, wanted / powers.where(powers > 0, 1.0), 0.0).sqrt()
    return waveforms + gain[:, None] * noise
