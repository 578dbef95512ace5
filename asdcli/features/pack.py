"""Packs: all clips of one machine type in a few flat arrays, the content of one `features/<kind>/<machine_type>.npz`.

A waveform pack holds the int16 PCM samples of its clips end to end, so that clips of any length lie in one array that
goes to a device in one copy; a vector pack holds one row of statistics a clip. Neither knows files: a stage reads the
arrays and hands them over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

# int16 full scale: sample / FULL_SCALE lies in [-1, 1), as every audio reader has it.
FULL_SCALE = 32768.0


@dataclass(frozen=True)
class WaveformPack:
    """Clips of any length as one flat array.

    Attributes:
        samples: (n_samples,) int16, all clips end to end.
        offsets: (n_clips + 1,) int64; clip i is `samples[offsets[i]:offsets[i + 1]]`.
        clip_ids: (n_clips,) unicode; a clip of which two channels were packed stands twice, one after the other.
        sample_rate: in Hz.
    """

    samples: np.ndarray
    offsets: np.ndarray
    clip_ids: np.ndarray
    sample_rate: int

    @classmethod
    def of(cls, clips: Sequence[np.ndarray], clip_ids: Sequence[str], sample_rate: int) -> WaveformPack:
        """Pack a list of (n_samples_i,) int16 clips."""
        builder = PackBuilder(sample_rate, expected=sum(map(len, clips)))
        for clip_id, clip in zip(clip_ids, clips, strict=True):
            builder.append(clip_id, clip)
        return builder.finish()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> WaveformPack:
        """The pack of the arrays that `artifacts.read_arrays` returned. Raises KeyError or ValueError for others."""
        samples, offsets, rate = arrays["samples"], arrays["offsets"], arrays["sample_rate"]
        clip_ids = _names(arrays["clip_id"])
        _require(samples.ndim == 1 and samples.dtype == np.int16, "its samples are not a row of int16")
        _require(offsets.shape == (len(clip_ids) + 1,) and offsets.dtype == np.int64, "an offset a clip is missing")
        whole = bool(offsets[0] == 0 and offsets[-1] == len(samples) and (np.diff(offsets) > 0).all())
        _require(whole, "its clips are not cut out of its samples one after the other")
        _require(rate.ndim == 0 and rate.dtype.kind in "iu" and int(rate) > 0, f"its sample rate is {rate}")
        return cls(samples, offsets, clip_ids, int(rate))

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays as they lie in the file."""
        return {
            "samples": self.samples,
            "offsets": self.offsets,
            "clip_id": self.clip_ids,
            "sample_rate": np.int64(self.sample_rate),
        }

    def __len__(self) -> int:
        return len(self.clip_ids)

    @property
    def lengths(self) -> np.ndarray:
        """(n_clips,) int64, samples of each clip."""
        return np.diff(self.offsets)

    def part(self, start: int, stop: int) -> WaveformPack:
        """The pack of its clips `start` to `stop`, the channels of a clip together; the samples are a view."""
        first, last = _rows(self.clip_ids, start, stop)
        offsets = self.offsets[first : last + 1]
        samples = self.samples[offsets[0] : offsets[-1]]
        return WaveformPack(samples, offsets - offsets[0], self.clip_ids[first:last], self.sample_rate)

    def clip(self, i: int) -> np.ndarray:
        """(n_samples_i,) int16, a view."""
        return self.samples[self.offsets[i] : self.offsets[i + 1]]


@dataclass(frozen=True)
class VectorPack:
    """One vector a clip.

    Attributes:
        vectors: (n_clips, n_dims) float32.
        clip_ids: (n_clips,) unicode.
    """

    vectors: np.ndarray
    clip_ids: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> VectorPack:
        """The pack of the arrays that `artifacts.read_arrays` returned. Raises KeyError or ValueError for others."""
        vectors, clip_ids = arrays["vectors"], _names(arrays["clip_id"])
        _require(vectors.ndim == 2 and vectors.dtype.kind == "f", "its vectors are no matrix")
        _require(len(vectors) == len(clip_ids), f"it has {len(vectors)} vectors of {len(clip_ids)} clips")
        _require(bool(np.isfinite(vectors).all()), "a vector is not finite")
        return cls(vectors, clip_ids)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"vectors": self.vectors, "clip_id": self.clip_ids}

    def __len__(self) -> int:
        return len(self.clip_ids)

    def clip(self, i: int) -> np.ndarray:
        """(n_dims,) float32, a view."""
        return self.vectors[i]

    def part(self, start: int, stop: int) -> VectorPack:
        """The pack of its clips `start` to `stop`, the channels of a clip together; a view."""
        rows = slice(*_rows(self.clip_ids, start, stop))
        return VectorPack(self.vectors[rows], self.clip_ids[rows])


class SampleSink(Protocol):
    """Where the samples of a pack go while it is made: memory, or its file."""

    def append(self, values: np.ndarray) -> None:
        """More samples, (n,) int16."""
        ...

    def values(self) -> np.ndarray:
        """(n_samples,) int16, all of them; the last that is asked."""
        ...


class InMemory:
    """`SampleSink` that are never held twice.

    `expected` samples are reserved but not touched: a guess that is too large costs no memory, a right one no copy.
    """

    def __init__(self, expected: int = 0) -> None:
        self._samples, self._n = np.empty(max(expected, 1), np.int16), 0

    def append(self, values: np.ndarray) -> None:
        start, end = self._n, self._n + len(values)
        if end > len(self._samples):
            grown = np.empty(max(end, len(self._samples) * 3 // 2), np.int16)
            grown[:start] = self._samples[:start]
            self._samples = grown
        self._samples[start:end] = values
        self._n = end

    def values(self) -> np.ndarray:
        return self._samples[: self._n]


class PackBuilder:
    """Collects clips one by one into a waveform pack, in memory or where `samples` says.

    In memory `expected` samples are reserved: see `InMemory`.
    """

    def __init__(self, sample_rate: int, *, expected: int = 0, samples: SampleSink | None = None) -> None:
        self._sample_rate = sample_rate
        self._samples = InMemory(expected) if samples is None else samples
        self._offsets = [0]
        self._clip_ids: list[str] = []

    def append(self, clip_id: str, clip: np.ndarray) -> None:
        """Add one clip, (n_samples,) int16."""
        self._samples.append(clip)
        self._offsets.append(self._offsets[-1] + len(clip))
        self._clip_ids.append(clip_id)

    def finish(self) -> WaveformPack:
        """The pack, sharing the samples."""
        offsets = np.asarray(self._offsets, np.int64)
        return WaveformPack(self._samples.values(), offsets, np.asarray(self._clip_ids, np.str_), self._sample_rate)


def _rows(clip_ids: np.ndarray, start: int, stop: int) -> tuple[int, int]:
    """The first row of clip `start`, and of clip `stop`; where there are fewer clips, their end."""
    first = np.append(np.flatnonzero(np.append(True, clip_ids[1:] != clip_ids[:-1])), len(clip_ids))
    begin, end = (int(first[min(place, len(first) - 1)]) for place in (start, stop))
    return begin, end


def _names(clip_ids: np.ndarray) -> np.ndarray:
    _require(clip_ids.ndim == 1 and clip_ids.dtype.kind == "U", "it names no clips")
    return clip_ids


def _require(kept: bool, otherwise: str) -> None:
    if not kept:
        raise ValueError(otherwise)
