"""Mel and log-mel frames with every convention spelled out, and their statistics over time.

"A mel spectrogram" is a dozen choices, and toolkits differ in their defaults (scale, filter norm, padding, window
norm): a `MelSpec` names them all. Its defaults are those of librosa >= 0.10. Only frames of tensors need torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from asdcli.features.light_mels import MelAxes, logmel

if TYPE_CHECKING:
    import torch
    import torchaudio

# Below this (the smallest float64 step at 1) power counts as silence: about -157 dB, as in the official baselines.
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class MelSpec:
    """The conventions of a mel spectrogram.

    Attributes:
        sample_rate: in Hz.
        n_fft: window and DFT length in samples (periodic Hann).
        hop_length: samples between frames.
        n_mels: mel bands.
        fmin_hz, fmax_hz: edges of the filter bank; `fmax_hz` None means half the sample rate.
        power: 1 for amplitude, 2 for power spectra, before the filter bank.
        scale: `slaney` (linear to 1 kHz, then logarithmic) or `htk` (2595 log10(1 + f/700)).
        norm: `slaney` gives each triangle unit area, None unit height.
        centre: frames centred on multiples of the hop, padded at both ends; else only frames that lie within the clip.
        padding: what stands beyond the ends when centred.
        window_norm: divide the spectrum by sqrt(sum of window squared).
    """

    sample_rate: int = 16_000
    n_fft: int = 1024
    hop_length: int = 512
    n_mels: int = 128
    fmin_hz: float = 0.0
    fmax_hz: float | None = None
    power: float = 2.0
    scale: Literal["slaney", "htk"] = "slaney"
    norm: Literal["slaney"] | None = "slaney"
    centre: bool = True
    padding: Literal["constant", "reflect"] = "constant"
    window_norm: bool = False

    def n_frames(self, n_samples: int) -> int:
        """Frames of a clip of `n_samples`."""
        whole = n_samples if self.centre else n_samples - self.n_fft
        return whole // self.hop_length + 1 if whole >= 0 else 0


def mel_frames(waves: torch.Tensor, spec: MelSpec) -> torch.Tensor:
    """Mel frames of a batch: (n_clips, n_samples) in [-1, 1) -> (n_clips, n_frames, n_mels), of amplitude or power.

    Raises:
        ValueError: `waves` are shorter than one window, or than half of one where it is reflected.
    """
    shortest = spec.n_fft if not spec.centre else spec.n_fft // 2 + 1 if spec.padding == "reflect" else 1
    if waves.shape[-1] < shortest:
        raise ValueError(f"{waves.shape[-1]} samples are too few for frames of {spec.n_fft}, it takes {shortest}")
    return _transform(spec, waves.device, waves.dtype)(waves).transpose(-1, -2)


def logmel_frames(waves: torch.Tensor, spec: MelSpec) -> torch.Tensor:
    """Log-mel frames in dB, 20/power log10(max(mel, EPS)): (n_clips, n_samples) -> (n_clips, n_frames, n_mels)."""
    return mel_frames(waves, spec).clamp(min=EPS).log10() * (20.0 / spec.power)


def statistics(samples: np.ndarray, spec: MelSpec) -> np.ndarray:
    """Mean and standard deviation over time of each log-mel band of one clip.

    Args:
        samples: (n_samples,) int16, at least one window long.
        spec: how frames and bands are taken: not centred, and otherwise by its defaults but for lengths and numbers.

    Returns:
        (2 * n_mels,) float32 in dB: the means, then the standard deviations.

    Raises:
        ValueError: a spec of other conventions.
    """
    frames = logmel(samples, _light(spec))
    rest = frames - frames[0]  # of what is constant exactly 0
    return np.concatenate([frames[0] + rest.mean(axis=0), rest.std(axis=0)]).astype(np.float32)


@lru_cache(maxsize=8)
def _light(spec: MelSpec) -> MelAxes:
    """The same conventions without torch."""
    sizes = (spec.sample_rate, spec.n_fft, spec.hop_length, spec.n_mels)
    if spec != MelSpec(*sizes, centre=False):
        raise ValueError(f"statistics are taken of frames that are not centred, by default conventions, not {spec}")
    return MelAxes(*sizes)


@lru_cache(maxsize=8)
def _transform(spec: MelSpec, device: torch.device, dtype: torch.dtype) -> torchaudio.transforms.MelSpectrogram:
    import torchaudio

    return torchaudio.transforms.MelSpectrogram(
        sample_rate=spec.sample_rate,
        n_fft=spec.n_fft,
        hop_length=spec.hop_length,
        n_mels=spec.n_mels,
        f_min=spec.fmin_hz,
        f_max=spec.fmax_hz,
        power=spec.power,
        mel_scale=spec.scale,
        norm=spec.norm,
        center=spec.centre,
        pad_mode=spec.padding,
        normalized=spec.window_norm,
    ).to(device, dtype)
