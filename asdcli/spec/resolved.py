"""A spelling resolved: which class it names, and values of some of its parameters.

The parameters of a part (a network of a model) stand beside those of the whole: `discriminative:network=tiny,width=8`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asdcli.errors import UsageError
from asdcli.spec.parameters import REQUIRED, Parameter, parameters_of
from asdcli.spec.spelling import join, parse
from asdcli.spec.values import convert, text

if TYPE_CHECKING:
    from asdcli.spec.registry import Registry


@dataclass(frozen=True)
class Resolved:
    """A class by name, and the values of those of its parameters that are not left at their default.

    The value of a part is that part's canonical spelling.
    """

    name: str
    cls: type
    values: dict[str, Any]

    def spelling(self) -> str:
        """The canonical spelling. Raises UsageError where a value cannot be spelled."""
        known = parameters_of(self.cls)
        parts = _parts(known, self.values)
        homes = _homes(known, parts)
        written = {}
        for key, p in known.items():
            if p.part is None:
                value = self.values.get(key, p.default)
                if p.spelled or value != p.default:
                    written[key] = text(value, p.type, what=f"{self.name}:{key}")
                continue
            name, params = parse(p.part.canonical(join(*parts[key])))
            if p.spelled or name != parse(str(p.default))[0]:
                written[key] = name
            shortest = {own: k for k, (owner, own) in reversed(homes.items()) if owner == key}
            written |= {shortest[own]: value for own, value in params.items()}
        return join(self.name, written)


def resolve(registry: Registry, spelling: str, overrides: Mapping[str, Any], *, whole: str | None = None) -> Resolved:
    """What `spelling` names in `registry`, its values converted; `overrides` that are not None win over it.

    Args:
        registry: of what may be named.
        spelling: `name:parameter=value,…`.
        overrides: parameters by name.
        whole: what values are said to be of where one is wrong; by default the name.

    Raises:
        UsageError: unknown name or parameter, or an unusable value. PluginError: see `Registry.load`.
    """
    name, params = registry.parse(spelling)
    given: dict[str, Any] = params | {k: v for k, v in overrides.items() if v is not None}
    cls = registry.load(name)
    known = parameters_of(cls)
    parts = _parts(known, given)
    homes = _homes(known, parts)
    values: dict[str, Any] = {}
    of_parts: dict[str, dict[str, Any]] = {key: {} for key in parts}
    for key, value in given.items():
        if key not in homes:
            takes = ", ".join(k for k in homes if "." not in k) or "none"
            raise UsageError(f"{registry.kind} {name!r} has no parameter {key!r}", f"it takes: {takes}")
        owner, own = homes[key]
        if owner is not None:
            if own in of_parts[owner] or (owner in given and own in parts[owner][1]):
                raise UsageError(f"parameter {own!r} of the {owner} stands twice in {spelling!r}")
            of_parts[owner][own] = value
        elif own not in parts:
            values[own] = convert(value, known[own].type, what=f"{whole or name}:{key}")
    for key in parts:
        part: Any = known[key].part
        values[key] = resolve(part, join(*parts[key]), of_parts[key], whole=whole or name).spelling()
    lacking = [key for key, p in known.items() if p.default is REQUIRED and key not in values]
    if lacking:
        typed, written = parse(spelling)
        example = join(typed, {**written, **dict.fromkeys(lacking, "…")})
        raise UsageError(f"{registry.kind} {typed!r} needs {', '.join(lacking)}", f"write {example}")
    return Resolved(registry.name_of_class(cls) if ":" in name else name, cls, values)


def _parts(known: Mapping[str, Parameter], values: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, str]]]:
    """The name and the raw parameters of each part."""
    return {key: parse(str(values.get(key, p.default))) for key, p in known.items() if p.part is not None}


def _homes(
    known: Mapping[str, Parameter], parts: Mapping[str, tuple[str, dict[str, str]]]
) -> dict[str, tuple[str | None, str]]:
    """Every key that a spelling may hold -> the part that it belongs to (None: the whole) and its name there.

    A part's parameter goes by its own name where nothing else has that name, and always by `part.parameter`.
    """
    of_parts = []
    for key, (name, _) in parts.items():
        registry: Any = known[key].part
        of_parts += [(key, own) for own in registry.parameters(name)]
    owns = [own for _, own in of_parts]
    homes: dict[str, tuple[str | None, str]] = {key: (None, key) for key in known}
    homes |= {own: (key, own) for key, own in of_parts if own not in known and owns.count(own) == 1}
    return homes | {f"{key}.{own}": (key, own) for key, own in of_parts}
