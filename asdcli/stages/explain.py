"""explain: a clip of a run, or another recording, in; why its score is what it is out, in figures and in words."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.detector import Detector
from asdcli.detector.explained import Explained, occluded
from asdcli.detector.missed import missed
from asdcli.detector.occlusion import occlusion
from asdcli.detector.sources import reconstruction, source_of
from asdcli.errors import AsdError, BadData, UsageError
from asdcli.progress import SILENT, Progress
from asdcli.scorers import takes
from asdcli.stages import explain_words as words
from asdcli.stages.explain_evidence import Evidence, Outside
from asdcli.views.alike import alike
from asdcli.views.compared import MOST, KeptNormals, beside
from asdcli.views.detector_file import DetectorFile
from asdcli.views.embeddings import Embedded, read_embeddings
from asdcli.views.making import Making
from asdcli.views.named_clip import clip_named
from asdcli.views.neighbourhood import Neighbourhood, Subject, neighbourhood, neighbourhood_of
from asdcli.views.scores import Scored
from asdcli.views.signature import many
from asdcli.views.sound_words import of_sound
from asdcli.views.sounds import Sounds
from asdcli.views.standing import WITHOUT_GROUP, Standing, compared_without, standing
from asdcli.views.worst_window import WorstWindow, worst_window
from asdcli.vocabulary import Unit

_BATCH = 64  # pieces of a clip at once


def run(
    wanted: Sequence[str],
    method: Scored,
    files: Evidence,
    *,
    occlude: bool = True,
    device: str = "auto",
    progress: Progress = SILENT,
) -> list[Explained]:
    """Explain the scores that `method` gives clips.

    The sound of a clip is held against that of the nearest normal recordings: what stands out further than those do
    among themselves is named.

    Args:
        wanted: clip_ids; the path of a recording, or the end of one that no other has, will do.
        method: with its scores.
        files: of the run.
        occlude: where a network embeds, say what its score owes to each piece of time and frequency.
        device: where networks run.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        UsageError: a clip that the dataset has not, with the nearest names.
        BadData: a clip without a score, too short to explain, or with nothing to compare it with.
        MissingArtifact, BadArtifact: a file is gone, or not what it should be.
    """
    work = Explainer(method, files, progress, occlude, device)
    ids = [clip_named(name, work.table, files.clips) for name in wanted]
    return [work.clip(clip_id) for clip_id in progress.track(ids, total=len(ids), label="explain", unit="clips")]


def each(
    clip_ids: Sequence[str], method: Scored, files: Evidence, *, progress: Progress = SILENT
) -> Iterator[Explained]:
    """As `run`, one by one and without occlusion; a clip that cannot be explained is named and left out.

    Args:
        clip_ids: of the clips.
        method: as of `run`.
        files: as of `run`.
        progress: is told how far it is, and of clips that cannot be explained.
    """
    work = Explainer(method, files, progress, device="cpu")
    for clip_id in progress.track(clip_ids, total=len(clip_ids), label="explain", unit="clips"):
        try:
            yield work.clip(clip_id)
        except AsdError as error:
            progress.left_out(f"{clip_id} cannot be explained: {error.message}")


@dataclass(frozen=True)
class _Heard:
    """A recording that is to be explained.

    Attributes:
        standing: its score.
        samples: (n_samples,) int16.
        near: its nearest normal recordings; None where no vectors tell.
        group: clips that it is not compared with.
        notes: what must be known.
        most_s: of normal recordings so many seconds are listened to; None: all of them.
    """

    standing: Standing
    samples: np.ndarray
    near: Neighbourhood | None
    group: Collection[str]
    notes: Sequence[str]
    most_s: float | None = None


@dataclass
class Explainer:
    """Explains one after the other; what they share is read once.

    Attributes:
        method: with its scores.
        files: of the run.
        progress: is told of what looks wrong.
        occlude: as of `run`.
        device: where networks run.
        loaded: the method's detector, by which recordings are explained that are no clips.
    """

    method: Scored
    files: Evidence
    progress: Progress = SILENT
    occlude: bool = False
    device: str = "auto"
    loaded: Detector | None = None
    sounds: dict[str, Sounds] = field(default_factory=dict, repr=False)
    kept: KeptNormals = field(default_factory=KeptNormals, repr=False)

    @functools.cached_property
    def table(self) -> pa.Table:
        return artifacts.read_table(self.files.clips, artifacts.CLIPS)[0]

    @functools.cached_property
    def embedded(self) -> Embedded:
        assert self.files.embeddings is not None
        return read_embeddings(self.files.embeddings)

    @functools.cached_property
    def detector(self) -> DetectorFile | None:
        return DetectorFile.read(self.files.detector) if self.files.detector else None

    @property
    def residuals(self) -> bool:
        return self.detector is not None and takes(self.detector.scorer) == "residuals"

    def clip(self, clip_id: str) -> Explained:
        """Of a clip of the run. Errors as of `run`."""
        one = standing(self.method, clip_id, self.files.thresholds)
        group = compared_without(self.method, one)
        sounds = self.sounds_of(one.machine_type)
        (duration_s,) = self.table.filter(pc.equal(self.table["clip_id"], one.clip_id))["duration_s"].to_pylist()
        worst = worst_window(self.files.windows, one.clip_id, sounds.how, duration_s)
        notes, near, most_s, from_s = [], None, None, 0.0
        if worst:
            from_s, most_s = worst.span_s[0], worst.span_s[1] - worst.span_s[0]
            notes.append(words.of_window(worst.span_s))
        if self.has_vectors:
            near = self.neighbourhood(one, group, worst)
            if one.scored_as in WITHOUT_GROUP:
                notes.append(
                    "its score is by a method fitted without its group, distances and b here by the one fitted on all"
                )
        return self.explained(_Heard(one, sounds.read(one.clip_id, most_s, from_s), near, group, notes, most_s))

    def recording(self, of: Outside) -> Explained:
        """Of a recording that is no clip. Errors as of `run`; BadAudio where it cannot be read."""
        one, near, notes, most_s = of.standing, None, list(of.notes), None
        samples = self.sounds_of(one.machine_type).hear(of.path, of.span_s, **of.changes)
        if of.span_s:
            most_s = of.span_s[1] - of.span_s[0]
            notes.append(words.of_window(of.span_s))
        if self.has_vectors and self.loaded:
            looked_at = samples if of.span_s else None
            vectors = self.loaded.vectors(of.path, of.clip_id, one.machine_type, of.changes, looked_at)
            own = Subject(of.clip_id, vectors)
            near = neighbourhood_of(own, one.machine_type, self.embedded, self.detector, most=MOST)
        return self.explained(_Heard(one, samples, near, (), notes, most_s))

    def explained(self, of: _Heard) -> Explained:
        one, near, sounds = of.standing, of.near, self.sounds_of(of.standing.machine_type)
        if near:
            names = [n.clip_id for n in near.near][:MOST]
        else:
            names = alike(self.table, self.method, one.clip_id, one.machine_type, without=of.group, most=MOST)
        normals = {name: sounds.read(name, of.most_s) for name in names}
        sound = beside(one.clip_id, of.samples, normals, sounds.sample_rate, self.progress, self.kept)
        own = ["of two channels the first is explained"] if sounds.one_of_two else []
        notes = (words.of_normals(len(sound.normals), near.of if near else None), *own, *of.notes)
        found = Explained(one, near, sound, notes=notes, signature=self.signature(one))
        found = dataclasses.replace(found, words=tuple(of_sound(sound)))
        if self.residuals:
            found = self.with_missed(found)
        elif near and self.occlude:
            found = self.with_occlusion(found)
        return found

    @property
    def has_vectors(self) -> bool:
        return self.files.embeddings is not None and not self.residuals

    def sounds_of(self, machine_type: str) -> Sounds:
        if machine_type not in self.sounds:
            files = self.files
            self.sounds[machine_type] = Sounds.of(
                machine_type, files.clips, self.table, files.features, self.method.header
            )
        return self.sounds[machine_type]

    def neighbourhood(self, one: Standing, group: Collection[str], worst: WorstWindow | None) -> Neighbourhood:
        rows = np.flatnonzero(self.embedded.column("clip_id") == one.clip_id)
        if not len(rows):
            raise BadData(f"there is no vector of {one.clip_id}", "make it: asd embed")
        unit = Unit(str(self.method.header.params.get("unit") or Unit.MACHINE_TYPE))
        number = worst.number if worst else None
        return neighbourhood(self.embedded, int(rows[0]), unit, self.detector, without=group, most=MOST, window=number)

    def signature(self, one: Standing) -> str:
        method, place = self.method, [self.method.header.dataset or self.method.path.stem]
        own = self.table.filter(pc.equal(self.table["clip_id"], one.clip_id))["subset"].to_pylist()
        rest = {
            "stale": ",".join(method.stale) or None,
            "clip" if own else "recording": one.clip_id if own else Path(one.clip_id).name,
        }
        return many("|".join([*place, *own]), Making.of(method.header), method.spelling, counts={}, rest=rest)

    def with_missed(self, explained: Explained) -> Explained:
        """The same with what the autoencoder misses, held against what it misses of normal clips."""
        layer = missed(self.autoencoder, explained.standing.machine_type, explained.compared)
        return dataclasses.replace(explained, missed=layer, words=(*words.of_missed(layer), *explained.words))

    @functools.cached_property
    def autoencoder(self) -> Any:
        assert self.files.model is not None
        return reconstruction(self.files.model, self.device)

    def with_occlusion(self, explained: Explained) -> Explained:
        """The same with what the score owes to each piece, where a trained network embeds."""
        source = self.network
        if source is None or self.detector is None:
            return explained
        one, sound = explained.standing, explained.compared
        by_section = (one.machine_type, one.section) in self.detector.units
        fitted = self.detector.fitted(one.machine_type, one.section if by_section else None)
        found = occlusion(
            sound.samples,
            sound.levels.values,
            sound.differing.median,
            sound.axes,
            source=source,
            fitted=fitted,
            machine_type=one.machine_type,
            number=int(self.detector.clip_numbers([one.clip_id])[0]),
        )
        said = words.of_occlusion(found, occluded(found, sound))
        return dataclasses.replace(explained, occlusion=found, words=(*explained.words, *said))

    @functools.cached_property
    def network(self) -> Any:
        """What embeds waveforms by a trained network; None where nothing was trained, or it is not there any more."""
        header, files = self.method.header, self.files
        if files.model is None or header.stage(artifacts.MODEL) is None:
            return None
        if self.loaded is not None:
            return self.loaded.source
        try:
            return source_of(
                header,
                "embeddings",
                model=files.model,
                features=None,
                clips=None,
                device=self.device,
                batch_size=_BATCH,
                progress=self.progress,
            )
        except UsageError:
            raise
        except AsdError as error:
            self.progress.warn(f"what the network's score hangs on cannot be told: {error.message}")
            return None
