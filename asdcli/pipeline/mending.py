"""The commands that make stale or unreadable files again, with all that they hang on, in the order of the chain."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.pipeline import chain
from asdcli.pipeline.chain import STAGES
from asdcli.pipeline.freshness import Look
from asdcli.pipeline.workspace import Workspace

_OPTIONS = ("clips", "model", "embeddings", "scores")
"""Inputs from elsewhere that have an option of their name; score tables are named without one."""


def commands(looks: Iterable[Look], space: Workspace, given: Sequence[str] | None = None) -> list[str]:
    """Command lines to type one after the other, those of one stage with like options joined.

    Args:
        looks: what is stale or cannot be read; the rest needs no command.
        space: the run that `given` leads to.
        given: options that lead to the run, as they were typed; None: as few as are needed.
    """
    given = space.words() if given is None else given
    wanted: dict[Path, Look] = {}
    _collect(looks, wanted)
    order = list(STAGES)
    values: dict[tuple[str, ...], dict[str, None]] = {}
    for look in sorted(wanted.values(), key=lambda found: order.index(found.stage.name)):
        rest, repeated = _apart(_words(look, space, given), look.stage.repeats)
        values.setdefault((look.stage.name, *rest), {}).update(dict.fromkeys(repeated))
    lines = []
    for (name, *rest), of in values.items():
        stage = STAGES[name]
        joined = [word for value in of for word in (str(stage.repeats), value)]
        lines.append(shlex.join([*stage.command.split(), *joined, *rest]))
    return lines


def command(look: Look, space: Workspace, given: Sequence[str] | None = None) -> str:
    """The one command that makes this file again, once what it is made from is up to date."""
    given = space.words() if given is None else given
    return shlex.join([*look.stage.command.split(), *_words(look, space, given)])


def command_of_gone(look: Look, given: Sequence[str]) -> str | None:
    """The command that made the first of the inputs that are gone; None where nothing is known of it."""
    before = look.history_of(look.gone[0]) if look.gone else None
    if before is None:
        return None
    stage = chain.maker(artifacts.KINDS[before.kind], chain.place_of(before), before)
    return shlex.join([*stage.command.split(), *stage.options_of(before), *given])


def _collect(looks: Iterable[Look], wanted: dict[Path, Look]) -> None:
    for look in looks:
        if look.path not in wanted and (look.is_stale or look.error):
            wanted[look.path] = look
            _collect(look.because, wanted)


def _words(look: Look, space: Workspace, given: Sequence[str]) -> list[str]:
    """The words after the stage's command: how the file was made, of what, and where it lies."""
    header = look.header or chain.guess(look.kind, look.name)
    words = look.stage.options_of(header) + _only(header, look.space) + (["--force"] if _is_of_old_models(look) else [])
    for role, path in look.elsewhere.items():
        words += [f"--{role}", str(path)] if role in _OPTIONS else [str(path)]
    if look.space is None:
        return [*words, "-o", str(look.path), *given]
    return [*words, *(given if look.space is space else look.space.words())]


def _only(header: Header, space: Workspace | None) -> list[str]:
    """The machine types that a model or embeddings are of, where the run has packs of others too."""
    roles = [role.rpartition("/") for role in header.inputs if role.startswith("features/")]
    if space is None or not roles or header.kind not in (artifacts.MODEL.name, artifacts.EMBEDDINGS.name):
        return []
    packed = {path.stem for path in (space.run / roles[0][0]).glob("*.npz")}
    machine_types = [name for _, _, name in roles]
    if len(packed) <= len(machine_types):
        return []
    return [word for name in machine_types for word in ("--machine-type", name)]


def _is_of_old_models(look: Look) -> bool:
    """Whether a pool must be begun anew: it takes new clips in, but not the vectors and scores of another model."""
    if look.stage.name != "append" or look.header is None:
        return False
    looks: dict[Path, Look] = {}
    _collect([look], looks)
    if any(of.kind is artifacts.MODEL or {"model", "autoencoder"} & set(of.changed) for of in looks.values()):
        return True
    for role, now in look.became.items():
        then = look.history_of(role)
        if then is None or then.inputs.get("model") != now.inputs.get("model"):
            return True
    return False


def _apart(words: Sequence[str], option: str | None) -> tuple[list[str], list[str]]:
    """The words without those of a repeated option, and its values."""
    rest: list[str] = []
    values: list[str] = []
    following = iter(words)
    for word in following:
        if word == option:
            values.append(next(following))
        else:
            rest.append(word)
    return rest, values
