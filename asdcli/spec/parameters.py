"""The parameters of a class: the fields of a dataclass, or what the initialiser of any other class takes by keyword."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asdcli.spec.registry import Registry

REQUIRED: Any = dataclasses.MISSING
"""The default of a parameter that has none."""

ALWAYS_SPELLED = "always spelled"
"""Marks a keyword parameter, `Annotated[str, ALWAYS_SPELLED]`, that is part of every spelling."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a class.

    Attributes:
        type: its annotation.
        default: `REQUIRED` where there is none.
        spelled: whether it appears in every spelling, even at its default.
        part: the registry that its value is a spelling of; that value's own parameters are then parameters too.
    """

    name: str
    type: Any
    default: Any
    spelled: bool = False
    part: Registry | None = None


def always_spelled(default: Any) -> Any:
    """A dataclass field that is part of every spelling, even at its default."""
    return dataclasses.field(default=default, metadata={"spelled": True})


def part(registry: Registry, default: str, *, spelled: bool = False) -> Any:
    """A dataclass field whose value is a spelling of another registry: a network of a model, for instance.

    Args:
        registry: of what it may be.
        default: its spelling.
        spelled: whether its name is part of every spelling, even at its default.
    """
    return dataclasses.field(default=default, metadata={"part": registry, "spelled": spelled})


def parameters_of(cls: type) -> dict[str, Parameter]:
    """The parameters of a class by name.

    Of a dataclass its fields. Of any other class, such as a torch module, the keyword-only parameters of its
    initialiser: the positional ones are given by whoever builds it.
    """
    return _fields(cls) if dataclasses.is_dataclass(cls) else _keywords(cls)


def _fields(cls: Any) -> dict[str, Parameter]:
    hints = _hints(cls)
    found = {}
    for f in dataclasses.fields(cls):
        if f.init:
            default = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
            spelled, registry = bool(f.metadata.get("spelled")), f.metadata.get("part")
            found[f.name] = Parameter(f.name, hints.get(f.name, type(default)), default, spelled, registry)
    return found


def _keywords(cls: type) -> dict[str, Parameter]:
    hints = _hints(cls.__init__)  # type: ignore[misc]
    found = {}
    for p in inspect.signature(cls).parameters.values():
        if p.kind is inspect.Parameter.KEYWORD_ONLY:
            default = REQUIRED if p.default is inspect.Parameter.empty else p.default
            hint = hints.get(p.name, type(default))
            spelled = ALWAYS_SPELLED in getattr(hint, "__metadata__", ())
            found[p.name] = Parameter(p.name, typing.get_args(hint)[0] if spelled else hint, default, spelled)
    return found


def _hints(what: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(what, include_extras=True)
    except (NameError, TypeError):  # somebody's annotation that means nothing at run time: the default tells the type
        return {}
