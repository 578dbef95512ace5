"""A meta file as text: facts put into their places, everything else - comments, order, other fields - left as it is.

It is never dumped: what its authors filled in and the fields that organisers added would not survive that as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from asdcli.errors import BadData

Facts = Mapping[str, Any]
"""Dotted place in the file (`system.complexity.total_parameters`) -> what asd knows to stand there; None: nothing."""

TODO = "  # to fill in"


@dataclass(frozen=True)
class Filled:
    """The text of a meta file, and the facts that it does not hold, by place: the authors' word was kept."""

    text: str
    kept: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Spot:
    """Where a field stands in the text: its key and its value, and whether that is between braces."""

    key: yaml.Node
    value: yaml.Node
    in_flow: bool


def filled(text: str, facts: Facts, before: Facts) -> Filled:
    """Put what asd knows into a meta file.

    A field is asd's to write where it is !!null, or still says what asd wrote `before`. A fact whose field the file
    does not have is left out: the organisers' template of that year does not ask for it. Of a table with the same rows
    every number is a field of its own.

    Raises:
        BadData: the text is no YAML, not one of fields, or so written that a fact has no place of its own in it.
    """
    root, values = parse(text)
    edits: list[tuple[int, int, str]] = []
    kept: dict[str, Any] = {}
    for place, fact in facts.items():
        spot = _find(root, place.split("."))
        if spot is None:
            continue
        for names, where, of in _differences([place], spot, value_at(values, place), fact, before.get(place, _NEVER)):
            if where is None:
                kept[".".join(names)] = of
            else:
                edits.append(_edit(text, where, of))
                _put(values, [*place.split("."), *names[1:]], of)
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    if edits and not _says(text, values):
        raise BadData("the meta file is written in a way that leaves no room for what asd knows")
    return Filled(text, kept)


_NEVER = object()
"""What asd wrote before into a field that it has not written."""


def _differences(
    names: list[str], spot: _Spot, there: Any, fact: Any, before: Any
) -> Iterator[tuple[list[str], _Spot | None, Any]]:
    """(place, where to write, fact) of the fields that say otherwise; nowhere to write where the authors' word counts.

    A word of theirs is named once asd knows otherwise than when they wrote it.
    """
    if there == fact:
        return
    if isinstance(fact, Mapping) and isinstance(there, dict) and fact.keys() == there.keys():
        of = before if isinstance(before, Mapping) else {}
        for name in fact:
            if inside := _find(spot.value, [name], in_flow=spot.in_flow):
                yield from _differences([*names, name], inside, there[name], fact[name], of.get(name, _NEVER))
    elif there is None or there == before:
        yield names, spot, fact
    elif before != fact:
        yield names, None, fact


def _put(values: dict, names: list[str], fact: Any) -> None:
    for name in names[:-1]:
        values = values[name]
    values[names[-1]] = fact


def _says(text: str, values: dict) -> bool:
    """Whether the text is that of these values: all that was put in is where it belongs, all else as it was."""
    try:
        return bool(parse(text)[1] == values)
    except (BadData, RecursionError):
        return False


def parse(text: str) -> tuple[yaml.Node, Any]:
    """The file as nodes, which know their places in the text, and as values."""
    try:
        root, values = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadData(f"the meta file is no YAML{line}: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadData(f"the meta file is no YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(root, yaml.MappingNode) or not isinstance(values, dict):
        raise BadData("the meta file holds no fields")
    return root, values


def value_at(values: Any, place: str) -> Any:
    """What stands at a dotted place; None also where there is no such field."""
    for name in place.split("."):
        values = values.get(name) if isinstance(values, dict) else None
    return values


def _find(node: yaml.Node, names: list[str], *, in_flow: bool = False) -> _Spot | None:
    """The spot of the field at a place below a node; None where there is no such field."""
    if not isinstance(node, yaml.MappingNode):
        return None
    in_flow = in_flow or bool(node.flow_style)
    for key, value in node.value:
        if key.value == names[0]:
            return _find(value, names[1:], in_flow=in_flow) if names[1:] else _Spot(key, value, in_flow)
    return None


def _edit(text: str, spot: _Spot, fact: Any) -> tuple[int, int, str]:
    """(start, end, text to put there) that makes a value a fact."""
    start = text.index(":", spot.key.end_mark.index) + 1
    end = start + len(text[start : max(start, _end(spot.value))].rstrip())
    if spot.in_flow:
        return start, end, f" {_json(fact)}"
    newline = "\r\n" if "\r\n" in text else "\n"
    if not isinstance(fact, Mapping):
        marked = fact is not None and text.startswith(TODO, end) and _line(text, end) == TODO
        return start, end + (len(TODO) if marked else 0), f" {_scalar(fact)}"
    first = _line(text, start) if isinstance(spot.value, yaml.MappingNode) else _line(text, end)
    comment = first if first.strip().startswith("#") and TODO not in first else ""
    end += 0 if isinstance(spot.value, yaml.MappingNode) else len(first)
    lines = _block(fact, spot.key.start_mark.column + 2)
    return start, end, comment + "".join(f"{newline}{line}" for line in lines)


def _line(text: str, start: int) -> str:
    """What stands from `start` to the end of its line."""
    return text[start:].split("\n", 1)[0].rstrip("\r")


def _end(node: yaml.Node) -> int:
    """Where the text of a value ends; a block's own mark stands behind the blank lines and comments that follow it."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _end(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _end(node.value[-1])
    return int(node.end_mark.index)


def _block(fact: Mapping[str, Any], indent: int) -> Iterator[str]:
    for name, value in fact.items():
        key = f"{' ' * indent}{_json(name)}:"
        if isinstance(value, Mapping):
            yield key
            yield from _block(value, indent + 2)
        else:
            yield f"{key} {_scalar(value)}"


def _scalar(value: Any) -> str:
    return "!!null" if value is None else _json(value)


def _json(value: Any) -> str:
    """A value as JSON, which YAML reads as it is, but for characters that are no text to it."""
    return _NO_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


_NO_TEXT = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
