"""The normal recordings that another is nearest to, in the space it was scored in, and what each adds to its score."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdcli.errors import BadData
from asdcli.scorers.reference import Reference
from asdcli.scorers.terms import Terms, terms
from asdcli.scorers.vectors import Vectors
from asdcli.views.detector_file import DetectorFile
from asdcli.views.embeddings import Embedded
from asdcli.views.units import UnitPlan, plan_units
from asdcli.vocabulary import Unit

_ADD = "add normal recordings of its machine to train on"


@dataclass(frozen=True)
class Near:
    """A normal recording; of a clip with several windows all figures are means over them.

    Attributes:
        clip_id: of the recording.
        domain: of it; None where it is not known.
        distance: from the clip, in the method's measure.
        b: the local scale of its nearest window; None of a method without.
        taken_off: alpha times b; None of a method that takes nothing off.
        adjusted: what the score is the least of; None of a method without b.
        decides: for how many of the clip's windows it is this recording that gives the score.
    """

    clip_id: str
    domain: str | None
    distance: float
    b: float | None = None
    taken_off: float | None = None
    adjusted: float | None = None
    decides: int = 0


@dataclass(frozen=True)
class Neighbourhood:
    """The nearest normal recordings of a clip.

    Attributes:
        near: nearest first.
        of: how many there were to be compared with.
        windows: of the clip.
        measure: of distances: `D`, `sqrt D` or `ln D`.
        alpha: the weight of b; None of a method without one.
        adjusted: whether the method looks at b.
    """

    near: tuple[Near, ...]
    of: int
    windows: int
    measure: str
    alpha: float | None
    adjusted: bool


@dataclass(frozen=True)
class Subject:
    """What is held against normal recordings.

    Attributes:
        clip_id: of a clip of the run; of other recordings one that no clip has.
        vectors: (n_windows, n_dims) as an embedder makes them.
    """

    clip_id: str
    vectors: np.ndarray


def neighbourhood(
    embedded: Embedded,
    row: int,
    unit: Unit,
    detector: DetectorFile | None,
    *,
    without: Collection[str] = (),
    most: int,
    window: int | None = None,
) -> Neighbourhood:
    """The nearest normal recordings of a clip of the run.

    Args:
        embedded: the run's vectors.
        row: of the clip in `embedded.clips`.
        unit: the clips that share one reference set.
        detector: what the method has learnt; None where nothing is kept.
        without: recordings (clip_id) that it is not compared with.
        most: so many at most, and those that decide its score besides.
        window: only this one of the clip is looked at; None: all of it.

    Raises:
        BadData: there is no normal recording to compare it with.
    """
    vectors = embedded.vectors[embedded.clip == row]
    one = Subject(str(embedded.column("clip_id")[row]), vectors if window is None else vectors[window : window + 1])
    plans = [plan for plan in plan_units(embedded, unit)[0] if row in plan.scored]
    return _neighbourhood(embedded, one, plans, detector, without, most)


def neighbourhood_of(
    one: Subject, machine_type: str, embedded: Embedded, detector: DetectorFile | None, *, most: int
) -> Neighbourhood:
    """The same of any recording of a machine, which the whole of it is held against. Raises BadData alike."""
    plans = [plan for plan in plan_units(embedded, Unit.MACHINE_TYPE)[0] if plan.machine_type == machine_type]
    return _neighbourhood(embedded, one, plans, detector, (), most)


def _neighbourhood(
    embedded: Embedded,
    one: Subject,
    plans: Sequence[UnitPlan],
    detector: DetectorFile | None,
    without: Collection[str],
    most: int,
) -> Neighbourhood:
    if not plans:
        raise BadData(f"{one.clip_id} has no normal recordings of its machine to be compared with", _ADD)
    found, ids = _terms(one, plans[0], detector)
    measured = found or _plain(embedded, one, plans[0])
    if found is None:
        ids = embedded.column("clip_id")
    hidden = np.isin(ids[measured.clip].astype(str), [*without, one.clip_id])
    distance = np.where(hidden, np.inf, measured.distance)
    if not np.isfinite(distance).any(axis=1).all():
        raise BadData(f"there is no normal recording to compare {one.clip_id} with", _ADD)
    adjusted = np.where(hidden, np.inf, measured.adjusted)
    return _of_clips(embedded, measured, distance, adjusted, ids, most, with_b=found is not None)


def _of_clips(
    embedded: Embedded,
    measured: Terms,
    distance: np.ndarray,
    adjusted: np.ndarray,
    ids: np.ndarray,
    most: int,
    *,
    with_b: bool,
) -> Neighbourhood:
    order = np.argsort(measured.clip, kind="stable")
    numbers, first = np.unique(measured.clip[order], return_index=True)
    of_clips = np.minimum.reduceat(distance[:, order], first, axis=1).mean(axis=0)
    n = int(np.isfinite(of_clips).sum())
    nearest = np.argsort(of_clips, kind="stable")[: min(most, n)]
    deciding = measured.clip[adjusted.argmin(axis=1)]
    besides = np.searchsorted(numbers, np.unique(deciding)) if with_b else ()
    wanted = [*nearest, *(i for i in besides if i not in nearest)]
    domain = dict(zip(embedded.column("clip_id"), embedded.column("domain"), strict=True))
    near = []
    for i in wanted:
        own = np.flatnonzero(measured.clip == numbers[i])
        windows, at = np.arange(len(distance)), own[distance[:, own].argmin(axis=1)]
        figures: dict[str, Any] = {}
        if with_b:
            off = measured.taken_off
            figures = {
                "b": float(measured.b[windows, at].mean()),
                "taken_off": None if off is None else float(off[windows, at].mean()),
                "adjusted": float(adjusted[:, own].min(axis=1).mean()),
                "decides": int((deciding == numbers[i]).sum()),
            }
        clip_id = str(ids[numbers[i]])
        near.append(Near(clip_id, domain.get(clip_id), float(of_clips[i]), **figures))
    return Neighbourhood(tuple(near), n, len(distance), measured.measure, measured.alpha, with_b)


def _terms(one: Subject, plan: UnitPlan, detector: DetectorFile | None) -> tuple[Terms | None, np.ndarray]:
    """Those of the method, where it has any, and the names of its clips."""
    if detector is None:
        return None, np.empty(0, np.str_)
    windows = Vectors.of(one.vectors, detector.clip_numbers([one.clip_id] * len(one.vectors)))
    return terms(detector.fitted(plan.machine_type, plan.section), windows), detector.clip_ids


def _plain(embedded: Embedded, one: Subject, plan: UnitPlan) -> Terms:
    """Distances alone, to all training windows of the unit."""
    of_train = np.flatnonzero(np.isin(embedded.clip, plan.train))
    reference = Reference(Vectors.of(embedded.vectors[of_train], embedded.clip[of_train]))
    nobody = np.full(len(one.vectors), len(embedded.clips))
    distance = np.concatenate(reference.map(Vectors.of(one.vectors, nobody), lambda _, d: d.copy()))
    return Terms(reference.rows.clip, distance, np.zeros_like(distance), distance)
