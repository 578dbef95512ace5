"""The grammar of spellings: a name, or a class of anybody's, and its parameters.

varmin:k=16,val=test-all            a registered name
mypackage.lof:LOF,k=8               a class, as module:Class; after it `,` and `:` are the same
discriminative:network=tiny,width=8 a part that is chosen brings its own parameters along
discriminative:network.width=8      the same in full: needed where two parts, or a part and the whole, share a name
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from asdcli.errors import UsageError

_CLASS = re.compile(r"\s*([^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*(?=[,:]|$)")


def parse(spelling: str) -> tuple[str, dict[str, str]]:
    """Split a spelling into its name (`varmin`, or `module:Class`) and its raw parameters.

    Raises:
        UsageError: a part is not `key=value`, or a key stands twice.
    """
    name, _, rest = spelling.strip().partition(":")
    name = name.strip()
    if (named := _CLASS.match(rest)) is not None:
        name, rest = f"{name}:{named[1]}", rest[named.end() + 1 :]
    params: dict[str, str] = {}
    for piece in filter(None, (p.strip() for p in rest.split(","))):
        key, equals, value = piece.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not key or not value.strip():
            raise unreadable(piece, spelling)
        if key in params:
            raise UsageError(f"parameter {key!r} stands twice in {spelling!r}")
        params[key] = value.strip()
    return name, params


def unreadable(piece: str, spelling: str) -> UsageError:
    """The error for a piece of a spelling that is no parameter."""
    return UsageError(f"cannot read {piece!r} in {spelling!r}", "write name:key=value,key=value")


def join(name: str, params: Mapping[str, str]) -> str:
    """The spelling of a name and its parameters: `parse(join(n, p)) == (n, p)`."""
    written = ",".join(f"{key}={value}" for key, value in params.items())
    return f"{name}{',' if ':' in name else ':'}{written}" if written else name
