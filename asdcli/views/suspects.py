"""Clips that can be read, and yet tell nothing of their machine or nothing new: named, and packed like any other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asdcli.audio.suspect import Counts
from asdcli.views.clips import ClipRow

Waveforms = Callable[[Path], Sequence[np.ndarray]]
"""(n_samples,) of each channel of a file."""

_COPY = "is a copy of a training clip: "


@dataclass(frozen=True)
class Oddity:
    """What is odd about a clip by itself: in words that follow its name, or nothing; and whether it is flat."""

    words: str
    flat: bool


def oddity(counts: Sequence[Counts]) -> Oddity:
    """What is odd about a clip of which this was counted, a channel each."""
    names = [f"channel {number} " if len(counts) > 1 else "" for number in range(len(counts))]
    said = [f"{name}{one.suspicion}" for name, one in zip(names, counts, strict=True) if one.suspicion]
    return Oddity("; ".join(said), all(one.is_flat for one in counts))


class Suspects:
    """Collects them while the clips of one machine type are read.

    Args:
        waveforms: reads a file again, where two clips may be the same.
        root: folder that paths are below.
        training: clip_ids of those to train on.
    """

    def __init__(self, waveforms: Waveforms, root: Path, training: Collection[str]) -> None:
        self._waveforms, self._root, self._training = waveforms, root, training
        self._odd: dict[str, str] = {}
        self._checksums: dict[str, str] = {}

    def add(self, clip_id: str, checksum: str, odd: Oddity) -> None:
        """Take in one clip.

        Args:
            clip_id: its name.
            checksum: that copies of it share.
            odd: what is odd about it by itself.
        """
        if odd.words:
            self._odd[clip_id] = odd.words
        if not odd.flat:  # one dead recording is like the other without being its copy
            self._checksums[clip_id] = checksum

    def found(self, rows: Sequence[ClipRow]) -> dict[str, str]:
        """What is odd about which clips, in their order, in words that follow the clip's name.

        A copy of a training clip is no test, and as a training clip it is its original's neighbour when that is left
        out of the reference set.
        """
        alike: dict[str, list[ClipRow]] = {}
        for row in rows:
            if row.clip_id in self._checksums:
                alike.setdefault(self._checksums[row.clip_id], []).append(row)
        copies: dict[str, str] = {}
        for group in alike.values():
            original = next((row for row in group if row.clip_id in self._training), None)
            if original is not None and len(group) > 1:
                copies |= self._copies(original, group)
        said = {row.clip_id: [d[row.clip_id] for d in (self._odd, copies) if row.clip_id in d] for row in rows}
        return {clip_id: "; ".join(words) for clip_id, words in said.items() if words}

    def _copies(self, original: ClipRow, group: Sequence[ClipRow]) -> dict[str, str]:
        sound = self._waveforms(self._root / original.path)
        return {
            row.clip_id: f"{_COPY}{original.clip_id}"
            for row in group
            if row is not original and all(map(np.array_equal, sound, self._waveforms(self._root / row.path)))
        }


def without_copies(words: str) -> str:
    """What is odd about a clip by itself, of all that was found of it."""
    return "; ".join(said for said in words.split("; ") if not said.startswith(_COPY))


def told(suspects: Mapping[str, str]) -> list[str]:
    """A sentence for each kind of oddity, with the first clip that has it."""
    kinds: dict[str, list[str]] = {}
    for clip_id, words in suspects.items():
        kinds.setdefault(words.partition(":")[0], []).append(f"{clip_id} {words}")
    more = " ({} more like it; --json lists them)"
    return [own[0] + (more.format(len(own) - 1) if len(own) > 1 else "") for own in kinds.values()]
