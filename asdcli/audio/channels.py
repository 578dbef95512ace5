"""Which channel of a clip is meant: one by name or number, the first two as windows, a mean, or a residual."""

from __future__ import annotations

from collections.abc import Sequence

from asdcli.errors import unknown_name
from asdcli.vocabulary import BOTH, MEAN, RESIDUAL


def channel_index(word: str | None, names: Sequence[str] = ()) -> int | str | None:
    """The index of the channel called `0`, `1`, … or as in `names`; None, `both`, `mean` and `residual` stay so.

    Raises:
        UsageError: an unknown word.
    """
    if word is None or word in (BOTH, MEAN, RESIDUAL):
        return word
    if word in names:
        return names.index(word)
    if word.isascii() and word.isdecimal():
        return int(word)
    raise unknown_name("channel", word, [*names, BOTH, MEAN, RESIDUAL, "0", "1"])
