"""The scores of normal training clips on which thresholds and p-values stand: the most telling that there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.views.scores import Scored
from asdcli.vocabulary import Condition, ScoredAs, Split

_RANKS: dict[str | None, int] = {
    ScoredAs.HELD_OUT.value: 0,
    ScoredAs.CROSS_FITTED.value: 0,
    ScoredAs.LEFT_OUT_GROUP.value: 0,
    ScoredAs.CONFIRMED.value: 0,
    ScoredAs.LEFT_OUT_CLIP.value: 1,
    None: 2,
    ScoredAs.SEEN.value: 3,
}
"""What scores tell about new clips, the most first; of scores of which nobody knows how they were made, little."""
_SEEN = _RANKS[ScoredAs.SEEN.value]
SEEN_ALL = "the model was trained on all normal clips, whose scores promise nothing of new ones"
HOLD_OUT = "hold some out: asd train --hold-out 0.1 && asd embed && asd score"
"""What is wrong where every score is `seen`, and what to do about it."""


@dataclass(frozen=True)
class Calibration:
    """Normal training clips of one machine type.

    Attributes:
        scores: (n,) of clips.
        group: (n,) number of the group of each, from 0 without gaps; a clip of no known group is one by itself.
        domain: (n,) domain of each, None where it is not known.
        scored_as: what the least telling of the scores tells, None where nobody knows.
        clip_id: (n,) of each.
    """

    scores: npt.NDArray[np.float64]
    group: npt.NDArray[np.int64]
    domain: npt.NDArray[np.object_]
    scored_as: str | None
    clip_id: npt.NDArray[np.object_]

    @property
    def n_groups(self) -> int:
        return int(self.group.max(initial=-1)) + 1

    @property
    def is_seen(self) -> bool:
        """Whether the model was trained on some of the clips: then no rate can be promised of new ones."""
        return self.scored_as == ScoredAs.SEEN

    @property
    def by_group(self) -> bool:
        """Whether the scores tell about clips of another group than those that there are."""
        return _RANKS[self.scored_as] == 0

    def of_domain(self, domain: str | None) -> Calibration:
        """The clips of one domain; all where it is not known, or there are none of it."""
        own = self.domain == domain
        if domain is None or not own.any():
            return self
        group = np.unique(self.group[own], return_inverse=True)[1]
        return replace(
            self,
            scores=self.scores[own],
            group=group.astype(np.int64),
            domain=self.domain[own],
            clip_id=self.clip_id[own],
        )


def least_telling(ways: Iterable[str | None]) -> str | None:
    """Of how clips were scored, what tells least about new ones; None where nobody knows.

    Clips that an operator called normal only join others: how those were scored goes first.
    """
    return max(ways, key=lambda how: (_RANKS[how], how != ScoredAs.CONFIRMED.value))


def calibrations(method: Scored, *, everything: bool = False) -> Iterator[tuple[str, Calibration]]:
    """Machine types with their normal training clips: those with the most telling scores, or all of them.

    Clips that an operator called normal join them, whatever the others tell.
    """
    train = method.table.filter(pc.is_in(method.table["split"], pa.array([str(Split.TRAIN), str(Split.ANSWERED)])))
    train = train.filter(pc.not_equal(pc.fill_null(train["condition"], ""), str(Condition.ANOMALY)))
    names = ("machine_type", "group", "domain", "scored_as", "clip_id")
    machine_type, group, domain, scored_as, clip_id = (np.array(train[name].to_pylist(), object) for name in names)
    scores, rank = train["anomaly_score"].to_numpy(), np.array([_RANKS[how] for how in scored_as], np.int64)
    confirmed = scored_as == ScoredAs.CONFIRMED.value
    for name in sorted(set(machine_type)):
        own = machine_type == name
        if not everything:
            best = rank[own & ~confirmed].min(initial=_SEEN)
            if best == _SEEN and (own & confirmed).any():
                own &= confirmed
            else:
                own &= confirmed | (rank == best)
        alone = [f"\0{i}" if g is None else g for i, g in enumerate(group[own])]
        numbers = np.unique(np.array(alone, np.str_), return_inverse=True)[1]
        least = least_telling(scored_as[own])
        yield str(name), Calibration(scores[own], numbers.astype(np.int64), domain[own], least, clip_id[own])
