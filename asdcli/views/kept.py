"""The clips of a pack as they were heard when it was made, so that their recordings need not be read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import artifacts
from asdcli.errors import ArtifactError
from asdcli.features.kinds import FEATURES
from asdcli.progress import Progress
from asdcli.views.clips import ClipRow
from asdcli.views.hearing import Fault, Heard, checksum_of, hear
from asdcli.views.listening import listen
from asdcli.views.packs import LEVEL, SUSPECTS
from asdcli.views.reading import Reading
from asdcli.views.suspects import Oddity, Waveforms, without_copies


@dataclass(frozen=True, eq=False)
class KeptClips:
    """What a pack holds of each clip.

    Attributes:
        made: clip_id -> its features, a channel or a window each.
        levels: clip_id -> its level in dB below full scale, NaN where a dead microphone recorded it.
        odd: clip_id -> what is odd about it by itself, in words.
    """

    made: Mapping[str, list[np.ndarray]]
    levels: Mapping[str, float]
    odd: Mapping[str, str]

    @staticmethod
    def of(path: Path, params: Mapping[str, Any]) -> KeptClips | None:
        """Those of the pack at `path`; None where it was not made with these parameters, or does not tell."""
        try:
            arrays, header = artifacts.read_arrays(path, artifacts.FEATURES, map_long=True)
            if header.params != dict(params):
                return None
            levels = arrays.pop(LEVEL)
            pack: Any = FEATURES.build(str(params["features"])).read(arrays)
        except (ArtifactError, KeyError, ValueError):
            return None
        names = list(dict.fromkeys(pack.clip_ids.tolist()))
        if not hasattr(pack, "clip") or levels.shape != (len(names),):
            return None
        made: dict[str, list[np.ndarray]] = {name: [] for name in names}
        for i, name in enumerate(pack.clip_ids.tolist()):
            made[name].append(pack.clip(i))
        odd = header.diagnostics.get(SUSPECTS, {})
        return KeptClips(made, dict(zip(names, levels.tolist(), strict=True)), odd)

    def checksum(self, clip_id: str) -> str:
        """What copies of a clip share with it."""
        return checksum_of(self.made[clip_id])

    def heard(self, row: ClipRow) -> Heard:
        """A clip as it was heard."""
        made, level = self.made[row.clip_id], self.levels[row.clip_id]
        words = without_copies(self.odd.get(row.clip_id, ""))
        flat = words.count("every sample is ") == (2 if words.startswith("channel ") else 1)
        return Heard(row, made, checksum_of(made), Oddity(words, flat), None if np.isnan(level) else level)

    def hear_others(
        self, rows: Sequence[ClipRow], root: Path, reading: Reading, pool: ThreadPoolExecutor, progress: Progress
    ) -> Iterator[Heard | Fault]:
        """The clips of `rows` in their order: those that are here, the others from their recordings."""
        others = hear([row for row in rows if row.clip_id not in self.made], root, reading, pool, progress, "read")
        for row in rows:
            yield self.heard(row) if row.clip_id in self.made else next(others)

    def sounds(self, rows: Sequence[ClipRow], root: Path, reading: Reading) -> Waveforms:
        """What tells two clips apart where nothing is read again: their features, a channel each, by path."""
        here = {root / row.path: row.clip_id for row in rows if row.clip_id in self.made}

        def of(path: Path) -> Sequence[np.ndarray]:
            if path in here:
                return self.made[here[path]]
            return list(listen(path, reading).features)

        return of
