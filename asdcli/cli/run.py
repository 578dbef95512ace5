"""`asd run`: all stages of a run, from recordings to the official score."""

from __future__ import annotations

import copy
import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli import completion
from asdcli.cli.download import download
from asdcli.cli.embed import embed
from asdcli.cli.extract_features import extract_features
from asdcli.cli.going_on import going_on
from asdcli.cli.options import DeviceOption, MachineTypeOption, SeedOption, one_of
from asdcli.cli.score import score
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import KINDS, Output, Talk
from asdcli.cli.train import train
from asdcli.errors import AsdError, UsageError
from asdcli.vocabulary import SYNTHETIC

if TYPE_CHECKING:
    from asdcli.pipeline.steps.run import Taken

_HANDED_ON: dict[Callable[..., int], tuple[str, ...]] = {  # stage -> its options that stand here too
    download: ("subset", "size"),
    extract_features: ("channel", "sample_rate", "resample", "rounding", "scale", "on_error"),
    train: ("model", "epochs", "batch_size", "precision", "hold_out", "folds", "supplemental"),
    embed: ("embedder",),
    score: ("method", "val", "k"),
}
_STAGES = [stage for stage in KINDS if stage != "threshold"]


def _borrows(command: Callable[..., int]) -> Callable[..., int]:
    """Replace the parameter `**handed_on` by options of the stages' own commands, None where nothing was typed."""
    hints = typing.get_type_hints(command, include_extras=True)
    own = [p.replace(annotation=hints[p.name]) for p in inspect.signature(command).parameters.values()]
    borrowed = []
    for stage, names in _HANDED_ON.items():
        there = inspect.signature(stage).parameters
        for name in names:
            kind, option = typing.get_args(there[name].annotation)
            option = copy.copy(option)
            option.rich_help_panel = f"For asd {_name(stage)}"
            borrowed.append(
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=False if kind is bool else None,
                    annotation=Annotated[kind if kind is bool else kind | None, option],
                )
            )
    parameters = [p for p in own if p.kind is not inspect.Parameter.VAR_KEYWORD] + borrowed
    command.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": int}
    return command


def _name(stage: Callable[..., int]) -> str:
    return stage.__name__.replace("_", "-")


@on_a_run(output=False, force=True)
@_borrows
def run(
    ctx: typer.Context,
    stages: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STAGE",
            help=f"Only these of {', '.join(_STAGES)}. Default: all of them that there is something to do "
            f"for; {_STAGES[0]} where an --edition is named.",
            show_default=False,
            autocompletion=completion.stages,
        ),
    ] = None,
    edition: Annotated[
        str | None,
        typer.Option(
            "--edition",
            metavar=one_of(("EDITION",), SYNTHETIC),
            help="Begin with asd download of this edition.",
            show_default=False,
            autocompletion=completion.editions,
        ),
    ] = None,
    machine_type: MachineTypeOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    *,
    place: Place,
    talk: Talk,
    force: bool,
    **handed_on: Any,
) -> int:
    """Take all stages one after the other: recordings to features, model, embeddings, scores and the official score.

    What is up to date is left alone, so the same command goes on where it stopped. Ends at the first error. Where all
    training clips are of one class no model is trained: logmel embeds without one.
    """
    from asdcli.pipeline import process
    from asdcli.pipeline.steps import run as step

    process.settle(networks=True)
    if edition and place.dataset not in (None, edition):
        raise UsageError(f"--edition {edition} and --dataset {place.dataset} exclude each other", "leave one out")
    if "download" in (stages or ()) and not edition:
        raise UsageError("which edition is to be downloaded?", "name it, for example: asd run --edition synthetic")
    space = replace(place, dataset=edition or place.dataset).space(begins=edition is not None)
    taken: list[Taken] = []
    try:
        for one in step.run(
            space,
            stages or (),
            download=edition is not None and not stages,
            options=_options(handed_on, machine_types=machine_type, seed=seed, device=device),
            force=force,
            progress=talk.progress,
        ):
            taken.append(one)
            _tell(one, talk)
    except UsageError:
        raise  # what was typed is to be typed otherwise
    except AsdError as error:
        rest = [stage for stage in stages or () if stage not in {one.stage for one in taken}]
        error.answer(going_on(error.hint, ctx, rest, again=rest == (stages or [])))
        raise
    outputs = [Output.of(KINDS[one.stage], o, method) for one in taken for method, o in one.outcomes.items()]
    return talk.answer(outputs, {"stages": [_facts(one) for one in taken]})


def _options(given: dict[str, Any], *, machine_types: Sequence[str] | None, seed: int, device: str) -> dict[str, dict]:
    """Stage -> options of its step, where anything was typed."""
    of = {_name(stage): {name: given[name] for name in names} for stage, names in _HANDED_ON.items()}
    of["download"]["subsets"] = of["download"].pop("subset")
    of["score"]["methods"] = of["score"].pop("method")
    on_error = of["extract-features"].pop("on_error")
    of["extract-features"]["on_error"] = on_error and on_error.value
    for stage in ("download", "extract-features", "train", "embed"):
        of[stage]["machine_types"] = machine_types
    of["embed"]["supplemental"] = of["train"]["supplemental"]
    for stage in ("train", "score"):
        of[stage]["seed"] = seed
    for stage in ("train", "embed", "score"):
        of[stage]["device"] = device
    return of


def _tell(taken: Taken, talk: Talk) -> None:
    if talk.json:
        return
    if taken.report and talk.shows_tables:
        from asdcli.cli import evaluation_tables

        evaluation_tables.show(taken.report, details=False)
    for outcome in taken.outcomes.values():
        talk.say(outcome)


def _facts(taken: Taken) -> dict[str, Any]:
    if taken.report:
        from asdcli.cli.evaluate import facts

        return {"stage": taken.stage, **facts(taken.report)}
    of_methods = [{"method": method, **o.plain()} for method, o in taken.outcomes.items() if method]
    return {"stage": taken.stage, **({"methods": of_methods} if of_methods else taken.outcomes[None].plain())}
