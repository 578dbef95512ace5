"""Front ends: what stands between the waveform of a piece of a clip and the input of a trained network."""

from __future__ import annotations

from collections.abc import Callable

import torch

from asdcli.features.pack import WaveformPack
from asdcli.features.standardised_mels import mel_spec, mels, moments, standardised

Front = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(batch, n_samples) waveforms in [-1, 1) on the device, and the (batch,) clips they are of -> the network's input."""


def waveforms(_pack: WaveformPack, _device: torch.device) -> Front:
    """The waveform itself."""
    return lambda waves, _: waves


def standardised_mels(pack: WaveformPack, device: torch.device) -> Front:
    """Mel amplitudes (batch, n_mels, n_frames) after mean and deviation of the whole recording are taken out."""
    spread, spec = moments(pack).to(device), mel_spec(pack.sample_rate)
    return lambda waves, clips: mels(standardised(waves, spread[clips.to(device)]), spec)


FRONTS: dict[str, Callable[[WaveformPack, torch.device], Front]] = {
    "waveforms": waveforms,
    "standardised-mels": standardised_mels,
}
"""What a network `takes` -> its front end for the clips of a pack."""
