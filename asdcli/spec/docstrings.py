"""Reads docstrings as this package writes them: paragraphs, and sections such as `Attributes:` with an entry a name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

_SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields):")
_ENTRY = re.compile(r"    (\w+(?:, \w+)*): (.*)")
_SOURCE = "Source: "


@dataclass(frozen=True)
class Docstring:
    """A docstring taken apart.

    Attributes:
        paragraphs: what stands outside of sections, each on one line.
        source: the paragraph that begins with `Source:`, without that word; None where there is none.
        meanings: of attributes and arguments; several names may share one.
    """

    paragraphs: tuple[str, ...]
    source: str | None
    meanings: Mapping[str, str]

    @classmethod
    def of(cls, text: str | None) -> Docstring:
        """Take `text` apart; None is as good as nothing."""
        paragraphs: list[str] = []
        meanings: dict[str, str] = {}
        for block in re.split(r"\n\s*\n", inspect.cleandoc(text or "")):
            heading, _, rest = block.partition("\n")
            section = _SECTION.fullmatch(heading)
            if section is None:
                paragraphs.append(" ".join(block.split()))
            elif section[1] in ("Args", "Attributes"):
                meanings |= _entries(rest)
        told = [p for p in paragraphs if p and not p.startswith(_SOURCE)]
        source = next((p.removeprefix(_SOURCE) for p in paragraphs if p.startswith(_SOURCE)), None)
        return cls(tuple(told), source, meanings)


def _entries(lines: str) -> dict[str, str]:
    found: dict[str, str] = {}
    names: list[str] = []
    for line in lines.splitlines():
        if (entry := _ENTRY.fullmatch(line)) is not None:
            names = entry[1].split(", ")
            found |= dict.fromkeys(names, entry[2].strip())
        else:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found
