"""Names as they are shown: what a terminal would obey, or show as something else, is written out (`\\x1b`, `\\u202e`).

File names, machine types, methods and cells come from other people. Control characters move the cursor and change
colours and titles, marks of direction turn what follows round, and halves of surrogate pairs (bytes of a name that are
not UTF-8) cannot be written at all. Line ends and whatever letters a name has stay as they are.
"""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"  # without which some scripts are misspelt


def visible(text: str, *, newlines: bool = True) -> str:
    """`text` with what is not to be seen written out; `newlines` stay line ends unless they would break a cell."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or (c == "\n" and newlines) or c in _JOINERS else _written(c) for c in text)


def in_json(text: str) -> str:
    """JSON with the same escaped in its own way, so that it reads as the same values."""
    return text if text.isascii() and "\x7f" not in text else re.sub(r"[^ -~\n]", _in_json, text)


def _in_json(match: re.Match[str]) -> str:
    character = match[0]
    if character.isprintable() or character in _JOINERS:
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _written(character: str) -> str:
    if unicodedata.category(character) == "Zs":  # a wide or unbreakable space is seen
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as Python keeps it in file names
        return f"\\x{code - 0xDC00:02x}"
    short = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
    return short.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
