"""One attempt at one piece of a sweep's work: alone with it, every error noted in it, none of them passed on."""

from __future__ import annotations

import time
import traceback
from contextlib import ExitStack
from pathlib import Path

from asdcli.errors import AsdError, Busy
from asdcli.progress import Silent
from asdcli.sweep import notes
from asdcli.sweep.notes import CellReport, Mistake, SweepNote
from asdcli.sweep.work import Site, Work
from asdcli.writing.locks import alone

_PAUSE_S = 0.5
_TRACED = 4_000  # characters of a traceback that are kept


class Noting(Silent):
    """Keeps what the steps warn of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def attempt(work: Work, site: Site) -> CellReport:
    """Take the steps of `work`, unless all is there or somebody else is at it; never raises but for signals."""
    run = work.noted_in(site)
    began = time.monotonic()
    heard = Noting()
    before = notes.read(run) if run else None
    note = SweepNote(site.plan, attempts=1 + (before.attempts if before and before.error else 0))

    def begin(step: str) -> None:
        nonlocal note
        note = SweepNote(site.plan, step, attempts=note.attempts)
        _keep(note, run)

    def ended(error: Mistake | None, state: str = "failed") -> CellReport:
        seconds = round(time.monotonic() - began, 2)
        told = tuple(dict.fromkeys(heard.warnings))
        _keep(SweepNote(site.plan, note.step, seconds, note.attempts, error, told), run)
        return CellReport(work.name, state, seconds, error, told)

    try:
        with ExitStack() as stack:
            _enter(stack, run, heard, waits=work.waits)
            if not site.force and work.is_done(site):
                return CellReport(work.name, "current")
            try:
                made = work.take(site, begin, heard)
            except Busy:
                raise
            except Exception as error:  # the one place that keeps a bug from ending the work of a night: it is noted
                return ended(_mistake(error))
            return ended(None, "done" if made else "current")
    except Busy as error:
        return CellReport(work.name, "busy", error=_mistake(error))
    except OSError as error:  # a full disk takes not even the note
        return CellReport(work.name, "failed", round(time.monotonic() - began, 2), _mistake(error))


def note_killed(work: Work, site: Site, why: Mistake) -> None:
    """Note that the process at work on this was ended, as long as nobody else has begun with it."""
    run = work.noted_in(site)
    if run is None:
        return
    before = notes.read(run) or SweepNote(site.plan)
    try:
        with alone(run):
            SweepNote(site.plan, before.step, attempts=before.attempts, error=why).write(run)
    except (Busy, OSError):
        return


def _keep(note: SweepNote, run: Path | None) -> None:
    if run is not None:
        note.write(run)


def _enter(stack: ExitStack, run: Path | None, heard: Noting, *, waits: bool) -> None:
    """Take the run's lock, if it has one; packs that somebody else makes are waited for: nothing goes without."""
    while run is not None:
        try:
            stack.enter_context(alone(run, heard))
            return
        except Busy:
            if not waits:
                raise
            time.sleep(_PAUSE_S)


def _mistake(error: Exception) -> Mistake:
    if isinstance(error, AsdError):
        return Mistake(error.kind, error.message, error.hint)
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return Mistake("system", f"{error.strerror or error}{where}")
    return Mistake("bug", f"{type(error).__name__}: {error}", trace=traceback.format_exc()[-_TRACED:])
