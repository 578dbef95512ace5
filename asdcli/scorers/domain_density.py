"""`domain-density`: distances divided by a local scale of the reference's own domain (GenRep at DCASE 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.scorers import Fitted, scaled
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.domains import BOTH, by_domain
from asdcli.scorers.local_scale import LocalScale
from asdcli.scorers.terms import Terms
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.spec import always_spelled

_FEWEST = 2  # a clip alone in its domain has no neighbour there


@dataclass(frozen=True)
class DomainDensity:
    """A(x) = min_d min_{y in X_d} D(x, y) / b_d(y), d source and target, b_d(y) the mean of D to K_d others of X_d.

    A zero b_d(y) (duplicate clips) is raised to a thousandth of the median of those above zero in its domain. A clip
    that is alone in its domain counts as of the other one.

    Source: Saengthong and Shinozaki, report of DCASE 2025 Task 2 (GenRep): K_source = 16, K_target = 9, the least over
    the domains. That it is the least over all y of a domain, as in Eq. 3 of Matsumoto et al. 2025, is our reading.

    Attributes:
        k_source: neighbours averaged in b of a source clip.
        k_target: neighbours averaged in b of a target clip.
    """

    k_source: int = always_spelled(16)
    k_target: int = always_spelled(9)

    def __post_init__(self) -> None:
        at_least_one(**{f"domain-density_{name}": getattr(self, name) for name in ("k_source", "k_target")})

    def fit(self, unit: UnitVectors) -> Fitted:
        of, rules = by_domain(unit, _FEWEST)
        learnt: dict[str, Any] = {}
        figures = []
        for name, reference in of.items():
            scale, found = scaled.settled(LocalScale.of(reference, self._k(name)), "ratio")
            learnt |= {name if part == "reference" else f"{name}-{part}": v for part, v in scale.learnt().items()}
            figures.append(found)
            rules += [rule for rule in found["rules"] if rule not in rules]
        sums = {name: sum(one[name] for one in figures) for name in ("n_reference", "n_floored")}
        ks = {f"k_{name}": one["k"] for name, one in zip(of, figures, strict=True)}
        return Fitted(self, learnt, {**sums, **ks, "rules": rules})

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        least: np.ndarray = np.min([scaled.score(one, windows, "ratio") for one in self._scales(learnt)], axis=0)
        return least

    def terms(self, learnt: Mapping[str, Any], windows: Vectors) -> Terms | None:
        """What the score of each window is the minimum of; None where there is a single clip and no b."""
        return Terms.joined([scaled.terms(one, windows, "ratio") for one in self._scales(learnt)])

    def _k(self, domain: str) -> int:
        return self.k_source if domain == "source" else self.k_target

    def _scales(self, learnt: Mapping[str, Any]) -> list[LocalScale]:
        parts = ("b", "limits")
        return [
            LocalScale.from_learnt(
                {"reference": learnt[name], **{part: learnt[f"{name}-{part}"] for part in parts}}, self._k(name)
            )
            for name in BOTH
            if name in learnt
        ]
