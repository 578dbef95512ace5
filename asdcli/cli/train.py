"""`asd train`: a model from the normal training clips."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from asdcli.cli import completion
from asdcli.cli.options import DeviceOption, FeaturesFromOption, MachineTypeOption, SeedOption, one_of
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Output, Talk
from asdcli.errors import UsageError
from asdcli.models.losses import Centers
from asdcli.spec.numbers import numbers
from asdcli.training import DEFAULT, HOLD_OUT, MODELS, Profile
from asdcli.training.named import recipes
from asdcli.vocabulary import PRECISIONS, Supplemental

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
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            metavar="NAME",
            autocompletion=completion.recipes,
            help="A model by the name under which results of it are published, instead of --model: "
            f"{', '.join(recipes())}. asd models shows what each is, and the published scores.",
        ),
    ] = None,
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
    checkpoint: Annotated[
        str | None,
        typer.Option(
            "--checkpoint",
            metavar="PATH|NAME",
            help="Weights of the encoder that is trained on: a folder, a file, or OWNER/NAME on a hub, which is "
            f"fetched once. {_OWN}",
            show_default=False,
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
    supplemental: Annotated[
        str,
        typer.Option(
            "--supplemental",
            metavar=one_of(Supplemental),
            help="What becomes of recordings of the machine alone (training clips too) and of noise alone (mixed into "
            "training clips of a classifier).",
        ),
    ] = "ignore",
    features_from: FeaturesFromOption = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds",
            metavar="LIST",
            help="Train one model for each of these seeds, such as 0-9 or 0,3,5-7, each in a run folder of its own "
            "below the run (seed-0, seed-1, …) that reads the run's features.",
            show_default=False,
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
    the last epoch that was saved. Whose features a run reads (--features-from) is noted in it, for later commands.
    """
    from asdcli.pipeline import process

    process.settle(networks=True)
    if recipe is not None:
        model = _named(recipe, model, talk)
    space = place.space(said=True)
    from asdcli.pipeline.steps import train as step

    how: dict[str, Any] = {
        "model": model,
        "features_from": features_from,
        "hold_out": hold_out,
        "folds": folds,
        "supplemental": supplemental,
        "device": device,
        "precision": precision,
        "machine_types": machine_type,
        "force": force,
        "progress": talk.progress,
        "profile": profile,
        "weights": weights,
        "checkpoint": checkpoint,
        "centers": centers,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "clip_length": clip_length,
        "extra_classes": extra_classes,
    }
    if seeds is None:
        return talk.report("model", step.run(space, seed=seed, output=place.output, **how))
    if seed or place.output:
        raise UsageError("--seeds says which seeds, and each has a folder of its own", "leave --seed and -o out")
    outcomes = step.run_seeds(space, numbers(seeds, what="seeds"), **how)
    if not talk.json:
        for outcome in outcomes.values():
            talk.say(outcome)
    outputs = [Output.of("model", outcome) for outcome in outcomes.values()]
    return talk.answer(outputs, {"seeds": [{"seed": n, **o.plain()} for n, o in outcomes.items()]})


def _named(name: str, model: str, talk: Talk) -> str:
    """The model of a recipe; what it is, and how its published scores were made, is said."""
    from asdcli.training.named import recipe

    if model != DEFAULT:
        raise UsageError("--recipe is the name of a model: leave --model out", f"or write --model {model} alone")
    known = recipe(name)
    of = f", and of {known.weights}" if known.weights else ""
    talk.progress.note(f"recipe {name} is {known.model}; its published scores are of asd score -m {known.method}{of}")
    return name
