"""Batches of windows at another sample rate, on the device where they are."""

from __future__ import annotations

import math
from functools import lru_cache

import torch

from asdcli.errors import BadData

_MOST = 1000  # of a ratio's terms: beyond it the filters take gigabytes
_CROSSINGS, _ROLL_OFF = 6, 0.99  # of zero on each side of a filter; its cut-off, as a share of half the lower rate


def samples_before(n_samples: int, before: int, after: int) -> int:
    """How many samples at the rate `before` it takes for `n_samples` at the rate `after`."""
    return -(-n_samples * before // after)


def resampled(waves: torch.Tensor, before: int, after: int, n_samples: int) -> torch.Tensor:
    """`(batch, samples_before(n_samples, …))` at the rate `before` -> `(batch, n_samples)` at the rate `after`, in Hz.

    Raises:
        BadData: the rates have no simple ratio.
    """
    if before == after:
        return waves
    common = math.gcd(before, after)
    if max(before, after) // common > _MOST:
        raise BadData(
            f"clips at {before} Hz cannot be resampled to the {after} Hz of the encoder: the ratio is "
            f"{before // common} to {after // common}",
            "bring them to a usual rate: asd extract-features --sample-rate 16000 --resample --force",
        )
    before, after = before // common, after // common
    filters, reach = _filters(before, after, waves.device, waves.dtype)
    padded = torch.nn.functional.pad(waves[:, None], (reach, reach + before))
    out = torch.nn.functional.conv1d(padded, filters, stride=before)  # a phase of the new rate each
    return out.transpose(1, 2).flatten(1)[:, : min(n_samples, -(-waves.shape[1] * after // before))]


@lru_cache(maxsize=8)
def _filters(before: int, after: int, device: torch.device, dtype: torch.dtype) -> tuple[torch.Tensor, int]:
    """The (after, 1, 2 reach + before) filters of two rates without a common factor, and how far they reach.

    Sines over their argument below a windowed cut-off, a shift for each of the `after` samples that come of `before`.
    Source: J. O. Smith, Digital Audio Resampling, 2002; width and roll-off are torchaudio's.
    """
    cut_off = min(before, after) * _ROLL_OFF
    reach = math.ceil(_CROSSINGS * before / cut_off)
    places = torch.arange(-reach, reach + before, dtype=torch.float64) / before
    t = ((places - torch.arange(after, dtype=torch.float64)[:, None] / after) * cut_off).clamp(-_CROSSINGS, _CROSSINGS)
    hann = (t * math.pi / _CROSSINGS / 2).cos().square()
    return (torch.sinc(t) * hann * (cut_off / before))[:, None].to(dtype).to(device), reach
