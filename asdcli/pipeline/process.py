"""What whoever starts a process settles once: how it is ended, how its memory is kept, how many threads it has.

A command, a sweep's worker and a server start here; a library that is imported into somebody else's process does not.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of malloc.h
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


class Terminated(BaseException):
    """SIGTERM, raised in the main thread so that temporary files are removed on the way out."""


def settle(*, networks: bool = False, threads: int | None = None) -> None:
    """Make this process one of asdcli's. Holds for the whole process; settling again adds to it.

    Args:
        networks: memory is kept for the next step of a network, and threads that wait sleep; see `_keep_freed_memory`
            and `_wait_asleep`, which is to come before torch.
        threads: threads of BLAS and torch, for one of several processes on a machine; None leaves them as they are.
    """
    _raise_when_terminated()
    if networks:
        _keep_freed_memory()
        _wait_asleep()
    if threads is not None:
        _limit_threads(threads)


def _raise_when_terminated() -> None:
    def terminate(_signal: int, _frame: FrameType | None) -> None:
        raise Terminated

    try:
        signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # not the main thread (a test runner): leave signals alone
        return


def _keep_freed_memory() -> None:
    """Tell glibc to keep what is freed for the next step instead of giving it back to the system; elsewhere nothing.

    Networks allocate and free the same large tensors at every step, and each page that comes anew from the system is
    cleared first: on CPUs that took half of the time of embedding with EfficientNet-B0.
    """
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or none that can be asked
        return
    mallopt(_M_TRIM_THRESHOLD, -1)  # never
    mallopt(_M_MMAP_MAX, 0)


def _wait_asleep() -> None:
    """Threads of OpenMP that wait for one another sleep, unless the user has said how they are to wait.

    By default they spin for milliseconds, on cores that others could use: the very thread that they wait for, where two
    trainings share a machine. Results do not depend on it, as they do on the number of threads.
    """
    if not any(name in os.environ for name in _WAITING):
        os.environ[_WAITING[0]] = "PASSIVE"


def _limit_threads(n: int) -> None:
    """Of libraries that are loaded already, and of those that will be (they read the environment)."""
    os.environ.update(dict.fromkeys(_THREADS, str(n)))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(n)
    if "numpy" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(n)
