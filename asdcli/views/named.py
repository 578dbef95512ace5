"""Names of methods where several tables hold the same one: how each is called, and which one a name means."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from asdcli.errors import AsdError, BadData, UsageError, unknown_name
from asdcli.filenames import stem
from asdcli.scorers import SCORERS

if TYPE_CHECKING:
    from asdcli.views.scores import Scored


def told_apart(methods: Sequence[Scored]) -> list[Scored]:
    """Methods of the same name called after their runs or files: `run-a/nn`, `run-b/nn`.

    Raises:
        BadData: one table twice.
    """
    same: dict[str, list[Scored]] = {}
    for one in methods:
        same.setdefault(one.method, []).append(one)
    called = {id(one): name for own in same.values() for one, name in zip(own, _names(own), strict=True)}
    return [replace(one, method=called[id(one)]) for one in methods]


def _names(same: Sequence[Scored]) -> list[str]:
    """As much of the end of each path as tells them apart, before the method's name."""
    if len(same) == 1:
        return [same[0].method]
    paths = [_place(one) for one in same]
    for n in range(1, max(len(p.parts) for p in paths) + 1):
        names = ["/".join((*p.parts[-n:], one.method)) for p, one in zip(paths, same, strict=True)]
        if len(set(names)) == len(names):
            return names
    files = ", ".join(str(one.path) for one in same)
    raise BadData(f"{len(same)} score tables hold method {same[0].method!r}: {files}", "name each of them once")


def _place(one: Scored) -> Path:
    """The run of a table, else its folder; the table itself where it is not called after its method."""
    path = one.path.resolve()
    folder = path.parent.parent if path.parent.name == "scores" else path.parent
    return folder if path.stem == stem(one.spelling) else folder / path.stem


def pair(a: str, b: str, methods: Sequence[Scored]) -> tuple[str, str]:
    """What two methods to compare are called here. One name twice means the two methods of that name.

    Raises:
        UsageError: no such method, several of that name, or one method twice.
    """
    first, second = (_called(name, methods) for name in (a, b))
    if a == b and len(first) == 2:
        return first[0].method, first[1].method
    for name, found in ((a, first), (b, second)):
        if len(found) > 1:
            names = ", ".join(one.method for one in found)
            raise UsageError(f"{len(found)} methods are called {name!r} here", f"name the one that is meant: {names}")
    if first[0] is second[0]:
        others = ", ".join(one.method for one in methods if one is not first[0])
        hint = f"name another one beside it: {others}" if others else "evaluate the scores of two runs, or score more"
        raise UsageError(f"{first[0].method} is compared with itself", hint)
    return first[0].method, second[0].method


def chosen(names: Sequence[str], methods: Sequence[Scored]) -> list[Scored]:
    """The methods of these names, each once, in the order of the names; all that bear a name.

    Raises:
        UsageError: no such method.
    """
    found = [one for name in names for one in _called(name, methods)]
    return list({id(one): one for one in found}.values())


def as_scored(name: str, known: Collection[str]) -> str:
    """What was typed, or the spelling among those `known` that it is short for: `varmin`, `difference`."""
    if name not in known:
        with contextlib.suppress(AsdError):  # scores that were smoothed or brought are no method's own
            spelling = SCORERS.canonical(name)
            return spelling if spelling in known else name
    return name


def _called(name: str, methods: Sequence[Scored]) -> list[Scored]:
    """The method of this name, else all that bear it in their table, or whose table is called so."""
    found = [one for one in methods if name == one.method]
    found = found or [one for one in methods if name in (one.spelling, one.path.stem, str(one.path))]
    if not found:
        spelling = as_scored(name, [one.spelling for one in methods])
        found = [one for one in methods if one.spelling == spelling]
    if not found:
        raise unknown_name("method", name, [one.method for one in methods])
    return found
