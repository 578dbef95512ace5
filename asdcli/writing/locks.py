"""One program at a time writes an output, and whoever comes second is told who is at it.

A lock is the file `.<name>.lock` beside the output. It is held by the operating system's `flock`, which a process loses
however it ends, so that a lock never outlives its owner; who that is stands in the file. Nothing waits: what is being
written is refused, and what only reads asks for no lock. Only for a note that many keep (`in_turn`) one waits a moment.

Of filelock's locks none would do: those on `flock` do not say who holds them (and its third version empties the file
that would), those that say so keep what was held by a killed process of another host for ever, and leases need Python
3.11.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from asdcli.errors import Busy
from asdcli.progress import SILENT, Progress
from asdcli.writing.owners import Owner, this_process
from asdcli.writing.whole import short, sweep, sweep_inside

Stage = TypeVar("Stage", bound=Callable[..., Any])

_TRIES = 100  # of opening a lock whose folder goes away again and again
_PATIENCE_S, _PAUSE_S = 60, 0.01
_ELSEWHERE = "write elsewhere with --run, --data or -o"


@contextlib.contextmanager
def alone(outputs: Path | Iterable[Path], progress: Progress = SILENT) -> Iterator[None]:
    """Be the only one to write `outputs` (files or folders) while the block runs.

    What killed processes left of them under temporary names is removed. Where somebody was ended at work on them, or
    where a file system has no locks, that is said, and the work goes on. Where no lock can be written, nor can the
    output: that is left to its writer to say, who may have nothing to do.

    Raises:
        Busy: another process, or another thread of this one, is writing one of them.
    """
    with contextlib.ExitStack() as stack:
        lockless = False
        for output in sorted({outputs} if isinstance(outputs, Path) else set(outputs)):
            held = stack.enter_context(_held(output))
            if held.left:
                progress.note(_of_left(held.left, output))
            if held.lockless and not lockless:
                lockless = True
                progress.warn(
                    f"the file system of {output} has no locks: see to it that no other command writes there meanwhile"
                )
            sweep(output)
            sweep_inside(output)
        yield


@contextlib.contextmanager
def in_turn(note: Path) -> Iterator[None]:
    """Be the only one to read a small file, change it and write it: who is at it is waited for.

    Raises:
        Busy: it takes another process longer than a minute.
    """
    end = time.monotonic() + _PATIENCE_S
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(_held(note))
                break
            except Busy:
                if time.monotonic() > end:
                    raise
                time.sleep(_PAUSE_S)
        yield


def holder(output: Path) -> Owner | None:
    """Who is at work on `output` at this moment, as far as can be told without asking for its lock; None: nobody.

    Of a process of another host nothing more is known than that it has not said that it ended.
    """
    with contextlib.suppress(OSError):
        owner = Owner.of_text(_place(output).read_bytes()[:4096])
        return None if owner is None or owner.has_ended else owner
    return None


def alone_with(outputs: str | Callable[..., Path | Iterable[Path] | None]) -> Callable[[Stage], Stage]:
    """A stage that is `alone` with what it writes, from its first check whether there is anything to do.

    Args:
        outputs: the parameter that says what it writes, or a function of its arguments by name that gives it.
    """

    def decorate(stage: Stage) -> Stage:
        signature = inspect.signature(stage)

        @functools.wraps(stage)
        def run(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            written = given[outputs] if isinstance(outputs, str) else outputs(given)
            if written is None:
                return stage(*args, **kwargs)
            with alone(written, given["progress"]):
                return stage(*args, **kwargs)

        return run  # type: ignore[return-value]

    return decorate


def flock(descriptor: int) -> bool | None:
    """Make an open file this process's own until it is closed; False where another has it, None where none can."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # network drives and devices without locks
        return None
    return True


@dataclass(frozen=True)
class _Held:
    """How a lock was had: who held it before and never gave it back; whether the file system knows no locks."""

    left: Owner | None = None
    lockless: bool = False


@contextlib.contextmanager
def _held(output: Path) -> Iterator[_Held]:
    place = _place(output)
    made = _make_folders(place.parent)
    try:
        descriptor, locked = _lock(place)
        if descriptor is None:
            yield _Held()
            return
        try:
            left = _owner(descriptor)
            if locked is False or (locked is None and left and left.is_here and not left.has_ended):
                raise _busy(output, left)
            with contextlib.suppress(OSError):  # a full disk, a file of another user: the lock holds all the same
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, this_process().to_text(), 0)
            try:
                yield _Held(left, lockless=locked is None)
            finally:
                with contextlib.suppress(OSError):
                    place.unlink()
        finally:
            os.close(descriptor)
    finally:
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _place(output: Path) -> Path:
    return output.with_name(f".{short(output.name)}.lock")


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder with those above it; those that were not there, the outermost first."""
    missing = [f for f in (*reversed(folder.parents), folder) if not f.exists()]
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return missing


def _lock(place: Path) -> tuple[int | None, bool | None]:
    """The open lock and what `flock` said of it; None where it cannot be opened."""
    while (descriptor := _open(place)) is not None:
        locked = flock(descriptor)
        if not locked or _is_at(place, descriptor):
            return descriptor, locked
        os.close(descriptor)  # its owner has just taken it away: once more
    return None, None


def _open(place: Path) -> int | None:
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with contextlib.suppress(OSError):
        for _ in range(_TRIES):
            try:
                return os.open(place, os.O_RDWR | os.O_CREAT | flags, 0o666)
            except FileNotFoundError:  # whoever made the folder too has just taken it away again
                place.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # what another user left can be locked, not written
        return os.open(place, os.O_RDONLY | flags)
    return None


def _is_at(place: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(place.stat(), os.fstat(descriptor))
    except OSError:
        return False


def _owner(descriptor: int) -> Owner | None:
    try:
        return Owner.of_text(os.pread(descriptor, 4096, 0))
    except OSError:  # a pipe in its place, say
        return None


def _busy(output: Path, owner: Owner | None) -> Busy:
    by = str(owner) if owner else "another program"
    end = f", or end it with: kill {owner.pid}" if owner and owner.is_here and owner.pid != os.getpid() else ""
    return Busy(f"{output} is being written by {by}", f"wait until that has ended, {_ELSEWHERE}{end}")


def _of_left(owner: Owner, output: Path) -> str:
    known = "" if owner.is_here else "; if it is still running there, end one of the two"
    return f"{output} was left unfinished by {owner}: going on with what is there{known}"
