"""Which channel of a clip is meant: one by name or number, the first two as two windows, or the mean of all."""

from __future__ import annotations

from collections.abc import Sequence

from asdcli.errors import unknown_name
from asdcli.vocabulary import BOTH, MEAN


def channel_index(word: str | None, names: Sequence[str] = ()) -> int | str | None:
    """The index of the channel called `0`, `1`, … or as in `names`; None, `both` and `mean` stay what they are.

    Raises:
        UsageError: an unknown word.
    """
    if word is None or word in (BOTH, MEAN):
        return word
    if word in names:
        return names.index(word)
    if word.isascii() and word.isdecimal():
        return int(word)
    raise unknown_name("channel", word, [*names, BOTH, MEAN, "0", "1"])
