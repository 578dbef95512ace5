"""Fresh normals: the normal test clips of a method with their p-values, and what is promised of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.metrics.shares import binomial_band
from asdcli.views.calibration import HOLD_OUT, SEEN_ALL, Calibration, calibrations
from asdcli.views.p_values import p_values_of
from asdcli.views.scores import Scored
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Condition, ScoredAs, Split
from asdcli.wording import listed

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("method", "machine_type", "domain", "clip_id")),
        *((name, pa.float64()) for name in ("anomaly_score", "p_value", "share", "low", "high")),
        ("n_clips", pa.int64()),
        ("scored_as", pa.string()),
        *((name, pa.int64()) for name in ("n_calibration", "n_groups")),
        *((name, pa.float64()) for name in ("promised", "threshold")),
        ("signature", pa.string()),
    ]
)
"""A row a clip. Among the `n_clips` of its machine type and domain a `share` has a p-value as small; in 95 of 100 cases
it lies from `low` to `high` if promises are kept. The p-value is one among `n_calibration` clips in `n_groups`, scored
as `scored_as`; a `threshold` promised that a share of `promised` would lie above it. `signature` says how all that was
made.
"""
_ROUNDING = 1e-9  # 1 - 0.9 is a little less than 0.1


class Lacking:
    """Methods and machine types without p-values, by what they lack."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[str]] = {}

    def add(self, method: str, machine_type: str, own: Calibration | None) -> None:
        """`own` is what there is to calibrate on."""
        if own is None:
            why = ("there are no scores of training clips", "take the scores that were smoothed, not the smoothed ones")
        elif own.is_seen:
            why = (SEEN_ALL, HOLD_OUT)
        else:
            why = ("no training clips were scored without their groups", "--p clip takes them as they are")
        self._found.setdefault(why, []).append(f"{method}, {machine_type}")

    def sentences(self) -> list[str]:
        """What is left out, and what to do about it."""
        return [
            f"no p-values of {listed(who, between='; ')}, because {what} ({hint})"
            for (what, hint), who in self._found.items()
        ]

    def error(self) -> tuple[str, str]:
        """Message and hint where nobody has any."""
        told = [f"{what}: {listed(who, between='; ')}" for (what, _), who in self._found.items()]
        return f"there are no p-values: {'; '.join(told)}", "; ".join(dict.fromkeys(hint for _, hint in self._found))


def fresh_normals(method: Scored) -> pa.Table:
    """The test clips that are known to be normal."""
    test = method.split(Split.TEST).table
    return test.filter(pc.equal(pc.fill_null(test["condition"], ""), str(Condition.NORMAL)))


def with_p_values(method: Scored, fresh: pa.Table, column: str, lacking: Lacking) -> pa.Table:
    """The clips that have a p-value, as column `p_value`; machine types of others go to `lacking`.

    Args:
        method: whose scores they are.
        fresh: clips of its table.
        column: CLIP or GROUP of `views.p_values`.
        lacking: is told of the others.
    """
    values = p_values_of(method, fresh)[column]
    known = pa.array(np.isfinite(values))
    of = dict(calibrations(method))
    for machine_type in pc.unique(fresh.filter(pc.invert(known))["machine_type"]).to_pylist():
        lacking.add(method.method, machine_type, of.get(machine_type))
    return fresh.append_column("p_value", pa.array(values, pa.float64())).filter(known)


def held_against(method: Scored, fresh: pa.Table, limits: Thresholds | None, signature: str) -> Iterator[pa.Table]:
    """Tables of SCHEMA, one a machine type and domain, the smallest p-value first.

    Args:
        method: whose scores they are.
        fresh: clips with a p-value.
        limits: thresholds whose promise is noted, but for those that were set on clips that the model has seen.
        signature: goes into every row.
    """
    of = dict(calibrations(method))
    keys = set(zip(fresh["machine_type"].to_pylist(), fresh["domain"].to_pylist(), strict=True))
    for machine_type, domain in sorted(keys, key=lambda key: (key[0], key[1] or "")):
        own = pc.equal(fresh["machine_type"], machine_type)
        own = pc.and_(own, pc.equal(pc.fill_null(fresh["domain"], ""), domain or ""))
        rows = fresh.filter(own).sort_by([("p_value", "ascending"), ("clip_id", "ascending")])
        p, like = rows["p_value"].to_numpy(), of[machine_type].of_domain(domain)
        low, high = binomial_band(len(p), p)
        promise = limits.promise(method, machine_type) if limits else None
        promised = promise.share if promise and promise.scored_as != ScoredAs.SEEN else None
        alike = {
            "method": method.method,
            "n_clips": len(p),
            "scored_as": like.scored_as,
            "n_calibration": len(like.scores),
            "n_groups": like.n_groups,
            "promised": promised,
            "threshold": limits.of(method, machine_type) if limits and promised is not None else None,
            "signature": signature,
        }
        columns = {name: rows[name] for name in ("machine_type", "domain", "clip_id", "anomaly_score", "p_value")}
        columns |= {"share": share_at(p, p), "low": low, "high": high}
        yield pa.table({**columns, **{name: [value] * len(p) for name, value in alike.items()}}, SCHEMA)


def share_at(p: npt.NDArray[np.float64], at: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Of (n,) p-values the share that is at most each of the (m,) `at`, but for rounding."""
    return np.searchsorted(np.sort(p), np.asarray(at) + _ROUNDING, side="right") / len(p)
