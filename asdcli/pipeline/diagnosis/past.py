"""Whether the history of a run can be read: it is no artifact, and nothing else would notice."""

from __future__ import annotations

from collections.abc import Iterator

from asdcli.errors import AsdError, Busy
from asdcli.history.checks import kept
from asdcli.pipeline.diagnosis.finding import Finding, State
from asdcli.pipeline.workspace import Workspace
from asdcli.wording import counted

_AREA = "run"


def look(space: Workspace) -> Iterator[Finding]:
    """One finding for the history of a run; none where nothing was checked there."""
    path = space.history
    if not path.exists():
        return
    try:
        checks = kept(path)
    except Busy as error:
        yield Finding(_AREA, path.name, State.NOTE, error.message)
    except AsdError as error:
        yield Finding(_AREA, path.name, State.PROBLEM, error.message, _command(error.hint or ""))
    else:
        n = len({one.digest for one in checks})
        yield Finding(_AREA, path.name, State.OK, f"{counted(len(checks), 'check')} of {counted(n, 'recording')}")


def _command(hint: str) -> str:
    """What a hint says to type, without what it says of that."""
    return hint.partition(": ")[2] or hint
