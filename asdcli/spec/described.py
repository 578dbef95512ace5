"""What a registered class says of itself: its parameters from its fields, their meanings from its docstring."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asdcli.spec.docstrings import Docstring
from asdcli.spec.parameters import REQUIRED, Parameter, parameters_of
from asdcli.spec.registry import Registry
from asdcli.spec.spelling import parse
from asdcli.spec.values import choices, text

_TYPES = {int: "whole number", float: "number", bool: "true or false", str: "text"}


@dataclass(frozen=True)
class DescribedParameter:
    """One parameter in words.

    Attributes:
        type: what its value is, such as `whole number`.
        choices: the words that it can be; empty where any will do.
        default: as it is spelled; None where one has to be given.
        meaning: from the docstring; empty where that says nothing.
        spelled: whether it is part of every spelling.
    """

    name: str
    type: str
    choices: tuple[str, ...]
    default: str | None
    meaning: str
    spelled: bool


@dataclass(frozen=True)
class Described:
    """A registered class in words.

    Attributes:
        kind, name: of which registry, and under which name.
        path: `module:Class`.
        package: whose it is and its version; None for what is built in.
        summary: one sentence.
        text: further paragraphs.
        source: the paper, code or text that it follows; None where none is named.
        parameters: its own, in their order.
        parts: what those of its parameters are by default that bring their own along; not those of other packages.
    """

    kind: str
    name: str
    path: str
    package: str | None
    summary: str
    text: tuple[str, ...]
    source: str | None
    parameters: tuple[DescribedParameter, ...]
    parts: tuple[Described, ...]


def describe(registry: Registry, name: str, given: Mapping[str, str] | None = None) -> Described:
    """The class called `name`, or the one that a spelling names; `given` are told as defaults where it takes them.

    Errors as `Registry.load`.
    """
    typed, _ = parse(name)
    name, meant = registry.parse(typed)
    meant = {**(given or {}), **meant}
    cls = registry.load(name)
    own = Docstring.of(None if (cls.__doc__ or "").startswith(f"{cls.__name__}(") else cls.__doc__)  # dataclass's own
    init = Docstring.of(cls.__init__.__doc__)  # type: ignore[misc]
    module = Docstring.of(sys.modules[cls.__module__].__doc__)
    paragraphs = own.paragraphs or ("",)
    heading = module.paragraphs[0] if module.paragraphs else ""
    if heading.startswith(f"`{name}`: "):
        summary, told = heading.removeprefix(f"`{name}`: "), paragraphs
    else:
        summary, told = paragraphs[0], paragraphs[1:]
    if typed in registry.short:
        name, summary, told = typed, f"short for {registry.short[typed]}.", (summary, *told)
    known = parameters_of(cls)
    return Described(
        kind=registry.kind,
        name=name,
        path=f"{cls.__module__}:{cls.__qualname__}",
        package=registry.package_of(name),
        summary=summary,
        text=tuple(told),
        source=own.source or module.source,
        parameters=tuple(
            _parameter(p, {**init.meanings, **own.meanings}.get(p.name, ""), meant.get(p.name)) for p in known.values()
        ),
        parts=tuple(
            describe(p.part, str(meant.get(p.name, p.default)), meant)
            for p in known.values()
            if p.part is not None and p.part.entries
        ),
    )


def _parameter(p: Parameter, meaning: str, meant: str | None = None) -> DescribedParameter:
    default = meant or (None if p.default is REQUIRED else text(p.default, p.type, what=p.name))
    return DescribedParameter(p.name, _type(p), tuple(_choices(p.type)), default, meaning, p.spelled)


def _type(p: Parameter) -> str:
    if p.part is not None:
        return p.part.kind
    inner, none = _optional(p.type)
    words = "one of" if choices(inner) else _TYPES.get(inner, getattr(inner, "__name__", str(inner)))
    return f"{words} or none" if none and not choices(inner) else words


def _choices(annotation: Any) -> list[str]:
    inner, none = _optional(annotation)
    return [*choices(inner), *(["none"] if none and choices(inner) else [])]


def _optional(annotation: Any) -> tuple[Any, bool]:
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation, False
    inner = [a for a in typing.get_args(annotation) if a is not type(None)]
    return inner[0], len(inner) < len(typing.get_args(annotation))
