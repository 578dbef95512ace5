"""Which edition of the catalogue an artifact comes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from asdcli import catalogue
from asdcli.artifacts import Header
from asdcli.catalogue.edition import Edition
from asdcli.metrics.specs import MetricSpec, spec_named, spec_without_edition

STAND_IN = "synthetic machines stand in for recordings: nothing here is shown about any machine or method"
"""What stands beside numbers and figures of rendered data."""
ON_STAND_IN = ", on synthetic machines as a stand-in"
"""The end of a title of numbers of rendered data."""


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


def is_stand_in(header: Header) -> bool:
    """Whether the data was rendered, not recorded."""
    edition = edition_of(header)
    return edition is not None and edition.year is None


class WithDomains(Protocol):
    """Clips of a section: `domain` (n_clips,), empty where it is unknown."""

    @property
    def domain(self) -> np.ndarray: ...


def rule_of(header: Header, sections: Iterable[WithDomains]) -> MetricSpec:
    """The official score of the edition that scores come from, else the rule that fits the labels of `sections`.

    Raises:
        UsageError: as `edition_of`.
    """
    if edition := edition_of(header):
        return spec_named(edition.metric)
    return spec_without_edition(domains=any((one.domain != "").any() for one in sections))
