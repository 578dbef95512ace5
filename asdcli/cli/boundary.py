"""The one place where exceptions become words on stderr and exit codes.

0 done (or nothing to do), 1 a named error, 2 wrong usage, 3 finished but clips were skipped, 130 interrupted,
143 terminated. Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

from asdcli.errors import AsdError, UsageError
from asdcli.pipeline import process

_OS_HINTS = {
    errno.ENOSPC: "free some space and run the same command again: what was finished is kept",
    errno.EDQUOT: "free some space and run the same command again: what was finished is kept",
    errno.EACCES: "check the permissions, or choose another place with --run, --data or -o",
    errno.EPERM: "check the permissions, or choose another place with --run, --data or -o",
    errno.EROFS: "the file system is read-only: choose another place with --run, --data or -o",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.EISDIR: "a folder stands where a file is needed",
}


def guarded(command: Callable[[], int | None]) -> int:
    """Run `command`, turn what it raises into words on stderr, and return the exit code."""
    process.settle()
    try:
        return command() or 0
    except AsdError as error:
        _say(error.message, error.hint)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        _say("interrupted", "run the same command again to go on from here")
        return 130
    except process.Terminated:
        _say("terminated", "run the same command again to go on from here")
        return 143
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        _say(f"{error.strerror or error}{where}", _OS_HINTS.get(error.errno or 0))
        return 1
    except (MemoryError, RuntimeError) as error:
        if not _is_want_of_memory(error):
            raise
        _say("out of memory", "take fewer machine types at a time (--machine-type) or a smaller --batch-size")
        return 1


def _is_want_of_memory(error: Exception) -> bool:
    """torch has an OutOfMemoryError for devices, and a plain RuntimeError for the CPU."""
    return isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__ or "allocate memory" in str(error)


def _say(message: str, hint: str | None) -> None:
    from asdcli.cli.console import say, stderr

    console = stderr()
    say(console, message, label="error", style="bold red")
    if hint:
        say(console, hint, label="hint", style="cyan")
