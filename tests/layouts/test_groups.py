"""Which training clips belong together: by what is known, by what is asked, and by laws true of all tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.clips import without_suffix
from asdcli.errors import UsageError
from asdcli.layouts import sizes, with_groups

_TYPES = {"attributes": pa.map_(pa.string(), pa.string())}
_LABELS: dict[str, Any] = {
    "machine_type": "fan",
    "section": None,
    "subset": "dev",
    "split": "train",
    "domain": None,
    "attributes": [],
    "attribute_string": None,
    "group": None,
}


def clips(paths: Sequence[str], **columns: Any) -> pa.Table:
    """A table of training clips; a column is one value for all, or a list of values."""
    rows = len(paths)
    values = {**_LABELS, **columns}
    table = {
        name: value if isinstance(value, list) and value else [value] * rows
        for name, value in {"clip_id": [without_suffix(p) for p in paths], "path": list(paths), **values}.items()
    }
    return pa.table({name: pa.array(column, _TYPES.get(name, pa.string())) for name, column in table.items()})


def found(table: pa.Table, by: str | None = None) -> tuple[list[str | None], set[str]]:
    """The group of each clip, and what tells them."""
    grouped = with_groups(table, by)
    return grouped["group"].to_pylist(), {how for how in grouped["group_from"].to_pylist() if how}


@pytest.mark.parametrize(
    ("paths", "how", "groups"),
    [
        (
            [f"fan/normal/{week}/{i}.wav" for week in ("week 1", "week 2") for i in range(2)],
            "folder",
            ["week 1", "week 1", "week 2", "week 2"],
        ),
        ([f"{day}_{i}.wav" for day in ("2024-10-03", "2024-10-04") for i in range(2)], "day", ["2024-10-03"] * 2),
        ([f"20241003/{i}.wav" for i in range(2)] + [f"20241004/{i}.wav" for i in range(2)], "folder", ["20241003"] * 2),
        (["s1_0001.wav", "s1_0002.wav", "s2_0001.wav", "s2_0002.wav"], "name", ["s1", "s1", "s2", "s2"]),
        (["slow (1).wav", "slow (2).wav", "fast-1.wav", "fast-2.wav"], "name", ["slow", "slow", "fast", "fast"]),
        ([f"{i}.wav" for i in (1, 2, 10, 11)], "block:2", ["block 1", "block 1", "block 2", "block 2"]),
        ([f"a{i}/x.wav" for i in range(4)], "block:2", None),  # folders of one clip say nothing
        (["2024-10-03_1.wav", "2024-10-03_2.wav", "2024-10-04_1.wav", "x.wav"], "block:2", None),  # one without a date
    ],
)
def test_groups_are_told_by_the_first_way_that_cuts(paths: list[str], how: str, groups: list[str] | None) -> None:
    own, by = found(clips(paths))
    assert by == {how}
    assert groups is None or own[: len(groups)] == groups
    assert len(set(own)) == 2


def test_attributes_come_first_and_clips_without_any_are_a_group() -> None:
    states = ["spd_1", "spd_1", "spd_2", "spd_2", None, None]
    own, by = found(clips([f"week {i}/{i}.wav" for i in range(6)], attribute_string=states))
    assert (own, by) == (["spd_1", "spd_1", "spd_2", "spd_2", "none", "none"], {"attributes"})


def test_attributes_that_only_follow_the_domain_cut_nothing() -> None:
    """All source clips in one state and all target clips in another: to leave a state out would leave all out."""
    own, by = found(
        clips(
            [f"section_00_{d}_train_normal_{i:04d}.wav" for d in ("source", "target") for i in range(20)],
            section="00",
            domain=["source"] * 20 + ["target"] * 20,
            attribute_string=["a"] * 20 + ["b"] * 20,
        )
    )
    assert by == {"block:2"}
    assert sorted(set(own[:20])) == sorted(f"00 source block {i}" for i in range(1, 11))
    assert sorted(set(own[20:])) == sorted(f"00 target block {i}" for i in range(1, 11))


def test_ten_blocks_are_cut_of_the_largest_section_and_domain_and_no_block_crosses_them() -> None:
    paths = [f"x_{i}.wav" for i in range(53)]
    own, by = found(clips(paths, section=["00"] * 50 + ["01"] * 3))
    assert by == {"block:5"}
    assert Counter(own) == {**{f"00 block {i}": 5 for i in range(1, 11)}, "01 block 1": 3}


def test_each_machine_type_is_told_by_its_own() -> None:
    paths = [f"fan/w{w}/{i}.wav" for w in (1, 2) for i in range(2)] + [f"pump/{i}.wav" for i in range(4)]
    grouped = with_groups(clips(paths, machine_type=["fan"] * 4 + ["pump"] * 4))
    assert sizes(grouped) == {"fan": ("folder", [2, 2]), "pump": ("block:2", [2, 2])}


@pytest.mark.parametrize(
    ("by", "how", "groups"),
    [
        ("block:1", "block:1", ["00 block 1", "01 block 1", "00 block 2", "01 block 2"]),
        ("attributes", "attributes", ["a", "a", "none", "b"]),
        ("session", "folder", ["w1", "w1", "w2", "w2"]),
        ("section", "column section", ["00", "01", "00", "01"]),
        ("shift", "column shift", ["night", "day", "none", "day"]),
    ],
)
def test_what_is_asked_for_wins(by: str, how: str, groups: list[str]) -> None:
    table = clips(
        ["w1/1.wav", "w1/2.wav", "w2/3.wav", "w2/4.wav"],
        section=["00", "01", "00", "01"],
        attribute_string=["a", "a", None, "b"],
        attributes=[[("shift", "night")], [("shift", "day")], [], [("shift", "day")]],
    )
    assert found(table, by) == (groups, {how})


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("block:0", "how many consecutive clips make a block"),
        ("block:", "how many consecutive clips make a block"),
        ("block:x", "how many consecutive clips make a block"),
        ("attributes", "nothing is known of attributes of the training clips of fan"),
        ("domain", "nothing is known of domain of the training clips of fan"),
        ("speed", "there is no such column or attribute"),
        ("session", "nothing tells sessions of fan apart"),
    ],
)
def test_what_cannot_be_told_is_refused_in_words(by: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        with_groups(clips(["1.wav", "2.wav"]), by)


def test_what_a_manifest_says_stays() -> None:
    table = clips(["1.wav", "2.wav", "3.wav"], group=["x", None, "y"])
    assert found(table) == (["x", "none", "y"], {"manifest"})


def test_tables_from_before_groups_are_read() -> None:
    old = clips(["1.wav", "2.wav"]).drop_columns(["group"])
    assert found(old) == (["block 1", "block 1"], {"block:2"})


_NAMES = st.text("ab_-. 019", min_size=1, max_size=8)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    paths = draw(st.lists(st.tuples(_NAMES, _NAMES).map(lambda t: f"{t[0]}/{t[1]}.wav"), min_size=1, unique=True))
    n = len(paths)

    def column(*values: str | None) -> list[str | None]:
        return draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))

    return clips(
        paths,
        machine_type=column("fan", "pump"),
        section=column("00", "01", None),
        domain=column("source", "target", None),
        split=column("train", "test"),
        attribute_string=column("a", "b", None),
    )


@settings(deadline=None, derandomize=True)
@given(tables(), st.sampled_from([None, "block:2", "block:7"]), st.randoms(use_true_random=False))
def test_every_training_clip_has_a_group_whatever_the_order_and_the_test_clips(
    table: pa.Table, by: str | None, random: Any
) -> None:
    grouped = with_groups(table, by)
    split, group = grouped["split"].to_pylist(), grouped["group"].to_pylist()
    assert [s == "train" for s in split] == [g is not None for g in group]
    order = [i for i, s in enumerate(split) if s == "train"]
    random.shuffle(order)
    again = with_groups(table.take(pa.array(order, pa.int64())), by)
    assert again["group"].to_pylist() == [group[i] for i in order]
    if by:
        names = ("machine_type", "section", "domain", "group")
        blocks: dict[tuple[str, str], list[tuple]] = {}
        for row in grouped.select(names).filter(pa.array([g is not None for g in group])).to_pylist():
            blocks.setdefault((row["machine_type"], row["group"]), []).append((row["section"], row["domain"]))
        assert all(len(own) <= int(by.partition(":")[2]) for own in blocks.values())
