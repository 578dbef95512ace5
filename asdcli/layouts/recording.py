"""What is known of one recording before its dataset is made, and what is known of a file that does not enter it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asdcli.vocabulary import Condition, Domain, Split, Subset


@dataclass(frozen=True)
class Recording:
    """One audio file. `path` is POSIX, below the folder of recordings; None where nothing is said.

    `machine_type` is None where all recordings are of one machine that has no name yet.
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


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that does not enter the dataset, and why.

    `is_loss` tells a clip that should have been there (damaged, contradictory) from what is not meant (a text file).
    """

    path: str
    reason: str
    is_loss: bool = False
