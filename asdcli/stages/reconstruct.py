"""score by reconstruction: an autoencoder and waveforms in, scores of windows and of clips out, and a detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.detector.sources import reconstruction
from asdcli.errors import BadArtifact, BadData, MissingArtifact
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.scorers import SCORERS, Scorer, scorers_of
from asdcli.scorers.residuals import Residuals
from asdcli.scorers.rules import told
from asdcli.training.holdout import vectors_kept
from asdcli.views import packs
from asdcli.views.clips import is_training, rows_of
from asdcli.views.detector_file import UnitState, is_current_detector, write_detector
from asdcli.views.fold_models import fold_inputs, folds_of
from asdcli.views.scores import ScoreFacts, ScoreFiles
from asdcli.views.windows import per_clip, score_table
from asdcli.vocabulary import Condition, Domain, ScoredAs, Split
from asdcli.writing.locks import alone_with

if TYPE_CHECKING:
    from asdcli.embedders.residuals import Reconstruction
    from asdcli.features.pack import WaveformPack


FEATURES = "waveform"
"""The kind of packs that are read."""


@alone_with(lambda given: [files.clips for files in given["outputs"].values()])
def run(
    clips: Path,
    features: Path,
    outputs: Mapping[str, ScoreFiles],
    *,
    model: Path,
    device: str = "auto",
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome[ScoreFacts]]:
    """Score all training and test clips with every method of `outputs`; all read the same residuals.

    Training clips are scored by the network that was trained on them, or on others where they were held out or the
    network was cross-fitted.

    Args:
        clips: clips.parquet.
        features: folder of the packs.
        outputs: spelling of a method -> its files.
        model: folder of a trained autoencoder.
        device: where the autoencoder runs.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        UsageError: unknown method, parameter or device.
        MissingArtifact, BadArtifact: no autoencoder, clips or features.
        BadData: clips at another sample rate than the network was trained at.
    """
    outputs = {SCORERS.canonical(spelling): files for spelling, files in outputs.items()}
    methods = scorers_of(outputs, "residuals")
    table, upstream = artifacts.read_table(clips, artifacts.CLIPS)
    trained = _header_of(model)
    found = packs.find(features, FEATURES, table, None, progress)
    folds = folds_of(model)
    inputs = {**fold_inputs(folds), "clips": upstream, "model": trained, **found.inputs}

    def header(kind: artifacts.Kind, spelling: str) -> Header:
        return Header.make(kind, dataset=upstream.dataset, params={"method": spelling}, inputs=inputs)

    outcomes: dict[str, Outcome[ScoreFacts]] = {}
    for spelling, out in outputs.items():
        tables = ((out.clips, artifacts.SCORES), (out.windows, artifacts.WINDOW_SCORES))
        current = not force and all(artifacts.is_current(path, kind, header(kind, spelling)) for path, kind in tables)
        if current and is_current_detector(out.detector, header(artifacts.DETECTOR, spelling)):
            outcomes[spelling] = Outcome(out.clips, "current", facts=ScoreFacts())
        else:
            out.claim(force=force)
    todo = {spelling: method for spelling, method in methods.items() if spelling not in outcomes}
    if todo:
        networks = [reconstruction(folder, device) for folder in (model, *folds)]
        network = networks[0]
        results = {spelling: _Result() for spelling in todo}
        left_out = sorted(set(found.machine_types) - set(network.networks))
        if left_out:
            progress.left_out(f"the autoencoder knows no {', '.join(left_out)}: left out")
        machine_types = [m for m in network.networks if m in found.machine_types]
        rows = {m: _used(rows_of(table, m)) for m in machine_types}
        lost: list[str] = []
        for machine_type in progress.track(
            machine_types, total=sum(map(len, rows.values())), label=f"score {', '.join(todo)}"
        ):
            pack = found.load(machine_type, rows_of(table, machine_type))
            lost += packs.lacking(pack, rows[machine_type])
            _score(networks, machine_type, pack, rows[machine_type], todo, results, trained.seed or 0, progress)
        if not machine_types:
            raise BadData(
                "there is no clip to score", "its recordings must lie in train/ and test/ folders: asd index FOLDER"
            )
        packs.tell(lost, "scored", progress)
        for sentence in told({spelling: result.rules for spelling, result in results.items()}):
            progress.warn(sentence)
        for spelling, result in results.items():
            out = outputs[spelling]
            windows = pa.concat_tables(result.tables)
            write_detector(out.detector, result.learnt, None, header(artifacts.DETECTOR, spelling))
            artifacts.write_table(
                out.windows, artifacts.WINDOW_SCORES, windows, header(artifacts.WINDOW_SCORES, spelling)
            )
            averaged = per_clip(windows, windows["anomaly_score"].to_numpy(), spelling)
            artifacts.write_table(out.clips, artifacts.SCORES, averaged, header(artifacts.SCORES, spelling))
            outcomes[spelling] = Outcome(out.clips, facts=ScoreFacts(len(averaged), len(windows)))
    return {spelling: outcomes[spelling] for spelling in outputs}


@dataclass
class _Result:
    """What one method made: scores of windows by machine type, the rules that fired there, and what was learnt."""

    tables: list[pa.Table] = field(default_factory=list)
    rules: dict[str, list[str]] = field(default_factory=dict)
    learnt: list[UnitState] = field(default_factory=list)


def _score(
    networks: Sequence[Reconstruction],
    machine_type: str,
    pack: WaveformPack,
    rows: pa.Table,
    methods: Mapping[str, Scorer],
    results: Mapping[str, _Result],
    seed: int,
    progress: Progress,
) -> None:
    """Score the windows of one machine type's clips by every method, into its result.

    The first of `networks` scores all clips but those that one of the others has not seen, which that one scores.
    """
    networks[0].check(machine_type, pack)
    place = {clip_id: i for i, clip_id in enumerate(pack.clip_ids.tolist())}
    rows = rows.filter(pc.is_in(rows["clip_id"], pa.array(list(place), pa.string())))
    clips = np.array([place[clip_id] for clip_id in rows["clip_id"].to_pylist()], np.int64)
    by = _scored_by(rows, networks)
    needs_training = any(getattr(m, "needs_training", True) for m in methods.values())
    scores: dict[str, list[float]] = {m: [] for m in methods}
    of_row: list[int] = []
    window: list[int] = []
    for number, network in enumerate(networks):
        own = np.flatnonzero(by == number)
        if number and not len(own):
            continue
        training = Residuals(network.front.mel.n_mels, 0)
        if needs_training:
            training = _training(network, machine_type, pack, rows, clips.tolist(), seed)
        fitted = {spelling: method.fit(training) for spelling, method in methods.items()}
        for row, windows in zip(own, network.windows(machine_type, pack, clips[own].tolist()), strict=True):
            of_row += [int(row)] * len(windows)
            window += range(len(windows))
            for method, one in fitted.items():
                scores[method] += one.score(windows).tolist()
            progress.advance(1, machine_type=machine_type)
        if not number:  # what scores new clips
            for method, result in results.items():
                result.rules[machine_type] = fitted[method].rules
                result.learnt.append(UnitState.of(fitted[method], machine_type, None))
    order = np.argsort(of_row, kind="stable")
    rows = rows.append_column("scored_as", _scored_as(rows, by, networks[0].held_out))
    labels = rows.take(pa.array(np.array(of_row)[order])).select([*artifacts.CLIP_COLUMNS, "scored_as"])
    labels = labels.add_column(1, "window", pa.array(np.array(window)[order], pa.int32()))
    for method, result in results.items():
        values = np.array(scores[method])[order]
        broken = np.flatnonzero(~np.isfinite(values))
        if len(broken):
            first = labels["clip_id"][int(broken[0])].as_py()
            raise BadData(f"{method}: the score of {first} is not finite", "train again with a lower --lr")
        result.tables.append(score_table(labels, method, values))


def _scored_by(rows: pa.Table, networks: Sequence[Reconstruction]) -> np.ndarray:
    """(n_clips,) the number of the autoencoder that scores each clip: the first, or that of a fold it has not seen."""
    by = np.zeros(len(rows), np.int64)
    training = is_training(rows)
    for number, network in enumerate(networks[1:], 1):
        out = pc.is_in(rows["clip_id"], value_set=pa.array(sorted(network.held_out), pa.string()))
        by[pc.and_(training, out).to_numpy(zero_copy_only=False)] = number
    return by


def _training(
    network: Reconstruction, machine_type: str, pack: WaveformPack, rows: pa.Table, clips: list[int], seed: int
) -> Residuals:
    """The residuals of the normal training clips that were not held out; `clips` are the places of `rows`.

    Of the organisers' autoencoder those that it was trained on, a part of every clip; of others all.
    """
    split, domain, condition = (rows[name].to_pylist() for name in ("split", "domain", "condition"))
    normal = [
        (i, d)
        for i, s, d, c in zip(clips, split, domain, condition, strict=True)
        if s == str(Split.TRAIN) and c != str(Condition.ANOMALY) and pack.clip_ids[i] not in network.held_out
    ]
    if not normal:
        raise BadData(f"{machine_type} has no training clips: no covariance of its residuals", "score with mse")
    normal.sort()  # as in the pack, and so in the training
    ends = np.cumsum([network.front.n_vectors(int(pack.lengths[i])) for i, _ in normal])
    used = np.ones(ends[-1], bool)
    if network.front.window_frames is None:
        used[:] = False
        used[vectors_kept(len(used), seed, machine_type)] = True
    training = Residuals(network.front.mel.n_mels, int(used.sum()), seed)
    of_training = network.residuals(machine_type, pack, [i for i, _ in normal])
    for (_, d), residual, of_clip in zip(normal, of_training, np.split(used, ends[:-1]), strict=True):
        training.add(residual[of_clip], Domain.TARGET if d == str(Domain.TARGET) else Domain.SOURCE)
    return training


def _scored_as(rows: pa.Table, by: np.ndarray, held_out: frozenset[str]) -> pa.Array:
    """What the score of each training clip tells, null of others."""
    out = pc.is_in(rows["clip_id"], value_set=pa.array(sorted(held_out), pa.string()))
    known = pc.if_else(out, str(ScoredAs.HELD_OUT), str(ScoredAs.SEEN))
    known = pc.if_else(pa.array(by > 0), str(ScoredAs.CROSS_FITTED), known)
    return pc.if_else(is_training(rows), known, pa.scalar(None, pa.string()))


def _header_of(model: Path) -> Header:
    try:
        header = artifacts.read_header(model, artifacts.MODEL)
    except MissingArtifact as error:
        raise MissingArtifact(error.message, "make it first: asd train --model autoencoder") from None
    if not str(header.params.get("model", "")).startswith("autoencoder"):
        raise BadArtifact(
            f"{model} holds {header.params.get('model')}, and only an autoencoder reconstructs",
            "asd train --model autoencoder",
        )
    return header


def _used(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.is_in(rows["split"], pa.array([str(Split.TRAIN), str(Split.TEST)])))
