"""What is held out of the training: groups by the user, clips by the smoothing paper, vectors by the baseline.

The paper trains on 85 % of the source and two of three target clips, the baseline on nine tenths of all vectors.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch

from asdcli.errors import UsageError
from asdcli.training.seeds import derive, generator
from asdcli.vocabulary import Domain
from asdcli.wording import counted

SHARE = 0.15
_OF_VECTORS = 0.1

Stratum = tuple[str, "str | None", "str | None"]
"""Machine type, section and domain."""
_Groups = dict["str | None", "Counter[Stratum]"]
"""How many clips of which section and domain each group of a machine type has."""


@dataclass(frozen=True)
class HeldOutGroups:
    """The groups that no model is to see.

    Attributes:
        out: (n_clips,) bool, the clips of these groups.
        groups: how many of how many groups of a machine type they are.
        whole: sections and domains that train whole, because each of their groups is too large a share of them.
    """

    out: np.ndarray
    groups: dict[str, tuple[int, int]]
    whole: list[Stratum]


def held_out_groups(clips: pa.Table, share: float, seed: int) -> HeldOutGroups:
    """Whole groups that come as near to `share` of each machine type's sections and domains as groups allow.

    A section or domain never loses its last group, and no group is taken that leads further away from the share than
    none. Of groups that are as good as each other the seed chooses.

    Args:
        clips: training clips, with the columns `machine_type`, `section`, `domain` and `group`; those that have none
            are a group.
        share: in [0, 1).
        seed: chooses among groups; other machine types and the order of the clips change nothing.

    Raises:
        UsageError: no share.
    """
    if not 0 <= share < 1:
        raise UsageError(f"--hold-out must lie in [0, 1), got {share:g}")
    machines = _by_machine_type(clips)
    taken: set[tuple[str, str | None]] = set()
    groups: dict[str, tuple[int, int]] = {}
    whole: list[Stratum] = []
    for machine_type, of_groups in sorted(machines.items()):
        chosen, without = _choose(of_groups, share, seed, machine_type)
        taken |= {(machine_type, group) for group in chosen}
        groups[machine_type] = len(chosen), len(of_groups)
        whole += without
    keys = zip(clips["machine_type"].to_pylist(), clips["group"].to_pylist(), strict=True)
    return HeldOutGroups(np.array([key in taken for key in keys], bool), groups, whole)


@dataclass(frozen=True)
class DealtGroups:
    """Groups dealt into folds, each of which one model is not to see.

    Attributes:
        fold: (n_clips,) the fold of each clip, from 1; 0 where every model sees it.
        groups: how many groups of a machine type are in a fold, and how many it has.
    """

    fold: np.ndarray
    groups: dict[str, tuple[int, int]]


def dealt_groups(clips: pa.Table, n_folds: int, seed: int) -> DealtGroups:
    """Whole groups dealt into folds of sizes that are as equal as groups allow, by machine type, section and domain.

    No fold holds all of a section and domain: a group that would make it so is in no fold, and every model sees it, as
    it does clips of no known group.

    Args:
        clips: as `held_out_groups` has them.
        n_folds: at least 2.
        seed: chooses among groups of one size; other machine types and the order of the clips change nothing.

    Raises:
        UsageError: fewer folds than two, or more than the groups of any machine type that can be in one.
    """
    if n_folds < 2:
        raise UsageError(
            f"--folds must be 2 or more, got {n_folds}", "to keep some clips from one model: --hold-out 0.1"
        )
    fold: dict[tuple[str, str | None], int] = {}
    groups: dict[str, tuple[int, int]] = {}
    for machine_type, of_groups in sorted(_by_machine_type(clips).items()):
        dealt = _deal(of_groups, n_folds, seed, machine_type)
        fold |= {(machine_type, group): number for group, number in dealt.items()}
        groups[machine_type] = len(dealt), len(of_groups)
    most = max((within for within, _ in groups.values()), default=0)
    if n_folds > most:
        raise UsageError(
            f"--folds {n_folds}: no machine type has more than {counted(most, 'group')} of training clips that a model "
            "can do without",
            f"--folds {most} at most" if most > 1 else "index with --group-by block:N for other groups",
        )
    keys = zip(clips["machine_type"].to_pylist(), clips["group"].to_pylist(), strict=True)
    return DealtGroups(np.array([fold.get(key, 0) for key in keys], np.int64), groups)


def _deal(groups: _Groups, n_folds: int, seed: int, machine_type: str) -> dict[str | None, int]:
    """The fold of each group: the largest first, each into the fold with the least of its sections and domains."""
    total: Counter[Stratum] = Counter()
    for of_group in groups.values():
        total.update(of_group)
    lot = {group: derive(seed, "folds", machine_type, group or "") for group in groups}
    out: list[Counter[Stratum]] = [Counter() for _ in range(n_folds)]
    dealt: dict[str | None, int] = {}
    for group in sorted({*groups} - {None}, key=lambda g: (-groups[g].total(), lot[g])):
        own = groups[group]
        open_to = [number for number in range(n_folds) if _spares(own, out[number], total)]
        if not open_to:
            continue
        number = min(open_to, key=lambda i: (sum(out[i][s] / total[s] for s in own), out[i].total(), i))
        out[number].update(own)
        dealt[group] = number + 1
    return dealt


def _by_machine_type(clips: pa.Table) -> dict[str, _Groups]:
    names = ("machine_type", "section", "domain", "group")
    sizes = Counter(zip(*(clips[name].to_pylist() for name in names), strict=True))
    machines: dict[str, _Groups] = defaultdict(lambda: defaultdict(Counter))
    for (machine_type, section, domain, group), n in sizes.items():
        machines[machine_type][group][machine_type, section, domain] = n
    return machines


def _choose(groups: _Groups, share: float, seed: int, machine_type: str) -> tuple[list[str | None], list[Stratum]]:
    """The groups of one machine type to hold out, and the sections and domains that none could be taken of."""
    total: Counter[Stratum] = Counter()
    for of_group in groups.values():
        total.update(of_group)
    lot = {group: derive(seed, "hold-out", machine_type, group or "") for group in groups}
    out: Counter[Stratum] = Counter()
    chosen: list[str | None] = []
    for stratum, n in sorted(total.items(), key=lambda item: tuple(part or "" for part in item[0])):
        wanted = round(share * n, 9)
        while out[stratum] < wanted:
            left = [g for g, of in groups.items() if of[stratum] and g not in chosen and _spares(of, out, total)]
            nearest = sorted((abs(out[stratum] + groups[g][stratum] - wanted), lot[g], g) for g in left)
            if not nearest or nearest[0][0] > wanted - out[stratum]:
                break
            chosen.append(nearest[0][2])
            out.update(groups[chosen[-1]])
    return chosen, [stratum for stratum in total if share and not out[stratum]]


def _spares(group: Counter[Stratum], out: Counter[Stratum], total: Counter[Stratum]) -> bool:
    """Whether something of every section and domain would be left to train on."""
    return all(out[stratum] + n < total[stratum] for stratum, n in group.items())


def held_out(clips: pa.Table, seed: int) -> np.ndarray:
    """(n_clips,) bool: a random 15 % of each machine type, section and domain, but at least one of three target clips.

    A domain of one or two clips is trained on whole. Other machine types, sections and domains change nothing, nor does
    the order of the clips.
    """
    keys = zip(*(clips[c].to_pylist() for c in ("machine_type", "section", "domain")), strict=True)
    ids = clips["clip_id"].to_pylist()
    groups: dict[tuple, list[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    out = np.zeros(len(clips), bool)
    for key, rows in groups.items():
        n = round(SHARE * len(rows))
        if key[2] == str(Domain.TARGET) and len(rows) >= 3:
            n = max(n, 1)
        rng = np.random.default_rng(derive(seed, "held-out", *(str(part) for part in key)))
        ordered = sorted(rows, key=lambda r: ids[r])
        out[rng.choice(ordered, n, replace=False)] = True
    return out


def vectors_kept(n_vectors: int, seed: int, machine_type: str) -> np.ndarray:
    """Places, in no order, of the nine tenths of a machine type's training vectors that the baseline trains on.

    The vectors are counted over its training clips in the order of their pack. The organisers' code takes the
    covariance of the residuals over the same nine tenths, and so does `selective-mahalanobis`.
    """
    order = torch.randperm(n_vectors, generator=generator(seed, "held-out", machine_type)).numpy()
    return order[round(_OF_VECTORS * n_vectors) :]
