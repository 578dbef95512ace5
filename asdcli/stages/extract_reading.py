"""Reads the clips of one machine type in parallel and hands their features on in order.

An unusable clip does not stop the others: it goes to a list of faults, and the stage decides what that means. A clip
that can be read but tells nothing, or tells the same as a training clip, is packed like any other and spoken of.
"""

from __future__ import annotations

import hashlib
import itertools
import zlib
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import audio
from asdcli.audio.convert import FULL_SCALE
from asdcli.audio.level import Levels, level_db
from asdcli.audio.suspect import is_flat
from asdcli.errors import UsageError
from asdcli.features.kinds import DEFAULT, FEATURES, FeatureKind, Unfit
from asdcli.progress import Progress
from asdcli.views.clips import ClipRow
from asdcli.views.suspects import Suspects
from asdcli.vocabulary import BOTH, FIXED, PEAK

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
        channel: index, None for clips of one channel, "mean" of all, or "both": the first two, each a row of the pack,
            side by side under the same clip_id. They become windows 0 and 1 of the clip.
        resample: bring other rates to `sample_rate`.
        rounding: round samples finer than 16 bits.
        scale: `peak` brings the loudest sample of a machine type's clips to full scale, `fixed:GAIN` multiplies all
            samples by GAIN; None leaves them as they are.
        gain: what the samples of the machine type at hand are multiplied by.

    Raises:
        UsageError: unknown features or scale, or a sample rate that is none.
    """

    features: str = DEFAULT
    sample_rate: int = audio.SAMPLE_RATE
    channel: int | str | None = None
    resample: bool = False
    rounding: bool = False
    scale: str | None = field(default=None, repr=False)  # the digest of what a model sees has the scaled samples
    gain: float | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", FEATURES.canonical(self.features))
        if self.sample_rate < 1:
            raise UsageError(f"the sample rate must be positive, got {self.sample_rate}")
        if self.scale not in (None, PEAK):
            object.__setattr__(self, "gain", _fixed(self.scale or ""))

    def params(self) -> dict[str, Any]:
        """For a header; a scale only where there is one."""
        return {k: v for k, v in asdict(self).items() if v is not None or k not in ("scale", "gain")}

    def scaled_to(self, gain: Any) -> Reading:
        """The same by a gain that was measured before, where it is measured; None or what is no number says nothing."""
        return replace(self, gain=gain) if self.scale == PEAK and isinstance(gain, float) else self

    def scaled_to_peak(self, rows: Sequence[ClipRow], root: Path, pool: ThreadPoolExecutor) -> Reading:
        """The same with the gain that `peak` means for these clips, unusable ones not counted; all of them are read."""

        def loudest(row: ClipRow) -> float:
            def of(channel: int | str | None) -> float:
                return audio.peak(
                    root / row.path, sample_rate=self.sample_rate, channel=channel, resample=self.resample
                )

            try:
                return max(map(of, self.channels))
            except audio.BadAudio:
                return 0.0

        peak = max(pool.map(loudest, rows), default=0.0)
        return self.scaled_to((1 - 1 / FULL_SCALE) / peak if peak else 1.0)

    def waveforms(self, path: Path) -> list[np.ndarray]:
        """(n_samples,) int16 of each channel that is wanted. Raises BadAudio."""
        return [
            audio.read(
                path,
                sample_rate=self.sample_rate,
                channel=channel,
                resample=self.resample,
                rounding=self.rounding,
                gain=self.gain,
            )
            for channel in self.channels
        ]

    @property
    def channels(self) -> tuple[int | str | None, ...]:
        """What is read of each clip, in the order of the pack."""
        return (0, 1) if self.channel == BOTH else (self.channel,)


@dataclass(frozen=True)
class Extracted:
    """What came of the clips of one machine type.

    Attributes:
        arrays: of the pack of all usable clips; none where not one is usable.
        faults: the unusable ones.
        suspects: what is odd about those that are used, by clip_id, in words that follow the name.
        training: digest of what a model trained on them sees: of the training clips, and how they were read.
        levels: how loud the training clips are, silent ones not counted.
    """

    arrays: dict[str, np.ndarray]
    faults: list[Fault]
    suspects: dict[str, str]
    training: str
    levels: Levels | None = None


def read(
    rows: Sequence[ClipRow],
    root: Path,
    reading: Reading,
    pool: ThreadPoolExecutor,
    progress: Progress,
    label: str,
    *,
    training: Collection[str] = (),
) -> Extracted:
    """Read the clips of `rows`, in their order.

    Args:
        rows: of clips.parquet.
        root: folder that their paths are below.
        reading: how samples are taken and what is made of them.
        pool: the threads that read.
        progress: is told how far it is, and of what looks wrong.
        label: what the progress is of.
        training: clip_ids of those to train on.
    """
    kind: FeatureKind = FEATURES.build(reading.features)
    faults: list[Fault] = []
    suspects = Suspects(reading.waveforms, root, training)
    levels: dict[str, float] = {}
    digest = hashlib.blake2b(repr(reading).encode(), digest_size=16)

    def attempt(row: ClipRow) -> tuple[list[np.ndarray], str] | audio.BadAudio:
        path = root / row.path
        try:
            waves = reading.waveforms(path)
            made = [kind.of_channel(samples, reading.sample_rate) for samples in waves]
        except audio.BadAudio as error:
            return error
        except Unfit as error:
            return audio.BadAudio(path, str(error))
        checksum = "".join(_checksum(one) for one in made)
        suspects.look(row, waves, checksum)
        _measure(levels, row, waves, training)
        return made, checksum

    def clips() -> Iterator[tuple[str, np.ndarray]]:
        blocks = [rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)]
        for block in progress.track(blocks, total=len(rows), label=label):
            for row, made in zip(block, pool.map(attempt, block), strict=True):
                if isinstance(made, audio.BadAudio):
                    faults.append(Fault(row, made))
                    continue
                channels, checksum = made
                if row.clip_id in training:
                    digest.update(f"{row.clip_id}|{checksum}|".encode())
                yield from ((row.clip_id, channel) for channel in channels)
            progress.advance(len(block))

    expected = sum(int((row.duration_s or 0.0) * reading.sample_rate) + 1 for row in rows) * len(reading.channels)
    usable = clips()
    first = next(usable, None)
    if first is None:
        return Extracted({}, faults, {}, "")
    pack = kind.pack(itertools.chain([first], usable), reading.sample_rate, expected)
    return Extracted(pack.arrays(), faults, suspects.found(rows), digest.hexdigest(), Levels.of(levels.values()))


def _measure(levels: dict[str, float], row: ClipRow, waves: Sequence[np.ndarray], training: Collection[str]) -> None:
    """Note how loud a training clip is; one that a dead microphone recorded says nothing of levels."""
    if row.clip_id in training and not any(map(is_flat, waves)):
        levels[row.clip_id] = max(map(level_db, waves))


def _fixed(spelling: str) -> float:
    name, _, number = spelling.partition(":")
    try:
        gain = float(number)
        if name != FIXED or not 0 < gain < float("inf"):
            raise ValueError
    except ValueError:
        hint = f"--scale {PEAK}, or a positive factor: --scale {FIXED}:0.5"
        raise UsageError(f"{spelling!r} is no scale", hint) from None
    return gain


def _checksum(features: np.ndarray) -> str:
    """As a zip has it of its entries: cheap, and enough to notice what was not meant to deceive."""
    return f"{features.dtype.str}{features.shape}{zlib.crc32(np.ascontiguousarray(features).view(np.uint8).data):08x}"
