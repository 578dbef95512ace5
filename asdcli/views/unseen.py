"""Normal training clips that no model has seen: how they are scored as if they were new, and what a score then tells.

A clip and its neighbours of the same session are alike. To score it as a clip of the next session would be, its whole
group is left out of what the scorer is fitted on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from asdcli.scorers.unit import Unseen
from asdcli.scorers.vectors import Vectors
from asdcli.views.embeddings import Embedded
from asdcli.views.timeline import Timeline
from asdcli.views.units import UnitPlan
from asdcli.vocabulary import Condition, ScoredAs, Split

_FITS, _CLIPS = 10, 10_000
"""A scorer is fitted ten times without some of the groups, and of few clips so often that it looks at 10,000 in all:
what a fold takes away makes scores larger than those of new clips. Where there are more groups, several share a fit."""


@dataclass(frozen=True)
class Fold:
    """Groups that are left out together (rows of `Embedded.clips`).

    Attributes:
        out: all training clips of these groups, and those recorded just before and after where their order tells.
        scored: those of the groups that no model has seen.
    """

    out: np.ndarray
    scored: np.ndarray


def folds(embedded: Embedded, plan: UnitPlan) -> list[Fold]:
    """The folds that score the unit's unseen training clips; none where they all belong to one group.

    Clips of which nobody knows whether a model has seen them, or what they belong to, are in none.
    """
    group_of = embedded.column("group")
    group = group_of[plan.train]
    unseen = _unseen(embedded, plan) & np.isin(plan.train, plan.scored)
    sizes = Counter(group)
    wanted = sorted({g for g in group[unseen] if g is not None}, key=lambda g: (-sizes[g], g))
    if len(sizes) < 2 or not wanted:
        return []
    timeline = embedded.timelines.get(plan.machine_type)
    fits = min(max(_FITS, _CLIPS // len(plan.train)), len(wanted))
    bins = by_size(wanted, sizes, fits) if timeline is None else _in_order(wanted, timeline, group_of, fits)
    found = []
    number = {name: i for i, names in enumerate(bins) for name in names}
    fold = np.array([number.get(name, -1) for name in group], np.int64)
    for i in range(len(bins)):
        own = fold == i
        out = own if timeline is None else np.isin(plan.train, timeline.beside(plan.train[own]))
        if not out.all():
            found.append(Fold(plan.train[out], plan.train[own & unseen]))
    return found


def by_size(groups: Sequence[str], sizes: Mapping[str, int], fits: int) -> list[list[str]]:
    """Groups, the largest first, dealt into folds of sizes that are as equal as groups allow."""
    bins: list[list[str]] = [[] for _ in range(fits)]
    weights = np.zeros(len(bins), np.int64)
    for name in groups:
        lightest = int(weights.argmin())
        bins[lightest].append(name)
        weights[lightest] += sizes[name]
    return bins


def _in_order(groups: Sequence[str], timeline: Timeline, of_clips: np.ndarray, fits: int) -> list[list[str]]:
    """Blocks dealt into folds of consecutive ones: what lies beside a fold is left out with it."""
    wanted = {*groups}
    ordered = [name for name in dict.fromkeys(of_clips[timeline.clips]) if name in wanted]
    pieces = np.array_split(np.arange(len(ordered)), min(fits, len(ordered)))
    return [[ordered[i] for i in piece] for piece in pieces]


def left_out(embedded: Embedded, plan: UnitPlan, *, seed: int) -> list[tuple[np.ndarray, Unseen]]:
    """The unit's unseen training windows fold by fold, and the rows of `Embedded.vectors` that they are."""
    found = []
    for fold in folds(embedded, plan):
        without = embedded.without(fold.out)
        rest = replace(plan, train=np.setdiff1d(plan.train, fold.out))
        rows = np.flatnonzero(np.isin(embedded.clip, fold.scored))
        windows = Vectors.of(without.vectors[rows], embedded.clip[rows])
        found.append((rows, Unseen(rest.vectors(without, seed=seed)[0], windows)))
    return found


def cross_fitted(in_folds: Sequence[Embedded], plan: UnitPlan, *, seed: int) -> list[tuple[np.ndarray, Unseen]]:
    """The same of the windows that one of the models has not seen, each in the space of that model."""
    found = []
    for one, fold in _cross_folds(in_folds, plan):
        rest = replace(plan, train=np.setdiff1d(plan.train, fold.out))
        rows = np.flatnonzero(np.isin(one.clip, fold.scored))
        windows = Vectors.of(one.vectors[rows], one.clip[rows])
        found.append((rows, Unseen(rest.vectors(one, seed=seed)[0], windows)))
    return found


def _cross_folds(in_folds: Sequence[Embedded], plan: UnitPlan) -> Iterator[tuple[Embedded, Fold]]:
    """What each model has not seen is left out as a whole: new clips, too, are compared with clips that it has seen."""
    for one in in_folds:
        out = plan.train[_unseen(one, plan)]
        scored = out[np.isin(out, plan.scored)]
        if len(scored) and len(out) < len(plan.train):
            yield one, Fold(out, scored)


def scored_as(embedded: Embedded, plans: Sequence[UnitPlan], in_folds: Sequence[Embedded] = ()) -> np.ndarray:
    """(n_clips,) what the score of each training clip tells, and of each that was confirmed to be normal.

    None of others and where nobody knows.
    """
    found = np.full(len(embedded.clips), None, object)
    answered = embedded.column("split") == str(Split.ANSWERED)
    found[answered & (embedded.column("condition") == str(Condition.NORMAL))] = str(ScoredAs.CONFIRMED)
    seen, machine_type = embedded.column("seen"), embedded.column("machine_type")
    trained = set(machine_type[seen == np.True_])
    for plan in plans:
        clips = plan.train[np.isin(plan.train, plan.scored)]
        unseen = plan.train[_unseen(embedded, plan)]
        found[clips[np.isin(clips, unseen)]] = str(ScoredAs.LEFT_OUT_CLIP)
        found[clips[seen[clips] == np.True_]] = str(ScoredAs.SEEN)
        best = ScoredAs.HELD_OUT if plan.machine_type in trained else ScoredAs.LEFT_OUT_GROUP
        for fold in folds(embedded, plan):
            found[fold.scored] = str(best)
        for _, fold in _cross_folds(in_folds, plan):
            found[fold.scored] = str(ScoredAs.CROSS_FITTED)
    return found


def _unseen(embedded: Embedded, plan: UnitPlan) -> np.ndarray:
    """(n_train,) bool, the training clips that no model has seen."""
    return np.array([seen is False for seen in embedded.column("seen")[plan.train]], bool)
