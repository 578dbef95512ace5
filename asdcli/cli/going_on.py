"""How `asd run` goes on after an error: with a command that is not the one that has just failed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence

import typer

_COMMAND = re.compile(r"asd (?P<stage>[a-z-]+) (?P<options>--[^;]+)$")  # that ends a hint


def going_on(hint: str | None, ctx: typer.Context, rest: Sequence[str], *, again: bool) -> str:
    """What to type after an error in a stage.

    A hint that ends in a stage's command with options of `asd run` becomes the whole run with these, because without
    them the run would do again what has failed. Other hints are followed by the run of what is left.

    Args:
        hint: of the error.
        ctx: of the run that failed.
        rest: the stages that were asked for and are not done; none where none was named.
        again: whether these are all that were asked for.
    """
    from asdcli.pipeline.steps.run import STAGES

    found = _COMMAND.search(hint or "")
    if found and found["stage"] in STAGES:
        stage, options = found["stage"], shlex.split(found["options"])
        names = {option for option in options if option.startswith("--")}
        if names <= {name for parameter in ctx.command.params for name in parameter.opts} - {"--force"}:
            stages = rest and sorted({*rest, stage}, key=STAGES.index)
            if "--embedder" in names:  # one that needs no training, of features of its own
                names.add("--model")
                stages = rest and ["extract-features", *(s for s in stages if s not in ("extract-features", "train"))]
            return (hint or "")[: found.start()] + shlex.join(["asd", "run", *stages, *_typed(ctx, names), *options])
    if again and not ctx.params["force"]:
        return (
            f"{hint}; then the same command goes on from here" if hint else "mended, the same command goes on from here"
        )
    then = shlex.join(["asd", "run", *rest, *_typed(ctx)])
    return f"{hint}; then go on with: {then}" if hint else then


def _typed(ctx: typer.Context, but: Collection[str] = ()) -> list[str]:
    """The options that were typed, as they would be typed again; not --force, nor those of `but`."""
    words: list[str] = []
    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name or "")
        source = ctx.get_parameter_source(parameter.name or "")
        if source is None or source.name != "COMMANDLINE" or parameter.name in ("stages", "force", "json", "quiet"):
            continue
        option = max(parameter.opts, key=len)
        if option in but:
            continue
        if value is True:
            words.append(option)
            continue
        for one in value if isinstance(value, (list, tuple)) else [value]:
            words += [option, str(getattr(one, "value", one))]
    return words
