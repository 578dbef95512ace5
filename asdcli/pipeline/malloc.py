"""How the program's memory is kept between the steps of a network."""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of malloc.h


def keep_freed_memory() -> None:
    """Tell glibc to keep what is freed for the next step instead of giving it back to the system; elsewhere nothing.

    Networks allocate and free the same large tensors at every step, and each page that comes anew from the system is
    cleared first: on CPUs that took half of the time of embedding with EfficientNet-B0. Holds for the whole process.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or none that can be asked
        return
    mallopt(_M_TRIM_THRESHOLD, -1)  # never
    mallopt(_M_MMAP_MAX, 0)
