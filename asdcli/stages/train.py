"""train: clips.parquet and feature packs in, a trained model out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.files import CHECKPOINT, FOLDS, fold_folder
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.training import DEFAULT, MODELS, Setting, TrainingData
from asdcli.views import packs
from asdcli.views.clips import rows_of, training_clips
from asdcli.views.digests import model_input
from asdcli.views.editions import edition_of
from asdcli.views.fold_models import of_fold
from asdcli.views.supplemental import supplemental_of
from asdcli.vocabulary import Supplemental
from asdcli.wording import counted
from asdcli.writing.locks import alone_with

if TYPE_CHECKING:
    from asdcli.stages.train_apart import Apart


@dataclass(frozen=True)
class TrainingFacts:
    """How a training went.

    Attributes:
        epochs: how often the training clips were seen.
        unit: what the network takes: `clips`, `windows` or `vectors`.
        n_units: how many of them an epoch has.
        loss: of the last epoch.
        accuracy: of the last epoch, of a classifier.
        seconds: of all epochs.
        units_per_s: over all epochs.
        step_ms: of one step, in the last epoch.
        held_out: clips that were not trained on, where groups were held out.
        folds: further models that were trained without one fold each.
    """

    epochs: int
    unit: str
    n_units: int
    loss: float
    accuracy: float | None
    seconds: float
    units_per_s: float
    step_ms: float
    held_out: int | None = None
    folds: int | None = None

    def plain(self) -> dict[str, Any]:
        """`clips` and `clips_per_s`, or windows or vectors."""
        names = {"n_units": self.unit, "units_per_s": f"{self.unit}_per_s"}
        return {names.get(name, name): value for name, value in asdict(self).items() if name != "unit"}


@alone_with("output")
def run(
    clips: Path,
    features: Path,
    output: Path,
    *,
    model: str = DEFAULT,
    seed: int = 0,
    hold_out: float | None = None,
    folds: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    machine_types: Sequence[str] | None = None,
    supplemental: Supplemental = "ignore",
    force: bool = False,
    progress: Progress = SILENT,
    **overrides: Any,
) -> Outcome:
    """Train `model` on the normal training clips and write it to the folder `output`.

    An interrupted training leaves a checkpoint in `output`; the same call goes on from it and, on a CPU with the same
    number of threads, ends with the same weights to the last bit. A finished model of the same making is left alone.

    Args:
        clips: clips.parquet.
        features: folder of the packs, `<kind>/<machine_type>.npz`.
        output: folder of the model.
        model: a spelling, such as `discriminative:centers=trainable`.
        seed: of weights, batches and everything else random.
        hold_out: share of the normal training clips that the model is not to see, in whole groups; None is 0 for an
            edition of the catalogue, whose profiles are as published, and `HOLD_OUT` for recordings of one's own.
        folds: train so many further models, each without one fold of the groups, into `output`/fold-1 and so on; then
            the model sees all clips.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, fp32 or bf16.
        machine_types: only these; by default all that have a pack.
        supplemental: whether recordings of the machine alone are training clips too, and those of noise alone are mixed
            into the training clips by models that mix noise.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.
        overrides: parameters of the model; those that are not None win over the spelling.

    Raises:
        MissingArtifact, BadArtifact: no clips or features, or features of other clips.
        UsageError: unknown model, parameter, device or machine type; more folds than groups, or `hold_out` beside them.
        BadData: no training clips, nothing to tell apart, no supplemental recordings to use, or files in `output` that
            are not asd's.
        AsdError: the loss diverged.
    """
    import torch

    from asdcli.stages import train_apart
    from asdcli.training import model_files
    from asdcli.training.crowd import crowd
    from asdcli.training.devices import pick_device
    from asdcli.training.precision import resolve_precision

    recipe = with_files(MODELS.build(model, **overrides), progress)
    table, upstream = artifacts.read_table(clips, artifacts.CLIPS)
    edition = edition_of(upstream)
    found = packs.find(features, recipe.features, table, machine_types, progress)
    training = training_clips(table, found.machine_types)
    apart = train_apart.apart(training, hold_out, folds, seed, own=not edition)
    added = supplemental_of(table, found.machine_types, supplemental)
    header = artifacts.Header.make(
        artifacts.MODEL,
        dataset=upstream.dataset,
        seed=seed,
        params={"model": MODELS.spell(recipe), "precision": precision, **apart.params, **added.params},
        inputs={
            "clips": upstream.part(
                model_input(table, found.machine_types, groups=bool(apart.params), supplemental=bool(added.params))
            ),
            **(found.inputs if added.params else found.training_inputs),
            **{role: artifacts.Header.foreign(digest) for role, digest in getattr(recipe, "made_of", {}).items()},
        },
    )
    jobs = [*_folds(output, header, apart), _Job(output, header, apart.out)]
    todo = [job for job in jobs if force or not model_files.is_finished(job.folder, job.header)]
    if not todo:
        return Outcome(output, "current")
    for job in todo:
        model_files.claim(job.folder, force=force)

    where = pick_device(device)
    resolve_precision(precision, where)
    if where.type == "cpu" and (shared := crowd(torch.get_num_threads())):
        progress.note(shared)
    for sentence in apart.sentences:
        progress.warn(sentence)
    if added.params:
        progress.note(added.words(mixed=getattr(recipe, "mixes_noise", False)))
    clip_length_s = edition.clip_length_s if edition else _longest_s(table, training) if folds else None
    for job in todo:
        if folds is not None:
            what = "the model: it sees all clips"
            if number := job.header.params.get("fold"):
                what = f"fold {number} of {folds}: a model that does not see {counted(int(job.out.sum()), 'clip')}"
            progress.note(what)
        job.folder.mkdir(parents=True, exist_ok=True)
        if force:
            (job.folder / CHECKPOINT).unlink(missing_ok=True)
        data = TrainingData(
            clips=pa.concat_tables([training.filter(pa.array(~job.out)), added.machine]),
            machine_types=found.machine_types,
            load=lambda machine_type: found.load(machine_type, rows_of(table, machine_type)),
            clip_length_s=clip_length_s,
            noise=added.noise if added.params else None,
            contents=tuple(pack.content for pack in found.headers.values()),
        )
        task = recipe.task(data, Setting(seed, where, precision, progress))
        facts = _train(task, recipe, job, training, progress)
    model_files.drop_folds(output, after=folds or 0)
    return Outcome(output, facts=replace(facts, folds=folds))


def with_files(recipe: Any, progress: Progress) -> Any:
    """The recipe with the files of the weights that it goes on from, where there are some. Errors as its `found`."""
    return recipe.found(progress) if hasattr(recipe, "found") else recipe


def models_in(folder: Path) -> list[Path]:
    """The model in a folder and those of its folds."""
    return [folder, *sorted(folder.glob(FOLDS))]


def weights_of(folder: Path) -> list[Path]:
    """The files of the weights that the model in a folder went on from; none of one that began anew.

    Errors as `run`.
    """
    spelling = artifacts.read_header(folder, artifacts.MODEL).params["model"]
    encoder = getattr(with_files(MODELS.build(spelling), SILENT), "encoder", None)
    return [] if encoder is None else list(encoder.files)


def _longest_s(clips: pa.Table, training: pa.Table) -> float | None:
    """The duration of the longest training clip: of models that see different clips, all take clips of this length."""
    own = clips.filter(pc.is_in(clips["clip_id"], value_set=training["clip_id"].combine_chunks()))
    longest: float | None = pc.max(own["duration_s"], skip_nulls=False).as_py()
    return longest


@dataclass(frozen=True)
class _Job:
    """A model to train: where, what its header will say, and the training clips (n_clips,) that it does not see."""

    folder: Path
    header: artifacts.Header
    out: np.ndarray


def _folds(output: Path, header: artifacts.Header, apart: Apart) -> list[_Job]:
    numbers = range(1, 1 + apart.params.get("folds", 0))
    return [_Job(fold_folder(output, n), of_fold(header, n), apart.fold == n) for n in numbers]


def _train(task: Any, recipe: Any, job: _Job, training: pa.Table, progress: Progress) -> TrainingFacts:
    """Train one model to its end and write it."""
    from asdcli.training import loop, model_files

    history = loop.fit(task, epochs=recipe.epochs, folder=job.folder, header=job.header, progress=progress)
    card = {"spec": MODELS.spell(recipe), **task.card(), **_on_threads(task)}
    if job.out.any():
        card["held_out"] = training["clip_id"].filter(pa.array(job.out)).to_pylist()
    model_files.write_model(job.folder, task.module, card, job.header)
    (job.folder / CHECKPOINT).unlink(missing_ok=True)
    last = history[-1]
    seconds = sum(row["seconds"] for row in history)
    return TrainingFacts(
        epochs=len(history),
        unit=task.unit,
        n_units=task.epoch_size,
        loss=round(last["loss"], 4),
        accuracy=round(last["accuracy"], 4) if "accuracy" in last else None,
        seconds=round(seconds, 1),
        units_per_s=round(task.epoch_size * len(history) / max(seconds, 1e-9), 1),
        step_ms=round(last["step_ms"], 1),
        held_out=int(job.out.sum()) or None,
    )


def _on_threads(task: Any) -> dict[str, int]:
    """Threads of a training on a CPU, for its card: the last bits of its weights depend on them."""
    import torch

    at_work = next(task.module.parameters()).device.type == "cpu"
    return {"threads": torch.get_num_threads()} if at_work else {}
