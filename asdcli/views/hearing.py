"""Reads the clips of one machine type in parallel, hands their features on in order, and makes a pack of them.

An unusable clip does not stop the others: it goes to a list of faults, and the stage decides what that means. A clip
that can be read but tells nothing, or tells the same as a training clip, is packed like any other and spoken of.
"""

from __future__ import annotations

import hashlib
import itertools
import zlib
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import audio
from asdcli.audio.level import Levels
from asdcli.features.pack import SampleSink
from asdcli.progress import Progress
from asdcli.views.clips import ClipRow
from asdcli.views.listening import listen
from asdcli.views.packs import LEVEL
from asdcli.views.reading import Reading
from asdcli.views.suspects import Oddity, Suspects, Waveforms

_AHEAD = 16  # clips that are read before they are asked for: bounds memory, and how long Ctrl-C waits


@dataclass(frozen=True)
class Fault:
    """A clip that cannot be used, and why."""

    row: ClipRow
    error: audio.BadAudio


@dataclass(frozen=True)
class Heard:
    """A clip that can be used.

    Attributes:
        row: of clips.parquet.
        made: its features a channel, or a window.
        checksum: that copies of it share.
        odd: what is odd about it.
        level: of its loudest channel, in dB below full scale; None where a dead microphone recorded one.
    """

    row: ClipRow
    made: Iterable[np.ndarray]
    checksum: str
    odd: Oddity
    level: float | None


@dataclass(frozen=True)
class Extracted:
    """What came of the clips of one machine type.

    Attributes:
        arrays: of the pack of all usable clips; none where not one is usable.
        faults: the unusable ones.
        suspects: what is odd about those that are used, by clip_id, in words that follow the name.
        training: digest of what a model trained on them sees: of the training clips, and how they were read.
        levels: how loud the training clips are, those of dead microphones not counted.
    """

    arrays: dict[str, np.ndarray]
    faults: list[Fault]
    suspects: dict[str, str]
    training: str
    levels: Levels | None = None


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

    def attempt(row: ClipRow) -> Heard | Fault:
        try:
            found = listen(root / row.path, reading)
        except audio.BadAudio as error:
            return Fault(row, error)
        level = None if found.is_dead else found.level
        return Heard(row, found.features, checksum_of(found.features), found.odd, level)

    todo, at_work = iter(rows), deque[Future[Heard | Fault]]()
    for _ in progress.track(rows, total=len(rows), label=label):
        at_work.extend(pool.submit(attempt, row) for row in itertools.islice(todo, _AHEAD - len(at_work)))
        yield at_work.popleft().result()


def packed(
    heard: Iterable[Heard | Fault],
    rows: Sequence[ClipRow],
    root: Path,
    reading: Reading,
    training: Collection[str] = (),
    trained: Collection[str] | None = None,
    *,
    sounds: Waveforms | None = None,
    into: SampleSink | None = None,
) -> Extracted:
    """What comes of the clips of one machine type.

    Args:
        heard: they, in the order of `rows`.
        rows: of clips.parquet.
        root: folder that their paths are below.
        reading: how they were read.
        training: clip_ids of those to train on.
        trained: of those that models see; by default the same.
        sounds: what tells copies; by default their recordings, which are read again.
        into: where samples go, of features that hold any; by default memory.
    """
    seen = training if trained is None else trained
    kind: Any = reading.kind
    faults: list[Fault] = []
    suspects = Suspects(sounds or reading.waveforms, root, training)
    levels: dict[str, float | None] = {}
    digest = hashlib.blake2b(repr(reading).encode(), digest_size=16)

    def clips() -> Iterator[tuple[str, np.ndarray]]:
        for one in heard:
            if isinstance(one, Fault):
                faults.append(one)
                continue
            clip_id = one.row.clip_id
            suspects.add(clip_id, one.checksum, one.odd)
            levels[clip_id] = one.level
            if clip_id in seen:
                digest.update(f"{clip_id}|{one.checksum}|".encode())
            yield from ((clip_id, channel) for channel in one.made)

    usable: Iterator[tuple[str, np.ndarray]] = clips()
    first = next(usable, None)
    if first is None:
        return Extracted({}, faults, {}, "")
    usable = itertools.chain([first], usable)
    if into is not None and hasattr(kind, "pack_into"):
        pack = kind.pack_into(usable, reading.sample_rate, into)
    else:
        pack = kind.pack(usable, reading.sample_rate, reading.expected(rows))
    arrays = {**pack.arrays(), LEVEL: np.array(list(levels.values()), np.float64)}
    told = Levels.of(level for clip_id, level in levels.items() if level is not None and clip_id in training)
    return Extracted(arrays, faults, suspects.found(rows), digest.hexdigest(), told)


def checksum_of(made: Iterable[np.ndarray]) -> str:
    """What copies of a clip share, by its features a channel."""
    return "".join(map(_checksum, made))


def _checksum(features: np.ndarray) -> str:
    """As a zip has it of its entries: cheap, and enough to notice what was not meant to deceive."""
    return f"{features.dtype.str}{features.shape}{zlib.crc32(np.ascontiguousarray(features).view(np.uint8).data):08x}"
