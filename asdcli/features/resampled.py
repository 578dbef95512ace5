"""Batches of windows at another sample rate, on the device where they are."""

from __future__ import annotations

from math import gcd

import torch

from asdcli.errors import BadData

_MOST = 1000  # of a ratio's terms: beyond it the filters take gigabytes


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
    common = gcd(before, after)
    if max(before, after) // common > _MOST:
        raise BadData(
            f"clips at {before} Hz cannot be resampled to the {after} Hz of the encoder: the ratio is "
            f"{before // common} to {after // common}",
            "bring them to a usual rate: asd extract-features --sample-rate 16000 --resample --force",
        )
    from torchaudio.functional import resample

    out: torch.Tensor = resample(waves, before, after)[:, :n_samples]
    return out
