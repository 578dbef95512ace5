"""Listening to one recording: its features, one a channel or a window, its level, and what is odd about it.

A recording that is cut into windows is read block by block, so that a day of sound takes no more memory than a minute.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asdcli import audio
from asdcli.audio.suspect import Counts
from asdcli.features.kinds import FeatureKind, Unfit
from asdcli.views.reading import Reading
from asdcli.views.suspects import Oddity, oddity

_AT_FIRST = 256  # windows for which there is room


@dataclass(frozen=True)
class Listened:
    """What came of a recording.

    Attributes:
        features: of each row of the pack; of a long recording, where they are the sound itself, they are read again
            whenever they are wanted.
        n_rows: how many these are.
        level: of its loudest channel, in dB below full scale.
        odd: what is odd about it.
        is_dead: whether a channel is constant.
        duration_s: of one that was cut into windows; None of others.
    """

    features: Iterable[np.ndarray]
    n_rows: int
    level: float
    odd: Oddity
    is_dead: bool
    duration_s: float | None = None

    @property
    def is_cut(self) -> bool:
        """Whether its features are those of windows."""
        return self.duration_s is not None


def listen(path: Path, reading: Reading) -> Listened:
    """Listen to a recording. Raises BadAudio where it cannot be used."""
    kind = reading.kind
    try:
        return _windows(path, reading, kind) if reading.cuts(path) else _channels(path, reading, kind)
    except Unfit as error:
        raise audio.BadAudio(path, str(error)) from None


def _channels(path: Path, reading: Reading, kind: FeatureKind) -> Listened:
    waves = reading.waveforms(path)
    made = [kind.of_channel(samples, reading.sample_rate) for samples in waves]
    counts = [Counts.of(samples) for samples in waves]
    is_dead = any(one.is_flat for one in counts)
    return Listened(made, len(made), max(one.level_db for one in counts), oddity(counts), is_dead)


def _windows(path: Path, reading: Reading, kind: FeatureKind) -> Listened:
    counts = Counts()

    def counted() -> Iterator[np.ndarray]:
        for block in reading.blocks(path):
            counts.add(block)
            yield block

    again = _Again(path, reading, kind)
    features: Iterable[np.ndarray] = again
    of_windows = again.of(counted())
    if getattr(kind, "is_sound", False):
        n_rows = sum(1 for _ in of_windows)
    else:
        features = _gathered(of_windows)
        n_rows = len(features)
    odd = Oddity(counts.suspicion or "", counts.is_flat)
    return Listened(features, n_rows, counts.level_db, odd, counts.is_flat, counts.n / reading.sample_rate)


def _gathered(rows: Iterator[np.ndarray]) -> np.ndarray:
    """Rows that are alike in one array. A list of many small ones would leave memory in pieces, and grow with them."""
    first = next(rows)
    found, n = np.empty((_AT_FIRST, *first.shape), first.dtype), 0
    for row in itertools.chain([first], rows):
        if n == len(found):
            found = np.concatenate([found, np.empty_like(found)])
        found[n] = row
        n += 1
    return found[:n]


@dataclass(frozen=True)
class _Again:
    """The features of the windows of a recording, which is read anew for each walk over them."""

    path: Path
    reading: Reading
    kind: FeatureKind

    def of(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for window in self.reading.windows(blocks):
            yield self.kind.of_channel(window, self.reading.sample_rate)

    def __iter__(self) -> Iterator[np.ndarray]:
        return self.of(self.reading.blocks(self.path))
