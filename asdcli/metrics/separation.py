"""How far scores of anomalies lie above those of normal clips, as a lower bound on the area under the ROC curve.

The AUC is how often the score s of an anomaly exceeds the score t of a normal clip. With s and t drawn independently,
s - t has the mean mu = mean(s) - mean(t) and the variance Var_out + Var_in, and the one-sided inequality of Chebyshev
(Cantelli 1928) says for mu > 0

    P(s - t <= 0) <= (Var_out + Var_in) / (Var_out + Var_in + mu^2), and so

    AUC >= mu^2 / (Var_out + Var_in + mu^2)

which holds of the very clips that are there, not only in the limit: all pairs of them are such draws, and their
variances are those with a divisor of n. Where mu <= 0 nothing better than 0 is known.

Source: K. Wilkinghoff, Z.-H. Tan 2026, who choose methods by it with pseudo-anomalies in the place of anomalies. We
know the formula and the kinds of pseudo-anomalies from a summary; what is said here of n and of mu <= 0 is ours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def lower_bound(normal: npt.ArrayLike, anomalous: npt.ArrayLike) -> float:
    """mu^2 / (Var_out + Var_in + mu^2), in [0, 1] and never above `roc.auc` of the same scores; 0 where mu <= 0.

    Args:
        normal: (n,) scores of normal clips, finite, larger is more anomalous.
        anomalous: (m,) scores of anomalous clips, or of what stands for them.

    Raises:
        ValueError: one of the two is empty or holds a value that is not finite.
    """
    inside, outside = (np.asarray(scores, dtype=np.float64) for scores in (normal, anomalous))
    if not inside.size or not outside.size or not (np.isfinite(inside).all() and np.isfinite(outside).all()):
        raise ValueError("a bound needs finite scores of normal and of anomalous clips, one at least of each")
    scale = float(max(np.abs(inside).max(), np.abs(outside).max()))
    if scale == 0:
        return 0.0
    inside, outside = inside / scale, outside / scale  # squares of no score overflow
    mu = float(outside.mean() - inside.mean())
    if mu <= 0:
        return 0.0
    return float(mu**2 / (outside.var() + inside.var() + mu**2))
