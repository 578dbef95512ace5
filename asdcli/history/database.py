"""The file `history.db`: made, opened, and refused in words where it is damaged, newer, locked or nobody's to write.

One program writes at a time and others wait for it. A writing is whole or not at all: what a killed process left half
done is taken back when the file is opened next (SQLite's rollback journal, a file beside it for as long as that takes).
"""

from __future__ import annotations

import contextlib
import datetime
import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from asdcli.errors import AsdError, BadArtifact, Busy, MissingArtifact
from asdcli.files import in_place_of_file

VERSION = 1
"""Of the tables; a file of a newer one is refused."""
WAIT_S = 5.0
"""How long another program is waited for."""
_APPLICATION = 0x61736468  # "asdh", by which the file is known to be one of asd's
_BUSY = ("database is locked", "database table is locked")
_SHUT = ("readonly", "unable to open", "disk I/O error", "full")

_TABLES = """
CREATE TABLE checks (
    id INTEGER PRIMARY KEY,
    recording TEXT NOT NULL,
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    machine TEXT NOT NULL,
    time TEXT,
    time_from TEXT NOT NULL,
    checked TEXT NOT NULL,
    start_s REAL,
    end_s REAL,
    score REAL,
    threshold REAL,
    times REAL,
    p_value REAL,
    p_value_group REAL,
    verdict TEXT NOT NULL,
    nearest TEXT,
    level_db REAL,
    why TEXT,
    heard TEXT,
    detector TEXT NOT NULL,
    method TEXT NOT NULL,
    asdcli TEXT NOT NULL
);
CREATE UNIQUE INDEX one_check ON checks (digest, detector, method, ifnull(start_s, -1), ifnull(end_s, -1));
CREATE TABLE events (
    check_id INTEGER NOT NULL REFERENCES checks (id),
    start_s REAL NOT NULL,
    end_s REAL NOT NULL,
    score REAL NOT NULL,
    times REAL,
    p_value REAL
);
CREATE INDEX of_check ON events (check_id);
CREATE TABLE confirmed (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL CHECK (answer IN ('normal', 'fault', 'none')),
    at TEXT NOT NULL,
    note TEXT
);
CREATE INDEX of_recording ON confirmed (digest);
"""


def now() -> str:
    """The time of the clock as `in_utc` has it."""
    return in_utc(datetime.datetime.now(datetime.timezone.utc))


def in_utc(time: datetime.datetime) -> str:
    """A time with a zone as a text, in UTC to the microsecond: `2024-10-03T14:05:00.000000Z`."""
    return time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def local(utc: str) -> str:
    """Such a text as one of this computer's time, without a zone: `2024-10-03T16:05:00`."""
    time = datetime.datetime.fromisoformat(utc.replace("Z", "+00:00"))
    return time.astimezone().replace(tzinfo=None).isoformat(timespec="seconds")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The history, to be read as it is at this moment.

    Raises:
        MissingArtifact: there is none. BadArtifact: it is damaged, of a newer version, or something else.
        Busy: another program keeps it longer than is waited for. AsdError: it cannot be read.
    """
    if not path.exists():
        raise _nothing(path)
    with _opened(path) as connection:
        connection.execute("BEGIN")
        if not _is_made(connection, path):
            raise _nothing(path)
        yield connection


@contextlib.contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """The history, to be added to; it is made where there is none. What the block does is kept whole or not at all.

    Raises:
        As `reading`, but for what is missing. AsdError also where it cannot be written.
    """
    with _opened(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        if not _is_made(connection, path):
            for statement in _TABLES.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        yield connection
        connection.execute("COMMIT")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if path.exists() and (sort := in_place_of_file(path)):
        raise BadArtifact(f"{path} is {sort}, not a history", _aside(path))
    try:
        with contextlib.closing(_connected(path)) as connection:  # closed amid a writing, that is taken back
            yield connection
    except sqlite3.Error as error:
        raise _in_words(path, error) from None


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}", timeout=WAIT_S, isolation_level=None, uri=True)


def _is_made(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are there; False of an empty file. Raises BadArtifact for anything else."""
    ((application,),) = connection.execute("PRAGMA application_id")
    ((version,),) = connection.execute("PRAGMA user_version")
    ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
    if not tables:
        return False
    if application != _APPLICATION:
        raise BadArtifact(f"{path} is a database, but no history of asd", _aside(path))
    if version > VERSION:
        raise BadArtifact(
            f"{path} is a history of version {version}, and this asdcli knows versions up to {VERSION}",
            "upgrade asdcli",
        )
    return True


def _in_words(path: Path, error: sqlite3.Error) -> AsdError:
    said = str(error)
    if any(word in said for word in _BUSY):
        return Busy(
            f"{path} is kept by another program", f"it was waited for {WAIT_S:g} s: try again when that is done"
        )
    if isinstance(error, sqlite3.OperationalError) and any(word in said for word in _SHUT):
        return AsdError(f"{path} cannot be opened or written: {said}", "see to the permissions and the space there")
    return BadArtifact(f"{path} is damaged: {said}", _aside(path))


def _nothing(path: Path) -> MissingArtifact:
    return MissingArtifact(f"{path.parent} has no history: nothing was checked there", "check first: asd check DIR")


def _aside(path: Path) -> str:
    return f"move it aside, and a new one is begun: {shlex.join(['mv', str(path), f'{path}.damaged'])}"
