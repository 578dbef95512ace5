"""Texts that fit into the inches they have, whatever is in them."""

from __future__ import annotations

from asdcli.plots.page import fitted, shortened


def test_a_long_name_keeps_its_beginning_and_its_end_and_shows_what_is_not_to_be_seen() -> None:
    assert shortened("fan", 1.5, 7.5) == "fan"
    assert shortened("a\x1b[31m", 1.5, 7.5) == "a\\x1b[31m"
    short = shortened("varmin:k=16,val=train-cluster of somebody", 1.5, 7.5)
    assert short.startswith("varmin:k") and short.endswith("somebody") and "…" in short
    assert len(short) <= 1.5 * 72 / (7.5 * 0.68)


def test_a_text_is_broken_where_the_page_ends_and_loses_nothing() -> None:
    text = "three words and averyveryverylongword\x07"
    lines = fitted(text, 1.0, 6.5)
    assert len(lines) > 2 and max(map(len, lines)) <= 72 / (6.5 * 0.55)
    assert "".join(lines).replace(" ", "") == "threewordsandaveryveryverylongword\\x07"
