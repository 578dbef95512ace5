"""What a model is not to see: held out, or the folds of models that are cross-fitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli.errors import UsageError
from asdcli.training import HOLD_OUT
from asdcli.training.holdout import DealtGroups, HeldOutGroups, dealt_groups, held_out_groups
from asdcli.wording import counted, listed


@dataclass(frozen=True)
class Apart:
    """What models are not to see: `out` (n_clips,) bool of the model, `fold` (n_clips,) of its folds, from 1.

    `params` is what the header says of it, and `sentences` what could not be done.
    """

    out: np.ndarray
    fold: np.ndarray
    params: dict[str, Any]
    sentences: list[str]


def apart(clips: pa.Table, share: float | None, folds: int | None, seed: int, *, own: bool) -> Apart:
    """What the models of these training clips are not to see; `own` recordings have a share held out by default.

    Raises:
        UsageError: a share beside folds, or more folds than groups.
    """
    nothing = np.zeros(len(clips), np.int64)
    if folds is None:
        share = (HOLD_OUT if own else 0.0) if share is None else share
        held = held_out_groups(clips, share, seed)
        return Apart(held.out, nothing, {"hold_out": share} if own or share else {}, list(_told(held, share)))
    if share is not None:
        raise UsageError(
            "--hold-out keeps clips from the model, and with --folds the model sees all: name one of them",
            "--folds where clips are few, because it trains that many models more",
        )
    dealt = dealt_groups(clips, folds, seed)
    return Apart(nothing > 0, dealt.fold, {"folds": folds}, list(_told_of_folds(dealt, clips)))


def _told(groups: HeldOutGroups, share: float) -> Iterator[str]:
    """What could not be held out, in words."""
    if not groups.whole:
        return
    names = [" ".join(part for part in stratum if part) for stratum in groups.whole]
    one = "its groups are" if len(names) == 1 else "their groups are"
    yield (
        f"nothing is held out of {listed(names)}: {one} too large for {share:.0%} of the clips, or only one; "
        "index with --group-by block:N for others"
    )


def _told_of_folds(dealt: DealtGroups, clips: pa.Table) -> Iterator[str]:
    """Groups that are in no fold, in words."""
    machine_type = np.array(clips["machine_type"].to_pylist())
    lost = []
    for name, (within, n_groups) in dealt.groups.items():
        if within < n_groups:
            n = int((dealt.fold[machine_type == name] == 0).sum())
            lost.append(f"{name} ({counted(n_groups - within, 'group')} of {n_groups}, {counted(n, 'clip')})")
    if lost:
        yield (
            f"every model sees {listed(lost)}: without such a group a section or domain would have no clips left; "
            "index with --group-by block:N for smaller ones"
        )
