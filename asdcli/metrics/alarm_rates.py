"""How rare false alarms are to be, as people say it: `1/month` with a recording every `10min`, or `1%`."""

from __future__ import annotations

import re

from asdcli.errors import UsageError

DEFAULT = "1%"
DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
"""Days in what a number of false alarms may be said of."""
SECONDS = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
"""Seconds in the units of `--every`."""

_HINT = f"for example --false-alarms {DEFAULT}, 1/200, or 1/month with --every 10min; of {', '.join(DAYS)}"
_OFTEN = "0.001s"  # for who has not said how often: then no rate of a time is too high
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"


def rule_of(false_alarms: str, every: str | None = None) -> str:
    """The spelling of the threshold rule that promises so few of them.

    Args:
        false_alarms: `1%` or `1/200` of the recordings, or `1/month`.
        every: the time from one recording to the next, such as `10min`; None where it is not known.

    Raises:
        UsageError: neither, or a time without `every`, or more alarms than recordings; or `every` is no time.
    """
    clips_per_day = None if every is None else 86400 / seconds(every)
    text = false_alarms.strip().lower()
    if found := re.fullmatch(rf"({_NUMBER})\s*%", text):
        return _share(float(found[1]) / 100, false_alarms)
    if found := re.fullmatch(rf"({_NUMBER})\s*/\s*({_NUMBER})", text):
        return _share(float(found[1]) / float(found[2]) if float(found[2]) else 1.0, false_alarms)
    found = re.fullmatch(rf"({_NUMBER})\s*(?:/|per|a|an)\s*([a-z]+?)", text)
    if not found or found[2] not in DAYS:
        raise UsageError(f"{false_alarms!r} says no rate of false alarms", _HINT)
    per_day = float(found[1]) / DAYS[found[2]]
    if not per_day:
        raise UsageError(f"{false_alarms} is no rate of false alarms", f"more than none: {_HINT}")
    if clips_per_day is None:
        raise UsageError(
            f"false alarms {false_alarms} of how many recordings?", "say how often one comes: --every 10min"
        )
    if not per_day < clips_per_day:
        raise UsageError(
            f"{false_alarms} of {clips_per_day:g} recordings a day is no rate of false alarms",
            f"fewer than there are recordings: {_HINT}",
        )
    return f"false-alarms:per_day={_plain(per_day)},clips_per_day={_plain(clips_per_day)}"


def is_of_a_time(false_alarms: str, every: str | None) -> bool:
    """Whether a rate is one of a time such as a month, and nobody said yet how many recordings that has.

    Raises:
        UsageError: it is no rate, however often recordings come.
    """
    rule = rule_of(false_alarms, _OFTEN if every is None else every)
    return every is None and rule.startswith("false-alarms")


def seconds(text: str) -> float:
    """`10min`, `1h`, `30 s`, `90` (seconds) in seconds. Raises UsageError for what is no time."""
    found = re.fullmatch(rf"({_NUMBER})\s*([a-z]*)", text.strip().lower())
    unit = found and (found[2] or "s")
    unit = unit.removesuffix("s") if unit and unit not in SECONDS else unit
    if not found or unit not in SECONDS or not float(found[1]):
        raise UsageError(f"--every {text!r} is no time from one recording to the next", "for example 10min, 1h or 30s")
    return float(found[1]) * SECONDS[unit]


def _share(rate: float, said: str) -> str:
    if not 0 < rate < 1:
        raise UsageError(f"{said} of the recordings is no rate of false alarms", f"more than 0, less than all: {_HINT}")
    return f"quantile:quantile={_plain(1 - rate)}"


def _plain(value: float) -> str:
    """0.99 and not 0.9900000000000001, 24 and not 24.0."""
    return f"{round(value, 15)!r}".removesuffix(".0")
