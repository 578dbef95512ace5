"""Values of parameters: from text to their type, and back."""

from __future__ import annotations

import enum
import types
import typing
from typing import Any

from asdcli.errors import UsageError, unknown_name

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def convert(value: Any, annotation: Any, *, what: str) -> Any:
    """Turn `value`, text or a value already, into the type that `annotation` asks for.

    Types are int, float, bool, str, Enum, Literal and X | None; anything else takes the value as it is.

    Raises:
        UsageError: it is no such value; the hint lists the choices where there are any.
    """
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        options = [a for a in typing.get_args(annotation) if a is not type(None)]
        if value is None or value == "none":
            return None
        return convert(value, options[0], what=what)
    if known := choices(annotation):
        if str(_plain(value)) not in known:
            raise unknown_name(what, str(_plain(value)), known)
        return known[str(_plain(value))]
    if annotation is bool:
        if str(value).lower() not in _TRUTH:
            raise UsageError(f"{what} must be true or false, got {value!r}")
        return _TRUTH[str(value).lower()]
    return _number(value, annotation, what) if annotation in (int, float) else value


def _number(value: Any, kind: type[int] | type[float], what: str) -> int | float:
    refusal = UsageError(f"{what} must be {'a whole number' if kind is int else 'a number'}, got {value!r}")
    try:
        if "_" in str(value):  # Python's own habit, no number to anybody else
            raise ValueError
        number = kind(value)
    except (ValueError, TypeError, OverflowError):
        raise refusal from None
    if not isinstance(value, str) and number != value:
        raise refusal
    return number


def choices(annotation: Any) -> dict[str, Any]:
    """The words that a value of this type can be, with their values; none for types that are not enumerated."""
    if typing.get_origin(annotation) is typing.Literal:
        return {str(a): a for a in typing.get_args(annotation)}
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return {str(m.value): m for m in annotation}
    return {}


def text(value: Any, annotation: Any, *, what: str) -> str:
    """A value as it stands in a spelling: `convert(text(v, a), a) == v`.

    Raises:
        UsageError: there is no such text (a comma, nothing at all, spaces at the ends, not a number).
    """
    written = _written(value)
    if "," in written or not written or written != written.strip() or convert(written, annotation, what=what) != value:
        raise UsageError(f"{what} cannot be {written!r}: no spelling holds that", "a comma would end the parameter")
    return written


def _written(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(float(value)) if isinstance(value, float) else str(_plain(value))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value
