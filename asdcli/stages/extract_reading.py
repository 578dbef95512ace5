"""Reads the clips of one machine type in parallel and hands their features on in order.

An unusable clip does not stop the others: it goes to a list of faults, and the stage decides what that means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asdcli import audio
from asdcli.errors import UsageError, unknown_name
from asdcli.features.pack import PackBuilder, VectorPack
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
        features: `waveform` (int16 PCM) or `logmel` (statistics of log-mel bands).
        sample_rate: in Hz.
        channel: index, None for clips of one channel, or "both": the first two, each a row of the pack, side by side
            under the same clip_id. They become windows 0 and 1 of the clip.
        resample, rounding: what of `audio.read` is allowed beyond lossless reading.

    Raises:
        UsageError: unknown features, or a sample rate that is none.
    """

    features: str = "waveform"
    sample_rate: int = audio.SAMPLE_RATE
    channel: int | str | None = None
    resample: bool = False
    rounding: bool = False

    def __post_init__(self) -> None:
        if self.features not in _PACKERS:
            raise unknown_name("features", self.features, _PACKERS)
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


_Read = Callable[[Path], list[np.ndarray]]
_Clips = Callable[[_Read], Iterator[tuple[str, np.ndarray]]]


def read(
    rows: Sequence[ClipRow], root: Path, reading: Reading, pool: ThreadPoolExecutor, progress: Progress, label: str
) -> tuple[dict[str, np.ndarray], list[Fault]]:
    """The arrays of the pack of all usable clips, in the order of `rows`, and the unusable ones."""
    faults: list[Fault] = []

    def clips(make: _Read) -> Iterator[tuple[str, np.ndarray]]:
        def attempt(row: ClipRow) -> list[np.ndarray] | audio.BadAudio:
            try:
                return make(root / row.path)
            except audio.BadAudio as error:
                return error

        blocks = [rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)]
        for block in progress.track(blocks, total=len(rows), label=label):
            for row, made in zip(block, pool.map(attempt, block), strict=True):
                if isinstance(made, audio.BadAudio):
                    faults.append(Fault(row, made))
                else:
                    yield from ((row.clip_id, channel) for channel in made)
            progress.advance(len(block))

    return _PACKERS[reading.features](rows, reading, clips), faults


def _waveforms(rows: Sequence[ClipRow], reading: Reading, clips: _Clips) -> dict[str, np.ndarray]:
    expected = sum(int((row.duration_s or 0.0) * reading.sample_rate) + 1 for row in rows)
    pack = PackBuilder(reading.sample_rate, expected=expected * len(reading.channels))
    for clip_id, samples in clips(reading.waveforms):
        pack.append(clip_id, samples)
    return pack.finish().arrays()


def _statistics(rows: Sequence[ClipRow], reading: Reading, clips: _Clips) -> dict[str, np.ndarray]:
    from asdcli.features.mels import MelSpec, statistics  # torch: not for waveforms

    spec = MelSpec(sample_rate=reading.sample_rate, centre=False)  # no padding: only sound enters the statistics

    def make(path: Path) -> list[np.ndarray]:
        channels = reading.waveforms(path)
        if len(channels[0]) < spec.n_fft:
            raise audio.BadAudio(path, f"is too short: {len(channels[0])} samples, a log-mel frame takes {spec.n_fft}")
        return [statistics(samples, spec) for samples in channels]

    made = list(clips(make))
    vectors = np.array([vector for _, vector in made], np.float32).reshape(len(made), 2 * spec.n_mels)
    return VectorPack(vectors, np.array([clip_id for clip_id, _ in made], np.str_)).arrays()


_PACKERS = {"waveform": _waveforms, "logmel": _statistics}
FEATURES = tuple(_PACKERS)
