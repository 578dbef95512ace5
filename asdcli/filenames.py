"""Names of files made of words that anybody may choose, on any system: of a method's spelling, of a machine type.

And the order in which people expect names.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

_STRANGE = re.compile(r"[^A-Za-z0-9._,=+@-]|^\.|\.$")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)  # Windows keeps these
_FORBIDDEN = '<>:"/\\|?*'
_LONGEST = 180  # bytes; file systems take 255, and suffixes and temporary names come on top


def stem(word: str) -> str:
    """`varmin:k=16` is `varmin.k=16`: no colon, because Windows has none in names.

    What else has a meaning for a file system (slashes, a dot at either end, devices) or for a shell is
    percent-encoded, so that no word leaves its folder; a very long one is cut and told apart by a digest.
    """
    safe = _STRANGE.sub(lambda found: _encoded(found[0]), word.replace(":", "."))
    if _DEVICE.fullmatch(safe):
        safe = _encoded(safe[0]) + safe[1:]
    if len(safe) <= _LONGEST:
        return safe
    return f"{safe[:_LONGEST]}~{hashlib.blake2b(_bytes(word), digest_size=8).hexdigest()}"


def fault(word: str) -> str | None:
    """Why `word` cannot be a file's name as it stands; None if it can.

    Folders of machine types and datasets are called as these are, so their names are refused, not encoded.
    """
    if not word:
        return "it is empty"
    for letter in word:
        if letter in _FORBIDDEN:
            return f"it holds {letter!r}"
        if unicodedata.category(letter).startswith("C"):
            return f"it holds the invisible character U+{ord(letter):04X}"
    if word[0] in ". " or word[-1] in ". ":
        return "it begins or ends with a dot or a blank"
    if _DEVICE.fullmatch(word):
        return "Windows keeps it for a device"
    if len(_bytes(word)) > _LONGEST:
        return f"it is longer than {_LONGEST} bytes"
    return None


def twins(words: Iterable[str]) -> tuple[str, str] | None:
    """Two of `words` that some file systems take for the same name, if there are any: `fan` and `Fan`."""
    seen: dict[str, str] = {}
    for word in words:
        other = seen.setdefault(unicodedata.normalize("NFC", word).casefold(), word)
        if other != word:
            return other, word
    return None


def _encoded(letter: str) -> str:
    code = quote(_bytes(letter), safe="")
    return code if code != letter else f"%{ord(letter):02X}"


def _bytes(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")  # names of files need not be UTF-8


def natural(text: str) -> list[tuple[int, str]]:
    """A key that sorts `clip 2` before `clip 10`."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", text)]
