"""`multi-resolution`: one spectrum branch and a spectrogram branch for each of several window lengths (512-d of three).

Source: Fujimura et al., "Improvements of discriminative feature space training for anomalous sound detection in
unlabeled conditions", ICASSP 2025; sizes and settings of ASDKit (arXiv 2507.10264), recipe `dis_multispec`.

A long window tells tones apart, a short one when things happen; each branch is that of the dual-branch network.
"""

from __future__ import annotations

import torch
from torch import nn

from asdcli.errors import UsageError
from asdcli.models.networks.spectrogram import DIMS, SpectrogramBranch, band
from asdcli.models.networks.spectrum import SpectrumBranch, amplitude_spectrum, amplitudes, shortest_clip
from asdcli.models.spec_augment import SpecAugment

SHORTEST, LONGEST = 64, 8192


class MultiResolution(nn.Module):
    """`(batch, n_samples)` float32 waveforms in [-1, 1] -> embeddings, not normalised: 128 dimensions a branch.

    FFTs always run in float32, the layers follow the caller's autocast. One network serves one clip length.

    Args:
        n_samples: of every clip.
        sample_rate: in Hz.
        windows: lengths of the spectrograms' windows in samples, with + between them; hops are half as long.
        specaugment: probability of masking a band, and of masking a span of time, in all spectrograms of a training
            clip.
        mask_width: largest share of frequencies or of time that a mask covers.

    Raises:
        ValueError: fewer samples than the spectrum branch needs (`MultiResolution.shortest_clip`, 70,014).
        UsageError: window lengths that are none, or a probability or share outside [0, 1].
    """

    shortest_clip = shortest_clip()
    steady = True

    def __init__(
        self,
        n_samples: int,
        sample_rate: int,
        *,
        windows: str = "256+1024+4096",
        specaugment: float = 0.0,
        mask_width: float = 0.2,
    ) -> None:
        super().__init__()
        if n_samples < self.shortest_clip:
            raise ValueError(f"the spectrum branch needs {self.shortest_clip} samples, got {n_samples}")
        self.n_samples, self.sample_rate = n_samples, sample_rate
        self.spectrograms = AmplitudeSpectrograms(sample_rate, lengths(windows))
        self.specaugment = SpecAugment(specaugment, mask_width)
        self.spectrum_branch = SpectrumBranch(n_samples)
        self.spectrogram_branches = nn.ModuleList(
            SpectrogramBranch(high - low).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            for low, high in self.spectrograms.bands
        )
        self.n_dims = DIMS * (1 + len(self.spectrogram_branches))

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        with torch.autocast(waveforms.device.type, enabled=False):
            spectrum = amplitude_spectrum(waveforms)
            spectrograms = self.specaugment(self.spectrograms(waveforms))
        embeddings = [self.spectrum_branch(spectrum)]
        embeddings += [branch(s) for branch, s in zip(self.spectrogram_branches, spectrograms, strict=True)]
        return torch.cat([e.float() for e in embeddings], dim=1)


class AmplitudeSpectrograms(nn.Module):
    """Short-time amplitudes of the 200-8000 Hz band for several window lengths, each as `AmplitudeSpectrogram` has it.

    `(batch, n_samples)` float32 -> for each length n `(batch, n_bins, 1 + n_samples // (n // 2))`.

    Waveforms are padded once for all. Nothing of one length's transforms is of use to another: each multiplies its
    frames by a window of its own, and a frame's spectrum does not follow from those of shorter frames at coarser
    frequencies.

    Args:
        sample_rate: in Hz.
        n_ffts: the window lengths in samples, even.
    """

    def __init__(self, sample_rate: int, n_ffts: list[int]) -> None:
        super().__init__()
        self.n_ffts = n_ffts
        self.bands = [band(sample_rate, n) for n in n_ffts]
        for n in n_ffts:
            self.register_buffer(f"window_{n}", torch.hann_window(n), persistent=False)

    def forward(self, waveforms: torch.Tensor) -> list[torch.Tensor]:
        margin = max(self.n_ffts) // 2
        padded = nn.functional.pad(waveforms, (margin, margin))
        return [self._of(padded, margin, *each) for each in zip(self.n_ffts, self.bands, strict=True)]

    def _of(self, padded: torch.Tensor, margin: int, n: int, of_bins: tuple[int, int]) -> torch.Tensor:
        window = self.get_buffer(f"window_{n}")
        own = padded[:, margin - n // 2 : padded.shape[1] - (margin - n // 2)]
        frames = torch.stft(own, n, n // 2, window=window, center=False, return_complex=True)
        low, high = of_bins
        return amplitudes(frames[:, low:high]) / window.square().sum().sqrt()


def lengths(windows: str) -> list[int]:
    """Window lengths from their spelling: `256+1024` -> [256, 1024]. Raises UsageError as `MultiResolution`."""
    found = [int(part) if part.isdecimal() else 0 for part in windows.split("+")]
    if not all(SHORTEST <= n <= LONGEST and n % 2 == 0 for n in found) or len(set(found)) < len(found):
        raise UsageError(
            f"windows are different even numbers of samples from {SHORTEST} to {LONGEST}, got {windows!r}",
            "write them with + between: windows=256+1024+4096",
        )
    return found
