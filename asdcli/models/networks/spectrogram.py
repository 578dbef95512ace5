"""The spectrogram branch: linear-frequency amplitude spectrogram, a small residual network, one linear head (128-d)."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from asdcli.models.networks.layers import ResidualUnit
from asdcli.models.networks.normalisation import BatchNormReLUMaxPool
from asdcli.models.networks.spectrum import amplitudes
from asdcli.models.networks.windowed import WindowedConv2d

DIMS = 128
N_FFT, HOP_LENGTH = 1024, 512
FMIN_HZ, FMAX_HZ = 200.0, 8000.0
WIDTHS = ((16, 1), (32, 2), (64, 2), (128, 2))  # (channels, stride) of the four stages of two units


def band(sample_rate: int, n_fft: int = N_FFT) -> tuple[int, int]:
    """First and one-past-last DFT bin whose frequency lies in [200, 8000] Hz: (13, 513) at 16 kHz."""
    bins = [i for i in range(n_fft // 2 + 1) if FMIN_HZ <= i * sample_rate / n_fft <= FMAX_HZ]
    return bins[0], bins[-1] + 1


class AmplitudeSpectrogram(nn.Module):
    """Short-time amplitudes of the 200-8000 Hz band, no logarithm, no mel.

    `(batch, n_samples)` float32 -> `(batch, n_bins, 1 + n_samples // 512)`; 500 bins at 16 kHz. Hann window of 1024,
    frames centred on multiples of 512 with zeros beyond the ends, divided by the window's norm.
    """

    window: torch.Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.band = band(sample_rate)
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        spectrogram = torch.stft(
            waveforms, N_FFT, HOP_LENGTH, window=self.window, center=True, pad_mode="constant", return_complex=True
        )
        low, high = self.band
        return amplitudes(spectrogram[:, low:high]) / self.window.square().sum().sqrt()


class SpectrogramBranch(nn.Module):
    """`(batch, n_bins, n_frames)` amplitudes -> `(batch, 128)`; the head pools over time, so any length will do."""

    def __init__(self, n_bins: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(n_bins, affine=False)  # statistics of each frequency over batch and time
        self.stem = nn.Sequential(
            WindowedConv2d(WIDTHS[0][0], 7, 2),
            BatchNormReLUMaxPool(WIDTHS[0][0]),
        )
        height = ((n_bins - 7) // 2 + 1 - 3) // 2 + 1
        units: list[nn.Module] = []
        c_in = WIDTHS[0][0]
        for c_out, stride in WIDTHS:
            units += [ResidualUnit(c_in, c_out, stride), ResidualUnit(c_out, c_out, 1)]
            c_in, height = c_out, -(-height // stride)
        self.units = nn.Sequential(*units)
        flat = c_in * height
        self.head = nn.Sequential(nn.BatchNorm1d(flat, affine=False), nn.Linear(flat, DIMS, bias=False))

    def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
        x = self.norm(spectrogram).unsqueeze(1)
        x = self.units(self.stem(x))
        return cast(torch.Tensor, self.head(x.amax(dim=3).flatten(1)))
