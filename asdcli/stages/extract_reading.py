"""Reads the clips of one machine type in parallel and hands their features on in order.

An unusable clip does not stop the others: it goes to a list of faults, and the stage decides what that means.
"""

from __future__ import annotations

import hashlib
import itertools
import zlib
from collections.abc import Collection, Iterator, Sequence
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
        channel: index, None for clips of one channel, "mean" of all, or "both": the first two, each a row of the pack,
            side by side under the same clip_id. They become windows 0 and 1 of the clip.
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
    def channels(self) -> tuple[int | str | None, ...]:
        """What is read of each clip, in the order of the pack."""
        return (0, 1) if self.channel == audio.BOTH else (self.channel,)


@dataclass(frozen=True)
class Extracted:
    """What came of the clips of one machine type.

    Attributes:
        arrays: of the pack of all usable clips; none where not one is usable.
        faults: the unusable ones.
        training: digest of what a model trained on them sees: of the training clips, and how they were read.
    """

    arrays: dict[str, np.ndarray]
    faults: list[Fault]
    training: str


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
    digest = hashlib.blake2b(repr(reading).encode(), digest_size=16)

    def attempt(row: ClipRow) -> tuple[list[np.ndarray], str] | audio.BadAudio:
        path = root / row.path
        try:
            made = [kind.of_channel(samples, reading.sample_rate) for samples in reading.waveforms(path)]
        except audio.BadAudio as error:
            return error
        except Unfit as error:
            return audio.BadAudio(path, str(error))
        return made, "".join(_checksum(one) for one in made) if row.clip_id in training else ""

    def clips() -> Iterator[tuple[str, np.ndarray]]:
        blocks = [rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)]
        for block in progress.track(blocks, total=len(rows), label=label):
            for row, made in zip(block, pool.map(attempt, block), strict=True):
                if isinstance(made, audio.BadAudio):
                    faults.append(Fault(row, made))
                    continue
                channels, checksum = made
                if checksum:
                    digest.update(f"{row.clip_id}|{checksum}|".encode())
                yield from ((row.clip_id, channel) for channel in channels)
            progress.advance(len(block))

    expected = sum(int((row.duration_s or 0.0) * reading.sample_rate) + 1 for row in rows) * len(reading.channels)
    usable = clips()
    first = next(usable, None)
    if first is None:
        return Extracted({}, faults, "")
    pack = kind.pack(itertools.chain([first], usable), reading.sample_rate, expected)
    return Extracted(pack.arrays(), faults, digest.hexdigest())


def _checksum(features: np.ndarray) -> str:
    """As a zip has it of its entries: cheap, and enough to notice what was not meant to deceive."""
    return f"{features.dtype.str}{features.shape}{zlib.crc32(np.ascontiguousarray(features).view(np.uint8).data):08x}"
