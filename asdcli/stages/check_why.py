"""Why recordings are suspicious, in a word or two: how they sound beside the normal ones that they are nearest to."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.detector import Detector
from asdcli.errors import AsdError
from asdcli.progress import SILENT, Progress
from asdcli.scorers import takes
from asdcli.views.alike import alike
from asdcli.views.compared import MOST, KeptNormals, beside
from asdcli.views.embeddings import Embedded, read_embeddings
from asdcli.views.neighbourhood import Subject, neighbourhood_of
from asdcli.views.scores import Scored
from asdcli.views.sound_words import in_short
from asdcli.views.sounds import Sounds
from asdcli.wording import clock


class Suspicious(Protocol):
    """One that is checked."""

    @property
    def path(self) -> Path: ...
    @property
    def name(self) -> str: ...
    @property
    def machine(self) -> str: ...
    @property
    def clip_id(self) -> str: ...


@dataclass
class Whys:
    """Tells why, and keeps what it made of normal recordings for the next.

    Attributes:
        most: of the most suspicious it is told of so many; None: of all.
        clips: clips.parquet of the run.
        features: folder of its packs.
        embeddings: its vectors.
        detector: of the method.
        scored: the scores of the normal recordings, by the same method.
        progress: is told of what stands in the way.
    """

    most: int | None
    clips: Path
    features: Path
    embeddings: Path
    detector: Detector
    scored: Scored
    progress: Progress = SILENT
    _kept: KeptNormals = field(default_factory=KeptNormals, repr=False)
    _sounds: dict[str, Sounds] = field(default_factory=dict, repr=False)
    _stopped: bool = False

    def of(self, one: Suspicious, changes: Mapping[str, Any], span_s: tuple[float, float] | None = None) -> str | None:
        """The one or two clearest words on a recording; None where something stands in the way, which is said once.

        Args:
            one: the recording.
            changes: to how recordings are read.
            span_s: of a long one, the seconds that are listened to; of normal ones as many, from their start.
        """
        if self._stopped:
            return None
        try:
            return self._told(one, changes, span_s)
        except AsdError as error:
            self._stopped = True
            self.progress.warn(f"why recordings are suspicious cannot be told: {error.message}")
            return None

    def _told(self, one: Suspicious, changes: Mapping[str, Any], span_s: tuple[float, float] | None) -> str:
        sounds = self._sounds_of(one.machine)
        samples = sounds.hear(one.path, span_s, **changes)
        most_s = None if span_s is None else span_s[1] - span_s[0]
        near = self._nearest(one, changes, None if span_s is None else samples)
        normals = {name: sounds.read(name, most_s) for name in near}
        said = in_short(beside(one.name, samples, normals, sounds.sample_rate, self.progress, self._kept))
        return said if span_s is None else f"in the {most_s:g} s from {clock(span_s[0])}: {said}"

    def _nearest(self, one: Suspicious, changes: Mapping[str, Any], samples: np.ndarray | None) -> list[str]:
        """The normal recordings that `asd explain` holds it against."""
        if takes(self.detector.learnt.scorer) == "residuals":
            return alike(self._table, self.scored, one.clip_id, one.machine, most=MOST)
        own = Subject(one.clip_id, self.detector.vectors(one.path, one.clip_id, one.machine, changes, samples))
        found = neighbourhood_of(own, one.machine, self._embedded, self.detector.learnt, most=MOST)
        return [near.clip_id for near in found.near][:MOST]

    def _sounds_of(self, machine: str) -> Sounds:
        if machine not in self._sounds:
            self._sounds[machine] = Sounds.of(machine, self.clips, self._table, self.features, self.scored.header)
        return self._sounds[machine]

    @functools.cached_property
    def _table(self) -> pa.Table:
        return artifacts.read_table(self.clips, artifacts.CLIPS)[0]

    @functools.cached_property
    def _embedded(self) -> Embedded:
        return read_embeddings(self.embeddings)
