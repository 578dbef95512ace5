"""What is known of one recording before its dataset is made, and what is known of a file that does not enter it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asdcli.vocabulary import Condition, ConditionFrom, Domain, Split, Subset


@dataclass(frozen=True)
class Doubt:
    """Why a recording may be another than it is taken for: what a name of its path holds and nobody could read.

    Attributes:
        word: of the name, as it stands there.
        name: the whole name.
        says: the condition that it says, or may say; None where only names beside it say one.
    """

    word: str
    name: str
    says: Condition | None

    @property
    def is_grave(self) -> bool:
        return self.says == Condition.ANOMALY


def graver(one: Doubt | None, other: Doubt | None) -> Doubt | None:
    """Of two doubts about a recording the one that matters more."""
    return other if other and (one is None or (other.is_grave and not one.is_grave)) else one


@dataclass(frozen=True)
class Recording:
    """One audio file. `path` is POSIX, below the folder of recordings; None where nothing is said.

    `machine_type` is None where all recordings are of one machine that has no name yet. `condition_from` without a
    condition: there it was said that none is known.
    """

    path: str
    machine_type: str | None = None
    section: str | None = None
    subset: Subset = Subset.DEV
    split: Split | None = None
    domain: Domain | None = None
    condition: Condition | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    attribute_string: str | None = None
    condition_from: ConditionFrom | None = None
    group: str | None = None
    doubt: Doubt | None = None


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that does not enter the dataset, and why.

    `is_loss` tells a clip that should have been there (damaged, contradictory) from what is not meant (a text file).
    """

    path: str
    reason: str
    is_loss: bool = False
