"""A reference set a domain: what methods share that look at source and target by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from asdcli.scorers.reference import Reference
from asdcli.scorers.unit import UnitVectors
from asdcli.vocabulary import Domain

BOTH = tuple(str(domain) for domain in Domain)


def by_domain(unit: UnitVectors, fewest: int = 1) -> tuple[dict[str, Reference], list[str]]:
    """The training windows of each domain, and the rules that fired; a domain without clips is not there.

    Clips of a domain that has fewer than `fewest` count as of the other one: none is left out.
    """
    rules = [*unit.rules, *unit.domain_rules]
    rows = dict(zip(BOTH, (np.flatnonzero(~unit.is_target), np.flatnonzero(unit.is_target)), strict=True))
    small = [name for name in BOTH if 0 < len(np.unique(unit.train.clip[rows[name]])) < fewest]
    for name, other in zip(BOTH, reversed(BOTH), strict=True):
        if not len(rows[name]):
            rules.append(f"no-{name}")
        elif name in small and len(rows[other]):
            rules.append("domain-too-small")
            return {other: unit.reference}, rules
    return {name: Reference(unit.train, own, device=unit.device) for name, own in rows.items() if len(own)}, rules


def references(learnt: Mapping[str, Any]) -> dict[str, Reference]:
    """Those that `by_domain` gave, out of what a method has learnt under the names of domains."""
    return {name: learnt[name] for name in BOTH if name in learnt}
