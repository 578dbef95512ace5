"""`asd train`: a model from the normal training clips."""

from __future__ import annotations

from typing import Annotated

import typer

from asdcli.cli import completion
from asdcli.cli.options import DeviceOption, MachineTypeOption, SeedOption
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk


@on_a_run(force=True)
def train(
    model: Annotated[
        str,
        typer.Option(
            "--model",
            autocompletion=completion.models,
            metavar="SPELLING",
            help="discriminative, autoencoder or serial-oe, with parameters as in "
            "serial-oe:backbone=mobilenetv3_small_050.",
        ),
    ] = "discriminative",
    centers: Annotated[
        str | None,
        typer.Option("--centers", metavar="fixed|trainable", help="Class centres of the loss. Default: fixed."),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="default|paper|dcase-baseline",
            help="Of an autoencoder: 100 or the paper's 1,500 epochs, or the organisers' system.",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="none|FILE|NAME",
            help="Pretrained backbone of serial-oe: a file, or timm's name of weights to fetch. Default: none.",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, help="Default: 16, of an autoencoder 100 (see --profile), of serial-oe 150."),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            min=2,
            help="Default: 64 clips, of an autoencoder 16 windows (256 vectors), of serial-oe 128 windows.",
        ),
    ] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Largest learning rate. Default: 0.001.")] = None,
    clip_length: Annotated[
        float | None,
        typer.Option(
            "--clip-length",
            metavar="SECONDS",
            help="Crop or repeat clips to this length. Default: the edition's, else that of the longest clip.",
        ),
    ] = None,
    extra_classes: Annotated[
        int | None, typer.Option("--extra-classes", min=0, help="Classes without clips in the loss. Default: 0.")
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            "--precision",
            metavar="auto|fp32|bf16",
            help="auto: bf16 where it is faster, on hardware that has it; else fp32.",
        ),
    ] = "auto",
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
