"""Registries: names -> classes, imported on demand, open to other packages.

A method is a frozen dataclass whose fields are its parameters. `build` turns a spelling into an object and `spell`
turns the object back into its spelling. Parameters marked with `always_spelled()` appear in every spelling; the others
only where they differ from the default.
"""

from __future__ import annotations

import dataclasses
import importlib
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from asdcli.errors import PluginError, UsageError, unknown_name
from asdcli.spec import plugins
from asdcli.spec.parameters import Parameter, parameters_of
from asdcli.spec.plugins import Plugin
from asdcli.spec.resolved import Resolved, resolve
from asdcli.spec.spelling import parse, unreadable


class Registry:
    """The methods of one kind.

    A name is looked up first in `entries`, a visible dict `name -> "module:Class"`; then it is taken as a class of
    anybody's, where it is spelled `module:Class`; then among the entry points of other packages. Before that, what is
    `short` for a longer spelling is taken for that one.

    Args:
        kind: what its entries are called in messages.
        entries: what is built in.
        group: the entry points of other packages that belong here; none are looked for without it.
        needs: attributes that a class of another package must have to be of this kind.
        short: name -> the spelling that it is short for; parameters that are typed after it win over those in there.
        leading: name -> the parameter whose value may stand first without its name, as in `pyod:IForest`.
    """

    def __init__(
        self,
        kind: str,
        entries: Mapping[str, str],
        *,
        group: str | None = None,
        needs: Sequence[str] = (),
        short: Mapping[str, str] | None = None,
        leading: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.entries = dict(entries)
        self.group = group
        self.needs = tuple(needs)
        self.short = dict(short or {})
        self.leading = dict(leading or {})

    def names(self) -> list[str]:
        """The built-in names, what is short for some, then those of plug-ins that can be asked for by name."""
        return [*self.entries, *self.short, *(p.name for p in self.plugins() if self.hidden(p) is None)]

    def plugins(self) -> tuple[Plugin, ...]:
        """All that other packages offer, also what another name hides."""
        return plugins.offered(self.group) if self.group else ()

    def hidden(self, plugin: Plugin) -> str | None:
        """What takes a plug-in's name away, in words; None where nothing does."""
        if plugin.name in self.entries or plugin.name in self.short:
            return f"{plugin.name} of {plugin.package} is hidden by the built-in {plugin.name}: name it {plugin.path}"
        others = [p.package for p in self._named(plugin.name) if p != plugin]
        if others:
            return f"{plugin.name} of {plugin.package} is also one of {', '.join(others)}: name it {plugin.path}"
        return None

    def package_of(self, name: str) -> str | None:
        """Whose a plug-in is, with its version, or the module of a class; None for what is built in."""
        if name in self.entries or name in self.short:
            return None
        if ":" in name:
            return next((p.package for p in self.plugins() if p.path == name), name.partition(".")[0].partition(":")[0])
        return next((p.package for p in self._named(name)), None)

    def parse(self, spelling: str) -> tuple[str, dict[str, str]]:
        """Name and raw parameters of a spelling, as `spelling.parse`; what is short is written out. Errors as there."""
        name, params = parse(spelling)
        head, _, first = name.partition(":")
        if first and head in self.leading:
            if self.leading[head] in params:
                raise UsageError(f"parameter {self.leading[head]!r} stands twice in {spelling!r}")
            return head, {self.leading[head]: first, **params}
        if name in self.short:
            name, meant = parse(self.short[name])
            return name, {**meant, **params}
        return name, params

    def load(self, name: str) -> type:
        """The class of `name`.

        Raises:
            UsageError: an unknown name ("did you mean"), one that several packages offer, or a class of another kind.
            PluginError: a class of another package that cannot be imported.
        """
        if name in self.short:
            name = parse(self.short[name])[0]
        if name in self.entries:
            module, _, attribute = self.entries[name].partition(":")
            return typing.cast(type, getattr(importlib.import_module(module), attribute))
        if ":" in name:
            module, _, attribute = name.partition(":")
            if module in self.entries or self._named(module):
                raise unreadable(attribute, name)
            return self._checked(plugins.load(name, self.kind), name, UsageError)
        found = self._named(name)
        if not found:
            raise unknown_name(self.kind, name, self.names())
        if len(found) > 1:
            raise UsageError(
                f"{self.kind} {name!r} is offered by {' and by '.join(p.package for p in found)}",
                f"name the class: {' or '.join(p.path for p in found)}",
            )
        cls = plugins.load(found[0].path, self.kind, found[0].package)
        return self._checked(cls, f"{name} of {found[0].package}", PluginError)

    def parameters(self, name: str) -> dict[str, Parameter]:
        """The parameters of a method by name."""
        return parameters_of(self.load(name))

    def build(self, spelling: str, *given: Any, **overrides: Any) -> Any:
        """The object of a spelling; `overrides` that are not None win over it.

        Args:
            spelling: `name:parameter=value,…`.
            given: what its initialiser takes by position, from whoever builds it.
            overrides: parameters by name.

        Raises:
            UsageError: unknown method, unknown parameter or unusable value. PluginError: see `load`.
        """
        resolved = resolve(self, spelling, overrides)
        return resolved.cls(*given, **resolved.values)

    def canonical(self, spelling: str) -> str:
        """The one spelling of what `spelling` says; nothing is built. Errors as `build`."""
        return resolve(self, spelling, {}).spelling()

    def name_of(self, method: Any) -> str:
        """The name of an object's class. Errors as `name_of_class`."""
        return self.name_of_class(type(method))

    def name_of_class(self, cls: type) -> str:
        """The name of a class, `module:Class` where it has none here.

        Raises:
            UsageError: the class is not of this kind, or cannot be imported under any name.
        """
        path = f"{cls.__module__}:{cls.__qualname__}"
        for name, entry in self.entries.items():
            if entry == path:
                return name
        for plugin in self.plugins():
            if plugins.loaded(plugin.path) is cls and self.hidden(plugin) is None:
                return plugin.name
        if plugins.loaded(path) is not cls or cls.__module__ == "__main__":
            raise UsageError(
                f"{path} is no {self.kind} that has a name",
                "define its class at the top of a module, or make it an entry point of a package",
            )
        self._checked(cls, path, UsageError)
        return path

    def spell(self, method: Any) -> str:
        """The canonical spelling of an object: `build(spell(m)) == m`. Errors as `name_of`."""
        name, cls = self.name_of(method), type(method)
        if not dataclasses.is_dataclass(cls):
            hint = "write @dataclass(frozen=True) above it"
            raise UsageError(f"{name} is no dataclass: its parameters are unknown", hint)
        return Resolved(name, cls, {key: getattr(method, key) for key in parameters_of(cls)}).spelling()

    def _named(self, name: str) -> list[Plugin]:
        return [p for p in self.plugins() if p.name == name]

    def _checked(self, cls: type, whose: str, error: type[UsageError | PluginError]) -> type:
        lacking = [name for name in self.needs if not hasattr(cls, name)]
        if lacking:
            raise error(
                f"{whose} is no {self.kind}: it has no {', '.join(lacking)}",
                f"a {self.kind} needs: {', '.join(self.needs)}",
            )
        return cls
