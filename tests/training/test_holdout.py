"""Groups held out of the training: near to the share asked for, never a whole domain, the same for every order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.errors import UsageError
from asdcli.training.holdout import held_out_groups

Row = tuple[str, "str | None", "str | None", "str | None"]


def clips(rows: Sequence[Row]) -> pa.Table:
    """Training clips of these machine types, sections, domains and groups."""
    columns = zip(*rows, strict=True)
    names = ("machine_type", "section", "domain", "group")
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})


def blocks(machine_type: str, domain: str, sizes: Sequence[int]) -> list[Row]:
    return [(machine_type, "00", domain, f"{domain} {g}") for g, n in enumerate(sizes) for _ in range(n)]


def test_whole_groups_come_as_near_to_the_share_as_they_can() -> None:
    found = held_out_groups(clips(blocks("fan", "source", [30, 9, 40, 21]) + blocks("fan", "target", [2] * 5)), 0.1, 0)
    groups = Counter(row["group"] for row in clips(blocks("fan", "source", [30, 9, 40, 21])).to_pylist())
    assert groups["source 1"] == 9
    assert found.out[:100].sum() == 9 and found.out[30:39].all()  # of 100: 9 is nearer to 10 than 21
    assert found.out[100:].sum() == 2  # a group of two is as far from one clip as none: it is taken
    assert found.groups == {"fan": (2, 9)} and not found.whole


@pytest.mark.parametrize(
    ("rows", "whole"),
    [
        (blocks("fan", "source", [50, 50]), ["source"]),  # half is further from a tenth than nothing
        (blocks("fan", "source", [10]), ["source"]),
        (blocks("fan", "source", [10] * 10) + blocks("fan", "target", [3]), ["target"]),
        ([("fan", "00", "source", None)] * 9, ["source"]),  # a table from before there were groups
    ],
)
def test_what_no_group_can_be_spared_of_trains_whole_and_is_named(rows: list[Row], whole: list[str]) -> None:
    found = held_out_groups(clips(rows), 0.1, 0)
    assert [stratum[2] for stratum in found.whole] == whole
    domain = np.array([row[2] for row in rows])
    assert not found.out[np.isin(domain, whole)].any()


def test_a_group_that_spans_two_domains_is_held_out_of_both_or_of_none() -> None:
    rows: list[Row] = [("fan", None, d, "week 1") for d in ("source",) * 5 + ("target",) * 5]
    rows += [("fan", None, "source", f"week {i // 5 + 2}") for i in range(45)]
    found = held_out_groups(clips(rows), 0.1, 0)
    assert not found.out[:10].any()  # else no target clip would be left
    assert found.out.sum() == 5


def test_another_seed_takes_other_groups_and_another_machine_type_changes_none() -> None:
    fan, pump = blocks("fan", "source", [10] * 20), blocks("pump", "source", [7] * 20)
    taken = [held_out_groups(clips(fan), 0.2, seed).out for seed in range(5)]
    assert all(out.sum() == 40 for out in taken)
    assert len({out.tobytes() for out in taken}) > 1
    both = held_out_groups(clips(pump + fan), 0.2, 3)
    assert (both.out[len(pump) :] == taken[3]).all()


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_lies_between_nothing_and_all(share: float) -> None:
    with pytest.raises(UsageError, match="--hold-out"):
        held_out_groups(clips(blocks("fan", "source", [1, 1])), share, 0)


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["fan", "pump"]),
        st.sampled_from(["00", "01", None]),
        st.sampled_from(["source", "target", None]),
        st.sampled_from(["a", "b", "c", "d", None]),
    ),
    min_size=1,
    max_size=60,
)


@settings(deadline=None, derandomize=True)
@given(_ROWS, st.floats(0, 0.9), st.integers(0, 3), st.randoms(use_true_random=False))
def test_whatever_the_groups_they_stay_whole_and_every_domain_keeps_some(
    rows: list[Row], share: float, seed: int, random: Any
) -> None:
    found = held_out_groups(clips(rows), share, seed)
    of_group = {(row[0], row[3]): out for row, out in zip(rows, found.out, strict=True)}
    assert [of_group[row[0], row[3]] for row in rows] == found.out.tolist()
    kept = {row[:3] for row, out in zip(rows, found.out, strict=True) if not out}
    assert kept == {row[:3] for row in rows}
    assert share or not found.out.any()
    order = list(range(len(rows)))
    random.shuffle(order)
    again = held_out_groups(clips([rows[i] for i in order]), share, seed)
    assert again.out.tolist() == [bool(found.out[i]) for i in order]
