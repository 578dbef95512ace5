"""Recordings made fit to be listened to and looked at on a page, and what makes one of them differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from asdcli.audio.small import flac, opus, writes_opus
from asdcli.features.light_mels import N_BANDS, MelAxes, logmel
from asdcli.metrics.differing import Region
from asdcli.page import pictures
from asdcli.page.content import Playable, Reason
from asdcli.page.stores import Store
from asdcli.views.compared import Compared

Samples = npt.NDArray[np.int16]

_BEFORE_S = 2.0  # of what is interesting in a long recording is heard too
_TICKS_HZ = (100, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000)
_BANDS = 32  # that differences are told of


@dataclass(frozen=True)
class Part:
    """A part of a recording: from where, how long, and of how much, in seconds."""

    begins_s: float
    lasts_s: float
    of_s: float

    @staticmethod
    def of(seconds: float, longest_s: float, interesting_s: float = 0.0) -> Part:
        """As much as may be, with what is interesting near its beginning."""
        lasts = min(seconds, longest_s)
        begins = min(max(interesting_s - _BEFORE_S, 0.0), seconds - lasts)
        return Part(begins, lasts, seconds)


@dataclass(frozen=True)
class Made:
    """A recording made fit: its files by suffix, and which part of it they hold."""

    files: dict[str, bytes]
    part: Part


@dataclass(frozen=True)
class Explanation:
    """Why a clip has its score.

    Attributes:
        name: of the clip.
        why: in words, with the nearest normal recordings.
        compared: its sound beside normal ones.
        words: of each of the regions.
    """

    name: str
    why: Reason
    compared: Compared
    words: Sequence[str]


@dataclass(frozen=True)
class Prepared:
    """A clip that is explained, and its nearest normal recording, as files; `normal` is None where it lies already."""

    name: str
    made: Made
    nearest: str
    normal: Made | None
    why: Reason
    difference: bytes


class Listening:
    """Makes sounds and pictures and puts them away, as far as there is room.

    Args:
        store: where they lie.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sounds: dict[str, Playable] = {}
        self.reasons: dict[str, Reason] = {}
        self._sound = flac if store.lossless or not writes_opus() else opus

    def make(self, samples: Samples, sample_rate: int, interesting_s: float = 0.0) -> Made | None:
        """The files of a recording of (n_samples,) int16; None where it is too short to be seen.

        Args:
            samples: of it.
            sample_rate: in Hz.
            interesting_s: a long one is cut, and this is in what stays.
        """
        part = Part.of(len(samples) / sample_rate, self.store.longest_s, interesting_s)
        first = round(part.begins_s * sample_rate)
        heard = samples[first : first + round(part.lasts_s * sample_rate)]
        frames = logmel(heard, MelAxes.at(sample_rate))
        if not len(frames):
            return None
        suffix = "flac" if self._sound is flac else "opus"
        return Made({suffix: self._sound(heard, sample_rate), "png": pictures.levels(frames)}, part)

    def take(self, name: str, made: Made | None) -> bool:
        """Put a recording away that was made fit; False where there is no room, or nothing."""
        if made is None or (placed := self.store.put(**made.files)) is None:
            return False
        audio, picture = placed
        self.sounds[name] = Playable(audio, picture, made.part.begins_s, made.part.lasts_s, made.part.of_s)
        return True

    def prepare(self, one: Explanation) -> Prepared | None:
        """The files of a clip that is explained and of its nearest normal recording; None where it is too short.

        May be called from several threads.
        """
        compared, why = one.compared, one.why
        rate, regions = compared.axes.sample_rate, compared.differing.regions
        interesting_s = float(compared.levels.times_s[regions[0].first]) if regions else 0.0
        nearest = why.nearest[0][0] if why.nearest else compared.normals[0]
        made = self.make(compared.samples, rate, interesting_s)
        if made is None:
            return None
        waves = dict(zip(compared.normals, compared.waves, strict=True))
        normal = self.make(waves[nearest], rate) if nearest in waves and nearest not in self.sounds else None
        first = round(made.part.begins_s / compared.axes.frame_s)
        cells = compared.differing.cells[first : first + max(round(made.part.lasts_s / compared.axes.frame_s), 1)]
        found = _regions(regions, one.words, first, len(cells))
        of = why.nearest or ((nearest, float("nan")),)
        why = replace(why, nearest=of, regions=found, bands=_bands(compared))
        return Prepared(one.name, made, nearest, normal, why, pictures.differences(cells))

    def keep(self, one: Prepared | None) -> bool:
        """Put away what was prepared; False where there is no room for the clip."""
        if one is None or (one.name not in self.sounds and not self.take(one.name, one.made)):
            return False
        if one.nearest not in self.sounds:
            self.take(one.nearest, one.normal)
        placed = self.store.put(png=one.difference)
        self.reasons[one.name] = replace(one.why, difference=placed[0] if placed else None)
        return True


def ticks(sample_rate: int) -> list[tuple[float, str]]:
    """Where frequencies stand beside a spectrogram: share of its height, and in words."""
    edges = MelAxes.at(sample_rate).edges_hz
    shares = np.interp(_TICKS_HZ, edges, np.arange(N_BANDS + 1) / N_BANDS)
    shown = [(share, hz) for share, hz in zip(shares, _TICKS_HZ, strict=True) if hz <= sample_rate / 2]
    return [(round(float(share), 4), f"{hz / 1000:g}") for share, hz in shown]


def _regions(
    regions: Sequence[Region], words: Sequence[str], first: int, n: int
) -> list[tuple[float, float, float, float, str]]:
    """As shares of the picture of `n` frames from `first` on; those that lie elsewhere are left out."""
    found = []
    for one, told in zip(regions, words, strict=True):
        left, right = (min(max((frame - first) / n, 0.0), 1.0) for frame in (one.first, one.last))
        if right > left:
            bottom, top = one.low_band / N_BANDS, one.high_band / N_BANDS
            found.append((round(left, 4), round(right, 4), bottom, top, told))
    return found


def _bands(compared: Compared) -> list[float]:
    """(_BANDS,) mean dB above the median of normal recordings, low bands first."""
    above = compared.levels.values.mean(axis=0) - compared.differing.median
    return [round(float(v), 1) for v in above.reshape(_BANDS, -1).mean(axis=1)]
