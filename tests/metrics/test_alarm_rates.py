"""What people say of false alarms becomes a threshold rule, by figures worked out by hand, or is refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.errors import UsageError
from asdcli.metrics.alarm_rates import is_of_a_time, rule_of, seconds
from asdcli.metrics.threshold_rules import RULES


@pytest.mark.parametrize(
    ("said", "every", "rule"),
    [
        ("1%", None, "quantile:quantile=0.99"),
        ("0.5 %", None, "quantile:quantile=0.995"),
        ("1/200", None, "quantile:quantile=0.995"),
        ("1/day", "1h", "false-alarms:per_day=1,clips_per_day=24"),
        ("2 a week", "10 min", "false-alarms:per_day=0.285714285714286,clips_per_day=144"),
        ("1/hour", "30s", "false-alarms:per_day=24,clips_per_day=2880"),
    ],
)
def test_a_rate_is_read(said: str, every: str | None, rule: str) -> None:
    assert rule_of(said, every) == rule


def test_once_a_month_at_one_in_ten_minutes_takes_4383_recordings() -> None:
    rule = RULES.build(rule_of("1/month", "10min"))
    assert rule.rate == pytest.approx(1 / (365.25 / 12 * 144))
    assert rule.needs == 4382  # 30.4375 days of 144 are 4,383, of which one may alarm


@given(st.integers(2, 100_000))
def test_one_in_n_is_promised_by_n_less_one_recordings(n: int) -> None:
    assert RULES.build(rule_of(f"1/{n}")).needs == n - 1


@pytest.mark.parametrize(
    ("said", "every", "told"),
    [
        ("rarely", None, "says no rate of false alarms"),
        ("1/fortnight", "1h", "says no rate of false alarms"),
        ("1/month", None, "false alarms 1/month of how many recordings"),
        ("0%", None, "is no rate of false alarms"),
        ("3/2", None, "is no rate of false alarms"),
        ("0/month", None, "0/month is no rate of false alarms"),
        ("1%", "1x", "'1x' is no time from one recording to the next"),
        ("1/0", None, "is no rate of false alarms"),
        ("30/day", "1h", "30/day of 24 recordings a day"),
        ("1/day", "often", "--every 'often' is no time"),
        ("1/day", "0min", "is no time from one recording to the next"),
    ],
)
def test_what_is_no_rate_is_refused_with_examples(said: str, every: str | None, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        rule_of(said, every)
    assert told in caught.value.message and caught.value.hint


@given(st.floats(0.1, 1e4), st.sampled_from(["s", "min", "h", "d"]))
def test_times_are_multiples_of_their_unit(number: float, unit: str) -> None:
    assert seconds(f"{number:.4f}{unit}") == pytest.approx(float(f"{number:.4f}") * seconds(f"1{unit}"))


def test_a_rate_of_a_time_is_told_from_one_of_recordings_and_from_none() -> None:
    assert is_of_a_time("1/month", None) and is_of_a_time("2 per week", None)
    assert not is_of_a_time("1%", None) and not is_of_a_time("1/200", None) and not is_of_a_time("1/month", "10min")
    for none in ("soon", "1/fortnight", "0/month"):
        with pytest.raises(UsageError, match="rate of false alarms"):
            is_of_a_time(none, None)
