"""Where a spectrogram differs from those of normal clips: robust z-scores of its cells, and regions that stand out.

Cells are held against the median and the MAD of the same band over the normal clips. Single cells of noise stray far,
so regions are looked for in means over bands that lie together and over spans of time, at several widths of both. How
far off such a mean lies is measured by the farthest of the normal clips, because machines that start and stop stray
far. A region is clear only where it lies farther off than anything in any of the normal clips, each held against the
others in the same way. With n normal clips that is chance in about one of n + 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FLOOR_DB = 1.0
"""A spread that is smaller counts as this much: a decibel."""
FEWEST = 5
"""With fewer normal clips nothing is called clear."""
MOST = 3
"""Regions that are named."""
_CONSISTENT = 1.4826  # the MAD of a normal distribution is its standard deviation by this factor
_WIDTHS = (2, 4, 8, 16, 32, 64, 128)  # bands
_SPANS_S = (0.5, 1.0, 2.0, 4.0)  # and the whole clip
_LEAST, _LEAST_DB = 1.0, 2.0  # what is less is not spoken of
_SHARE = 0.5  # of a region's height is where it ends
_STANDING = 0.8  # of the frames of a block are no higher
_SKIRT = 0.1  # and here it has run out


@dataclass(frozen=True)
class Region:
    """Bands and a time in which a clip differs.

    Attributes:
        db: by how much it is louder, on average (negative: quieter).
        beyond: how far that is: 1 is the farthest of any normal clip on that side, plus `FLOOR_DB`.
        low_band, high_band: first band, and the one after the last.
        first, last: first frame, and the one after the last, in which it stands out.
        share: of the frames from first to last that stand out: less than one where it comes and goes.
    """

    db: float
    beyond: float
    low_band: int
    high_band: int
    first: int
    last: int
    share: float


@dataclass(frozen=True)
class Differing:
    """What differs.

    Attributes:
        cells: (n_frames, n_bands) robust z-scores.
        median, spread: (n_bands,) of the normal clips in dB; `spread` as it was divided by.
        regions: those that are clear, the clearest first.
        largest: `beyond` of any region, clear or not.
        limit: the largest of any normal clip, or the least that is spoken of; infinite where there are too few.
    """

    cells: Array
    median: Array
    spread: Array
    regions: tuple[Region, ...]
    largest: float
    limit: float


def differing(clip: Array, normals: Sequence[Array], frame_s: float) -> Differing:
    """How a clip (n_frames, n_bands) in dB differs from normal ones of the same bands and frames.

    Args:
        clip: at least one frame.
        normals: at least one, each of at least one frame.
        frame_s: seconds from frame to frame.
    """
    pooled = np.concatenate(normals)
    median = np.median(pooled, axis=0)
    spread = np.maximum(_CONSISTENT * np.median(np.abs(pooled - median), axis=0), FLOOR_DB)
    cells = (clip - median) / spread
    shortest = min(len(clip), *map(len, normals))
    spans = [0, *(n for n in (round(s / frame_s) for s in _SPANS_S) if 0 < n <= shortest // 2)]
    tracks = [_tracks(one) for one in (clip, *normals)]
    limit, sizes = np.inf, [_blocks(track, spans) for track in tracks]
    if len(normals) >= FEWEST:
        own = [_largest(sizes[i], [*sizes[1:i], *sizes[i + 1 :]]) for i in range(1, len(sizes))]
        limit = max(_LEAST, *own)
    found = list(_regions(clip, median, sizes, spans, limit))
    largest = _largest(sizes[0], sizes[1:])
    return Differing(cells, median, spread, tuple(found), largest, limit)


def _groups(n_bands: int) -> list[tuple[int, int]]:
    """Bands that are looked at together: (first, the one after the last), half overlapping."""
    widths = [w for w in _WIDTHS if w < n_bands] + [n_bands]
    return [(a, min(a + w, n_bands)) for w in widths for a in range(0, max(n_bands - w // 2, 1), max(w // 2, 1))]


def _tracks(frames: Array) -> Array:
    """(n_frames, n_groups) the mean level of each group of bands."""
    first, last = np.array(_groups(frames.shape[1])).T
    sums = np.concatenate([np.zeros((len(frames), 1)), np.cumsum(frames, axis=1)], axis=1)
    return (sums[:, last] - sums[:, first]) / (last - first)


def _starts(n: int, span: int) -> npt.NDArray[np.int64]:
    return np.arange(0, n - span + 1, max(span // 2, 1), dtype=np.int64)


def _blocks(track: Array, spans: Sequence[int]) -> list[Array]:
    """(n_blocks, n_groups) for each span, the means over half overlapping blocks of time; 0 is the whole."""
    sums = np.concatenate([np.zeros((1, track.shape[1])), np.cumsum(track, axis=0)])
    found = []
    for span in spans:
        width = span or len(track)
        first = _starts(len(track), width)
        found.append((sums[first + width] - sums[first]) / width)
    return found


def _beyond(own: Sequence[Array], others: Sequence[Sequence[Array]]) -> Iterator[tuple[Array, Array]]:
    """For each span the difference in dB of every block and group from the others' median, and how far that is.

    It is 1 where the farthest block of the others lies on the same side; `FLOOR_DB` is added to how far that lies.
    """
    for i, blocks in enumerate(own):
        of_others = np.concatenate([one[i] for one in others])
        median = np.median(of_others, axis=0)
        up, down = of_others.max(axis=0) - median, median - of_others.min(axis=0)
        difference = blocks - median
        yield difference, np.abs(difference) / (np.where(difference > 0, up, down) + FLOOR_DB)


def _largest(own: Sequence[Array], others: Sequence[Sequence[Array]]) -> float:
    return max(float(beyond.max()) for _, beyond in _beyond(own, others))


def _regions(
    clip: Array, median: Array, sizes: Sequence[Sequence[Array]], spans: Sequence[int], limit: float
) -> Iterator[Region]:
    groups = np.array(_groups(clip.shape[1]))
    found = list(_beyond(sizes[0], sizes[1:]))
    taken = np.zeros(clip.shape[1], bool)
    for _ in range(MOST):
        free = np.array([not taken[a:b].any() for a, b in groups])
        best = max(((float(b[:, free].max(initial=0.0)), i) for i, (_, b) in enumerate(found)), key=lambda one: one[0])
        if best[0] <= limit or not free.any():
            return
        difference, beyond = found[best[1]]
        block, group = np.unravel_index(np.argmax(np.where(free, beyond, -1.0)), beyond.shape)
        if abs(difference[block, group]) < _LEAST_DB:
            return
        span = spans[best[1]] or len(clip)
        first = int(_starts(len(clip), span)[block])
        region = _grown(clip - median, slice(first, first + span), tuple(groups[group]), taken, best[0])
        _take(taken, (clip - median)[region.first : region.last].mean(axis=0), region)
        yield region


def _take(taken: npt.NDArray[np.bool_], profile: Array, region: Region) -> None:
    """Mark the bands of a region, and those beside it over which it runs out: they are no region of their own."""
    low, high = region.low_band, region.high_band
    running = np.sign(region.db) * profile >= _SKIRT * abs(region.db)
    while low > 0 and running[low - 1]:
        low -= 1
    while high < len(profile) and running[high]:
        high += 1
    taken[low:high] = True


def _grown(
    difference: Array, time: slice, bands: tuple[int, int], taken: npt.NDArray[np.bool_], beyond: float
) -> Region:
    """The region about a block: neighbouring bands, then frames, that reach half of its height."""
    profile = difference[time].mean(axis=0)
    sign = np.sign(profile[bands[0] : bands[1]].mean())
    profile = sign * profile
    peak = bands[0] + int(profile[bands[0] : bands[1]].argmax())
    height = min(float(np.convolve(profile, np.full(3, 1 / 3), "same")[peak]), float(profile[peak]))
    height = max(height, float(profile[bands[0] : bands[1]].mean()))
    inside = (profile >= _SHARE * height) & ~taken
    low, high = peak, peak + 1
    while low > 0 and inside[max(low - 2, 0) : low].any():
        low -= 1
    while high < len(profile) and inside[high : high + 2].any():
        high += 1
    while low < peak and not inside[low]:
        low += 1
    while high > peak + 1 and not inside[high - 1]:
        high -= 1
    track = sign * difference[:, low:high].mean(axis=1)
    smooth = np.convolve(track, np.full(5, 0.2), "same")[: len(track)] if len(track) >= 5 else track
    level = float(np.quantile(smooth[time], _STANDING))  # of what comes and goes, when it is there
    out = smooth >= _SHARE * level
    frames = np.flatnonzero(out)
    first, last = (int(frames[0]), int(frames[-1]) + 1) if len(frames) else (time.start, time.stop)
    own = out[first:last] if len(frames) else np.ones(last - first, bool)
    db = float(track[first:last][own].mean())
    return Region(float(sign * db), beyond, int(low), int(high), first, last, float(own.mean()))
