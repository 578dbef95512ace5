"""The label columns of every table that people bring: by which names they go, and which words they may hold."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from asdcli.errors import BadData
from asdcli.layouts import words
from asdcli.layouts.names import condition_of
from asdcli.wording import counted, listed

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "machine_type": ("machine_type", "machine"),
    "section": ("section", "id"),
    "subset": ("subset",),
    "split": ("split",),
    "domain": ("domain",),
    "condition": ("condition", "label"),
    "attributes": ("attributes", "attribute_string"),
}
"""What a table may say of a clip -> the column names understood, in any case."""

_WORDS: Mapping[str, Mapping[str, Any]] = {
    "subset": words.SUBSETS,
    "split": words.SPLITS,
    "domain": words.DOMAINS,
    "condition": {**words.CONDITIONS, **words.LABEL_CODES},
}


def columns_of(names: Iterable[str], wanted: Mapping[str, Sequence[str]], file: Path) -> dict[str, str]:
    """What is said -> the table's own name of that column, of `wanted` as `COLUMNS` has it.

    Raises:
        BadData: two columns say the same.
    """
    by_lower = {name.lower().strip(): name for name in names}
    found: dict[str, str] = {}
    for what, aliases in wanted.items():
        present = [by_lower[a] for a in aliases if a in by_lower]
        if len(present) > 1:
            raise BadData(f"{file}: columns {' and '.join(present)} both say {what}", "keep one of them")
        if present:
            found[what] = present[0]
    return found


def values_of(cells: Sequence[Any], what: str, column: str, file: Path) -> list[Any]:
    """The cells of one label column in the field's words, None where empty.

    Text is taken as it is; a section that is a whole number gets two digits, as its folder has them (`0` is `00`).

    Raises:
        BadData: words that are no subset, split, domain or condition; all of them are named in one error.
    """
    if what in _WORDS:
        return _meanings(cells, what, column, file)
    if what == "section":
        return [
            None if (name := text(whole(c))) is None else name.zfill(2) if name.isdecimal() else name for c in cells
        ]
    return [text(c) for c in cells]


def text(value: Any) -> str | None:
    """A cell as text; None for an empty cell or NaN."""
    if value is None or value != value:
        return None
    return str(value).strip() or None


def whole(value: Any) -> Any:
    """A whole number that was made a float or a truth value, as tables with gaps do, as a whole number again."""
    return int(value) if isinstance(value, (bool, float)) and math.isfinite(value) and value == int(value) else value


def _meanings(cells: Sequence[Any], what: str, column: str, file: Path) -> list[Any]:
    table = _WORDS[what]
    spelled = [(text(whole(c)) or "").lower() for c in cells]
    if what == "condition":  # `not ok`, `Unhealthy`, as in names of folders
        table = {**table, **{word: said for word in {*spelled} - {*table} if (said := condition_of(word))}}
    unknown = Counter(word for word in spelled if word and word not in table)
    if unknown:
        told = listed([f"{word!r} ({counted(n, 'row')})" for word, n in unknown.most_common()], most=5)
        close = difflib.get_close_matches(next(iter(unknown)), list(_WORDS[what]), n=1, cutoff=0.5)
        guess = f"did you mean {close[0]!r}? " if close else ""
        first = next(i for i, word in enumerate(spelled, 1) if word in unknown)
        raise BadData(
            f"{file}: column {column!r} holds words that are no {what}: {told}, the first in row {first}",
            f"{guess}known: {', '.join(_WORDS[what])}; an empty cell says unknown",
        )
    return [table.get(word) for word in spelled]
