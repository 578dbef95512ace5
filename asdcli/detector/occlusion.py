"""What of a clip a network's score hangs on: pieces of time and frequency are made as loud as in normal clips, in turn.

Occlusion (M. D. Zeiler, R. Fergus: Visualizing and understanding convolutional networks, ECCV 2014), with sound in
place of grey squares: in a piece, each band is brought to the median level of the normal clips, and the clip is
embedded and scored again. It costs as many passes of the network as there are pieces, and one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asdcli.detector.sources import WindowSource
from asdcli.features.light_mels import MelAxes
from asdcli.features.pack import FULL_SCALE, WaveformPack
from asdcli.scorers import Fitted
from asdcli.scorers.vectors import Vectors

TIMES, BANDS = 8, 8
"""Pieces of time and of frequency."""
_MOST_DB = 40.0
_AT_ONCE = 1 << 23  # samples in one pack: 16 MB

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Occlusion:
    """What the score of a clip owes to each piece.

    Attributes:
        drop: (n_times, n_bands) the score less what it is with that piece made normal: larger where the piece makes the
            clip more anomalous.
        score: of the clip as it is, computed alike.
        frames: (n_times + 1,) frames at which pieces of time end.
        bands: (n_bands + 1,) mel bands at which pieces of frequency end.
    """

    drop: Array
    score: float
    frames: npt.NDArray[np.int64]
    bands: npt.NDArray[np.int64]

    @property
    def passes(self) -> int:
        """Of the network that it took."""
        return self.drop.size + 1


def occlusion(
    samples: npt.NDArray[np.int16],
    levels: Array,
    normal: Array,
    axes: MelAxes,
    *,
    source: WindowSource,
    fitted: Fitted,
    machine_type: str,
    number: int,
) -> Occlusion:
    """Occlude a clip piece by piece.

    Args:
        samples: (n_samples,) of the clip, at least one frame.
        levels: (n_frames, n_mels) its log-mel frames, in dB.
        normal: (n_mels,) the median of normal clips, in dB.
        axes: of the frames.
        source: what embeds waveforms.
        fitted: what gives the vectors their scores.
        machine_type: of the clip.
        number: of the clip among those that `fitted` compares with, whose vectors it is not compared with.
    """
    n_frames, n_mels = levels.shape
    frames = np.unique(np.linspace(0, n_frames, min(TIMES, n_frames) + 1).round().astype(np.int64))
    bands = np.unique(np.linspace(0, n_mels, min(BANDS, n_mels) + 1).round().astype(np.int64))
    pieces = [(t, b) for t in itertools.pairwise(frames) for b in itertools.pairwise(bands)]
    spectra = _spectra(samples, axes)
    band_of = np.searchsorted(axes.edges_hz, np.fft.rfftfreq(axes.window, 1 / axes.sample_rate), side="right") - 1

    def variants() -> Iterator[npt.NDArray[np.int16]]:
        yield samples
        for (first, last), (low, high) in pieces:
            gain_db = np.zeros(n_mels)
            gain_db[low:high] = normal[low:high] - levels[first:last, low:high].mean(axis=0)
            gain = 10 ** (np.clip(gain_db, -_MOST_DB, _MOST_DB) / 20)
            of_bins = np.where((band_of >= low) & (band_of < high), gain[np.clip(band_of, 0, n_mels - 1)], 1.0)
            added = np.fft.irfft(spectra[first:last] * (of_bins - 1.0), axes.window)
            yield _with(samples, added, int(first) * axes.hop, axes.hop)

    scores = np.array(list(_scores(variants(), len(samples), axes.sample_rate, source, fitted, machine_type, number)))
    drop = (scores[0] - scores[1:]).reshape(len(frames) - 1, len(bands) - 1)
    return Occlusion(drop, float(scores[0]), frames, bands)


def _spectra(samples: npt.NDArray[np.int16], axes: MelAxes) -> npt.NDArray[np.complex128]:
    """(n_frames, window // 2 + 1) under Hann windows, which add up to one."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, axes.window)[:: axes.hop]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(axes.window) / axes.window)
    return np.asarray(np.fft.rfft(frames * hann), np.complex128)


def _with(samples: npt.NDArray[np.int16], frames: Array, start: int, hop: int) -> npt.NDArray[np.int16]:
    """The samples with frames added, one every `hop` from `start` on."""
    found = samples.astype(np.float64)
    for i, frame in enumerate(frames):
        found[start + i * hop : start + i * hop + len(frame)] += frame
    return np.clip(np.rint(found), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _scores(
    variants: Iterator[npt.NDArray[np.int16]],
    n_samples: int,
    sample_rate: int,
    source: WindowSource,
    fitted: Fitted,
    machine_type: str,
    number: int,
) -> Iterator[float]:
    at_once = max(1, _AT_ONCE // n_samples)
    while some := list(itertools.islice(variants, at_once)):
        pack = WaveformPack.of(some, [str(i) for i in range(len(some))], sample_rate)
        vectors, clip = source.windows(machine_type, pack)
        scores = fitted.score(Vectors.of(vectors, np.full(len(vectors), number)))
        yield from source.mean(scores, np.unique(clip, return_inverse=True)[1]).tolist()
