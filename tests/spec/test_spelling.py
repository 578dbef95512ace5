"""Spellings and registries."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.errors import UsageError
from asdcli.spec import Registry, always_spelled, parse
from asdcli.spec.spelling import join


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


@dataclass(frozen=True)
class Named:
    path: str | None = "x"


TOYS = Registry("method", {"toy": f"{__name__}:Toy", "other": f"{__name__}:Toy"})


def test_a_spelling_is_a_name_and_key_value_pairs() -> None:
    assert parse("varmin:k=16, val=test-all") == ("varmin", {"k": "16", "val": "test-all"})
    assert parse("nn") == ("nn", {})


def test_a_spelling_may_name_a_class() -> None:
    assert parse("mypkg.lof:LOF,k=16, val=test-all") == ("mypkg.lof:LOF", {"k": "16", "val": "test-all"})
    assert parse("mypkg:Some.LOF:k=16") == ("mypkg:Some.LOF", {"k": "16"})
    assert parse("mypkg:LOF") == ("mypkg:LOF", {})
    assert parse("nn:path=C:x") == ("nn", {"path": "C:x"})


_WORDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
_NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)
_CLASSES = st.builds("{}.{}:{}".format, _WORDS, _WORDS, _WORDS)
_VALUES = st.text("abcXYZ0189.-_+:/=é ", min_size=1).map(str.strip).filter(bool)


@settings(max_examples=200)
@given(st.one_of(_NAMES, _CLASSES), st.dictionaries(_WORDS, _VALUES, max_size=4))
def test_what_was_joined_is_parsed_again(name: str, params: dict[str, str]) -> None:
    assert parse(join(name, params)) == (name, params)


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
        ("toy:k,val=test-all", "cannot read 'k'", "key=value"),
        ("toy:16", "cannot read '16'", "key=value"),
        ("toy:k=1_6", "toy:k must be a whole number, got '1_6'", ""),
        ("toy:k=1,k=2", "stands twice", ""),
        ("toy:centred=maybe", "must be true or false", ""),
    ],
)
def test_a_wrong_spelling_is_refused_by_name(spelling: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        TOYS.build(spelling)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_value_that_no_spelling_holds_is_refused() -> None:
    registry = Registry("method", {"named": f"{__name__}:Named"})
    for path in ("a,b", "", " a", "none"):
        with pytest.raises(UsageError, match="cannot be"):
            registry.spell(Named(path))
    with pytest.raises(UsageError, match="toy:ratio cannot be 'nan'"):
        TOYS.spell(Toy(ratio=float("nan")))


def test_values_that_are_no_text_are_not_bent_into_shape() -> None:
    with pytest.raises(UsageError, match=r"toy:k must be a whole number, got 3\.5"):
        TOYS.build("toy", k=3.5)
    assert TOYS.build("toy", k=4, val=Val.TEST_ALL, ratio=np.float64(0.5)) == Toy(4, Val.TEST_ALL, 0.5)
    assert TOYS.spell(Toy(ratio=np.float64(0.5))) == "toy:k=16,val=train-all,ratio=0.5"  # type: ignore[arg-type]
