"""`waveform`: the samples themselves, lossless."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from asdcli.features.pack import PackBuilder, WaveformPack


@dataclass(frozen=True)
class Waveform:
    """int16 PCM samples, bit for bit as in the audio file."""

    is_sound: ClassVar[bool] = True

    def of_channel(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        return samples

    def pack(self, clips: Iterable[tuple[str, np.ndarray]], sample_rate: int, expected: int) -> WaveformPack:
        builder = PackBuilder(sample_rate, expected=expected)
        for clip_id, samples in clips:
            builder.append(clip_id, samples)
        return builder.finish()

    def read(self, arrays: Mapping[str, np.ndarray]) -> WaveformPack:
        return WaveformPack.from_arrays(arrays)
