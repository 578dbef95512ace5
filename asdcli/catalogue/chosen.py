"""Editions as people list them: years, spans of years, and names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from asdcli import catalogue
from asdcli.errors import UsageError, unknown_name
from asdcli.spec.numbers import numbers

_YEARS = re.compile(r"\d{4}(-\d{4})?")


def chosen(text: str, others: Iterable[str] = ()) -> list[str]:
    """The editions of `2020-2025`, `2023,2025`, `dcase2023` or a mixture of these, each once, as they stand.

    Args:
        text: years, spans of years (both ends count) and names, with commas between them.
        others: names that mean something too, though the catalogue does not know them.

    Raises:
        UsageError: a year without an edition, a span that ends before it begins, or an unknown name ("did you mean").
    """
    known = catalogue.names()
    of_year: dict[int, list[str]] = {}
    for name in known:
        if (year := catalogue.load(name).year) is not None:
            of_year.setdefault(year, []).append(name)
    found: dict[str, None] = {}
    for part in (part.strip() for part in text.split(",")):
        if not _YEARS.fullmatch(part):
            if part not in {*known, *others}:
                raise unknown_name("edition", part, {*known, *others}, "asd datasets")
            found[part] = None
            continue
        for year in numbers(part, what="editions"):
            if year not in of_year:
                raise UsageError(
                    f"there is no edition of {year}",
                    f"those from {min(of_year)} to {max(of_year)} are known: asd datasets",
                )
            found.update(dict.fromkeys(of_year[year]))
    return list(found)
