"""Reads the clips of one machine type in parallel, hands their features on in order, and makes a pack of them.

An unusable clip does not stop the others: it goes to a list of faults, and the stage decides what that means. A clip
that can be read but tells nothing, or tells the same as a training clip, is packed like any other and spoken of.
"""

from __future__ import annotations

import hashlib
import itertools
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import audio
from asdcli.audio.convert import FULL_SCALE
from asdcli.errors import UsageError
from asdcli.features.kinds import DEFAULT, FEATURES, FeatureKind, Unfit
from asdcli.progress import Progress
from asdcli.views.clips import ClipRow
from asdcli.views.suspects import Oddity, Suspects, oddity
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

    def expected(self, rows: Sequence[ClipRow]) -> int:
        """How many samples these clips have in all, as far as is known before."""
        return sum(int((row.duration_s or 0.0) * self.sample_rate) + 1 for row in rows) * len(self.channels)

    @property
    def channels(self) -> tuple[int | str | None, ...]:
        """What is read of each clip, in the order of the pack."""
        return (0, 1) if self.channel == BOTH else (self.channel,)


@dataclass(frozen=True)
class Heard:
    """A clip that can be used.

    Attributes:
        row: of clips.parquet.
        made: its features a channel.
        checksum: that copies of it share.
        odd: what is odd about it.
    """

    row: ClipRow
    made: Sequence[np.ndarray]
    checksum: str
    odd: Oddity


@dataclass(frozen=True)
class Extracted:
    """What came of the clips of one machine type.

    Attributes:
        arrays: of the pack of all usable clips; none where not one is usable.
        faults: the unusable ones.
        suspects: what is odd about those that are used, by clip_id, in words that follow the name.
        training: digest of what a model trained on them sees: of the training clips, and how they were read.
    """

    arrays: dict[str, np.ndarray]
    faults: list[Fault]
    suspects: dict[str, str]
    training: str


def hear(
    rows: Sequence[ClipRow], root: Path, reading: Reading, pool: ThreadPoolExecutor, progress: Progress, label: str
) -> Iterator[Heard | Fault]:
    """Read the clips of `rows`, in their order.

    Args:
        rows: of clips.parquet.
        root: folder that their paths are below.
        reading: how samples are taken and what is made of them.
        pool: the threads that read.
        progress: is told how far it is.
        label: what the progress is of.
    """
    kind: FeatureKind = FEATURES.build(reading.features)

    def attempt(row: ClipRow) -> Heard | Fault:
        path = root / row.path
        try:
            waves = reading.waveforms(path)
            made = [kind.of_channel(samples, reading.sample_rate) for samples in waves]
        except audio.BadAudio as error:
            return Fault(row, error)
        except Unfit as error:
            return Fault(row, audio.BadAudio(path, str(error)))
        return Heard(row, made, "".join(_checksum(one) for one in made), oddity(waves))

    blocks = [rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)]
    for block in progress.track(blocks, total=len(rows), label=label):
        yield from pool.map(attempt, block)
        progress.advance(len(block))


def packed(
    heard: Iterable[Heard | Fault],
    rows: Sequence[ClipRow],
    root: Path,
    reading: Reading,
    training: Collection[str] = (),
) -> Extracted:
    """What comes of the clips of one machine type.

    Args:
        heard: they, in the order of `rows`.
        rows: of clips.parquet.
        root: folder that their paths are below.
        reading: how they were read.
        training: clip_ids of those to train on.
    """
    kind: FeatureKind = FEATURES.build(reading.features)
    faults: list[Fault] = []
    suspects = Suspects(reading.waveforms, root, training)
    digest = hashlib.blake2b(repr(reading).encode(), digest_size=16)

    def clips() -> Iterator[tuple[str, np.ndarray]]:
        for one in heard:
            if isinstance(one, Fault):
                faults.append(one)
                continue
            clip_id = one.row.clip_id
            suspects.add(clip_id, one.checksum, one.odd)
            if clip_id in training:
                digest.update(f"{clip_id}|{one.checksum}|".encode())
            yield from ((clip_id, channel) for channel in one.made)

    usable = clips()
    first = next(usable, None)
    if first is None:
        return Extracted({}, faults, {}, "")
    pack = kind.pack(itertools.chain([first], usable), reading.sample_rate, reading.expected(rows))
    return Extracted(pack.arrays(), faults, suspects.found(rows), digest.hexdigest())


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
