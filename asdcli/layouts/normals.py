"""Recordings that are said to be of healthy machines: which machine each is of, and which say otherwise by their names.

The machine is the nearest folder above a recording whose name tells more than a condition, a split or a date: of
`fan 3/October normal/x.wav` it is `fan 3`, whichever of these folders was named.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from asdcli.clips import without_suffix
from asdcli.filenames import fault
from asdcli.layouts.names import Name, Names, is_session
from asdcli.layouts.recording import Doubt, LeftOut, Recording
from asdcli.layouts.tokens import Told
from asdcli.vocabulary import Condition, ConditionFrom, Split

_ABOVE = 2  # folders above the one that was named whose names may be a machine's
_ANOMALOUS = (
    "its name says an anomaly: {word!r}, and only recordings of healthy machines are learned; where the word says "
    "nothing of the machine: --condition-word {option}"
)
_TEST = "its folder says test, and others lie in a folder train"


def machine_of(folders: Sequence[str], names: Names | None = None) -> str | None:
    """The machine that folders name, the outermost first; None where none of them names one."""
    names = names or Names()
    for folder in reversed(folders):
        read = names.of_folder(folder)
        left = (read.rest if read.said else folder).strip()
        if not read.empty and any(map(str.isalpha, left)) and not is_session(left) and not fault(left):
            return left
    return None


def read_normals(
    paths: Iterable[str], place: Sequence[str], *, told: Told | None = None, machine: str | None = None
) -> tuple[list[Recording], list[LeftOut]]:
    """All of them as normal recordings to learn from, but for those whose names say an anomaly.

    A recording whose name only may say one is given a doubt, at which `refuse_doubtful` stops.

    Args:
        paths: POSIX, below the folder of recordings.
        place: the names of that folder and of those above it, the outermost first.
        told: what words of names mean, by the user.
        machine: the machine of all of them.

    Returns:
        The recordings by path, with None for a machine that nothing names, and those left out.
    """
    names = Names(told)
    above, own_place = tuple(place[-1 - _ABOVE :]), place[-1:]
    found: list[Recording] = []
    left: list[LeftOut] = []
    says_train = False
    of_folder: dict[tuple[str, ...], tuple[str | None, str | None, bool, Doubt | None]] = {}
    testing: list[Recording] = []
    for path in sorted(paths):
        *folders, file = PurePosixPath(path).parts
        key = tuple(folders)
        if key not in of_folder:
            read = [(names.of_folder(name), name) for name in (*own_place, *folders)]
            splits = {one.said.get("split") for one, _ in read}
            says_train |= Split.TRAIN in splits
            tested = Split.TEST in splits and all(one.condition != Condition.NORMAL for one, _ in read)
            bad = next(filter(None, (_anomalous(one) for one, _ in read)), None)
            doubt = next((Doubt(one.suspects[0], name, Condition.ANOMALY) for one, name in read if one.doubtful), None)
            of_folder[key] = (machine or machine_of((*above, *folders), names), bad, tested, doubt)
        name, bad, tested, doubt = of_folder[key]
        own = names.of_file(without_suffix(file))
        if word := bad or _anomalous(own):
            left.append(LeftOut(path, _ANOMALOUS.format(word=word, option=shlex.quote(f"{word}=none")), is_loss=True))
            continue
        if own.doubtful and own.suspects:
            doubt = doubt or Doubt(own.suspects[0], file, Condition.ANOMALY)
        one = Recording(
            path,
            machine_type=name,
            split=Split.TRAIN,
            condition=Condition.NORMAL,
            condition_from=ConditionFrom.OPTION,
            doubt=doubt,
        )
        (testing if tested else found).append(one)
    if says_train:
        left += [LeftOut(one.path, _TEST) for one in testing]
    else:
        found = sorted([*found, *testing], key=lambda one: one.path)
    return found, left


def _anomalous(name: Name) -> str | None:
    """The word by which a name says an anomaly; None where it says none, or may not."""
    return name.suspects[0] if name.condition == Condition.ANOMALY and not name.doubtful else None
