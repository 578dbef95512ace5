"""Few long recordings taken as many: stretches of time, each a recording of its own, by the name of a part of a file.

One recording of a day tells as much of what is normal as a hundred shorter ones of that day: groups, what is left out,
thresholds and reference sets then need to know of recordings only.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from asdcli import audio
from asdcli.audio.parts import named, whole_of
from asdcli.layouts import Recording
from asdcli.wording import counted

FEWEST = 5
"""Recordings of a machine; of fewer, long ones are cut into stretches."""
_MANY, _SOME = 100, 10
"""How many stretches there are to be of a machine, and how many at least where that makes short ones."""
_LONGEST_S, _SHORTEST_S = 600, 60
"""Of a stretch, in seconds, as far as there are `_SOME`."""


def in_stretches(
    read: Sequence[Recording],
    infos: Mapping[str, audio.Info],
    least_s: float,
    before: pa.Table | None = None,
    prefix: str = "",
) -> tuple[list[Recording], dict[str, audio.Info]]:
    """The recordings, with long ones of machines that have few cut into stretches, and what is known of each.

    Args:
        read: normal recordings.
        infos: path -> what the header of its file says.
        least_s: the shortest that a stretch may be.
        before: of clips.parquet, what was learned before: its stretches stay as they are.
        prefix: what stands before the paths of `read` there.
    """
    known = {} if before is None else {path: len(parts) for path, parts in parts_of(before["path"].to_pylist()).items()}
    own: dict[str | None, list[Recording]] = defaultdict(list)
    for one in read:
        own[one.machine_type].append(one)
    found: list[Recording] = []
    of_path: dict[str, audio.Info] = {}
    for machine, recordings in own.items():
        size = None if before is None else size_of(before, str(machine))
        if size is None and len(recordings) < FEWEST:
            size = _size([infos[one.path].duration_s for one in recordings], least_s)
        for one in recordings:
            n = known.get(prefix + one.path) or number_of(infos[one.path].duration_s, size)
            for path, info in cut(one.path, infos[one.path], n):
                found.append(replace(one, path=path))
                of_path[path] = info
    return sorted(found, key=lambda one: one.path), of_path


def number_of(duration_s: float, size: float | None) -> int:
    """How many stretches of `size` seconds or more a recording has; one where none is cut."""
    return 1 if size is None else max(int(duration_s // size), 1)


def cut(path: str, info: audio.Info, n: int) -> list[tuple[str, audio.Info]]:
    """The `n` stretches of a recording, as long as each other to a second, with what is known of each; one is all."""
    if n < 2:
        return [(path, info)]
    ends = [math.floor(i * info.duration_s / n) for i in range(n)] + [math.ceil(info.duration_s)]
    samples = [min(end * info.sample_rate, info.n_samples) for end in ends]
    return [(named(path, ends[i], ends[i + 1]), replace(info, n_samples=samples[i + 1] - samples[i])) for i in range(n)]


def size_of(table: pa.Table, machine: str) -> float | None:
    """Mean seconds of the stretches of a machine in clips.parquet; None where its recordings were not cut."""
    columns = (table[name].to_pylist() for name in ("machine_type", "path", "duration_s"))
    of_parts = [length or 0.0 for name, path, length in zip(*columns, strict=True) if name == machine and is_part(path)]
    return sum(of_parts) / len(of_parts) if of_parts else None


def is_part(path: str) -> bool:
    """Whether a path of clips.parquet is that of a stretch."""
    return whole_of(path) != path


def parts_of(paths: Iterable[str]) -> dict[str, list[str]]:
    """Path of a recording that was cut -> those of its stretches."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        if is_part(path):
            found[whole_of(path)].append(path)
    return dict(found)


def told(table: pa.Table) -> list[str]:
    """A sentence a machine of which recordings were cut."""
    sentences = []
    for machine in sorted(set(table["machine_type"].to_pylist())):
        size = size_of(table, machine)
        if size is None:
            continue
        own = (table[name].to_pylist() for name in ("machine_type", "path"))
        n = Counter(whole_of(path) for name, path in zip(*own, strict=True) if name == machine and is_part(path))
        length = f"{size / 60:.3g} min" if size >= 60 else f"{size:.3g} s"
        what = f"{counted(len(n), 'long recording')} of {machine} {'is' if len(n) == 1 else 'are'}"
        sentences.append(
            f"{what} learned as {sum(n.values())} stretches of {length}, each a recording of its own; what other days "
            "sound like they do not tell"
        )
    return sentences


def _size(durations_s: Sequence[float], least_s: float) -> float | None:
    """Seconds of a stretch; None where there is none with two of them."""
    long = sum(seconds for seconds in durations_s if seconds >= 2 * least_s)
    size = min(max(long / _MANY, _SHORTEST_S), _LONGEST_S)
    size = max(math.floor(min(size, long / _SOME)), least_s)
    return size if long >= 2 * size else None
