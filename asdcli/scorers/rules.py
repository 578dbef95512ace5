"""The fallbacks that scorers take, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

RULES = {
    "k-reduced": "k is larger than the number of other reference clips: all of them are used",
    "single-reference": "one reference clip has no neighbours: scored as nn",
    "scale-floored": "some local scales are zero (duplicate clips): raised to a small floor",
    "few-validation": "fewer than 3 validation clips: alpha = 0, scored as nn",
    "none-held-out": "the model has seen all training clips, or nobody knows: alpha = 0, scored as nn",
    "flat-scale": "the local scale does not vary over the validation clips: alpha = 0, scored as nn",
    "alpha-clipped": "alpha was outside alpha_range",
    "alpha-on-few": "alpha hangs on few points, and without them would be another",
    "no-target": "no target training clips",
    "no-source": "no source training clips",
    "val-train-all": "the validation set needs clips of both domains: train-all is used instead",
    "clusters-reduced": "more clusters than source clips: as many as there are",
    "centroid-dropped": "a centroid at the origin has no direction: dropped",
    "single-target": "one target clip: nothing to interpolate, SMOTE left out",
    "ratio-met": "there are enough target clips for the ratio: SMOTE left out",
    "smote-k-reduced": "SMOTE's k is larger than the number of other target clips: all of them are used",
    "unknown-domain": "some training clips have no domain: taken as source",
    "components-reduced": "more clusters than training windows: as many as there are",
    "covariance-singular": "a covariance is singular (fewer windows than dimensions, or duplicates): it is widened",
    "domain-too-small": "a domain has too few clips to be looked at by itself: they count as of the other one",
    "flat-spread": "the distances of training clips do not vary: they are not divided by their spread",
    "no-spread": "all training windows are alike: no components, the distance to their mean is the score",
    "zero-norm": "a zero vector has no direction: its distance to everything is 0.5",
}
WITH_FIGURES = ("alpha-on-few",)
"""Rules that are told with the figures of each unit: see `leverage.told`."""


def told(fired: Mapping[str, Mapping[str, Iterable[str]]]) -> list[str]:
    """One sentence for every rule that fired, with the methods and units; a rule without a text speaks for itself.

    Args:
        fired: spelling of a method -> unit -> the rules that fired there.
    """
    places: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for spelling, of_units in fired.items():
        for unit, rules in of_units.items():
            for rule in (rule for rule in rules if rule not in WITH_FIGURES):
                methods, units = places.setdefault(rule, ({}, {}))
                methods[spelling], units[unit] = None, None
    return [
        f"{RULES.get(rule, rule)} ({_some(list(methods), 'methods')}; {_some(list(units), 'units')})"
        for rule, (methods, units) in places.items()
    ]


def _some(names: Sequence[str], what: str) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])}, … {len(names)} {what}"
