"""Words of the command line that have changed: the old ones are understood for one more version, with a note."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_SMOOTHING = {"--data-root": "--data", "--metric": "--distance"}
RENAMED = {
    "smooth": _SMOOTHING,
    "tune": {**_SMOOTHING, "--k": "-k"},
    "evaluate": {"--scores": "--submission"},
    "threshold": {"--from": "--thresholds"},
}
"""Command -> its old option -> what it is called now."""

_NEIGHBOURS = ("source", "all")
"""What --data of smooth and tune once took; it is the data root now, as everywhere, and these are --neighbours."""


def todays(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """A command line in today's words, and a sentence for every old word in it."""
    command, *rest = arguments or [""]
    if command not in RENAMED:
        return list(arguments), []
    words, notes = [command], list[str]()
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*words, word, *rest], notes
        option, equals, value = word.partition("=")
        new = RENAMED[command].get(option)
        if option == "--data" and command in ("smooth", "tune"):
            where = value if equals else rest[0] if rest else ""
            new = "--neighbours" if where in _NEIGHBOURS and not Path(where).is_dir() else None
        if new is None:
            words.append(word)
            continue
        words += [new, value] if equals else [new]
        notes.append(f"{option} of asd {command} is called {new} now; the old word goes away in the next version")
    return words, notes
