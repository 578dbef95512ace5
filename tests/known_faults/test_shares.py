"""The shares that docs/your-recordings.md states, on few of the cases: `python -m tests.known_faults` has all."""

from __future__ import annotations

from tests.known_faults.factory import FAULTS
from tests.known_faults.shares import of_factory, of_made_up


def test_known_bands_beginnings_and_rates_are_named_right_and_nothing_where_nothing_is_wrong() -> None:
    found = {share.what: share for share in of_made_up(4, bands_db=(3,), pulses_db=(-6,))}
    assert found["made up: healthy"].right >= 3
    for what in ("band +3 dB", "pulses -6 dB"):
        assert found[f"made up: {what}"].right >= 3, found[f"made up: {what}"]


def test_faults_of_the_factory_are_named_right() -> None:
    faults = [f for f in FAULTS if (f.machine_type, f.fault) in {("bearing", "inner_race"), ("bearing", "dry")}]
    healthy, *found = of_factory(1, faults)
    assert healthy.right >= 1
    for share in found:
        assert share.right == 2, share
