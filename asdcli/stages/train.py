"""train: clips.parquet and feature packs in, a trained model out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from asdcli import artifacts
from asdcli.files import CHECKPOINT
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.training import DEFAULT, HOLD_OUT, MODELS, Setting, TrainingData
from asdcli.views import packs
from asdcli.views.clips import rows_of, training_clips
from asdcli.views.digests import model_input
from asdcli.views.editions import edition_of
from asdcli.wording import listed
from asdcli.writing.locks import alone_with

if TYPE_CHECKING:
    from asdcli.training.holdout import HeldOutGroups


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
        hold_out: share of the normal training clips that the model is not to see, in whole groups; None is 0 for an
            edition of the catalogue, whose profiles are as published, and `HOLD_OUT` for recordings of one's own.
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
    from asdcli.training.holdout import held_out_groups
    from asdcli.training.precision import resolve_precision

    recipe = MODELS.build(model, **overrides)
    table, upstream = artifacts.read_table(clips, artifacts.CLIPS)
    edition = edition_of(upstream)
    share = (0.0 if edition else HOLD_OUT) if hold_out is None else hold_out
    found = packs.find(features, recipe.features, table, machine_types, progress)
    training = training_clips(table, found.machine_types)
    groups = held_out_groups(training, share, seed)
    held = {} if edition and not share else {"hold_out": share}
    header = artifacts.Header.make(
        artifacts.MODEL,
        dataset=upstream.dataset,
        seed=seed,
        params={"model": MODELS.spell(recipe), "precision": precision, **held},
        inputs={
            "clips": upstream.part(model_input(table, found.machine_types, groups=bool(held))),
            **found.training_inputs,
        },
    )
    if not force and model_files.is_finished(output, header):
        return Outcome(output, "current")
    model_files.claim(output, force=force)

    where = pick_device(device)
    resolve_precision(precision, where)
    output.mkdir(parents=True, exist_ok=True)
    if force:
        (output / CHECKPOINT).unlink(missing_ok=True)
    for sentence in _told(groups, share):
        progress.warn(sentence)
    data = TrainingData(
        clips=training.filter(pa.array(~groups.out)),
        machine_types=found.machine_types,
        load=lambda machine_type: found.load(machine_type, rows_of(table, machine_type)),
        clip_length_s=edition.clip_length_s if edition else None,
    )
    task = recipe.task(data, Setting(seed, where, precision, progress))
    history = loop.fit(task, epochs=recipe.epochs, folder=output, header=header, progress=progress)
    card = {"spec": MODELS.spell(recipe), **task.card()}
    if groups.out.any():
        card["held_out"] = training["clip_id"].filter(pa.array(groups.out)).to_pylist()
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
        held_out=int(groups.out.sum()) or None,
    )
    return Outcome(output, facts=facts)


def _told(groups: HeldOutGroups, share: float) -> Iterator[str]:
    """What could not be held out, in words."""
    if not groups.whole:
        return
    names = [" ".join(part for part in stratum if part) for stratum in groups.whole]
    one = "its groups are" if len(names) == 1 else "their groups are"
    yield (
        f"nothing is held out of {listed(names)}: {one} too large for {share:.0%} of the clips, or only one; "
        "index with --group-by block:N for others"
    )
