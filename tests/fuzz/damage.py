"""What happens to bytes: a bit flips, the end is lost, pages are zeroed or repeated, something comes in between."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol


class Damage(Protocol):
    """Makes other bytes of a file's bytes. Places are shares of the length, in [0, 1)."""

    def __call__(self, content: bytes) -> bytes: ...


@dataclass(frozen=True)
class Flip:
    place: float
    bit: int

    def __call__(self, content: bytes) -> bytes:
        at = int(self.place * len(content))
        return content[:at] + bytes(b ^ (1 << self.bit) for b in content[at : at + 1]) + content[at + 1 :]


@dataclass(frozen=True)
class Cut:
    place: float

    def __call__(self, content: bytes) -> bytes:
        return content[: int(self.place * len(content))]


@dataclass(frozen=True)
class Zeroed:
    place: float
    length: int

    def __call__(self, content: bytes) -> bytes:
        at = int(self.place * len(content))
        return content[:at] + bytes(len(content[at : at + self.length])) + content[at + self.length :]


@dataclass(frozen=True)
class Spliced:
    """A piece of the file stands once more, over another."""

    source: float
    place: float
    length: int

    def __call__(self, content: bytes) -> bytes:
        a, b = (int(x * len(content)) for x in (self.source, self.place))
        piece = content[a : a + self.length]
        return content[:b] + piece + content[b + len(piece) :]


@dataclass(frozen=True)
class Inserted:
    place: float
    piece: bytes

    def __call__(self, content: bytes) -> bytes:
        at = int(self.place * len(content))
        return content[:at] + self.piece + content[at:]


_PIECES = (b"\0", b"\xff", b"\n", b"{", b"\xe9", b"9" * 400, b"\x1b[31m", b"inf", b"-")


def drawn(rng: random.Random) -> Damage:
    """Any of them. Half of the places lie near the ends, where headers and footers are."""
    place = rng.random() if rng.random() < 0.5 else min(abs(rng.choice((0.0, 0.999)) - rng.random() ** 6), 0.999)
    length = rng.choice((1, 4, 16, 512, 4096))
    kinds = (
        lambda: Flip(place, rng.randrange(8)),
        lambda: Flip(place, rng.randrange(8)),
        lambda: Cut(place),
        lambda: Zeroed(place, length),
        lambda: Spliced(rng.random(), place, length),
        lambda: Inserted(place, rng.choice(_PIECES)),
    )
    return rng.choice(kinds)()
