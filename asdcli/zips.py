"""Reading zips that may be damaged: the standard library raises a dozen kinds of exception for them, none its own."""

from __future__ import annotations

import contextlib
import errno
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

_SIGNS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    IndexError,
    OverflowError,
    RuntimeError,  # encrypted, or a compression that is not there
)


class DamagedZip(ValueError):
    """A file that is no zip, or not a whole one; the text says why."""


@contextlib.contextmanager
def unzipping() -> Iterator[None]:
    """A block that reads a zip. Raises DamagedZip for bytes that are not as they should be."""
    try:
        yield
    except _SIGNS as error:
        raise DamagedZip(str(error) or type(error).__name__) from None
    except OSError as error:
        if error.errno not in (errno.EINVAL, None):
            raise
        raise DamagedZip(str(error) if error.errno is None else "it points outside itself") from None
