"""Pseudo-anomalies: of what they are made, and that no test clip is among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from asdcli.artifacts import Header
from asdcli.views.embeddings import Embedded
from asdcli.views.pseudo import EVERY, OfUnit, StandIns
from asdcli.views.units import plan_units
from asdcli.vocabulary import PseudoAnomaly, Unit

CLIPS = [
    *(("fan", "00", "source", f"spd_{i % 3}", "train") for i in range(9)),
    *(("fan", "01", "source", "spd_0", "train") for _ in range(4)),
    *(("fan", "00", "target", "spd_9", "train") for _ in range(2)),
    *(("valve", "00", "source", "pos_1", "train") for _ in range(30)),
    *(("fan", "00", "source", "spd_7", "test") for _ in range(5)),
]


FAN = set(range(15))


def embedded(clips: Sequence[tuple[str, ...]] = CLIPS, dims: int = 4, windows: int = 1) -> Embedded:
    names = ("machine_type", "section", "domain", "attribute_string", "split")
    rows: list[dict[str, Any]] = [dict(zip(names, clip, strict=True)) for clip in clips]
    labels = [
        {**r, "clip_id": f"{i:03}", "condition": "normal", "group": None, "seen": False} for i, r in enumerate(rows)
    ]
    clip = np.repeat(np.arange(len(rows)), windows)
    vectors = np.random.default_rng(1).normal(size=(len(clip), dims))
    window = np.tile(np.arange(windows), len(rows))
    return Embedded(pa.Table.from_pylist(labels), vectors, clip, window, Header("embeddings", 1))


def made(kind: PseudoAnomaly, table: Embedded, unit: Unit = Unit.MACHINE_TYPE, nth: int = 0) -> list[StandIns]:
    plan = plan_units(table, unit)[0][nth]
    return list(OfUnit.of(table, [], plan, seed=0).made(kind))


def clips_of(one: StandIns) -> set[int]:
    return set(one.windows.clip)


def parts(of: list[StandIns], everything: set[int]) -> list[set[int]]:
    """What was taken out, once each; the others are references or held against it, and each fold is held so once."""
    found: dict[int, set[int]] = {}
    held: dict[int, list[int]] = {}
    for one in of:
        assert one.without is not None and one.normal is not None
        normal, references = set(one.normal.clip), set(one.without.train.clip)
        assert normal | references | clips_of(one) == everything
        assert not normal & references and not clips_of(one) & (normal | references)
        assert found.setdefault(one.part, clips_of(one)) == clips_of(one)
        held.setdefault(one.part, []).extend(normal)
    for part, clips in held.items():
        assert sorted(clips) == sorted(everything - found[part])
    return [found[part] for part in sorted(found)]


@pytest.mark.parametrize("windows", [1, 2])
def test_shuffled_vectors_have_the_values_of_each_dimension_and_of_no_clip_all(windows: int) -> None:
    table = embedded(windows=windows)
    (one,) = made("shuffled", table)
    own = table.vectors[table.clip < 15]
    assert one.without is None
    assert np.allclose(np.sort(one.windows.raw, axis=0), np.sort(own, axis=0))
    assert not (np.abs(one.windows.raw[:, None] - own).max(axis=2) < 1e-9).any(axis=1).all()
    assert not clips_of(one) & set(range(len(CLIPS))) and len(clips_of(one)) == 15


def test_shuffling_is_drawn_by_the_seed_alone() -> None:
    first, again = (made("shuffled", embedded())[0].windows.x for _ in range(2))
    assert (first == again).all()
    plan = plan_units(embedded(), Unit.MACHINE_TYPE)[0][0]
    (other,) = OfUnit.of(embedded(), [], plan, seed=1).made("shuffled")
    assert (other.windows.x != first).any()


def test_other_machine_types_stand_for_anomalies_in_no_greater_number_than_there_are_training_clips() -> None:
    (one,) = made("machine-type", embedded())
    assert one.without is None and len(clips_of(one)) == 15 and clips_of(one) <= set(range(15, 45))
    (one,) = made("machine-type", embedded(), nth=1)
    assert clips_of(one) == set(range(15))


def test_a_section_among_the_references_is_taken_out_of_them() -> None:
    assert parts(made("section", embedded()), FAN) == [{*range(9), 13, 14}, {9, 10, 11, 12}]


def test_of_a_unit_that_is_a_section_the_others_stand_for_anomalies_as_they_are() -> None:
    (one,) = made("section", embedded(), Unit.SECTION, nth=1)
    assert one.without is None and len(clips_of(one)) == 4 and clips_of(one) <= {*range(9), 13, 14}


def test_attributes_are_dealt_into_five_parts_at_most_each_class_whole() -> None:
    of_fan = [{0, 3, 6, 9, 10, 11, 12}, {1, 4, 7}, {2, 5, 8}, {13, 14}]
    assert parts(made("attributes", embedded()), FAN) == of_fan
    many = [("fan", "00", "source", f"spd_{i // 2}", "train") for i in range(16)]
    found = parts(made("attributes", embedded(many)), set(range(16)))
    assert len(found) == 5 and sorted(clip for part in found for clip in part) == list(range(16))
    assert all({clip ^ 1 for clip in part} == part for part in found)


def test_of_many_clips_a_fifth_is_held_against_each_class_so_that_a_kind_costs_five_fits() -> None:
    many = [("fan", "00", "source", f"spd_{i % 2}", "train") for i in range(500)]
    of = made("attributes", embedded(many))
    assert [one.part for one in of] == [0, 0, 1, 1]
    assert all(one.normal is not None and len(one.normal) == 50 for one in of)


def test_the_target_domain_is_held_against_the_source_domain() -> None:
    assert parts(made("domain", embedded()), FAN) == [{13, 14}]


def test_nothing_is_made_of_what_is_not_there() -> None:
    alike = embedded([("fan", "00", "source", "spd_0", "train")] * 3)
    assert {kind for kind in EVERY if made(kind, alike)} == {"shuffled"}
    alike.vectors[:] = 1
    assert not made("shuffled", alike)
    alone = embedded([("fan", "00", "source", "spd_0", "train")])
    assert not any(made(kind, alone) for kind in EVERY)
    rest_of_one = embedded([("fan", "00", "source", "a", "train"), ("fan", "00", "target", "b", "train")])
    assert {kind for kind in EVERY if made(kind, rest_of_one)} == {"shuffled"}
