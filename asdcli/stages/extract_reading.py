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
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asdcli import audio
from asdcli.audio.level import Levels, level_db
from asdcli.audio.suspect import is_flat
from asdcli.features.kinds import FEATURES, FeatureKind, Unfit
from asdcli.progress import Progress
from asdcli.views.clips import ClipRow
from asdcli.views.reading import Reading
from asdcli.views.suspects import Suspects

_BLOCK = 64  # clips read ahead: bounds memory, and how long Ctrl-C waits


@dataclass(frozen=True)
class Fault:
    """A clip that cannot be used, and why."""

    row: ClipRow
    error: audio.BadAudio


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


def _checksum(features: np.ndarray) -> str:
    """As a zip has it of its entries: cheap, and enough to notice what was not meant to deceive."""
    return f"{features.dtype.str}{features.shape}{zlib.crc32(np.ascontiguousarray(features).view(np.uint8).data):08x}"
