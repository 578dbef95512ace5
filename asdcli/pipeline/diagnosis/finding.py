"""One thing that was looked at, how it was found, and the command that changes it."""

from __future__ import annotations

from dataclasses import dataclass

from asdcli.vocabulary import Word


class State(Word):
    """`NOTE` is worth knowing (not made yet, not fetched); `PROBLEM` is broken, stale or cannot work."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """`area` is software, machine, data or run; `fix` is a command to type, or None where there is nothing to do."""

    area: str
    name: str
    state: State
    text: str
    fix: str | None = None
