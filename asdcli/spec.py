"""Spellings of methods (`varmin:k=16,val=test-all`) and the registries that resolve them.

A method is a frozen dataclass whose fields are its parameters. A `Registry` maps names to classes that are imported
only when asked for; `build` turns a spelling into an object and `spell` turns the object back into its spelling.
Parameters marked with `always_spelled()` appear in every spelling; the others only where they differ from the default.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import types
import typing
from collections.abc import Mapping
from typing import Any

from asdcli.errors import UsageError, unknown_name


def always_spelled(default: Any) -> Any:
    """A dataclass field that is part of every spelling, even at its default."""
    return dataclasses.field(default=default, metadata={"spelled": True})


def parse(spelling: str) -> tuple[str, dict[str, str]]:
    """Split `name:key=value,key=value` into its name and its raw parameters.

    Raises:
        UsageError: a part is not `key=value`, or a key stands twice.
    """
    name, _, rest = spelling.strip().partition(":")
    params: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in rest.split(","))):
        key, equals, value = part.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not key or not value.strip():
            raise UsageError(f"cannot read {part!r} in {spelling!r}", "write name:key=value,key=value")
        if key in params:
            raise UsageError(f"parameter {key!r} stands twice in {spelling!r}")
        params[key] = value.strip()
    return name.strip(), params


def convert(value: Any, annotation: Any, *, what: str) -> Any:
    """Turn the text `value` into the type that `annotation` asks for (int, float, bool, str, Enum, Literal, X | None).

    Raises:
        UsageError: the text is no such value; the hint lists the choices where there are any.
    """
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        options = [a for a in typing.get_args(annotation) if a is not type(None)]
        if value is None or value == "none":
            return None
        return convert(value, options[0], what=what)
    if origin is typing.Literal:
        choices = [str(a) for a in typing.get_args(annotation)]
        if str(value) not in choices:
            raise unknown_name(what, str(value), choices)
        return typing.get_args(annotation)[choices.index(str(value))]
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        choices = [str(m.value) for m in annotation]
        if str(value) not in choices:
            raise unknown_name(what, str(value), choices)
        return annotation(str(value))
    if annotation is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if str(value).lower() not in words:
            raise UsageError(f"{what} must be true or false, got {value!r}")
        return words[str(value).lower()]
    if annotation in (int, float):
        try:
            return annotation(value)
        except ValueError:
            kind = "a whole number" if annotation is int else "a number"
            raise UsageError(f"{what} must be {kind}, got {value!r}") from None
    return value


class Registry:
    """The methods of one kind: a visible dict `name -> "module:Class"`, imported on demand."""

    def __init__(self, kind: str, entries: Mapping[str, str]) -> None:
        self.kind = kind
        self.entries = dict(entries)

    def names(self) -> list[str]:
        return list(self.entries)

    def load(self, name: str) -> type:
        """The class called `name`. Raises UsageError ("did you mean") for an unknown name."""
        if name not in self.entries:
            raise unknown_name(self.kind, name, self.entries)
        module, _, attribute = self.entries[name].partition(":")
        return typing.cast(type, getattr(importlib.import_module(module), attribute))

    def parameters(self, name: str) -> dict[str, Any]:
        """Parameter names of a method with their annotations resolved."""
        cls = self.load(name)
        hints = typing.get_type_hints(cls)
        return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init}

    def build(self, spelling: str, **overrides: Any) -> Any:
        """The method object of a spelling; `overrides` that are not None win over it.

        Raises:
            UsageError: unknown method, unknown parameter or unusable value.
        """
        name, params = parse(spelling)
        cls = self.load(name)
        known = self.parameters(name)
        params |= {k: v for k, v in overrides.items() if v is not None}
        for key in params:
            if key not in known:
                takes = ", ".join(known) or "none"
                raise UsageError(f"{self.kind} {name!r} has no parameter {key!r}", f"it takes: {takes}")
        values = {k: convert(v, known[k], what=f"{name}:{k}") for k, v in params.items()}
        return cls(**values)

    def name_of(self, method: Any) -> str:
        """The registered name of a method object."""
        path = f"{type(method).__module__}:{type(method).__qualname__}"
        return next(n for n, p in self.entries.items() if p == path)

    def spell(self, method: Any) -> str:
        """The canonical spelling of a method object: `build(spell(m)) == m`."""
        parts = []
        for f in dataclasses.fields(method):
            value = getattr(method, f.name)
            if f.init and (f.metadata.get("spelled") or value != f.default):
                parts.append(f"{f.name}={_text(value)}")
        name = self.name_of(method)
        return f"{name}:{','.join(parts)}" if parts else name


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, enum.Enum):
        return str(value.value)
    return repr(value) if isinstance(value, float) else str(value)
