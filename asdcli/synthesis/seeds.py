"""One random generator for each named thing, so that nothing depends on the order in which things are made."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(*names: str | int) -> np.random.Generator:
    """A generator that depends on `names` alone (through BLAKE2, not through Python's salted hash)."""
    digest = hashlib.blake2b("\x1f".join(map(str, names)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))
