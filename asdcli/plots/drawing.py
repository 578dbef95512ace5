"""Figures as files: the same numbers give the same bytes, and the file says how they were made.

matplotlib is an extra of the package (`asdcli[plot]`) and is imported by nothing before a figure is asked for. It is
used without pyplot: no window, no global figure, nobody's settings changed.
"""

from __future__ import annotations

import contextlib
import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asdcli import __version__
from asdcli.errors import AsdError
from asdcli.plots import Format, Numbers, Plot
from asdcli.plots.style import RC
from asdcli.progress import Progress
from asdcli.visible import visible

INSTALL = "install it beside asd: pip install 'asdcli[plot]'"
_GLYPH = re.compile(r"Glyph (\d+) \(.*?\) missing from font")


def require() -> None:
    """Raises AsdError where figures cannot be drawn, because matplotlib is not there or does not work."""
    with _hushed():
        try:
            import matplotlib.figure  # noqa: F401
        except ModuleNotFoundError as error:
            if (error.name or "matplotlib").partition(".")[0] == "matplotlib":
                raise AsdError("figures are drawn by matplotlib, which is not installed", INSTALL) from None
            raise AsdError(f"figures are drawn by matplotlib, which lacks {error.name}", INSTALL) from None
        except ImportError as error:
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise AsdError(f"figures are drawn by matplotlib, which cannot be imported: {why}", INSTALL) from None


def save(plot: Plot, numbers: Numbers, file: Path, format: Format, *, progress: Progress) -> None:
    """Draw `numbers` and write them to `file`, whatever that is called."""
    from matplotlib import style

    with _hushed(), style.context(["default", RC]), _missing_letters(format, progress):
        plot.draw(numbers).savefig(file, format=format, metadata=_metadata(numbers, format))


def _metadata(numbers: Numbers, format: Format) -> dict[str, Any]:
    """Title and signatures, and nothing that changes from day to day or with the version of matplotlib."""
    title, told = visible(numbers.title), "\n".join(visible(line, newlines=False) for line in numbers.signatures)
    program = f"asdcli {__version__}"
    of_format: dict[Format, dict[str, Any]] = {
        "svg": {"Title": title, "Description": told, "Creator": program, "Date": None},
        "png": {"Title": title, "Description": told, "Software": program},
        "pdf": {"Title": title, "Subject": told, "Creator": program, "Producer": program, "CreationDate": None},
    }
    return of_format[format]


@contextlib.contextmanager
def _missing_letters(format: Format, progress: Progress) -> Iterator[None]:
    """Say which letters of names are boxes in the figure; in an SVG they are text, which the viewer's fonts show."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    found = dict.fromkeys(chr(int(code)) for one in caught for code in _GLYPH.findall(str(one.message)))
    if found and format != "svg":
        named = ", ".join(found)
        progress.warn(f"letters that the font of figures has not are drawn as boxes ({named}): --format svg shows them")


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """No talk of matplotlib's about its caches: asd's own words are the only ones on the terminal."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
