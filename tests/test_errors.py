"""Errors in words: names that are in no table."""

from __future__ import annotations

from asdcli.errors import unknown_name

MANY = [f"efficientnet_b{n}" for n in range(8)] + [f"other{n:04}" for n in range(1200)]


def test_a_short_table_is_listed_whole_with_the_nearest_name_first() -> None:
    error = unknown_name("stage", "trian", ["train", "embed", "score"])
    assert (error.message, error.hint) == ("unknown stage 'trian'", "did you mean 'train'? known: embed, score, train")
    assert unknown_name("stage", "x", []).hint == "known: none"


def test_of_a_long_table_the_five_nearest_names_are_told_and_what_lists_the_rest() -> None:
    hint = unknown_name("backbone", "efficientnet_b00", MANY, "timm.list_models()").hint or ""
    assert hint.startswith("did you mean 'efficientnet_b0'? known: efficientnet_b0, ")
    assert hint.endswith(" and 1,203 more: timm.list_models() lists them")
    assert hint.count("efficientnet") == 6 and len(hint) < 250


def test_a_name_like_nothing_in_a_long_table_still_gets_examples() -> None:
    assert unknown_name("backbone", "%%%", MANY).hint == f"known: {', '.join(sorted(MANY)[:5])} and 1,203 more"
