"""The checks of recordings: kept once a recording, detector, method and piece of time, and found again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

from asdcli.filenames import natural
from asdcli.history.database import local, reading, writing

_STRENGTH = {"start": 2, "name": 2, "folder": 2, "file": 1}
_DIGEST = 8  # letters of one that are taken for it


@dataclass(frozen=True)
class PastEvent:
    """A stretch of a recording, in seconds from its start, that is suspicious; its highest score as in `PastCheck`."""

    start_s: float
    end_s: float
    score: float
    times: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class PastCheck:
    """What was found of a recording once.

    Attributes:
        recording: the name it went by.
        path: of the file, absolute.
        digest: of the file's bytes.
        machine: it was held against.
        time: when it was made, on the recorder's clock and without a zone: `2024-10-03T14:05:00`, or `2024-10-03` where
            only the day is known; None where nothing tells.
        time_from: what told: `name`, `folder`, `file`, `start`, or `unknown`.
        checked: when, in UTC: `2024-11-20T08:00:00.000000Z`.
        start_s, end_s: of the piece that was judged, in seconds; None: the whole recording.
        score: larger is more suspicious; None where there is none.
        threshold: above it a recording is suspicious.
        times: the score as a multiple of the threshold.
        p_value: share of normal recordings that would score as high.
        p_value_group: the same as if it were of a new day or block of time.
        verdict: `suspicious`, `normal`, `not judged` or `unusable`.
        nearest: the learned recording that it is most like.
        level_db: its level in dB below full scale.
        why: what else was said of it.
        heard: how it sounded beside the nearest learned recordings, where that was asked.
        detector: digest of what had been learned.
        method: of scoring, in its spelling.
        asdcli: version.
        events: stretches of a long recording that are suspicious, in the order of time.
    """

    recording: str
    path: str
    digest: str
    machine: str
    time: str | None
    time_from: str
    checked: str
    start_s: float | None
    end_s: float | None
    score: float | None
    threshold: float | None
    times: float | None
    p_value: float | None
    p_value_group: float | None
    verdict: str
    nearest: str | None
    level_db: float | None
    why: str | None
    heard: str | None
    detector: str
    method: str
    asdcli: str
    events: tuple[PastEvent, ...] = ()

    @property
    def order(self) -> tuple[str, list[tuple[int, str]]]:
        """A key by which recordings stand in the order in which they were made, as far as that is known."""
        return self.time or local(self.checked), natural(self.recording)


_NAMES = [field.name for field in fields(PastCheck) if field.name != "events"]
_OF_EVENTS = [field.name for field in fields(PastEvent)]
_KEEP = (
    f"INSERT INTO checks ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))}) "
    "ON CONFLICT (digest, detector, method, ifnull(start_s, -1), ifnull(end_s, -1)) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _NAMES)
)
_WHICH = (
    "SELECT id FROM checks WHERE digest = ? AND detector = ? AND method = ? "
    "AND ifnull(start_s, -1) = ifnull(?, -1) AND ifnull(end_s, -1) = ifnull(?, -1)"
)
_KEEP_EVENT = f"INSERT INTO events (check_id, {', '.join(_OF_EVENTS)}) VALUES (?{', ?' * len(_OF_EVENTS)})"
_TIMES = "SELECT time, time_from FROM checks WHERE digest = ? ORDER BY checked"


def keep(path: Path, checks: Iterable[PastCheck]) -> None:
    """Add checks to the history at `path`.

    One of the same recording, detector, method and piece of time takes the place of the one before. A time that a
    recording was known to be made at is not given up for one that says less: file times change where files are copied.

    Raises:
        As `database.writing`.
    """
    with writing(path) as connection:
        for check in checks:
            check = _timed(connection, check)
            connection.execute(_KEEP, [_plain(getattr(check, name)) for name in _NAMES])
            key = [check.digest, check.detector, check.method, check.start_s, check.end_s]
            ((number,),) = connection.execute(_WHICH, key)
            connection.execute("DELETE FROM events WHERE check_id = ?", [number])
            connection.executemany(_KEEP_EVENT, [(number, *astuple(event)) for event in check.events])


def kept(path: Path) -> list[PastCheck]:
    """All checks in the history at `path`, the earlier ones first. Raises as `database.reading`."""
    with reading(path) as connection:
        events: dict[int, list[PastEvent]] = {}
        for number, *event in connection.execute(
            f"SELECT check_id, {', '.join(_OF_EVENTS)} FROM events ORDER BY start_s"
        ):
            events.setdefault(number, []).append(PastEvent(*event))
        found = connection.execute(f"SELECT id, {', '.join(_NAMES)} FROM checks ORDER BY checked, id")
        return [replace(PastCheck(*row), events=tuple(events.get(number, ()))) for number, *row in found]


def latest(checks: Sequence[PastCheck]) -> list[PastCheck]:
    """Of each recording (or piece of one) the check that counts, which is the last, in the order they were made in."""
    last = {(one.digest, one.start_s, one.end_s): one for one in sorted(checks, key=lambda one: one.checked)}
    return sorted(last.values(), key=lambda one: (*one.order, one.start_s or 0.0))


def find(path: Path, word: str) -> list[PastCheck]:
    """The recordings that `word` may mean, each with the check that counts; none, one, or several.

    Args:
        path: of the history.
        word: a recording's name, its path or the end of one, or the beginning of the digest of its bytes.

    Raises:
        As `database.reading`.
    """
    word = _text(word)
    whole = _text(str(Path(word).absolute()))
    all_of = latest(kept(path))
    exact = [one for one in all_of if word in (one.recording, one.path, one.digest) or one.path == whole]
    if exact:
        return exact
    end = "/" + word.lstrip("./")
    return [one for one in all_of if one.path.endswith(end) or (len(word) >= _DIGEST and one.digest.startswith(word))]


def _timed(connection: sqlite3.Connection, check: PastCheck) -> PastCheck:
    """The check with the time that the recording is known to be made at by an earlier one, where that says more."""
    strength = _STRENGTH.get(check.time_from, 0)
    if strength == 2:
        return check
    for time, time_from in connection.execute(_TIMES, [check.digest]):
        if _STRENGTH.get(time_from, 0) >= max(strength, 1):
            return replace(check, time=time, time_from=time_from)
    return check


def _plain(value: object) -> object:
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    """A text that every reader takes: bytes of a name that are no UTF-8 are written out."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
