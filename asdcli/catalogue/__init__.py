"""The catalogue of editions: one TOML file each, read when asked for.

A file's name is the edition's name. Further folders of such files are named by `ASD_EDITIONS`, separated as in PATH: an
edition of one's own needs no change to the package.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from asdcli.errors import BadData, unknown_name
from asdcli.files import require_file

if TYPE_CHECKING:
    from asdcli.catalogue.edition import Edition

VARIABLE = "ASD_EDITIONS"
"""The environment variable that names further folders of editions."""


def names() -> list[str]:
    """The names of all editions, in alphabetical order (which is that of the years).

    Raises:
        BadData: `ASD_EDITIONS` names what is no folder, or an edition that is there already.
    """
    return sorted(_files())


def load(name: str) -> Edition:
    """The edition called `name`.

    Raises:
        UsageError: there is none of that name ("did you mean").
        BadData: its TOML is not as it should be, or as in `names`.
    """
    files = _files()
    if name not in files:
        error = unknown_name("edition", name, files)
        raise type(error)(error.message, f"{error.hint}; {VARIABLE} names folders of further ones")
    return _read(files[name])


def _files() -> dict[str, Path]:
    """Name -> TOML. Two files of one name are refused: a number must not depend on which of them was meant."""
    further = [Path(folder) for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]
    found: dict[str, Path] = {}
    for folder in (Path(__file__).parent, *further):
        if not folder.is_dir():
            raise BadData(f"{VARIABLE}: no folder {folder}", "it names folders that hold an edition's TOML")
        for file in folder.glob("[!.]*.toml"):
            if file.stem in found:
                raise BadData(f"edition {file.stem} stands twice: {found[file.stem]} and {file}", "rename one of them")
            found[file.stem] = file
    return found


@cache
def _read(file: Path) -> Edition:
    from pydantic import ValidationError

    from asdcli.catalogue.edition import Edition

    facts = {"name": file.stem, **read_toml(file)}
    if facts["name"] != file.stem:
        raise BadData(f"{file}: name: its file is called {file.stem}", "rename one of the two")
    try:
        return Edition(**facts)
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors())
        raise BadData(f"{file}: {'; '.join(wrong)}") from None


def read_toml(file: Path) -> dict:
    """What stands in a TOML file. Raises BadData naming it where it cannot be read."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(require_file(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadData(f"{file}: {error}") from None
