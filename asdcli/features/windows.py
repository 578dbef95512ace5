"""Windows: where the overlapping pieces of a clip begin.

Seven 4-second windows with 75 % overlap cut a 10-second clip at 0, 1, ... 6 s (Fujimura et al. 2024). Any other length:
as many whole hops as fit, and a last window flush with the end, so that no sound is left out. A clip shorter than a
window is repeated until it fills one.
"""

from __future__ import annotations

import numpy as np

WINDOW_S, HOP_S = 4.0, 1.0


def starts(length: int, window: int, hop: float) -> np.ndarray:
    """First positions (n_windows,) int64 of the windows of a clip, all of which lie inside it.

    Args:
        length, window: in the same unit, samples or frames, both at least 1. A `length` below `window` counts as `window`.
        hop: between windows, above 0; need not be whole (a second is 31.25 frames of 32 ms): starts are rounded.

    Returns:
        0, then multiples of the hop, and `length - window` as the last where the hops do not end there.
    """
    last = max(length - window, 0)
    whole = np.rint(np.arange(int(last / hop) + 1) * hop).astype(np.int64)
    # a rounded start may lie up to half a step from the flush one: that is the same window
    inside = whole[whole + 1 <= last] if hop != int(hop) else whole[whole < last]
    return np.append(inside, last)


def repeated(samples: np.ndarray, least: int) -> np.ndarray:
    """`samples` (n,) end to end until there are `least` (cut there); as they are where they are no fewer.

    Raises:
        ValueError: there is nothing to repeat.
    """
    if len(samples) >= least:
        return samples
    if not len(samples):
        raise ValueError("an empty clip cannot be repeated")
    return np.resize(samples, least)
