"""The catalogue of editions: one TOML file each, read when asked for."""

from __future__ import annotations

import sys
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from asdcli.errors import BadData, unknown_name

if TYPE_CHECKING:
    from asdcli.catalogue.edition import Edition


def names() -> list[str]:
    """The names of all editions, in alphabetical order (which is that of the years)."""
    files = resources.files(__name__).iterdir()
    return sorted(f.name[: -len(".toml")] for f in files if f.name.endswith(".toml"))


@cache
def load(name: str) -> Edition:
    """The edition called `name`.

    Raises:
        UsageError: there is none of that name ("did you mean").
        BadData: its TOML is not as it should be.
    """
    from pydantic import ValidationError

    from asdcli.catalogue.edition import Edition

    if name not in names():
        raise unknown_name("edition", name, names())
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    try:
        return Edition(name=name, **_toml(text))
    except ValidationError as error:
        raise BadData(f"catalogue/{name}.toml: {error}") from None


def _toml(text: str) -> dict:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)
