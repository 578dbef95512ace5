"""What one method says of the clips of one machine: scores, p-values, spread, and what each threshold is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.errors import BadData
from asdcli.metrics.cuts import Cuts, cuts, wrong_side
from asdcli.page.parts import ClipList, Heap, RocPart, SeriesPart
from asdcli.views.calibration import Calibration, calibrations
from asdcli.views.p_values import CLIP, GROUP, p_values_of
from asdcli.views.roc_curves import roc_curves
from asdcli.views.scores import Scored, by_section
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Condition, Domain, Split

Array = npt.NDArray[np.float64]
BINS = 48
_MOST, _FAR = 0.9, 0.5  # of the clips, and how far beyond them bins go


@dataclass(frozen=True)
class ShownMethod:
    """A method on a page.

    Attributes:
        scored: its clips, labelled as they are known today.
        limits: thresholds that were fitted on these scores; None where there are none.
        run: which run it is of, counted from 0.
    """

    scored: Scored
    limits: Thresholds | None
    run: int


@dataclass(frozen=True)
class MeasuredClips:
    """Clips of a machine that a method has scores of.

    Attributes:
        scores: (n,) finite.
        condition, domain: (n,) objects, None where not known.
        p, p_group: (n,), NaN where nothing tells.
        learned: scores of normal clips that tell of new ones.
        threshold, promised: None where there is none.
        unknown: what clips are called of which nobody knows.
    """

    scores: Array
    condition: npt.NDArray[np.object_]
    domain: npt.NDArray[np.object_]
    p: Array
    p_group: Array
    learned: Array
    threshold: float | None
    promised: float | None
    unknown: str = "condition unknown"


def part_of(of: MeasuredClips, at: Sequence[int | None]) -> SeriesPart:
    """The numbers of clips in the order of a list.

    Args:
        of: the clips that have scores.
        at: of each clip of the list which of these it is; None of one without a score.
    """
    edges = _edges(np.concatenate([of.scores, of.learned]), of.threshold)
    return SeriesPart(
        score=_taken(of.scores, at, None),
        p=_taken(of.p, at, 4),
        p_group=_taken(of.p_group, at, 4),
        side=_taken(_side(of.scores, of.condition), at, 4),
        rank=[None if i is None else int((of.scores > of.scores[i]).sum()) + 1 for i in at],
        threshold=of.threshold,
        rule=None,
        promised=of.promised,
        edges=edges,
        heaps=list(_heaps(of, edges)),
        cuts=_plain(_cuts(of.scores, of.condition, of.learned, of.threshold)),
    )


class MethodNumbers:
    """The numbers of one method, machine by machine.

    Args:
        shown: the method.
    """

    def __init__(self, shown: ShownMethod) -> None:
        self.shown = shown
        self.learned = dict(calibrations(shown.scored))
        test = shown.scored.split(Split.TEST).table
        p = p_values_of(shown.scored, test)
        table = test if len(test) else _of_learned(shown.scored, self.learned)
        names = ("clip_id", "machine_type", "condition")
        self.ids, self.machine, self.condition = (np.array(table[name].to_pylist(), object) for name in names)
        self.domain = np.array(table["domain"].to_pylist(), object)
        self.scores = table["anomaly_score"].to_numpy()
        none = np.full(len(table), np.nan)
        self.p, self.p_group = (p[name] if len(test) else none for name in (CLIP, GROUP))
        self.curves = _curves(shown.scored) if len(test) else {}

    def part(self, machine: str, clips: ClipList) -> SeriesPart | None:
        """What it says of these clips of a machine; None where that is nothing."""
        rows = np.flatnonzero(self.machine == machine)
        if not len(rows):
            return None
        place = {name: i for i, name in enumerate(self.ids[rows])}
        limits, scored = self.shown.limits, self.shown.scored
        promise = limits.promise(scored, machine) if limits else None
        measured = MeasuredClips(
            scores=self.scores[rows],
            condition=self.condition[rows],
            domain=self.domain[rows],
            p=self.p[rows],
            p_group=self.p_group[rows],
            learned=self._learned(machine),
            threshold=limits.of(scored, machine) if limits else None,
            promised=promise.share if promise else None,
        )
        rule = limits.rules.get((scored.spelling, machine)) if limits else None
        found = part_of(measured, [place.get(name) for name in clips.name])
        return replace(found, rule=rule, curves=self.curves.get(machine, ()))

    def _learned(self, machine: str) -> Array:
        """The scores of normal clips that tell of new ones; none where they are the clips that are shown."""
        own = self.learned.get(machine)
        if own is None or own.is_seen or not len(self.shown.scored.split(Split.TEST).table):
            return np.empty(0)
        return own.scores


def clips_of(shown: Sequence[MethodNumbers], attributes: Mapping[str, str]) -> dict[str, ClipList]:
    """Machine -> its clips, those that any method has a score of, in the order of their names.

    Args:
        shown: the methods.
        attributes: clip_id -> what its name says besides.
    """
    labels: dict[str, dict[str, tuple[str | None, ...]]] = {}
    for one in shown:
        table = one.shown.scored.table
        table = table.filter(pc.is_in(table["clip_id"], pa.array(list(one.ids), pa.string())))
        columns = (table[name].to_pylist() for name in ("machine_type", "clip_id", "section", "domain", "condition"))
        for machine, name, *rest in zip(*columns, strict=True):
            labels.setdefault(machine, {}).setdefault(name, tuple(rest))
    found = {}
    for machine in sorted(labels):
        names = sorted(labels[machine])
        section, domain, condition = zip(*(labels[machine][name] for name in names), strict=True)
        found[machine] = ClipList(names, section, domain, condition, [attributes.get(name) for name in names])
    return found


def _of_learned(scored: Scored, learned: Mapping[str, Calibration]) -> pa.Table:
    names = [name for own in learned.values() for name in own.clip_id]
    return scored.table.filter(pc.is_in(scored.table["clip_id"], pa.array(names, pa.string())))


def _cuts(scores: Array, condition: np.ndarray, learned: Array, threshold: float | None) -> Cuts:
    normal, anomalous = condition == str(Condition.NORMAL), condition == str(Condition.ANOMALY)
    found = cuts(scores[normal], scores[anomalous], scores[~normal & ~anomalous], learned)
    wanted = np.unique(np.append(scores, [] if threshold is None else threshold))
    if np.array_equal(wanted, found.at):
        return found
    # there may be far more learned clips: the thresholds that decide alike on those that are shown are one
    rows = np.append(0, np.searchsorted(found.at, wanted, side="right"))
    names = ("false_alarms", "recall", "precision", "learned", "alarms")
    return replace(found, at=wanted, **{name: getattr(found, name)[rows] for name in names})


def _plain(found: Cuts) -> dict[str, Sequence[float | None]]:
    shares = ("false_alarms", "recall", "precision", "learned")
    return {
        "at": found.at.tolist(),
        "alarms": found.alarms.tolist(),
        **{name: [_rounded(v, 4) for v in getattr(found, name)] for name in shares},
    }


def _side(scores: Array, condition: np.ndarray) -> Array:
    known = np.isin(condition, [str(Condition.NORMAL), str(Condition.ANOMALY)])
    anomalous = condition == str(Condition.ANOMALY)
    if known.any() and anomalous.any() and (known & ~anomalous).any():
        found = np.zeros(len(scores))
        found[known] = wrong_side(scores[known], anomalous[known])
    else:
        known = np.zeros(len(scores), bool)
        found = np.zeros(len(scores))
    lower = np.searchsorted(np.sort(scores), scores, side="left") / len(scores)
    return np.where(known, found, lower)


def _edges(scores: Array, threshold: float | None) -> tuple[float, float]:
    """Where bins begin and end: what few clips have far above all others would press the rest together."""
    low, most, high = (float(v) for v in np.quantile(scores, [0.0, _MOST, 1.0]))
    if high - most > _FAR * (most - low):
        high = max(most + _FAR * (most - low), threshold if threshold is not None else most)
    return low, high


def _heaps(of: MeasuredClips, edges: tuple[float, float]) -> Iterator[Heap]:
    """Those that there are, in the order in which they stand below one another."""
    bins = np.linspace(edges[0], edges[1] if edges[1] > edges[0] else edges[0] + 1.0, BINS + 1)
    if len(of.learned):
        yield _heap(f"learned, normal ({len(of.learned):,})", "learned", of.learned, bins)
    for one in (Condition.NORMAL, Condition.ANOMALY, None):
        for where in (Domain.SOURCE, Domain.TARGET, None):
            own = (of.condition == (one and str(one))) & (of.domain == (where and str(where)))
            if own.any():
                label = ", ".join([*([where.value] if where else []), one.value if one else of.unknown])
                yield _heap(f"{label} ({int(own.sum()):,})", one and one.value, of.scores[own], bins)


def _heap(label: str, condition: str | None, scores: Array, bins: Array) -> Heap:
    return Heap(label, condition, np.histogram(scores, bins)[0].tolist(), int((scores > bins[-1]).sum()))


def _curves(scored: Scored) -> dict[str, list[RocPart]]:
    """Machine -> its curves, a section after the other."""
    try:
        of_subset, _ = by_section(scored)
    except BadData:  # no condition is known
        return {}
    found: dict[str, list[RocPart]] = {}
    for subset, sections in of_subset.items():
        for section in sections:
            for one in roc_curves(scored.header, section):
                named = " ".join(filter(None, [subset if len(of_subset) > 1 else None, section.section]))
                curve = RocPart(
                    section=named,
                    domain=one.domain,
                    x=[round(float(v), 4) for v in one.false],
                    y=[round(float(v), 4) for v in one.true],
                    auc=round(one.auc, 4),
                    pauc=None if one.pauc is None else round(one.pauc, 4),
                    n_normal=one.n_normal,
                    n_anomalous=one.n_anomalous,
                )
                found.setdefault(section.machine_type, []).append(curve)
    return found


def _taken(values: Array, at: Sequence[int | None], digits: int | None) -> list[float | None]:
    return [None if i is None else _rounded(values[i], digits) for i in at]


def _rounded(value: float, digits: int | None) -> float | None:
    """To so many significant digits; None of what is no number."""
    if not np.isfinite(value):
        return None
    return float(value) if digits is None else float(f"{value:.{digits}g}")
