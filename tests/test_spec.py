"""Spellings and registries."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.errors import UsageError
from asdcli.spec import Registry, always_spelled, parse


class Val(str, Enum):
    TRAIN_ALL = "train-all"
    TEST_ALL = "test-all"


@dataclass(frozen=True)
class Toy:
    k: int = always_spelled(16)
    val: Val = always_spelled(Val.TRAIN_ALL)
    ratio: float = 0.05
    centred: bool = True
    loo: Literal["strict", "loose"] = "strict"
    alpha: float | None = None


TOYS = Registry("method", {"toy": f"{__name__}:Toy", "other": f"{__name__}:Toy"})


def test_a_spelling_is_a_name_and_key_value_pairs() -> None:
    assert parse("varmin:k=16, val=test-all") == ("varmin", {"k": "16", "val": "test-all"})
    assert parse("nn") == ("nn", {})


def test_defaults_stay_out_of_the_spelling_unless_always_spelled() -> None:
    assert TOYS.spell(TOYS.build("toy")) == "toy:k=16,val=train-all"
    assert TOYS.spell(TOYS.build("toy:ratio=0.1,alpha=1")) == "toy:k=16,val=train-all,ratio=0.1,alpha=1.0"


@settings(max_examples=50)
@given(
    st.integers(1, 99),
    st.sampled_from(Val),
    st.floats(0.001, 10, allow_nan=False),
    st.booleans(),
    st.sampled_from(["strict", "loose"]),
    st.none() | st.floats(-5, 5),
)
def test_building_the_spelling_of_an_object_gives_the_object_back(k, val, ratio, centred, loo, alpha) -> None:
    toy = Toy(k, val, ratio, centred, loo, alpha)
    assert TOYS.build(TOYS.spell(toy)) == toy


def test_overrides_win_over_the_spelling_and_none_is_no_override() -> None:
    assert TOYS.build("toy:k=8", k=4, val=None) == Toy(k=4)


@pytest.mark.parametrize(
    ("spelling", "message", "hint"),
    [
        ("tpy", "unknown method 'tpy'", "did you mean 'toy'"),
        ("toy:kk=3", "has no parameter 'kk'", "it takes: k, val"),
        ("toy:k=many", "toy:k must be a whole number, got 'many'", ""),
        ("toy:val=test-al", "unknown toy:val 'test-al'", "did you mean 'test-all'"),
        ("toy:loo=no", "unknown toy:loo 'no'", "loose, strict"),
        ("toy:k", "cannot read 'k'", "key=value"),
        ("toy:k=1,k=2", "stands twice", ""),
        ("toy:centred=maybe", "must be true or false", ""),
    ],
)
def test_a_wrong_spelling_is_refused_by_name(spelling: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        TOYS.build(spelling)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
