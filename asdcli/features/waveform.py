"""`waveform`: the samples themselves, lossless."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from asdcli.features.pack import PackBuilder, SampleSink, WaveformPack


@dataclass(frozen=True)
class Waveform:
    """int16 PCM samples, bit for bit as in the audio file."""

    is_sound: ClassVar[bool] = True

    def of_channel(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        return samples

    def pack(self, clips: Iterable[tuple[str, np.ndarray]], sample_rate: int, expected: int) -> WaveformPack:
        return self._built(clips, PackBuilder(sample_rate, expected=expected))

    def pack_into(self, clips: Iterable[tuple[str, np.ndarray]], sample_rate: int, samples: SampleSink) -> WaveformPack:
        return self._built(clips, PackBuilder(sample_rate, samples=samples))

    @staticmethod
    def _built(clips: Iterable[tuple[str, np.ndarray]], builder: PackBuilder) -> WaveformPack:
        for clip_id, samples in clips:
            builder.append(clip_id, samples)
        return builder.finish()

    def read(self, arrays: Mapping[str, np.ndarray]) -> WaveformPack:
        return WaveformPack.from_arrays(arrays)
