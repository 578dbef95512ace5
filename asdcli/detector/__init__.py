"""Detectors: the one path from the waveform of a clip to its score and to a decision.

A waveform becomes features, an embedder makes windows of them (or an autoencoder residuals), what a method has learnt
of the clip's unit gives each window a score, a clip has the mean of its windows, and a threshold decides. Scoring,
explaining, exporting and watching share this path, so that they cannot disagree.

The same windows scored together get the same scores as by `asd score`, to the bit. Alone, or in other company, they
differ by rounding: matrix products, those of a network among them, depend in their last bits on how many rows there
are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from asdcli.artifacts import Header
from asdcli.detector.sources import WindowSource, announce, gathered, source_of
from asdcli.detector.verdict import Verdict
from asdcli.detector.waveforms import made_with, of_clips_alike, of_recording
from asdcli.errors import BadArtifact, BadData, UsageError
from asdcli.features.kinds import Pack
from asdcli.features.pack import WaveformPack
from asdcli.progress import SILENT, Progress
from asdcli.scorers import SCORERS, takes
from asdcli.scorers.vectors import Vectors
from asdcli.views.detector_file import DetectorFile
from asdcli.views.known_faults import KnownFaults, nearest_of_clips
from asdcli.views.reading import Reading
from asdcli.views.thresholds import Thresholds
from asdcli.views.windows import first_of_each, of_clips
from asdcli.vocabulary import OfWindows

__all__ = ["Detector", "Verdict"]


@dataclass(frozen=True, eq=False)
class Detector:
    """One method of a run, with what stands before and after it.

    Attributes:
        learnt: what the method has learnt.
        source: what makes windows of waveforms; without it only vectors can be scored.
        thresholds: where normal ends, if anywhere.
        faults: what operators called faults, if anything.
    """

    learnt: DetectorFile
    source: WindowSource | None = None
    thresholds: Thresholds | None = None
    faults: KnownFaults | None = None

    @staticmethod
    def load(
        path: Path,
        *,
        model: Path | None = None,
        features: Path | None = None,
        clips: Path | None = None,
        thresholds: Path | None = None,
        device: str = "auto",
        batch_size: int = 64,
        progress: Progress = SILENT,
    ) -> Detector:
        """The detector of a method of a run.

        Args:
            path: `detectors/<method>.npz`.
            model: folder of the run's model, or of its autoencoder where the method scores residuals; a folder where
                there is none will do for an embedder without training. None: only vectors can be scored.
            features: folder of the run's packs, which an embedder without training looks at.
            clips: the run's clips.parquet, for the same.
            thresholds: thresholds.parquet.
            device: where the network runs.
            batch_size: pieces of clips at once.
            progress: is told what was left out.

        Raises:
            MissingArtifact, BadArtifact: a file is not there, not what it should be, or not what the others were made
                with.
            UsageError: a method or embedder that cannot be built here, or a device that is not there.
        """
        learnt = DetectorFile.read(path)
        announce(learnt.method, SCORERS, "the detector's method", progress)
        limits = None
        if thresholds is not None:
            limits = Thresholds.read(thresholds)
            _require_same_scores(limits.header, learnt.header, thresholds)
        source = None
        if model is not None:
            source = source_of(
                learnt.header,
                takes(learnt.scorer),
                model=model,
                features=features,
                clips=clips,
                device=device,
                batch_size=batch_size,
                progress=progress,
            )
        return Detector(learnt, source, limits)

    def score(self, clips: WaveformPack, machine_type: str, section: str | None = None) -> Verdict:
        """Score the clips of a pack, which are of one machine type and section.

        A clip that has the clip_id of a training clip is compared with the others only, as `asd score` does.

        Args:
            clips: int16 waveforms; `WaveformPack.of([samples], ["a name"], sample_rate)` packs a single one. The
                channels of a clip stand side by side under the same clip_id.
            machine_type: of all the clips.
            section: of all the clips; None where the machine type has but one unit.

        Raises:
            UsageError: a machine type or section that was not learnt, or a detector without a source.
            BadData: another sample rate than in the training, an empty clip or one too short for the features, or a
                score that is no number.
        """
        source = self._source()
        self.learnt.fitted(machine_type, section)  # an unknown machine type is refused before the work
        pack = of_clips_alike(clips, source.features, self.made_with(machine_type))
        return self.score_pack(pack, machine_type, section)

    def score_pack(
        self, pack: Pack, machine_type: str, section: str | None = None, *, nearest: bool = False
    ) -> Verdict:
        """Score clips whose features were taken already: a pack of the kind that the source takes.

        Args:
            pack: of clips of one machine type and section.
            machine_type: of all the clips.
            section: of all the clips.
            nearest: also name the training clip that each is nearest to.

        Raises:
            UsageError, BadData: as `score`.
        """
        return self.score_packs([pack], machine_type, section, nearest=nearest)

    def score_packs(
        self, packs: Iterable[Pack], machine_type: str, section: str | None = None, *, nearest: bool = False
    ) -> Verdict:
        """The same of clips in several packs, of which one at a time is held; a clip may go on in the next pack.

        Arguments and errors as those of `score_pack`.
        """
        source = self._source()
        fitted = self.learnt.fitted(machine_type, section)
        windows, row, of_rows = gathered(source, machine_type, packs)
        begins = first_of_each(of_rows)
        ids = of_rows[begins]
        clip = np.searchsorted(begins, row, side="right") - 1
        if takes(self.learnt.scorer) == "embeddings":
            windows = self._vectors(np.asarray(windows), ids[clip])
        scores = fitted.score(windows)
        whole = source.mean(scores, clip) if self.of_windows == "mean" else of_clips(scores, clip, "max")
        found = replace(self._judged(ids, whole, clip, scores, machine_type), row=row)
        if not nearest or takes(self.learnt.scorer) != "embeddings":
            return found
        there = self.learnt.compared_with(machine_type, section)
        if there is None:
            return found
        rows, distances = nearest_of_clips(there, windows, clip)
        faults = None if self.faults is None else self.faults.nearer(machine_type, windows, clip, distances)
        return replace(found, nearest=np.asarray(self.learnt.clip_ids[there.clip[rows]]), faults=faults)

    def threshold(self, machine_type: str) -> float | None:
        """Above it a clip is called anomalous; None where there is none."""
        values: dict[Any, float] = {} if self.thresholds is None else self.thresholds.values
        return values.get((self.learnt.method, machine_type))

    @property
    def of_windows(self) -> OfWindows:
        """What a clip has of the scores of its windows."""
        return "max" if self.learnt.header.params.get("of_windows") == "max" else "mean"

    @property
    def kind(self) -> str:
        """The kind of features that `score_pack` takes. Raises UsageError for a detector without a source."""
        return self._source().features

    def vectors(
        self,
        path: Path,
        clip_id: str,
        machine_type: str,
        changes: Mapping[str, Any],
        samples: np.ndarray | None = None,
    ) -> np.ndarray:
        """(n_windows, n_dims) of a recording, read as the clips of its machine type were but for `changes`.

        Where `samples` (n,) int16 are given, they are what is looked at of it.

        Raises:
            BadAudio, BadData: it cannot be read, or is too short for the features.
        """
        source = self._source()
        reading = Reading.of({**self.made_with(machine_type), "features": source.features, **changes})
        return source.windows(machine_type, of_recording(path, clip_id, reading, samples))[0]

    def made_with(self, machine_type: str) -> dict[str, Any]:
        """How the clips of a machine type were read that it was made of, as `Reading.of` takes it; maybe nothing."""
        return made_with(self.learnt.header, machine_type)

    def gain(self, machine_type: str) -> float | None:
        """What the samples of the clips were multiplied by of which the detector was made; None where by nothing.

        `asdcli.audio.read(path, gain=detector.gain("fan"))` reads further clips alike.
        """
        gain = self.made_with(machine_type).get("gain")
        return gain if isinstance(gain, float) else None

    def score_vectors(
        self, vectors: np.ndarray, clip_ids: Sequence[str], machine_type: str, section: str | None = None
    ) -> Verdict:
        """Score windows (n_windows, n_dims) as an embedder makes them; those of a clip lie together.

        Errors as `score`; UsageError too where the method scores residuals.
        """
        if takes(self.learnt.scorer) != "embeddings":
            raise UsageError(f"{self.learnt.method} scores waveforms, not vectors")
        fitted = self.learnt.fitted(machine_type, section)
        of = np.asarray(clip_ids, np.str_)
        ids = np.array(list(dict.fromkeys(of.tolist())), np.str_)
        place = {clip_id: i for i, clip_id in enumerate(ids.tolist())}
        clip = np.array([place[clip_id] for clip_id in of.tolist()], np.int64)
        scores = fitted.score(self._vectors(vectors, of))
        return self._judged(ids, of_clips(scores, clip, self.of_windows), clip, scores, machine_type)

    def _source(self) -> WindowSource:
        if self.source is None:
            raise UsageError("this detector was loaded without a model: it can only score vectors")
        return self.source

    def _vectors(self, raw: np.ndarray, clip_ids: np.ndarray) -> Vectors:
        if not np.isfinite(raw).all():
            broken = clip_ids[int((~np.isfinite(raw).all(axis=1)).argmax())]
            raise BadData(f"the embedding of {broken} is not finite", "check its audio")
        return Vectors.of(raw, self.learnt.clip_numbers(clip_ids.tolist()))

    def _judged(
        self, clip_ids: np.ndarray, scores: np.ndarray, clip: np.ndarray, windows: np.ndarray, machine_type: str
    ) -> Verdict:
        broken = np.flatnonzero(~np.isfinite(scores))
        if len(broken):
            why = "is the only training clip of its unit" if np.isinf(scores[broken[0]]) else "has a score that is none"
            raise BadData(f"{clip_ids[broken[0]]} {why}", "nothing can be said of it")
        return Verdict(clip_ids, scores, clip, windows, self.threshold(machine_type))


def _require_same_scores(limits: Header, learnt: Header, path: Path) -> None:
    """Raises BadArtifact where the thresholds are not those of scores made as the detector was."""
    fitted_on = limits.inputs.get(str(learnt.params["method"]))
    made = [entry for entry in limits.history if entry["content"] == fitted_on]
    same = all(made[0].get(name) == getattr(learnt, name) for name in ("seed", "params", "inputs")) if made else False
    if not same:
        raise BadArtifact(
            f"{path} holds no threshold for these scores of {learnt.params['method']}", "fit it: asd threshold"
        )
