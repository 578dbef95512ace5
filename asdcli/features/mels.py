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
from asdcli.features.mel_bank import corners_hz, lines_hz, stretches, triangles, unit_area

if TYPE_CHECKING:
    import torch

# Below this (the smallest float64 step at 1) power counts as silence: about -157 dB, as in the official baselines.
EPS = float(np.finfo(np.float64).eps)

_AT_ONCE = 256  # frames: what comes between their samples and their mels stays in a cache of a CPU


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

    @property
    def bank(self) -> np.ndarray:
        """(n_mels, n_fft / 2 + 1) float64 of the filter bank."""
        corners = corners_hz(self.fmin_hz, self.fmax_hz or self.sample_rate / 2, self.n_mels, self.scale)
        bank = triangles(corners, lines_hz(self.n_fft, self.sample_rate))
        return unit_area(bank, corners) if self.norm == "slaney" else bank

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
    import torch

    pieces = _pieces(spec, waves.device, waves.dtype)
    frames = _padded(waves, spec).unfold(-1, spec.n_fft, spec.hop_length)
    if waves.device.type != "cpu":
        return _mels(frames, spec, pieces)
    mels = torch.empty(*frames.shape[:-1], spec.n_mels, dtype=waves.dtype)
    for of_clip, its_frames in zip(mels, frames, strict=True):
        for part, some in zip(of_clip.split(_AT_ONCE), its_frames.split(_AT_ONCE), strict=True):
            part.copy_(_mels(some, spec, pieces))
    return mels


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


@dataclass(frozen=True)
class _Pieces:
    """A window (n_fft,), and of neighbouring bands the bins they lie in and their filters there, (n_bins, n_bands)."""

    window: torch.Tensor
    bank: list[tuple[slice, torch.Tensor]]


@lru_cache(maxsize=8)
def _pieces(spec: MelSpec, device: torch.device, dtype: torch.dtype) -> _Pieces:
    """On a GPU the whole bank is one piece: one product is faster there than several small ones."""
    import torch

    window = torch.hann_window(spec.n_fft, periodic=True, dtype=torch.float64)
    if spec.window_norm:
        window = window / window.square().sum().sqrt()
    bank = spec.bank
    whole = [(slice(None), slice(0, bank.shape[1]))]
    cuts = list(stretches(bank)) if device.type == "cpu" else whole

    def there(array: torch.Tensor) -> torch.Tensor:
        return array.to(dtype).to(device)

    parts = [(bins, there(torch.from_numpy(np.ascontiguousarray(bank[bands, bins].T)))) for bands, bins in cuts]
    return _Pieces(there(window), parts)


def _padded(waves: torch.Tensor, spec: MelSpec) -> torch.Tensor:
    """(n_clips, n_samples) with what stands beyond the ends when frames are centred."""
    from torch.nn.functional import pad

    if not spec.centre:
        return waves
    ends = (spec.n_fft // 2, spec.n_fft // 2)
    return pad(waves[:, None], ends, mode=spec.padding)[:, 0]


def _mels(frames: torch.Tensor, spec: MelSpec, pieces: _Pieces) -> torch.Tensor:
    """Mels (…, n_frames, n_mels) of frames (…, n_frames, n_fft) of samples."""
    import torch

    lines = torch.view_as_real(torch.fft.rfft(frames * pieces.window))
    spectra = lines[..., 0].square().addcmul_(lines[..., 1], lines[..., 1])
    if spec.power == 1.0:
        spectra = spectra.sqrt_()
    elif spec.power != 2.0:
        spectra = spectra.pow_(spec.power / 2)
    return torch.cat([spectra[..., bins] @ bank for bins, bank in pieces.bank], dim=-1)
