"""The commands that make stale or unreadable files again, with all that they hang on, in the order of the chain."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.pipeline import options, places
from asdcli.pipeline.chain import STAGES
from asdcli.pipeline.freshness import Look
from asdcli.pipeline.workspace import Workspace

_OPTIONS = ("clips", "model", "embeddings", "scores", "thresholds")
"""Inputs from elsewhere that have an option of their name; a foreign source and score tables are named without one."""
_FOREIGN = {"source": options.SOURCE, "labels": options.LABELS}
"""Foreign inputs, and the words that stand for them among the options."""


_OF_PACKS = tuple(kind.name for kind in (artifacts.MODEL, artifacts.EMBEDDINGS, artifacts.EMBEDDINGS_SHARD))


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
        for words in _commands(look, space, given):
            rest, repeated = _apart(words, look.stage.repeats)
            values.setdefault((look.stage.name, *rest), {}).update(dict.fromkeys(repeated))
    lines = []
    for (name, *rest), of in values.items():
        stage = STAGES[name]
        joined = [word for value in of for word in (str(stage.repeats), value)]
        lines.append(shlex.join([*stage.command.split(), *joined, *rest]))
    return lines


def command(look: Look, space: Workspace, given: Sequence[str] | None = None, *, even_if_current: bool = False) -> str:
    """The command that makes this file again, once what it is made from is up to date; several where it takes several.

    Args:
        look: at the file.
        space: the run that `given` options lead to.
        given: those options; None: as few as are needed.
        even_if_current: the file seems up to date by its header.
    """
    given = space.words() if given is None else given
    lines = [[*look.stage.command.split(), *words] for words in _commands(look, space, given)]
    if even_if_current:
        lines = [line if "--force" in line else [*line, "--force"] for line in lines]
    return " && ".join(map(shlex.join, lines))


def command_of_whole(look: Look, space: Workspace, given: Sequence[str]) -> str:
    """The command that puts a shard together with the others."""
    header = look.header or places.guess(look.kind, look.name)
    params = {name: value for name, value in header.params.items() if name != "shard"}
    params.pop("machine_type", None)
    return command(dataclasses.replace(look, header=dataclasses.replace(header, params=params)), space, given)


def command_of_gone(look: Look, given: Sequence[str]) -> str | None:
    """The command that made the first of the inputs that are gone; None where nothing is known of it."""
    before = look.history_of(look.gone[0]) if look.gone else None
    if before is None:
        return None
    stage = places.maker(artifacts.KINDS[before.kind], places.place_of(before), before)
    return shlex.join([*stage.command.split(), *stage.options_of(before), *given])


def _collect(looks: Iterable[Look], wanted: dict[Path, Look]) -> None:
    for look in looks:
        if look.path not in wanted and (look.is_stale or look.error):
            wanted[look.path] = look
            _collect(look.because, wanted)


def _commands(look: Look, space: Workspace, given: Sequence[str]) -> list[list[str]]:
    """The words after the stage's command, once or more: how the file was made, of what, and where it lies."""
    own = look.space or space
    parts = look.stage.commands_of(look.header or look.recalled or places.guess(look.kind, look.name))
    where = (given if own is space else own.words()) if look.space else ["-o", str(look.path), *given]
    found = []
    for part in parts:
        words = look.stage.options_of(part) + _only(part, look.space)
        # unreadable files may be anybody's; a shard takes the place of all that were made of what has changed
        words += ["--force"] if look.error or _is_begun_anew(look) or (look.is_shard and look.is_stale) else []
        named = {role: path for role, path in look.elsewhere.items() if role not in options.OF_WEIGHTS}
        if look.stage.placed:
            words, named = [str(named.get(word, word)) for word in words], {}
        if len(parts) > 1 or named.keys() - {*_OPTIONS, *_FOREIGN}:  # where one table is named, all that count must be
            named |= {role: _own(own, look, part, role) for role in part.inputs if role not in {*named, *_OPTIONS}}
        for role, path in named.items():
            if role in _FOREIGN:
                words = [str(path) if word == _FOREIGN[role] else word for word in words]
            elif len(parts) == 1 or role in part.inputs:
                words += [f"--{role}", str(path)] if role in _OPTIONS else [str(path)]
        found.append([*words, *where])
    return found


def _own(space: Workspace, look: Look, part: Header, role: str) -> Path:
    """Where the run's own file of that role lies."""
    return next(path for name in look.stage.names(part, role) for path in places.paths_of(space, name))


def _only(header: Header, space: Workspace | None) -> list[str]:
    """The machine types that a model or embeddings are of, where the run has packs of others too."""
    roles = [role.rpartition("/") for role in header.inputs if role.startswith("features/")]
    if space is None or not roles or header.kind not in _OF_PACKS:
        return []
    packed = {path.stem for path in (space.features.parent / roles[0][0]).glob("*.npz")}
    machine_types = [name for _, _, name in roles]
    if len(packed) <= len(machine_types):
        return []
    return [word for name in machine_types for word in ("--machine-type", name)]


def _is_begun_anew(look: Look) -> bool:
    """Whether a pool takes no new clips in any more: it is damaged, or of the vectors and scores of another model."""
    if look.stage.name != "append":
        return False
    if look.header is None:
        return look.kind is artifacts.POOL
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
