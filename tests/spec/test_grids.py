"""Spellings that stand for several."""

from __future__ import annotations

import pytest

from asdcli.errors import UsageError
from asdcli.spec.grids import written_out


def test_every_combination_is_written_out_the_last_parameter_first() -> None:
    assert written_out("varmin:k=1|2,val=train-all|held-out,loo=loose") == [
        "varmin:k=1,val=train-all,loo=loose",
        "varmin:k=1,val=held-out,loo=loose",
        "varmin:k=2,val=train-all,loo=loose",
        "varmin:k=2,val=held-out,loo=loose",
    ]
    assert written_out("mine.lof:LOF,k=8| 9") == ["mine.lof:LOF,k=8", "mine.lof:LOF,k=9"]


def test_one_is_itself_as_it_was_typed_and_none_comes_twice() -> None:
    assert written_out("varmin: k = 4") == ["varmin: k = 4"]
    assert written_out("nn:k=1|1") == ["nn:k=1"]


@pytest.mark.parametrize("typed", ["nn:k=1|", "nn:k=|1", "nn:k=1||2"])
def test_an_alternative_of_nothing_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="cannot read k="):
        written_out(typed)
