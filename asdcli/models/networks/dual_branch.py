"""`dual-branch`: waveform in, spectrum and spectrogram embeddings side by side out (256-d).

Source: Matsumoto et al., "Adjusting bias in anomaly scores via variance minimization for domain-generalized
discriminative anomalous sound detection", DCASE Workshop 2025, section 4; layer sizes after Wilkinghoff (ICASSP 2024).
"""

from __future__ import annotations

import torch
from torch import nn

from asdcli.models.networks.spectrogram import AmplitudeSpectrogram, SpectrogramBranch
from asdcli.models.networks.spectrum import SpectrumBranch, amplitude_spectrum, shortest_clip
from asdcli.models.spec_augment import SpecAugment


class DualBranch(nn.Module):
    """`(batch, n_samples)` float32 waveforms in [-1, 1] -> `(batch, 256)` embeddings, not normalised.

    The spectrum branch's flattening fixes `n_samples`: one network serves one clip length. FFT and STFT always run in
    float32, because unscaled spectra span more than bfloat16 resolves; the layers follow the caller's autocast.

    Args:
        n_samples: of every clip.
        sample_rate: in Hz.
        specaugment: probability of masking a band, and of masking a span of time, in the spectrogram of a training
            clip.
        mask_width: largest share of frequencies or of time that a mask covers.

    Raises:
        ValueError: fewer samples than the spectrum branch needs (`DualBranch.shortest_clip`, 70,014).
        UsageError: a probability or share outside [0, 1].
    """

    n_dims = 256
    steady = True
    shortest_clip = shortest_clip()

    def __init__(self, n_samples: int, sample_rate: int, *, specaugment: float = 0.0, mask_width: float = 0.2) -> None:
        super().__init__()
        if n_samples < self.shortest_clip:
            raise ValueError(f"the spectrum branch needs {self.shortest_clip} samples, got {n_samples}")
        self.n_samples, self.sample_rate = n_samples, sample_rate
        self.spectrogram = AmplitudeSpectrogram(sample_rate)
        self.specaugment = SpecAugment(specaugment, mask_width)
        low, high = self.spectrogram.band
        self.spectrum_branch = SpectrumBranch(n_samples)
        self.spectrogram_branch = SpectrogramBranch(high - low)
        self.spectrogram_branch.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        with torch.autocast(waveforms.device.type, enabled=False):
            spectrum = amplitude_spectrum(waveforms)
            (spectrogram,) = self.specaugment([self.spectrogram(waveforms)])
        embeddings = [self.spectrum_branch(spectrum), self.spectrogram_branch(spectrogram)]
        return torch.cat([e.float() for e in embeddings], dim=1)
