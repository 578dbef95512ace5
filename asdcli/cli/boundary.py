"""The one place where exceptions become words on stderr and exit codes.

0 done (or nothing to do), 1 a named error, 2 wrong usage, 3 finished but clips were skipped, 4 something is suspicious
(`asd check --exit-code`), 130 interrupted, 141 whoever read the output went away, 143 terminated. Any other exception
is a bug and keeps its traceback.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from asdcli import cores
from asdcli.cli.talk import error_object
from asdcli.errors import AsdError, UsageError
from asdcli.pipeline import process

_GO_ON = "run the same command again to go on from here"
_SMALLER = "take fewer machine types at a time (--machine-type) or a smaller --batch-size"
_OS_HINTS = {
    errno.ENOSPC: "free some space and run the same command again: what was finished is kept",
    errno.EDQUOT: "free some space and run the same command again: what was finished is kept",
    errno.EACCES: "check the permissions, or choose another place with --run, --data or -o",
    errno.EPERM: "check the permissions, or choose another place with --run, --data or -o",
    errno.EROFS: "the file system is read-only: choose another place with --run, --data or -o",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.EISDIR: "a folder stands where a file is needed",
}


def guarded(command: Callable[[], int | None], name: str | None = None, *, as_json: bool = False) -> int:
    """Run `command`, turn what it raises into words on stderr, and return the exit code.

    Args:
        command: a whole command; gives its exit code, None for 0.
        name: of the command.
        as_json: print an error as an object on stdout too; its shape is in `cli.talk`.
    """
    process.settle(threads=cores.too_many_threads())
    try:
        code = _in_words(command, name, as_json)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        return code
    except BrokenPipeError:
        return _unheard()
    except SystemExit as ended:  # how rich and typer end where a pipe is broken
        if isinstance(ended.__context__, BrokenPipeError):
            return _unheard()
        raise


def _unheard() -> int:
    """Let nothing more be written to whoever went away, not even when the interpreter ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
    return 141


def _in_words(command: Callable[[], int | None], name: str | None, as_json: bool) -> int:
    try:
        return command() or 0
    except (Exception, KeyboardInterrupt, process.Terminated) as error:
        told = _told(error)
        if told is None:
            raise
    _say(told.message, told.hint)
    if as_json:
        from asdcli.cli.console import emit_json

        emit_json(error_object(name, told.kind, told.message, told.hint, told.exit_code))
    return told.exit_code


@dataclass(frozen=True)
class _Told:
    """An exception in words."""

    kind: str
    message: str
    hint: str | None
    exit_code: int = 1


def _told(error: BaseException) -> _Told | None:
    """What to say about an exception; None about a bug, and about a reader that went away."""
    match error:
        case AsdError():
            return _Told(error.kind, error.message, error.hint, 2 if isinstance(error, UsageError) else 1)
        case KeyboardInterrupt():
            return _Told("interrupted", "interrupted", _GO_ON, 130)
        case process.Terminated():
            return _Told("terminated", "terminated", _GO_ON, 143)
        case BrokenPipeError():
            return None
        case OSError():
            where = f": {error.filename}" if error.filename else ""
            return _Told("system", f"{error.strerror or error}{where}", _OS_HINTS.get(error.errno or 0))
        case MemoryError() | RuntimeError() if _is_want_of_memory(error):
            return _Told("memory", "out of memory", _SMALLER)
    return None


def _is_want_of_memory(error: BaseException) -> bool:
    """torch has an OutOfMemoryError for devices, and a plain RuntimeError for the CPU."""
    return isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__ or "allocate memory" in str(error)


def _say(message: str, hint: str | None) -> None:
    from asdcli.cli.console import say, stderr

    console = stderr()
    say(console, message, label="error", style="bold red")
    if hint:
        say(console, hint, label="hint", style="cyan")
