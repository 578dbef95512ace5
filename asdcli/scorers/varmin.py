"""`varmin`: distances less a local scale, weighted so that scores vary least (Matsumoto et al. 2025, Eq. 5-8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from asdcli.errors import UsageError
from asdcli.scorers import Fitted
from asdcli.scorers.checks import at_least_one, in_unit_interval
from asdcli.scorers.distances import Weigh
from asdcli.scorers.leverage import ON_FEW, Points, hangs_on_few
from asdcli.scorers.local_scale import ROUNDED, LocalScale, adjusted, weighing
from asdcli.scorers.nearest import nearest_distance
from asdcli.scorers.reference import Reference
from asdcli.scorers.slopes import SLOPES, Slope, is_flat
from asdcli.scorers.terms import Terms
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.validation import Chosen, choose
from asdcli.scorers.vectors import Vectors
from asdcli.spec import always_spelled
from asdcli.vocabulary import ValidationSet

Space = Literal["id", "log"]
_LOG_FLOOR = 1e-12
_FEWEST = 3  # a slope through fewer points says nothing


@dataclass(frozen=True)
class VarMin:
    """A(x) = min_y g(D(x, y)) - alpha g(b(y)), alpha* = Cov(u, v) / Var(v) over X_val.

    u_z = g(D(z, y*(z))) and v_z = g(b(y*(z))), y*(z) the nearest reference of z by raw D (Eq. 6). A training clip z in
    X_val is left out of X_ref.

    Source: Matsumoto et al. 2025, Eq. 5 to 8.

    Attributes:
        k: neighbours averaged in b.
        val: the validation set X_val.
        loo: what leaving z out means, in the fit and when training clips are scored: `strict` takes z out of b too,
            `loose` only out of the search for y*.
        space: g is the identity (`id`) or the logarithm (`log`: log-VarMin, arXiv 2603.04605).
        slope: how alpha* is found: `ols` as in the paper, which makes the scores of X_val vary least; `theil-sen`, the
            median slope of pairs of points; `huber`, which counts points far from the line less; `winsorised`, OLS of
            u and v that are cut off at their 5 % and 95 % quantiles, for the slope alone.
        alpha: a fixed weight instead of alpha*.
        alpha_range: `LOW..HIGH`, the limits of alpha*; none by default.
        winsorise: b is cut off at this quantile of the unit's b, where alpha is set and where clips are scored.
        clusters: clusters of train-cluster; by default the number of target clips of a section.
        n_draws: draws of train-random, whose alphas are averaged.
        exit: b averages the neighbours of y up to a gap in their distances, which this quantile tells: see `rescale`;
            none: all k.
    """

    k: int = always_spelled(16)
    val: ValidationSet = always_spelled("train-all")
    loo: Literal["strict", "loose"] = "strict"
    space: Space = "id"
    slope: Slope = "ols"
    alpha: float | None = None
    alpha_range: str | None = None
    winsorise: float | None = None
    clusters: int | None = None
    n_draws: int = 1
    exit: float | None = None

    def __post_init__(self) -> None:
        at_least_one(varmin_k=self.k, varmin_clusters=self.clusters, varmin_n_draws=self.n_draws)
        in_unit_interval(varmin_winsorise=self.winsorise, varmin_exit=self.exit)
        if self.alpha is not None and not np.isfinite(self.alpha):
            raise UsageError(f"varmin:alpha must be a finite number, got {self.alpha}")
        if self.alpha_range is not None:
            _limits(self.alpha_range)

    def fit(self, unit: UnitVectors) -> Fitted:
        reference = unit.reference
        chosen = choose(unit, self.val, clusters=self.clusters, n_draws=self.n_draws)
        scale = LocalScale.of(reference, self.k, exit=self.exit)
        rules = [*unit.rules, *chosen.rules]
        found: dict[str, Any] = {"n_reference": len(reference), "k": scale.k_used, "n_floored": 0}
        if scale.alone:
            found |= {"alpha": 0.0, "n_val": 0, "rules": [*rules, "single-reference"]}
            return Fitted(self, {**scale.learnt(), "alpha": 0.0}, found)
        found |= scale.mean_k
        if found["k"] < self.k:
            rules.append("k-reduced")
        if self.space == "log":
            found["n_floored"] = int((scale.full < _LOG_FLOOR).sum())
            rules += ["scale-floored"] * bool(found["n_floored"])
        scale = self._limited(scale)
        draws = self._draws(unit, chosen, scale)
        fits = [slope(points.u, points.v, self.slope) for points in draws]
        alpha = self._alpha(fits)
        if chosen.draws:
            rules += [rule for rule in dict.fromkeys(f["rule"] for f in fits) if rule and self.alpha is None]
        if self.alpha_range is not None and self.alpha is None:
            rules += ["alpha-clipped"] * (float(np.mean([f["alpha"] for f in fits])) != alpha)
        n_val = len(draws[0]) if self.val == "held-out" else len(chosen.draws[0])
        found |= {"alpha": alpha, "n_val": n_val, **spread(draws[0].u, draws[0].v, alpha)}
        if self.slope == "ols" and self.alpha is None:
            found |= self._hanging(unit, draws, fits)
            without = found["alpha_without_top1"]
            few = without is not None and hangs_on_few(len(draws[0]), found["leverage_top1"], alpha, without)
            rules += [ON_FEW] * few
        return Fitted(self, {**scale.learnt(), "alpha": alpha}, found | {"rules": rules})

    def points(self, unit: UnitVectors) -> list[Points]:
        """u, v and the leverage of all points whose slope alpha is, of each draw of X_val; none of a single reference.

        Of `val=held-out` they are those of `unit.left_out`.
        """
        scale = LocalScale.of(unit.reference, self.k, exit=self.exit)
        chosen = choose(unit, self.val, clusters=self.clusters, n_draws=self.n_draws)
        return [] if scale.alone else self._draws(unit, chosen, self._limited(scale))

    def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
        scale, alpha = LocalScale.from_learnt(learnt, self.k), float(learnt["alpha"])
        if scale.alone:
            return transform(nearest_distance(scale.reference, windows), self.space)

        def adjust(d: np.ndarray, b: np.ndarray) -> np.ndarray:
            return transform(d, self.space) - alpha * transform(b, self.space)  # Eq. 5

        return adjusted(scale, windows, adjust, self._weigh(scale.full, alpha), strict=self.loo == "strict")

    def terms(self, learnt: Mapping[str, Any], windows: Vectors) -> Terms | None:
        """What the score of each window is the minimum of; None where there is a single clip and no b."""
        scale, alpha = LocalScale.from_learnt(learnt, self.k), float(learnt["alpha"])
        if scale.alone:
            return None
        found = Terms.of(scale, windows, np.subtract, strict=self.loo == "strict", alpha=alpha)
        d, b = transform(found.distance, self.space), transform(found.b, self.space)
        return Terms(found.clip, d, b, d - alpha * b, alpha, "D" if self.space == "id" else "ln D")

    def _weigh(self, b: np.ndarray, alpha: float) -> Weigh:
        """What has the order of Eq. 5: D - alpha b, or D b^-alpha, whose logarithm it is."""
        if self.space == "id":
            return weighing(1.0, -alpha * b, ROUNDED * np.abs(alpha * b))
        with np.errstate(over="ignore"):  # float32 cannot hold it either, and is not asked
            return weighing(np.exp(-alpha * transform(b, "log")), error=_LOG_FLOOR + ROUNDED * abs(alpha))

    def _limited(self, scale: LocalScale) -> LocalScale:
        if self.winsorise is None:
            return scale
        return scale.limited(-np.inf, float(np.quantile(scale.full, self.winsorise)))

    def _draws(self, unit: UnitVectors, chosen: Chosen, scale: LocalScale) -> list[Points]:
        if self.val == "held-out":
            return [self._of_left_out(unit)]
        return [self._points(scale, draw) for draw in chosen.draws]

    def _of_left_out(self, unit: UnitVectors) -> Points:
        """Those of all windows that no model has seen, y* and b taken from the reference set without their groups."""
        parts = [Points(np.empty(0), np.empty(0), np.empty(0, np.int64))]
        for one in unit.left_out:
            scale = LocalScale.of(one.unit.reference, self.k, exit=self.exit)
            if not scale.alone:
                parts.append(self._points(self._limited(scale), one.windows))
        return Points.joined(parts)

    def _points(self, scale: LocalScale, val: Vectors) -> Points:
        """u and v of Eq. 8 for the windows of `val` that have a reference of another clip."""
        nearest, u = scale.reference.nearest(val)
        v = scale.without(val.clip, nearest) if self.loo == "strict" else scale.full[nearest]
        has = np.isfinite(u)
        return Points(transform(u[has], self.space), transform(v[has], self.space), val.clip[has])

    def _alpha(self, fits: Sequence[Mapping[str, Any]]) -> float:
        """The weight that scores get: fixed, or the mean over the draws, within its limits."""
        if self.alpha is not None:
            return self.alpha
        alpha = float(np.mean([f["alpha"] for f in fits]))
        return alpha if self.alpha_range is None else float(np.clip(alpha, *_limits(self.alpha_range)))

    def _hanging(
        self, unit: UnitVectors, draws: Sequence[Points], fits: Sequence[Mapping[str, Any]]
    ) -> dict[str, float | None]:
        """What alpha hangs on, on average over the draws; None where there is no slope, and no domain to speak of."""
        if any(fit["rule"] for fit in fits):
            return {"leverage_top1": None, "top1_target": None, "alpha_without_top1": None}
        rest = [slope(points.u, points.v, self.slope) for points in (draw.without_first() for draw in draws)]
        target = unit.train.clip[unit.is_target]
        labelled = self.val != "test-all" and not unit.unknown_domain
        of_target = float(np.mean([np.isin(p.clip[p.first], target).mean() for p in draws])) if labelled else None
        return {
            "leverage_top1": float(np.mean([p.leverage[p.first].sum() for p in draws])),
            "top1_target": of_target,
            "alpha_without_top1": self._alpha(rest),
        }


def transform(values: np.ndarray, space: Space) -> np.ndarray:
    """g: the identity, or the logarithm with its argument floored at 1e-12."""
    return values if space == "id" else np.log(np.maximum(values, _LOG_FLOOR))


def slope(u: np.ndarray, v: np.ndarray, how: Slope = "ols") -> dict[str, Any]:
    """alpha* of Eq. 8, the slope of u on v; 0 with the name of a rule where there is no meaningful one."""
    if len(u) < _FEWEST:
        return {"alpha": 0.0, "rule": "few-validation"}
    alpha = None if is_flat(v) else SLOPES[how](u, v)
    return {"alpha": 0.0, "rule": "flat-scale"} if alpha is None else {"alpha": alpha, "rule": None}


def spread(u: np.ndarray, v: np.ndarray, alpha: float) -> dict[str, float | None]:
    """How much the adjustment narrows the scores of X_val; None where there is nothing to measure."""
    if not len(u):
        return {"variance_before": None, "variance_after": None, "correlation": None}
    deviation = float(u.std() * v.std())
    covariance = float(np.mean((u - u.mean()) * (v - v.mean())))
    return {
        "variance_before": float(u.var()),
        "variance_after": float((u - alpha * v).var()),
        "correlation": covariance / deviation if deviation > 0 else None,
    }


def alpha_sweep(
    reference: Reference, queries: Vectors, alphas: np.ndarray, *, k: int = 16, space: Space = "id"
) -> np.ndarray:
    """Scores of Eq. 5 for every weight (the paper's Fig. 2): (n_alphas, n_queries), in one pass over the distances."""
    scale = LocalScale.of(reference, k)
    if scale.alone:
        return np.tile(transform(nearest_distance(reference, queries), space), (len(alphas), 1))
    changed, b = scale.changed(), transform(scale.full, space)

    def block(rows: slice, d: np.ndarray) -> np.ndarray:
        clips = queries.clip[rows]
        i, y = changed.of(clips)
        gd, gb = transform(d, space), transform(scale.without(clips[i], y), space)
        scores = np.empty((len(alphas), len(d)))
        for s, alpha in zip(scores, alphas, strict=True):
            a = gd - alpha * b
            a[i, y] = gd[i, y] - alpha * gb
            s[:] = a.min(axis=1)
        return scores

    return np.concatenate(reference.map(queries, block), axis=1)


def _limits(text: str) -> tuple[float, float]:
    low, dots, high = text.partition("..")
    try:
        limits = float(low), float(high)
    except ValueError:
        limits = (1.0, 0.0)
    if not dots or not limits[0] <= limits[1]:
        raise UsageError(f"varmin:alpha_range must be LOW..HIGH, got {text!r}", "for example alpha_range=0..1")
    return limits
