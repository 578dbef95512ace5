"""`logmel`: statistics over time of log-mel bands, one vector a clip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from asdcli.features.kinds import Unfit
from asdcli.features.mels import MelSpec, statistics
from asdcli.features.pack import VectorPack


@dataclass(frozen=True)
class LogMelStatistics:
    """Mean and standard deviation over time of 128 log-mel bands, in dB.

    Frames of 1,024 samples every 512 lie within the clip: no padding, so that only sound enters the statistics.
    """

    def of_channel(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        spec = _spec(sample_rate)
        if len(samples) < spec.n_fft:
            raise Unfit(f"is too short: {len(samples)} samples, a log-mel frame takes {spec.n_fft}")
        return statistics(samples, spec)

    def pack(self, clips: Iterable[tuple[str, np.ndarray]], sample_rate: int, expected: int) -> VectorPack:
        made = list(clips)
        vectors = np.array([vector for _, vector in made], np.float32).reshape(len(made), 2 * _spec(sample_rate).n_mels)
        return VectorPack(vectors, np.array([clip_id for clip_id, _ in made], np.str_))

    def read(self, arrays: Mapping[str, np.ndarray]) -> VectorPack:
        return VectorPack.from_arrays(arrays)


def _spec(sample_rate: int) -> MelSpec:
    return MelSpec(sample_rate=sample_rate, centre=False)
