"""Reads the clips of one machine type in parallel and hands their features on in order.

An unusable clip does not stop the others: it goes to a list of faults, and the stage decides what that means.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asdcli import audio
from asdcli.errors import UsageError
from asdcli.features.kinds import DEFAULT, FEATURES, FeatureKind, Unfit
from asdcli.progress import Progress
from asdcli.views.clips import ClipRow

_BLOCK = 64  # clips read ahead: bounds memory, and how long Ctrl-C waits


@dataclass(frozen=True)
class Fault:
    """A clip that cannot be used, and why."""

    row: ClipRow
    error: audio.BadAudio


@dataclass(frozen=True)
class Reading:
    """How every clip is read. These are the parameters in a pack's header.

    Attributes:
        features: the spelling of a kind of features.
        sample_rate: in Hz.
        channel: index, None for clips of one channel, or "both": the first two, each a row of the pack, side by side
            under the same clip_id. They become windows 0 and 1 of the clip.
        resample, rounding: what of `audio.read` is allowed beyond lossless reading.

    Raises:
        UsageError: unknown features, or a sample rate that is none.
    """

    features: str = DEFAULT
    sample_rate: int = audio.SAMPLE_RATE
    channel: int | str | None = None
    resample: bool = False
    rounding: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", FEATURES.canonical(self.features))
        if self.sample_rate < 1:
            raise UsageError(f"the sample rate must be positive, got {self.sample_rate}")

    def waveforms(self, path: Path) -> list[np.ndarray]:
        """(n_samples,) int16 of each channel that is wanted. Raises BadAudio."""
        return [
            audio.read(
                path,
                sample_rate=self.sample_rate,
                channel=channel,
                resample=self.resample,
                rounding=self.rounding,
            )
            for channel in self.channels
        ]

    @property
    def channels(self) -> tuple[int | None, ...]:
        """What is read of each clip, in the order of the pack."""
        return (0, 1) if isinstance(self.channel, str) else (self.channel,)


def read(
    rows: Sequence[ClipRow], root: Path, reading: Reading, pool: ThreadPoolExecutor, progress: Progress, label: str
) -> tuple[dict[str, np.ndarray], list[Fault]]:
    """The arrays of the pack of all usable clips, in the order of `rows`, and the unusable ones.

    There are no arrays where not one clip is usable.
    """
    kind: FeatureKind = FEATURES.build(reading.features)
    faults: list[Fault] = []

    def attempt(row: ClipRow) -> list[np.ndarray] | audio.BadAudio:
        path = root / row.path
        try:
            return [kind.of_channel(samples, reading.sample_rate) for samples in reading.waveforms(path)]
        except audio.BadAudio as error:
            return error
        except Unfit as error:
            return audio.BadAudio(path, str(error))

    def clips() -> Iterator[tuple[str, np.ndarray]]:
        blocks = [rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)]
        for block in progress.track(blocks, total=len(rows), label=label):
            for row, made in zip(block, pool.map(attempt, block), strict=True):
                if isinstance(made, audio.BadAudio):
                    faults.append(Fault(row, made))
                else:
                    yield from ((row.clip_id, channel) for channel in made)
            progress.advance(len(block))

    expected = sum(int((row.duration_s or 0.0) * reading.sample_rate) + 1 for row in rows) * len(reading.channels)
    usable = clips()
    first = next(usable, None)
    if first is None:
        return {}, faults
    return kind.pack(itertools.chain([first], usable), reading.sample_rate, expected).arrays(), faults
