"""explain: a clip of a run in, why its score is what it is out, in figures, in words and as a picture."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import own
from asdcli.detector.missed import missed
from asdcli.detector.occlusion import Occlusion, occlusion
from asdcli.detector.sources import reconstruction, source_of
from asdcli.errors import AsdError, BadData, UsageError
from asdcli.outcome import Outcome
from asdcli.plots import Format, drawing
from asdcli.plots.explanation import ExplanationPlot
from asdcli.progress import SILENT, Progress
from asdcli.scorers import takes
from asdcli.stages import explain_words as words
from asdcli.views.alike import alike
from asdcli.views.compared import Compared, Layer, compared
from asdcli.views.detector_file import DetectorFile
from asdcli.views.embeddings import Embedded, read_embeddings
from asdcli.views.making import Making
from asdcli.views.named_clip import clip_named
from asdcli.views.neighbourhood import Neighbourhood, neighbourhood
from asdcli.views.scores import Scored
from asdcli.views.signature import many
from asdcli.views.sounds import Sounds
from asdcli.views.standing import WITHOUT_GROUP, Standing, compared_without, standing
from asdcli.vocabulary import Unit
from asdcli.writing.locks import alone_with

MOST = 16
"""Normal recordings that a clip is held against; as many as VarMin's b averages in the paper."""


@dataclass(frozen=True)
class Evidence:
    """What explaining reads; what is not there is None.

    Attributes:
        clips: clips.parquet.
        features: folder of the packs, of which the headers say how recordings were read.
        embeddings: the run's vectors.
        detector: what the method has learnt.
        thresholds: thresholds.parquet.
        model: folder of the model that embeds, or of the autoencoder.
    """

    clips: Path
    features: Path
    embeddings: Path | None = None
    detector: Path | None = None
    thresholds: Path | None = None
    model: Path | None = None


@dataclass(frozen=True)
class Explained:
    """Why the score of a clip is what it is.

    Attributes:
        standing: its score, beside threshold and p-values.
        neighbourhood: the nearest normal recordings; None of a method without vectors.
        compared: its sound beside theirs.
        occlusion: what a network's score owes to each piece; None where there is none, or nobody asked.
        missed: what an autoencoder misses, in dB above what it misses of normal clips; None of other methods.
        words: what the figures say.
        notes: what must be known about them.
        signature: how the score was made.
    """

    standing: Standing
    neighbourhood: Neighbourhood | None
    compared: Compared
    occlusion: Occlusion | None = None
    missed: Layer | None = None
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    signature: str = ""

    def plain(self) -> dict[str, Any]:
        """All figures but those of single cells, JSON-ready."""
        near, sound = self.neighbourhood, self.compared
        return {
            **dataclasses.asdict(self.standing),
            "anomalous": self.standing.anomalous,
            "words": list(self.words),
            "notes": list(self.notes),
            "nearest": [dataclasses.asdict(one) for one in near.near] if near else [],
            "alpha": near.alpha if near else None,
            "measure": near.measure if near else None,
            "held_against": list(sound.normals),
            "regions": [_region(region, sound.z) for region in sound.differing.regions],
            "region_beyond": sound.differing.largest,
            "region_limit": sound.differing.limit,
            "pulses": [
                {**dataclasses.asdict(one), "octave_hz": list(sound.envelope_axes.octaves[one.octave])}
                for one in sound.pulsing.found
            ],
            "pulse_db": sound.pulsing.largest_db,
            "pulse_limit_db": sound.pulsing.limit_db,
            "occlusion": self._occlusion(),
            "missed": [_region(region, self.missed) for region in self.missed.regions] if self.missed else [],
            "signature": self.signature,
        }

    def _occlusion(self) -> dict[str, Any] | None:
        if self.occlusion is None:
            return None
        layer = occluded(self.occlusion, self.compared)
        return {
            "score": self.occlusion.score,
            "passes": self.occlusion.passes,
            "drop": layer.values.tolist(),
            "times_s": layer.times_s.tolist(),
            "edges_hz": layer.edges_hz.tolist(),
        }


def occluded(found: Occlusion, sound: Compared) -> Layer:
    """What a network's score owes to pieces of a clip, as a layer."""
    return Layer(found.drop, sound.levels.times_s[found.frames], sound.levels.edges_hz[found.bands])


def run(
    wanted: Sequence[str],
    method: Scored,
    files: Evidence,
    *,
    occlude: bool = True,
    device: str = "auto",
    batch_size: int = 64,
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
        batch_size: pieces of clips at once.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        UsageError: a clip that the dataset has not, with the nearest names.
        BadData: a clip without a score, too short to explain, or with nothing to compare it with.
        MissingArtifact, BadArtifact: a file is gone, or not what it should be.
    """
    table, _ = artifacts.read_table(files.clips, artifacts.CLIPS)
    ids = [clip_named(name, table, files.clips) for name in wanted]
    work = _Work(table, method, files, occlude, device, batch_size, progress)
    return [work.explained(clip_id) for clip_id in progress.track(ids, total=len(ids), label="explain", unit="clips")]


def each(
    clip_ids: Sequence[str], method: Scored, files: Evidence, *, progress: Progress = SILENT
) -> Iterator[Explained]:
    """The same one by one, without occlusion; a clip that cannot be explained is named and left out.

    Args:
        clip_ids: of the clips.
        method: as of `run`.
        files: as of `run`.
        progress: is told how far it is, and of clips that cannot be explained.
    """
    table, _ = artifacts.read_table(files.clips, artifacts.CLIPS)
    work = _Work(table, method, files, False, "cpu", 1, progress)
    for clip_id in progress.track(clip_ids, total=len(clip_ids), label="explain", unit="clips"):
        try:
            yield work.explained(clip_id)
        except AsdError as error:
            progress.left_out(f"{clip_id} cannot be explained: {error.message}")


@alone_with(lambda given: [given["output"]])
def picture(
    explained: Explained, output: Path, format: Format, *, force: bool = False, progress: Progress = SILENT
) -> Outcome:
    """Draw one explanation into `output`; the same explanation gives the same bytes with the same matplotlib.

    Raises:
        AsdError: matplotlib is not installed. BadData: the file is not asd's to overwrite.
    """
    may_draw(output, force=force)
    plot = plot_of(explained)
    with own.written(output, force=force) as temporary:
        drawing.save(plot, plot.numbers(), temporary, format, progress=progress)
    return Outcome(output)


def may_draw(output: Path, *, force: bool) -> None:
    """Raises, before the work, what `picture` would raise after it."""
    drawing.require()
    own.check(output, force=force)


def plot_of(explained: Explained) -> ExplanationPlot:
    """The figure of an explanation."""
    layers: dict[str, Layer] = {}
    if explained.occlusion:
        layers["occlusion"] = occluded(explained.occlusion, explained.compared)
    if explained.missed:
        layers["missed"] = explained.missed
    score = "; ".join(words.of_score(explained.standing))
    caption = [*(f"{sentence}." for sentence in (*explained.words, score)), *(f"{note}." for note in explained.notes)]
    return ExplanationPlot(explained.standing.clip_id, explained.compared, layers, caption, explained.signature)


class _Work:
    """What is read once for all clips."""

    def __init__(
        self,
        table: pa.Table,
        method: Scored,
        files: Evidence,
        occlude: bool,
        device: str,
        batch_size: int,
        progress: Progress,
    ) -> None:
        self.table, self.method, self.files, self.occlude = table, method, files, occlude
        self.device, self.batch_size, self.progress = device, batch_size, progress
        self.sounds: dict[str, Sounds] = {}

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

    def explained(self, clip_id: str) -> Explained:
        one = standing(self.method, clip_id, self.files.thresholds)
        sounds = self.sounds_of(one.machine_type)
        notes = ["of two channels the first is explained"] if sounds.one_of_two else []
        group = compared_without(self.method, one)
        near = None
        if self.files.embeddings and not self.residuals:
            near = self.neighbourhood(one, group)
            names = [n.clip_id for n in near.near][:MOST]
            if one.scored_as in WITHOUT_GROUP:
                notes.append(
                    "its score is by a method fitted without its group, distances and b here by the one fitted on all"
                )
        else:
            names = alike(self.table, self.method, one, without=group, most=MOST)
        sound = compared(sounds, clip_id, names, self.progress)
        notes = [words.of_normals(len(sound.normals), near.of if near else None), *notes]
        explained = Explained(one, near, sound, notes=tuple(notes), signature=self.signature(one))
        explained = dataclasses.replace(explained, words=tuple(words.of_sound(sound)))
        if self.residuals:
            explained = self.with_missed(explained)
        elif near and self.occlude:
            explained = self.with_occlusion(explained)
        return explained

    def sounds_of(self, machine_type: str) -> Sounds:
        if machine_type not in self.sounds:
            files = self.files
            self.sounds[machine_type] = Sounds.of(
                machine_type, files.clips, self.table, files.features, self.method.header
            )
        return self.sounds[machine_type]

    def neighbourhood(self, one: Standing, group: Collection[str]) -> Neighbourhood:
        rows = np.flatnonzero(self.embedded.column("clip_id") == one.clip_id)
        if not len(rows):
            raise BadData(f"there is no vector of {one.clip_id}", "make it: asd embed")
        unit = Unit(str(self.method.header.params.get("unit") or Unit.MACHINE_TYPE))
        return neighbourhood(self.embedded, int(rows[0]), unit, self.detector, without=group, most=MOST)

    def signature(self, one: Standing) -> str:
        method = self.method
        subset = self.table.filter(pc.equal(self.table["clip_id"], one.clip_id))["subset"][0].as_py()
        rest = {"stale": ",".join(method.stale) or None, "clip": one.clip_id}
        place = f"{method.header.dataset or method.path.stem}|{subset}"
        return many(place, Making.of(method.header), method.spelling, counts={}, rest=rest)

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
        fitted = self.detector.fitted(one.machine_type, one.section if self._by_section(one) else None)
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

    def _by_section(self, one: Standing) -> bool:
        return self.detector is not None and (one.machine_type, one.section) in self.detector.units

    @functools.cached_property
    def network(self) -> Any:
        """What embeds waveforms by a trained network; None where nothing was trained, or it is not there any more."""
        header, files = self.method.header, self.files
        if files.model is None or header.stage(artifacts.MODEL) is None:
            return None
        try:
            return source_of(
                header,
                "embeddings",
                model=files.model,
                features=None,
                clips=None,
                device=self.device,
                batch_size=self.batch_size,
                progress=self.progress,
            )
        except UsageError:
            raise
        except AsdError as error:
            self.progress.warn(f"what the network's score hangs on cannot be told: {error.message}")
            return None


def _region(region: Any, layer: Layer) -> Mapping[str, Any]:
    return {
        "db": region.db,
        "beyond": region.beyond,
        "low_hz": float(layer.edges_hz[region.low_band]),
        "high_hz": float(layer.edges_hz[region.high_band]),
        "from_s": float(layer.times_s[region.first]),
        "to_s": float(layer.times_s[region.last]),
        "share": region.share,
    }
