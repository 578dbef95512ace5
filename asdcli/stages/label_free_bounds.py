"""The bounds of label-free tuning: every method in one table of embeddings against every kind of pseudo-anomaly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli.artifacts import Header
from asdcli.errors import BadData, unknown_name
from asdcli.metrics import roc
from asdcli.metrics.separation import lower_bound
from asdcli.progress import Progress
from asdcli.scorers import Fitted, Scorer, own_unit, scorers_of
from asdcli.scorers.reference import Vectors
from asdcli.scorers.unit import UnitVectors
from asdcli.views.blocks import with_blocks
from asdcli.views.editions import rule_of
from asdcli.views.embeddings import Embedded, read_embeddings
from asdcli.views.fitting import blind
from asdcli.views.fold_embeddings import read_fold_embeddings
from asdcli.views.label_free import ALL, Candidates
from asdcli.views.labelled import judged, objective
from asdcli.views.pseudo import EVERY, OfUnit, StandIns, lacking
from asdcli.views.units import UnitPlan, plan_units
from asdcli.views.unseen import scored_as
from asdcli.views.windows import of_clips, says_of_windows
from asdcli.vocabulary import OfWindows, PseudoAnomaly, ScoredAs, Split, Unit

TEST = "test"
"""What normal clips are where the test clips count as normal, all together."""
_MOST_TELLING: tuple[list[str | None], ...] = (
    [ScoredAs.HELD_OUT.value, ScoredAs.CROSS_FITTED.value, ScoredAs.LEFT_OUT_GROUP.value],
    [ScoredAs.LEFT_OUT_CLIP.value],
    [ScoredAs.SEEN.value, None],
)
_WAY_OUT = "leave its machine type out: --machine-type names those that are looked at"


@dataclass(frozen=True)
class Bound:
    """Of one kind of pseudo-anomaly, machine type and method; of several units or classes the mean.

    Attributes:
        normals: how the normal clips were scored, as `ScoredAs` has it, or `test`; None where nobody knows.
        n_normal, n_pseudo: clips.
        bound, auc: of pseudo-anomalies against normal clips.
    """

    machine_type: str
    pseudo: PseudoAnomaly
    normals: str | None
    n_normal: int
    n_pseudo: int
    bound: float
    auc: float


@dataclass(frozen=True)
class Findings:
    """What was found of one table of embeddings.

    Attributes:
        bounds: method -> those of every machine type and kind.
        official: method -> machine type (`all`) -> official score; empty where no label is known.
    """

    bounds: Mapping[str, list[Bound]]
    official: Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True)
class EmbeddedTable:
    """One table of embeddings, and how it is looked at.

    Attributes:
        embedded, in_folds: the table, and the same by models that were cross-fitted.
        of_windows: what a clip has of its windows' scores.
    """

    embedded: Embedded
    in_folds: Sequence[Embedded]
    candidates: Candidates
    of_windows: OfWindows
    seed: int

    @staticmethod
    def read(path: Path, header: Header, candidates: Candidates, *, folded: bool, seed: int) -> EmbeddedTable:
        """Read it; `folded`: there are embeddings by models that were cross-fitted. Errors as `read_embeddings`."""
        embedded, _ = with_blocks(read_embeddings(path))
        in_folds = read_fold_embeddings(path, embedded) if folded else []
        known = sorted(set(embedded.column("machine_type")))
        for name in candidates.machine_types:
            if name not in known:
                raise unknown_name("machine type", name, known)
        return EmbeddedTable(embedded, in_folds, candidates, says_of_windows(header), seed)

    @property
    def trained(self) -> list[str]:
        """clip_id of the training clips."""
        ids: list[str] = self.embedded.column("clip_id")[self.embedded.column("split") == str(Split.TRAIN)].tolist()
        return ids

    def plans(self, unit: Unit, progress: Progress) -> list[UnitPlan]:
        """The units that are looked at."""
        plans, _, warnings = plan_units(self.embedded, unit)
        for sentence in warnings:
            progress.warn(sentence)
        wanted = self.candidates.machine_types
        return [plan for plan in plans if not wanted or plan.machine_type in wanted]

    def pooled(self, scores: np.ndarray, windows: Vectors) -> np.ndarray:
        """(n_clips,) of the scores of windows."""
        names, clip = np.unique(windows.clip, return_inverse=True)
        return _comparable(of_clips(scores, clip, self.of_windows, len(names)))


def of_table(table: EmbeddedTable, header: Header, truth: Path | None, progress: Progress) -> Findings:
    """The bounds of all methods, and by the labels of test clips, if there are any, their official scores.

    Raises:
        BadData: a unit that has not two normal clips, or no pseudo-anomalies, or none of a kind that was asked for.
        UsageError: no method, or one of residuals.
    """
    embedded = table.embedded
    scorers = scorers_of(table.candidates.methods, "embeddings")
    bounds: dict[str, list[Bound]] = {spelling: [] for spelling in scorers}
    scores = {spelling: np.full(len(embedded.clips), np.nan) for spelling in scorers}
    for unit in dict.fromkeys(own_unit(scorer) for scorer in scorers.values()):
        own = {spelling: scorer for spelling, scorer in scorers.items() if own_unit(scorer) is unit}
        plans = table.plans(unit, progress)
        told = scored_as(embedded, plans, table.in_folds)
        for plan in progress.track(plans, total=len(plans), label="label-free", unit="units"):
            if len(plan.train) < 2:
                raise BadData(f"{plan.name} has one normal training clip: nothing is left to compare it with", _WAY_OUT)
            source = OfUnit.of(embedded, table.in_folds, plan, seed=table.seed)
            looked_at = _Looked(table, plan, *_normal(table, plan, told))
            fits = _fits(table, source, own, looked_at.normals)
            for spelling, fit in fits.items():
                scores[spelling][plan.scored] = fit.of_clip[plan.scored]
            if len(looked_at.normal):
                for spelling, found in looked_at.bounds(source, own, fits).items():
                    bounds[spelling] += found
    official = _official(embedded, header, scores, truth)
    return Findings({spelling: _joined(of) for spelling, of in bounds.items()}, official)


@dataclass(frozen=True)
class _Fit:
    """What a method has learnt of a unit, and (n_clips,) the scores of its clips."""

    fitted: Fitted
    of_clip: np.ndarray


def _fits(table: EmbeddedTable, source: OfUnit, scorers: Mapping[str, Scorer], normals: str | None) -> dict[str, _Fit]:
    """By spelling. Of normal clips that all have been seen, each is scored without the fold that it is of."""
    fitting = source.fitting(source.plan.train)
    if normals not in (TEST, *_MOST_TELLING[0]):
        fitting = replace(fitting, folds=list(_in_folds(source)))
    fitting = fitting if table.candidates.transductive else fitting.without_test()
    found = {}
    for spelling, scorer in scorers.items():
        fitted, windows = fitting.scores(scorer, len(table.embedded.clip))
        found[spelling] = _Fit(fitted, table.embedded.of_clips(windows, table.of_windows))
    return found


def _in_folds(source: OfUnit) -> Iterator[tuple[np.ndarray, UnitVectors, Vectors]]:
    """As `Fitting.folds`, of drawn clips."""
    for fold in source.folds(source.plan.train, "normal"):
        apart = replace(source, embedded=source.embedded.without(fold))
        unit = apart.fitting(np.setdiff1d(source.plan.train, fold)).unit
        yield np.flatnonzero(np.isin(source.embedded.clip, fold)), unit, apart.windows(fold)


def _normal(table: EmbeddedTable, plan: UnitPlan, told: np.ndarray) -> tuple[np.ndarray, str | None]:
    """The clips that count as normal, and how they are scored; none of a unit that scores no training clip.

    Such a unit stands in for that of a section without training clips.
    """
    own = plan.train[np.isin(plan.train, plan.scored)]
    if table.candidates.transductive and len(own):
        return plan.test[table.embedded.column("split")[plan.test] == str(Split.TEST)], TEST
    for ways in _MOST_TELLING:
        normal = own[np.isin(told[own], np.array(ways, object))]
        if len(normal):
            return normal, told[normal[0]]
    return own, None


def _stand_ins(table: EmbeddedTable, source: OfUnit) -> Iterator[StandIns]:
    """What stands for the unit's anomalies, one after the other: each has a reference set of its own to hold."""
    wanted, name, n = table.candidates.pseudo, source.plan.name, 0
    for kind in wanted or EVERY:
        before = n
        for one in source.made(kind):
            n += 1
            sees_test = one.without is None or table.candidates.transductive
            yield one if sees_test else replace(one, without=one.without and blind(one.without))
        if wanted and n == before:
            raise BadData(f"{name}: {lacking(kind)}", f"leave {kind} out of --pseudo")
    if not n:
        raise BadData(f"{name}: nothing stands for anomalies: {lacking(EVERY[0])}", _WAY_OUT)


@dataclass(frozen=True)
class _Looked:
    """A unit with its normal clips (rows of `Embedded.clips`), and how these are scored."""

    table: EmbeddedTable
    plan: UnitPlan
    normal: np.ndarray
    normals: str | None

    def bounds(self, source: OfUnit, scorers: Mapping[str, Scorer], fits: Mapping[str, _Fit]) -> dict[str, list[Bound]]:
        """Method -> what it makes of each part of what stands for the unit's anomalies."""
        seen = self.table.embedded.column("seen")[self.plan.train] == np.True_
        apart = (ScoredAs.SEEN if seen.any() else ScoredAs.LEFT_OUT_CLIP).value
        pairs: dict[str, dict[tuple[PseudoAnomaly, int, str | None], list[tuple[np.ndarray, np.ndarray]]]] = {}
        for one in _stand_ins(self.table, source):
            key = (one.kind, one.part, self.normals if one.without is None else apart)
            for spelling, scorer in scorers.items():
                pairs.setdefault(spelling, {}).setdefault(key, []).append(self._scores(one, scorer, fits[spelling]))
        return {
            spelling: [
                self._bound(kind, normals, *map(np.concatenate, zip(*of, strict=True)), times=len(of))
                for (kind, _, normals), of in parts.items()
            ]
            for spelling, parts in pairs.items()
        }

    def _scores(self, one: StandIns, scorer: Scorer, fit: _Fit) -> tuple[np.ndarray, np.ndarray]:
        """Of normal clips and of pseudo-anomalies, by a method of which `fit` is the fit to the unit."""
        pooled = self.table.pooled
        if one.without is None or one.normal is None:
            return _comparable(fit.of_clip[self.normal]), pooled(fit.fitted.score(one.windows), one.windows)
        fitted = scorer.fit(one.without)
        return pooled(fitted.score(one.normal), one.normal), pooled(fitted.score(one.windows), one.windows)

    def _bound(
        self, kind: PseudoAnomaly, normals: str | None, inside: np.ndarray, outside: np.ndarray, *, times: int
    ) -> Bound:
        """Of scores of normal clips, and of pseudo-anomalies that were scored so many times."""
        if len(inside) < 2 or not len(outside):
            raise BadData(f"{self.plan.name} has fewer than two normal clips that can be scored", _WAY_OUT)
        areas = lower_bound(inside, outside), roc.auc(inside, outside)
        return Bound(self.plan.machine_type, kind, normals, len(inside), len(outside) // times, *areas)


def _comparable(scores: np.ndarray) -> np.ndarray:
    """Without those of clips that there was nothing to compare with. Raises BadData for what is no number."""
    if np.isnan(scores).any():
        raise BadData("the score of a clip is not a number", "check the embeddings for extremes: asd score")
    return scores[np.isfinite(scores)]


def _joined(bounds: Sequence[Bound]) -> list[Bound]:
    """One of each machine type and kind."""
    groups: dict[tuple[str, PseudoAnomaly], list[Bound]] = {}
    for one in bounds:
        groups.setdefault((one.machine_type, one.pseudo), []).append(one)
    return [
        Bound(
            *key,
            of[0].normals,
            sum(one.n_normal for one in of),
            sum(one.n_pseudo for one in of),
            float(np.mean([one.bound for one in of])),
            float(np.mean([one.auc for one in of])),
        )
        for key, of in groups.items()
    ]


def _official(
    embedded: Embedded, header: Header, scores: Mapping[str, np.ndarray], truth: Path | None
) -> dict[str, dict[str, float | None]]:
    """Method -> machine type -> the official score of the edition, or of the rule that fits the labels."""
    test = np.flatnonzero(embedded.column("split") == str(Split.TEST))
    scored = test[np.all([np.isfinite(of[test]) for of in scores.values()], axis=0)]
    try:
        sections = judged(embedded.clips.take(pa.array(scored)), truth)
    except BadData:  # nobody knows the condition of a test clip: there is nothing to hold the order against
        return {}
    spec = rule_of(header, sections)
    machine_types = sorted({one.machine_type for one in sections})
    groups = {name: [s for s in sections if s.machine_type == name] for name in machine_types} | {ALL: sections}
    return {
        spelling: {name: objective(spec, own, of[scored]) for name, own in groups.items()}
        for spelling, of in scores.items()
    }
