"""train: clips.parquet and feature packs in, a trained model out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.files import CHECKPOINT
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.training import DEFAULT, MODELS, Setting, TrainingData
from asdcli.views import packs
from asdcli.views.clips import rows_of, training_clips
from asdcli.views.digests import model_input
from asdcli.views.editions import edition_of
from asdcli.writing.locks import alone_with


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
    """

    epochs: int
    unit: str
    n_units: int
    loss: float
    accuracy: float | None
    seconds: float
    units_per_s: float
    step_ms: float

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
    device: str = "auto",
    precision: str = "auto",
    machine_types: Sequence[str] | None = None,
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
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, fp32 or bf16.
        machine_types: only these; by default all that have a pack.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.
        overrides: parameters of the model; those that are not None win over the spelling.

    Raises:
        MissingArtifact, BadArtifact: no clips or features, or features of other clips.
        UsageError: unknown model, parameter, device or machine type.
        BadData: no training clips, nothing to tell apart, or files in `output` that are not asd's.
        AsdError: the loss diverged.
    """
    from asdcli.training import loop, model_files
    from asdcli.training.devices import pick_device
    from asdcli.training.precision import resolve_precision

    recipe = MODELS.build(model, **overrides)
    table, upstream = artifacts.read_table(clips, artifacts.CLIPS)
    found = packs.find(features, recipe.features, table, machine_types, progress)
    training = training_clips(table, found.machine_types)
    header = artifacts.Header.make(
        artifacts.MODEL,
        dataset=upstream.dataset,
        seed=seed,
        params={"model": MODELS.spell(recipe), "precision": precision},
        inputs={"clips": upstream.part(model_input(table, found.machine_types)), **found.training_inputs},
    )
    if not force and model_files.is_finished(output, header):
        return Outcome(output, "current")
    model_files.claim(output, force=force)

    where = pick_device(device)
    resolve_precision(precision, where)
    output.mkdir(parents=True, exist_ok=True)
    if force:
        (output / CHECKPOINT).unlink(missing_ok=True)
    edition = edition_of(upstream)
    data = TrainingData(
        clips=training,
        machine_types=found.machine_types,
        load=lambda machine_type: found.load(machine_type, rows_of(table, machine_type)),
        clip_length_s=edition.clip_length_s if edition else None,
    )
    task = recipe.task(data, Setting(seed, where, precision, progress))
    history = loop.fit(task, epochs=recipe.epochs, folder=output, header=header, progress=progress)
    card = {"spec": MODELS.spell(recipe), **task.card()}
    model_files.write_model(output, task.module, card, header)
    (output / CHECKPOINT).unlink(missing_ok=True)
    last = history[-1]
    seconds = sum(row["seconds"] for row in history)
    facts = TrainingFacts(
        epochs=len(history),
        unit=task.unit,
        n_units=task.epoch_size,
        loss=round(last["loss"], 4),
        accuracy=round(last["accuracy"], 4) if "accuracy" in last else None,
        seconds=round(seconds, 1),
        units_per_s=round(task.epoch_size * len(history) / max(seconds, 1e-9), 1),
        step_ms=round(last["step_ms"], 1),
    )
    return Outcome(output, facts=facts)
