"""`asd train`: a model from the normal training clips."""

from __future__ import annotations

from typing import Annotated

import typer

from asdcli.cli import completion
from asdcli.cli.options import DeviceOption, MachineTypeOption, SeedOption, one_of
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.models.losses import Centers
from asdcli.training import DEFAULT, HOLD_OUT, MODELS, Profile
from asdcli.vocabulary import PRECISIONS

_OWN = "Default: the model's own."


@on_a_run(force=True)
def train(
    model: Annotated[
        str,
        typer.Option(
            "--model",
            autocompletion=completion.models,
            metavar="SPELLING",
            help=f"{', '.join(MODELS.entries)}; with parameters as in {DEFAULT}:epochs=8. asd models MODEL lists them.",
        ),
    ] = DEFAULT,
    centers: Annotated[
        str | None,
        typer.Option("--centers", metavar=one_of(Centers), help=f"Class centres of the loss. {_OWN}"),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar=one_of(Profile),
            help="Of an autoencoder: as the paper has it, with fewer epochs or with all, or the organisers' system. "
            f"{_OWN}",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="FILE|NAME|none",
            help=f"Pretrained backbone: a file, or timm's name of weights to fetch. {_OWN}",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, help=f"Passes over the training clips. {_OWN}"),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            min=2,
            help=f"Of one step, in what the model takes: clips, windows or vectors. {_OWN}",
        ),
    ] = None,
    lr: Annotated[float | None, typer.Option("--lr", help=f"Largest learning rate. {_OWN}")] = None,
    clip_length: Annotated[
        float | None,
        typer.Option(
            "--clip-length",
            metavar="SECONDS",
            help="Crop or repeat clips to this length. Default: the edition's, else that of the longest clip.",
        ),
    ] = None,
    extra_classes: Annotated[
        int | None, typer.Option("--extra-classes", min=0, help=f"Classes without clips in the loss. {_OWN}")
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            "--precision",
            metavar=one_of(PRECISIONS),
            help="auto: the shorter format where it is faster, on hardware that has it.",
        ),
    ] = "auto",
    hold_out: Annotated[
        float | None,
        typer.Option(
            "--hold-out",
            metavar="SHARE",
            help="Share of the normal clips, in whole groups, that the model does not see: thresholds are set on them. "
            f"Default: {HOLD_OUT:g} of your own recordings, none of an edition.",
            show_default=False,
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds",
            metavar="N",
            help="Train N models more, each without one fold of the groups: thresholds are set on the clips that each "
            "lacks, and the model itself takes all. For few clips, instead of --hold-out.",
        ),
    ] = None,
    machine_type: MachineTypeOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Train a model on the normal training clips of all machine types.

    An autoencoder goes to autoencoder/ and serves asd score --method mse, any other model to model/, for asd embed.
    Writes weights.safetensors, card.json and metrics.jsonl. Interrupted or killed, the same command goes on after
    the last epoch that was saved.
    """
    from asdcli.pipeline import process
    from asdcli.pipeline.steps import train as step

    process.settle(networks=True)
    outcome = step.run(
        place.space(),
        model=model,
        output=place.output,
        seed=seed,
        hold_out=hold_out,
        folds=folds,
        device=device,
        precision=precision,
        machine_types=machine_type,
        force=force,
        progress=talk.progress,
        profile=profile,
        weights=weights,
        centers=centers,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        clip_length=clip_length,
        extra_classes=extra_classes,
    )
    return talk.report("model", outcome)
