"""score by reconstruction: an autoencoder and waveforms in, scores of windows and of clips out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadArtifact, BadData, MissingArtifact, UsageError
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.scorers import SCORERS, Scorer, scorers_of
from asdcli.scorers.residuals import Residuals
from asdcli.scorers.rules import told
from asdcli.views import packs
from asdcli.views.clips import rows_of
from asdcli.views.scores import ScoreFiles
from asdcli.views.windows import per_clip, score_table
from asdcli.vocabulary import Condition, Domain, Split

if TYPE_CHECKING:
    import torch

    from asdcli.features.frames import Frontend
    from asdcli.features.pack import WaveformPack

_CLIPS_AT_ONCE = 16


def run(
    clips: Path,
    features: Path,
    outputs: Mapping[str, ScoreFiles],
    *,
    model: Path,
    device: str = "auto",
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome]:
    """Score all training and test clips with every method of `outputs`; all read the same residuals.

    Training clips are scored by the network that was trained on them.

    Args:
        clips: clips.parquet. features: folder of the packs.
        outputs: spelling of a method -> its two tables.
        model: folder of a trained autoencoder.

    Raises:
        UsageError: unknown method, parameter or device.
        MissingArtifact, BadArtifact: no autoencoder, clips or features.
        BadData: clips at another sample rate than the network was trained at.
    """
    outputs = {SCORERS.canonical(spelling): files for spelling, files in outputs.items()}
    methods = scorers_of(outputs, "residuals")
    table, upstream = artifacts.read_table(clips, artifacts.CLIPS)
    trained = _header_of(model)
    found = packs.find(features, "waveform", table, None, progress)
    inputs = {"clips": upstream, "model": trained, **found.inputs}
    outcomes: dict[str, Outcome] = {}
    headers: dict[str, tuple[Header, Header]] = {}
    for spelling, out in outputs.items():
        kinds = (artifacts.SCORES, artifacts.WINDOW_SCORES)
        headers[spelling] = tuple(  # type: ignore[assignment]
            Header.make(k, dataset=upstream.dataset, params={"method": spelling}, inputs=inputs) for k in kinds
        )
        places = (out.clips, out.windows)
        if not force and all(map(artifacts.is_current, places, kinds, headers[spelling])):
            outcomes[spelling] = Outcome(out.clips, "current")
    todo = {spelling: method for spelling, method in methods.items() if spelling not in outcomes}
    if todo:
        network = _Network(model, device)
        parts: dict[str, list[pa.Table]] = {spelling: [] for spelling in todo}
        rules: dict[str, dict[str, list[str]]] = {spelling: {} for spelling in todo}
        left_out = sorted(set(found.machine_types) - set(network.machine_types))
        if left_out:
            progress.warn(f"the autoencoder knows no {', '.join(left_out)}: left out")
        machine_types = [m for m in network.machine_types if m in found.machine_types]
        rows = {m: _used(rows_of(table, m)) for m in machine_types}
        for machine_type in progress.track(
            machine_types, total=sum(map(len, rows.values())), label=f"score {', '.join(todo)}"
        ):
            pack = found.load(machine_type, rows_of(table, machine_type))
            scored, fired = _score(network, machine_type, pack, rows[machine_type], todo, progress)
            for spelling in todo:
                parts[spelling].append(scored[spelling])
                rules[spelling][machine_type] = fired[spelling]
        for sentence in told(rules):
            progress.warn(sentence)
        for spelling in todo:
            if not parts[spelling]:
                raise BadData("there is no clip to score", "see data/README.md for the layout of a dataset")
            windows = pa.concat_tables(parts[spelling])
            of_clips, of_windows = headers[spelling]
            artifacts.write_table(outputs[spelling].windows, artifacts.WINDOW_SCORES, windows, of_windows)
            averaged = per_clip(windows, windows["anomaly_score"].to_numpy(), spelling)
            artifacts.write_table(outputs[spelling].clips, artifacts.SCORES, averaged, of_clips)
            facts = {"clips": len(averaged), "windows": len(windows)}
            outcomes[spelling] = Outcome(outputs[spelling].clips, facts=facts)
    return {spelling: outcomes[spelling] for spelling in outputs}


class _Network:
    """A trained autoencoder of each machine type on its device."""

    def __init__(self, folder: Path, device: str) -> None:
        from asdcli.features.frames import N_STACKED, frontend
        from asdcli.models.networks.autoencoder import AutoencoderNetwork
        from asdcli.training.devices import pick_device
        from asdcli.training.model_files import read_model

        weights, card, header = read_model(folder)
        self.seed = header.seed or 0
        self.device = pick_device(device)
        self.machine_types: list[str] = card["machine_types"]
        self.front: Frontend = frontend(card["profile"], card["sample_rate"])
        self.networks = {}
        for i, machine_type in enumerate(self.machine_types):
            network = AutoencoderNetwork(N_STACKED * card["n_mels"])
            prefix = f"{i}."
            network.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
            self.networks[machine_type] = network.to(self.device).eval()

    def residuals(self, machine_type: str, pack: WaveformPack, wanted: Sequence[int]) -> Iterator[np.ndarray]:
        """(n_vectors, 5, n_mels) of each wanted clip, vector by vector."""
        import torch

        from asdcli.features.frames import N_STACKED, stacked

        network = self.networks[machine_type]
        for start in range(0, len(wanted), _CLIPS_AT_ONCE):
            with torch.inference_mode():
                vectors = [stacked(self.front.frames(pack.clip(i))) for i in wanted[start : start + _CLIPS_AT_ONCE]]
                x: torch.Tensor = torch.cat(vectors).to(self.device)
                residual = (x - network(x)).cpu()
            for one in residual.split([len(v) for v in vectors]):
                yield one.unflatten(-1, (N_STACKED, -1)).numpy()


def _score(
    network: _Network,
    machine_type: str,
    pack: WaveformPack,
    rows: pa.Table,
    methods: Mapping[str, Scorer],
    progress: Progress,
) -> tuple[dict[str, pa.Table], dict[str, list[str]]]:
    """Scores of the windows of one machine type's clips by every method, and the rules that fired."""
    front = network.front
    if pack.sample_rate != front.mel.sample_rate:
        raise BadData(
            f"{machine_type}: the clips are at {pack.sample_rate} Hz, the autoencoder was trained at "
            f"{front.mel.sample_rate} Hz",
            "extract the features as for the training",
        )
    place = {clip_id: i for i, clip_id in enumerate(pack.clip_ids.tolist())}
    if len(place) < len(pack):
        raise UsageError(
            f"{machine_type}: an autoencoder scores one channel of each clip, and these features hold two",
            "extract one of them: asd extract-features --channel 0",
        )
    rows = rows.filter(pc.is_in(rows["clip_id"], pa.array(list(place), pa.string())))
    clips = [place[clip_id] for clip_id in rows["clip_id"].to_pylist()]
    training = Residuals(front.mel.n_mels, 0)
    if any(getattr(m, "needs_training", True) for m in methods.values()):
        split, domain, condition = (rows[name].to_pylist() for name in ("split", "domain", "condition"))
        normal = [
            (i, d)
            for i, s, d, c in zip(clips, split, domain, condition, strict=True)
            if s == str(Split.TRAIN) and c != str(Condition.ANOMALY)
        ]
        n_vectors = sum(front.n_vectors(int(pack.lengths[i])) for i, _ in normal)
        training = Residuals(front.mel.n_mels, n_vectors, network.seed)
        of_training = network.residuals(machine_type, pack, [i for i, _ in normal])
        for (_, d), residual in zip(normal, of_training, strict=True):
            training.add(residual, Domain.TARGET if d == str(Domain.TARGET) else Domain.SOURCE)
        if not normal:
            raise BadData(f"{machine_type} has no training clips: no covariance of its residuals", "score with mse")
    fitted = {spelling: method.fit(training) for spelling, method in methods.items()}
    scores: dict[str, list[float]] = {m: [] for m in methods}
    of_row: list[int] = []
    window: list[int] = []
    for row, (i, residual) in enumerate(zip(clips, network.residuals(machine_type, pack, clips), strict=True)):
        starts = front.window_starts(int(pack.lengths[i]))
        width = len(residual) if front.window_frames is None else front.window_frames - residual.shape[1] + 1
        windows = [residual[start : start + width] for start in starts]
        of_row += [row] * len(windows)
        window += range(len(windows))
        for method, one in fitted.items():
            scores[method] += one.score(windows).tolist()
        progress.advance(1, machine_type=machine_type)
    labels = rows.take(pa.array(of_row, pa.int64())).select(list(artifacts.CLIP_COLUMNS))
    labels = labels.add_column(1, "window", pa.array(window, pa.int32()))
    tables = {}
    for method, values in scores.items():
        broken = np.flatnonzero(~np.isfinite(values))
        if len(broken):
            first = labels["clip_id"][int(broken[0])].as_py()
            raise BadData(f"{method}: the score of {first} is not finite", "train again with a lower --lr")
        tables[method] = score_table(labels, method, np.array(values))
    return tables, {method: one.rules for method, one in fitted.items()}


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
