"""Who is at work on a file: a process of a host, and whether that is known to have ended."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

_LONGEST = 300  # characters of a command line that are worth telling


@dataclass(frozen=True)
class Owner:
    """A process and what it does.

    Attributes:
        host: its name.
        pid: the process there.
        command: as it was typed.
        since: when it began with this file, as ISO 8601 with its time zone.
    """

    host: str
    pid: int
    command: str
    since: str

    @classmethod
    def of_text(cls, text: bytes) -> Owner | None:
        """Of what `to_text` gave; None for anything else."""
        try:
            said = json.loads(text)
            return cls(str(said["host"]), int(said["pid"]), str(said["command"])[:_LONGEST], str(said["since"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def to_text(self) -> bytes:
        return (json.dumps(asdict(self)) + "\n").encode()

    @property
    def is_here(self) -> bool:
        return self.host == platform.node()

    @property
    def has_ended(self) -> bool:
        """Whether its process is known to be gone; of another host nothing is known."""
        return self.is_here and not runs(self.pid)

    def __str__(self) -> str:
        """`asd train --epochs 3 (process 4711 on node7, since 2026-03-01 12:00:00)`."""
        where = "" if self.is_here else f" on {self.host}"
        try:
            since = f"{datetime.fromisoformat(self.since).astimezone():%Y-%m-%d %H:%M:%S}"
        except ValueError:
            since = self.since
        return f"{self.command} (process {self.pid}{where}, since {since})"


def this_process() -> Owner:
    """The process that asks, beginning now."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Owner(platform.node(), os.getpid(), _command(), now)


def host_mark() -> str:
    """A short word for this host, as part of a file name."""
    return hashlib.blake2b(platform.node().encode(), digest_size=3).hexdigest()


def runs(pid: int) -> bool:
    """Whether a process of this host is there; True where that cannot be told."""
    if os.name != "posix" or pid <= 0:
        return True  # elsewhere signal 0 is not a question
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def _command() -> str:
    program, *words = sys.argv or [""]
    name = "asd" if Path(program).parent.name == "asdcli" else Path(program).name or "python"
    return shlex.join([name, *words])[:_LONGEST]
