"""Which edition of the catalogue an artifact comes from."""

from __future__ import annotations

from asdcli import catalogue
from asdcli.artifacts import Header
from asdcli.catalogue.edition import Edition


def edition_of(header: Header) -> Edition | None:
    """The edition that the history names, else the one called as the dataset, else None: recordings of no edition.

    Raises:
        UsageError: the history names an edition that the catalogue does not know: guessing its rules would give numbers
            of another edition.
    """
    named = header.recall("edition")
    if named is not None:
        return catalogue.load(str(named))
    return catalogue.load(header.dataset) if header.dataset in catalogue.names() else None
