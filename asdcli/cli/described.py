"""Tables of what registered classes say of themselves: for `asd methods` and `asd models`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from asdcli.errors import PluginError, UsageError, unknown_name
from asdcli.spec import Described, Registry, describe, parse

if TYPE_CHECKING:
    from asdcli.cli.talk import Talk


def described(registry: Registry, talk: Talk) -> list[Described]:
    """Everything in a registry. What cannot be asked for, or cannot be imported, is said as a warning."""
    found = []
    for plugin in registry.plugins():
        if (sentence := registry.hidden(plugin)) is not None:
            talk.progress.warn(sentence)
    for name in registry.names():
        try:
            found.append(describe(registry, name))
        except PluginError as error:
            talk.progress.warn(error.message)
    return found


def named(registries: Sequence[Registry], spelling: str, what: str) -> list[Described]:
    """What goes by a name in each of some registries; a `module:Class` is described as the first that it can be.

    Raises:
        UsageError: nothing does. PluginError: a plug-in that cannot be imported.
    """
    name, _ = parse(spelling)
    if ":" not in name:
        known = [registry for registry in registries if name in registry.names()]
        if not known:
            raise unknown_name(what, name, {n for registry in registries for n in registry.names()})
        return [describe(registry, name) for registry in known]
    for registry in registries[:-1]:
        with contextlib.suppress(UsageError):
            return [describe(registry, name)]
    return [describe(registries[-1], name)]


def show_list(title: str | None, found: Iterable[Described], extra: dict[str, Callable[[Described], str]]) -> None:
    """A line each; further columns by their heading."""
    from asdcli.cli.tables import Grid

    found = list(found)
    if any(d.package for d in found):
        extra = {**extra, "package": lambda d: d.package or ""}
    grid = Grid(title, ["name", "what it is", *extra], box=None)
    for d in found:
        grid.add(d.name, d.summary, *(of(d) for of in extra.values()))
    grid.show()


def show(d: Described, facts: dict[str, str]) -> None:
    """One in full."""
    from rich.padding import Padding
    from rich.text import Text

    from asdcli.cli.console import stdout
    from asdcli.cli.tables import Grid

    console = stdout()
    console.print(Text.assemble((d.name, "bold"), f"  {d.kind}: {d.summary}"), soft_wrap=False)
    for paragraph in d.text:
        console.print(Padding(Text(paragraph), (1, 0, 0, 2)), soft_wrap=False)
    console.print()
    for label, value in {"source": d.source, "package": d.package, "class": d.path, **facts}.items():
        if value:
            console.print(Padding(Text(f"{label:9} {value}"), (0, 0, 0, 2)), soft_wrap=False)
    console.print()
    if not d.parameters:
        console.print("  no parameters")
        return
    grid = Grid(None, ["parameter", "value", "default", "meaning"], box=None)
    for p in d.parameters:
        default = "" if p.default is None else p.default + (" *" if p.spelled else "")
        grid.add(p.name, ", ".join(p.choices) or p.type, default, p.meaning)
    grid.show(console)
    if any(p.spelled for p in d.parameters):
        console.print("* part of every spelling")
