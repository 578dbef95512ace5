"""Conformal p-values of test clips: what each score is worth among the normal clips that thresholds stand on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from asdcli.metrics.conformal import group_p_values, p_values
from asdcli.views.calibration import calibrations
from asdcli.views.scores import Scored

CLIP, GROUP = "p_value", "p_value_group"


def p_values_of(method: Scored, test: pa.Table) -> dict[str, npt.NDArray[np.float64]]:
    """Column -> (n_test,) conformal p-values in (0, 1], NaN where no training clip tells.

    `p_value` is as if every normal clip were like any other, `p_value_group` as if it were of a new group. They stand
    on the clips of the same domain where that is known (Mondrian), as `Calibration.of_domain` has it.

    Args:
        method: a method with the scores of its training clips.
        test: clips as they stand in its table.
    """
    machine_type, domain = (np.array(test[name].to_pylist(), object) for name in ("machine_type", "domain"))
    scores = test["anomaly_score"].to_numpy()
    found = {name: np.full(len(test), np.nan) for name in (CLIP, GROUP)}
    for name, own in calibrations(method):
        for one in () if own.is_seen else set(domain[machine_type == name]):
            like = own.of_domain(one)
            rows = (machine_type == name) & (domain == one)
            found[CLIP][rows] = p_values(like.scores, scores[rows])
            if like.by_group:
                found[GROUP][rows] = group_p_values(like.scores, like.group, scores[rows])
    return found
