"""What can go wrong by the user's hand: one message, one hint, few kinds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

_MOST_LISTED = 40
_NEAREST = 5


class AsdError(Exception):
    """A named error (exit code 1): `message` says what, where and the value; `hint` says what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.answer(hint)

    def answer(self, hint: str | None) -> None:
        """Take this hint in place of the one that was there."""
        self.hint = hint
        self.__notes__ = [f"hint: {hint}"] if hint else []  # Python 3.11: a traceback in a notebook ends with it

    @property
    def kind(self) -> str:
        """The class in lower case, for programs: `missing-artifact`, `usage`; `failed` where there is no better."""
        name = "Failed" if type(self) is AsdError else type(self).__name__.removesuffix("Error")
        return "-".join(re.findall("[A-Z][a-z]+", name)).lower()


class UsageError(AsdError):
    """The command line asks for something that does not exist (exit code 2)."""


class ArtifactError(AsdError):
    """An artifact cannot be taken; `path` is the file or folder, where one alone is meant."""

    def __init__(self, message: str, hint: str | None = None, path: Path | None = None) -> None:
        super().__init__(message, hint)
        self.path = path


class MissingArtifact(ArtifactError):
    """A stage's input file is not there; the hint names the step that makes it."""


class BadArtifact(ArtifactError):
    """A file is there but is not what it should be (wrong kind, newer version, damaged)."""


class StaleArtifact(AsdError):
    """A file was made of others that have changed since; the hint has the commands that mend it."""


class BadData(AsdError):
    """The content of a dataset, an audio file or a table cannot be used."""


class Busy(AsdError):
    """Another program is writing the output at this moment; the message says which, and since when."""


class PluginError(AsdError):
    """A class of another package cannot be used."""


class DownloadError(AsdError):
    """A file could not be fetched or is not the file that was asked for."""


def unknown_name(what: str, name: str, known: Iterable[str], listed_by: str = "") -> UsageError:
    """The error for a name that is in no table, with the nearest known name as a suggestion.

    More names than anybody reads are not listed but for the nearest.

    Args:
        what: it was taken for.
        name: that was typed.
        known: names.
        listed_by: what lists all of them, where they may be that many.
    """
    names = sorted(known)
    lowered = {n.lower(): n for n in names}
    close = difflib.get_close_matches(name.lower(), lowered, n=_NEAREST, cutoff=0.5)
    guess = f"did you mean {lowered[close[0]]!r}? " if close else ""
    listed = ", ".join(names) or "none"
    if len(names) > _MOST_LISTED:
        nearest = [lowered[n] for n in close] or names[:_NEAREST]
        where = f": {listed_by} lists them" if listed_by else ""
        listed = f"{', '.join(nearest)} and {len(names) - len(nearest):,} more{where}"
    return UsageError(f"unknown {what} {name!r}", f"{guess}known: {listed}")
