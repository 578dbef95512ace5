"""What an autoencoder misses of a clip, held against what it misses of normal ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asdcli.features.light_mels import edges_hz
from asdcli.features.mel_bank import corners_hz
from asdcli.features.pack import WaveformPack
from asdcli.metrics.differing import differing
from asdcli.views.compared import Compared, Layer

if TYPE_CHECKING:
    from asdcli.embedders.residuals import Reconstruction


def missed(network: Reconstruction, machine_type: str, sound: Compared) -> Layer:
    """By band and frame, in dB above the median of what it misses of the clips that `sound` is held against.

    Raises:
        BadData: what `network` says of a clip that it cannot take.
    """
    waves = [sound.samples, *sound.waves]
    pack = WaveformPack.of(waves, [str(i) for i in range(len(waves))], sound.axes.sample_rate)
    network.check(machine_type, pack)
    of_clips = list(network.missed(machine_type, pack))
    mel = network.front.mel
    frame_s = mel.hop_length / mel.sample_rate
    found = differing(of_clips[0], of_clips[1:], frame_s)
    corners = corners_hz(mel.fmin_hz, mel.fmax_hz or mel.sample_rate / 2, mel.n_mels)
    times_s = np.arange(len(of_clips[0]) + 1, dtype=np.float64) * frame_s
    above = of_clips[0] - found.median
    return Layer(above, times_s, edges_hz(corners), found.regions)
