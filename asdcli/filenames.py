"""Names of files made of words that anybody may choose: of a method's spelling, of a kind of features."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

_STRANGE = re.compile(r"[^A-Za-z0-9._,=+@-]|^\.")
_LONGEST = 180  # bytes; file systems take 255, and suffixes and temporary names come on top


def stem(word: str) -> str:
    """`varmin:k=16` is `varmin.k=16`: no colon, because Windows has none in names.

    What else has a meaning for a file system (slashes, a leading dot) or for a shell is percent-encoded, so that no
    word leaves its folder; a very long one is cut and told apart by a digest.
    """
    safe = _STRANGE.sub(lambda found: "%2E" if found[0] == "." else quote(found[0], safe=""), word.replace(":", "."))
    if len(safe) <= _LONGEST:
        return safe
    return f"{safe[:_LONGEST]}~{hashlib.blake2b(word.encode(), digest_size=8).hexdigest()}"
