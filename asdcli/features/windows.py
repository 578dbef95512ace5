"""Windows: where the overlapping pieces of a clip begin.

Seven 4-second windows with 75 % overlap cut a 10-second clip at 0, 1, ... 6 s (Fujimura et al. 2024). Any other length:
as many whole hops as fit, and a last window flush with the end, so that no sound is left out. A clip shorter than a
window is repeated until it fills one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

WINDOW_S, HOP_S = 4.0, 1.0


def starts(n_samples: int, window: int, hop: int) -> np.ndarray:
    """First samples (n_windows,) int64 of the windows of a clip, ascending.

    Args:
        n_samples: of the clip; fewer than `window` count as `window`, because such a clip is repeated.
        window: in samples, at least 1.
        hop: from one window to the next, in samples, at least 1.

    Returns:
        multiples of the hop, and `n_samples - window` as the last where the hops do not end there.
    """
    last = max(n_samples - window, 0)
    return np.append(np.arange(0, last, hop, dtype=np.int64), last)


def cut(blocks: Iterable[np.ndarray], window: int, hop: int) -> Iterator[np.ndarray]:
    """The windows (window,) of a clip that comes in blocks (n_block,), at `starts`; nothing of it is held longer.

    A clip shorter than a window is one shorter window: it is not repeated here.
    """
    held, begins, at = np.empty(0, np.int16), 0, 0  # `held` begins at sample `begins`, the next window at `at`
    for block in blocks:
        held = np.concatenate([held, block])
        while begins + len(held) > at + window:  # something comes after it: it is not the last
            yield held[at - begins : at - begins + window].copy()
            at += hop
        drop = max(min(at - begins, len(held) - window), 0)
        held, begins = held[drop:], begins + drop
    if len(held):
        yield held[-window:]


def part(blocks: Iterable[np.ndarray], start: int, stop: int) -> np.ndarray:
    """Samples `start` to `stop` of a clip that comes in blocks (n_block,); fewer where it ends before."""
    found, n = [np.empty(0, np.int16)], 0
    for block in blocks:
        if n >= stop:
            break
        found.append(block[max(start - n, 0) : stop - n].copy())
        n += len(block)
    return np.concatenate(found)


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
