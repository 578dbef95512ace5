"""What thresholds promised, held against the labelled test clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asdcli.metrics.decisions import Confusion
from asdcli.metrics.shares import Share
from asdcli.vocabulary import Domain, ScoredAs


@dataclass(frozen=True)
class Promise:
    """The share of normal clips that may lie above a threshold, and how the clips were scored that it was set on."""

    share: float
    scored_as: str | None


@dataclass(frozen=True)
class Held:
    """The promises of one method's thresholds on the test clips of one domain (None: all), its machine types together.

    Attributes:
        false_alarms: of the normal clips, with the share promised.
        hits: of the anomalous clips; None where there are none.
        seen: whether a threshold was set on clips that the model was trained on.
    """

    domain: Domain | None
    false_alarms: Share
    hits: Share | None
    seen: bool

    @property
    def verdict(self) -> str:
        if self.seen:
            return "no promise: set on clips that the model was trained on"
        if not self.false_alarms.far:
            return "kept, as far as these clips tell"
        promised = self.false_alarms.promised or 0.0
        return "broken: more alarms" if self.false_alarms.measured > promised else "fewer alarms than promised"


def held(decisions: Sequence[tuple[Domain | None, Confusion, Promise]]) -> list[Held]:
    """One of each domain that has normal clips; the share promised is the mean over them."""
    found = []
    for domain in dict.fromkeys(domain for domain, _, _ in decisions):
        own = [(counts, promise) for d, counts, promise in decisions if d == domain]
        n_normal, n_anomalous = (sum(getattr(c, n) for c, _ in own) for n in ("n_normal", "n_anomalous"))
        if n_normal:
            promised = sum(promise.share * counts.n_normal for counts, promise in own) / n_normal
            alarms, right = (sum(getattr(c, n) for c, _ in own) for n in ("false_positive", "true_positive"))
            hits = Share(right, n_anomalous, None) if n_anomalous else None
            seen = any(promise.scored_as == ScoredAs.SEEN for _, promise in own)
            found.append(Held(domain, Share(alarms, n_normal, promised), hits, seen))
    return found
