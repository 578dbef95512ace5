"""The sound of a few clips of a run, as its features were made of it: the same channel, rate and gain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli import artifacts, audio
from asdcli.artifacts import Header
from asdcli.errors import AsdError, MissingArtifact
from asdcli.features.kinds import DEFAULT, FEATURES
from asdcli.features.pack import WaveformPack
from asdcli.features.windows import part
from asdcli.filenames import stem
from asdcli.progress import SILENT
from asdcli.views.clips import rows_of
from asdcli.views.packs import find
from asdcli.views.reading import Reading
from asdcli.vocabulary import BOTH


@dataclass
class Sounds:
    """The clips of one machine type.

    Recordings are read where they lie; where one is gone, the pack of waveforms is.

    Attributes:
        how: the parameters of the features, as in the header of a pack.
        paths: clip_id -> recording.
        features: folder of the packs.
        clips: the table of clips.
    """

    machine_type: str
    how: Mapping[str, Any]
    paths: Mapping[str, Path]
    features: Path
    clips: pa.Table
    _pack: WaveformPack | None = field(default=None, repr=False)

    @staticmethod
    def of(machine_type: str, clips: Path, table: pa.Table, features: Path, made_by: Header | None) -> Sounds:
        """Those of a machine type.

        Args:
            machine_type: of the clips.
            clips: clips.parquet.
            table: its rows.
            features: folder of the run's packs.
            made_by: header of what was made of the features; None where nobody knows.

        Raises:
            MissingArtifact: nothing says how the recordings are read.
        """
        history = made_by.history if made_by else ()
        how = next((e["params"] for e in history if _is_of(e["kind"], e["params"], machine_type)), None)
        how = how or _packed(features, machine_type)
        rows = rows_of(table, machine_type).select(["clip_id", "path"]).to_pylist()
        return Sounds(machine_type, how, {r["clip_id"]: clips.parent / r["path"] for r in rows}, features, table)

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return int(self.how.get("sample_rate", audio.SAMPLE_RATE))

    @property
    def one_of_two(self) -> bool:
        """Whether the features hold two channels of each clip, of which the first is read."""
        return self.how.get("channel") == BOTH

    def hear(self, path: Path, span_s: tuple[float, float] | None = None, **changes: Any) -> np.ndarray:
        """(n_samples,) int16 of any recording, read as those were but for `changes`; of a long one what lies between
        `span_s`. Raises BadAudio."""
        reading = Reading.of({**self.how, "features": DEFAULT, **changes})
        if span_s is not None:
            start, stop = (round(seconds * self.sample_rate) for seconds in span_s)
            return part(reading.blocks(path), start, stop)
        first, *_ = reading.waveforms(path)
        return first

    def read(self, clip_id: str, most_s: float | None = None, from_s: float = 0.0) -> np.ndarray:
        """(n_samples,) int16 of a clip of the table, or of some seconds of it from `from_s` on.

        Raises:
            BadAudio: its recording cannot be read. MissingArtifact, BadArtifact: it is gone, and so is the pack.
        """
        path = self.paths[clip_id]
        if audio.file_of(path).exists():
            return self.hear(path, None if most_s is None else (from_s, from_s + most_s))
        if from_s:
            raise MissingArtifact(f"there is no recording {path}", "bring it back to where it was indexed")
        if self._pack is None:
            try:
                found = find(self.features, DEFAULT, self.clips, [self.machine_type], SILENT)
            except AsdError:
                raise MissingArtifact(
                    f"there is no recording {path}, and no pack of waveforms of {self.machine_type}",
                    "bring the recordings back to where they were indexed",
                ) from None
            self._pack = found.load(self.machine_type, rows_of(self.clips, self.machine_type))
        rows = np.flatnonzero(self._pack.clip_ids == clip_id)
        if not len(rows):
            raise MissingArtifact(f"there is no recording {path}, and the pack of waveforms lacks it")
        clip = self._pack.clip(int(rows[0]))
        return clip if most_s is None else clip[: round(most_s * self.sample_rate)]


def _is_of(kind: str, params: Mapping[str, Any], machine_type: str) -> bool:
    return kind == artifacts.FEATURES.name and params.get("machine_type") == machine_type


def _packed(features: Path, machine_type: str) -> Mapping[str, Any]:
    for kind in (DEFAULT, *FEATURES.names()):
        path = features / stem(kind) / f"{machine_type}.npz"
        if path.exists():
            return artifacts.read_header(path, artifacts.FEATURES).params
    raise MissingArtifact(
        f"no features of {machine_type} in {features}: nothing says how its recordings are read",
        "make them first: asd extract-features",
    )
