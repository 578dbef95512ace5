"""Which frequency bands have moved: the levels of recent recordings beside those of the learned ones.

A recording is its mean log-mel level in each of 128 bands, over its first minute. Recent recordings together are held
against learned ones as a clip is against normal clips (`metrics.differing`), with recordings in the place of frames and
groups of learned ones (sessions, or pieces of consecutive recordings) in that of normal clips: a band has moved where
the recent ones lie farther off than any group lies from the others.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asdcli.artifacts import digest_file
from asdcli.blas import single_threaded
from asdcli.errors import AsdError
from asdcli.features.light_mels import MelAxes, logmel
from asdcli.filenames import natural
from asdcli.history.checks import PastCheck
from asdcli.history.database import in_utc
from asdcli.metrics.differing import FEWEST, Region, differing
from asdcli.progress import Progress
from asdcli.views.calibration import Calibration
from asdcli.views.sounds import Sounds

Array = npt.NDArray[np.float64]

_MOST = 200  # learned recordings that are listened to, evenly over all
_MOST_S = 60.0  # of a recording, from its start
_PIECES = 10  # of consecutive ones, where there are fewer groups than it takes
_THREADS = 4
_SHARE, _BESIDE = 0.5, 3  # of what has moved; recordings to either side, most of which have to show that
_AS_ONE = 1e9  # seconds from recording to recording: no stretch of them is looked for, all of them are


@dataclass(frozen=True, eq=False)
class Moved:
    """Recent recordings beside learned ones.

    Attributes:
        regions: bands that have moved, the clearest first; `first`, `last` and `share` count recordings of `heard`:
            from the recent ones back to the first that shows as much as half of it.
        spreads: of each region, by how many robust standard deviations of learned recordings it lies off (of at least
            1 dB each).
        edges_hz: (n_bands + 1,) where bands end.
        heard: the checked recordings that are still there, the earliest first.
        n_recent: how many of these are recent.
        n_groups: groups of learned ones that were listened to.
    """

    regions: tuple[Region, ...]
    spreads: tuple[float, ...]
    edges_hz: Array
    heard: tuple[PastCheck, ...]
    n_recent: int
    n_groups: int


def moved(
    sounds: Sounds, learned: Calibration, checked: Sequence[PastCheck], n_recent: int, progress: Progress
) -> Moved | None:
    """Which bands have moved; None where no recent or learned recording is there any more.

    Args:
        sounds: of the machine.
        learned: its normal recordings.
        checked: others, the earliest first; of many the last are listened to.
        n_recent: how many of these, at the end, are recent.
        progress: is told how far it is.
    """
    axes = MelAxes.at(sounds.sample_rate)
    normals, heard = _heard(sounds, _groups(learned), checked[-max(_MOST, n_recent) :], axes, progress)
    recent = {one.digest for one in checked[len(checked) - n_recent :]}
    earlier = sum(one.digest not in recent for one, _ in heard)
    if earlier == len(heard) or not normals:
        return None
    levels = np.array([levels for _, levels in heard])
    now = differing(levels[earlier:], normals, _AS_ONE)
    spreads = tuple(float(now.cells[r.first : r.last, r.low_band : r.high_band].mean()) for r in now.regions)
    regions = tuple(_traced(region, levels - now.median, earlier) for region in now.regions)
    return Moved(
        regions,
        spreads,
        axes.edges_hz,
        tuple(one for one, _ in heard),
        n_recent=len(heard) - earlier,
        n_groups=len(normals),
    )


def _heard(
    sounds: Sounds, groups: Sequence[Sequence[str]], checked: Sequence[PastCheck], axes: MelAxes, progress: Progress
) -> tuple[list[Array], list[tuple[PastCheck, Array]]]:
    """(n_i, n_bands) levels of each group of learned recordings, and those of each checked one; what is gone is not."""
    jobs: list[str | PastCheck] = [name for names in groups for name in names]
    jobs += checked
    with single_threaded(), ThreadPoolExecutor(_THREADS) as pool:
        work = pool.map(lambda one: _levels(sounds, one, axes), jobs)
        found = list(progress.track(work, total=len(jobs), label="listen", unit="recordings"))
    levels = iter(found)
    of_groups = [[own for _, own in zip(names, levels, strict=False) if own is not None] for names in groups]
    rest = [(one, own) for one, own in zip(checked, found[len(jobs) - len(checked) :], strict=True) if own is not None]
    return [np.array(own) for own in of_groups if own], rest


def _traced(region: Region, difference: Array, earlier: int) -> Region:
    """A region of the recordings from `earlier` on as one of all of them: from when most beside it show half of it.

    Args:
        region: of the recordings from `earlier` on.
        difference: (n, n_bands) levels of all, less the median of learned ones.
        earlier: how many are no recent ones.
    """
    track = np.sign(region.db) * difference[:, region.low_band : region.high_band].mean(axis=1)
    shown = track >= _SHARE * abs(region.db)
    beside = np.convolve(np.pad(shown.astype(float), _BESIDE, "edge"), np.ones(2 * _BESIDE + 1), "valid")
    steady = beside > _BESIDE
    last = int(np.flatnonzero(steady)[-1]) + 1 if steady[earlier:].any() else 0
    first = int(np.flatnonzero(~steady[:last])[-1]) + 1 if not steady[:last].all() else 0
    while 0 < first < last and shown[first - 1]:
        first -= 1
    while 0 < last < len(shown) and shown[last]:
        last += 1
    inside = first + np.flatnonzero(shown[first:last])
    if not len(inside):
        return replace(region, first=earlier + region.first, last=earlier + region.last)
    first, last = int(inside[0]), int(inside[-1]) + 1 if last < len(shown) else last
    return replace(region, first=first, last=last, share=float(shown[first:last].mean()))


def _groups(learned: Calibration) -> list[list[str]]:
    """clip_ids of learned recordings by group, evenly thinned out."""
    order = sorted(range(len(learned.clip_id)), key=lambda i: natural(str(learned.clip_id[i])))
    every = max(len(order) / _MOST, 1.0)
    taken = [order[int(i * every)] for i in range(int(len(order) / every))]
    if learned.n_groups < FEWEST:
        pieces = np.array_split(np.array(taken), min(_PIECES, len(taken)))
        return [[str(learned.clip_id[i]) for i in piece] for piece in pieces]
    of: dict[int, list[str]] = {}
    for i in taken:
        of.setdefault(int(learned.group[i]), []).append(str(learned.clip_id[i]))
    return list(of.values())


def _levels(sounds: Sounds, one: str | PastCheck, axes: MelAxes) -> Array | None:
    """(n_bands,) mean levels in dB of a learned recording (by clip_id) or a checked one; None where it is gone."""
    try:
        if isinstance(one, str):
            samples = sounds.read(one, _MOST_S)
        elif _is_there(one):
            samples = sounds.hear(Path(one.path), (0.0, _MOST_S))
        else:
            return None
    except (AsdError, OSError):
        return None
    frames = logmel(samples, axes)
    return np.asarray(frames.mean(axis=0)) if len(frames) else None


def _is_there(one: PastCheck) -> bool:
    """Whether the recording that was checked still lies where it lay, and no other. Raises OSError where none does."""
    path = Path(one.path)
    changed = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.timezone.utc)
    return in_utc(changed) < one.checked or digest_file(path) == one.digest
