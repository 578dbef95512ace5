"""The checked recordings of a machine in the order in which they were made, and what a bet on a change has won."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asdcli.history.answers import confirmed
from asdcli.history.checks import PastCheck, kept, latest
from asdcli.metrics.martingale import change, log_capital, online_p_values
from asdcli.views.calibration import Calibration, calibrations
from asdcli.views.checked import NORMAL, SUSPICIOUS
from asdcli.views.scores import Scored
from asdcli.vocabulary import Split

_JUDGED = (NORMAL, SUSPICIOUS)
_SEED = 0  # of the lots by which ties are told apart
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Course:
    """Recordings of one machine that were judged by one detector.

    Attributes:
        machine: its name.
        method: of scoring.
        detector: digest of what had been learned.
        learned: the m recordings that they are ranked among.
        recordings: n of them, the earliest first.
        above: (n,) how many of the learned ones score at least as high as each, by its p-value: of one much longer than
            these, whose p-value is joined of several, no fewer than that.
        log_capital: (n,) what the bet has won after each, as `metrics.martingale` has it.
        left_out: why others are not among them -> how many.
    """

    machine: str
    method: str
    detector: str
    learned: Calibration
    recordings: tuple[PastCheck, ...]
    above: npt.NDArray[np.int64]
    log_capital: npt.NDArray[np.float64]
    left_out: dict[str, int]

    @property
    def m(self) -> int:
        return len(self.learned.scores)

    @property
    def p_values(self) -> npt.NDArray[np.float64]:
        """(n,) of `above`."""
        return np.asarray((1.0 + self.above) / (self.m + 1.0), np.float64)

    @property
    def change(self) -> tuple[int, int] | None:
        """The recording at which the line was crossed, and that with which the change began; None where it was not."""
        return change(self.log_capital)


def courses(history: Path, methods: Sequence[Scored], machine: str | None = None) -> Iterator[Course]:
    """The course of each machine, by the detector that judged it last.

    Recordings that were confirmed to be faults are no part of it, and those not judged, or by an earlier detector.

    Args:
        history: of the run.
        methods: with the scores of normal recordings.
        machine: only this one.

    Raises:
        As `history.database.reading`.
    """
    checks, said = [one for one in kept(history) if one.start_s is None], confirmed(history)
    faults = {digest for digest, one in said.items() if one.answer == "fault"}
    learned = {(method.spelling, name): own for method in methods for name, own in _learned(method).items()}
    for name in sorted({one.machine for one in checks if machine in (None, one.machine)}):
        own = [one for one in checks if one.machine == name]
        judged = [one for one in own if one.verdict in _JUDGED and one.p_value is not None]
        if not judged:
            continue
        last = max(judged, key=lambda one: one.checked)
        if (last.method, name) in learned:
            yield _course(own, last, learned[last.method, name], faults)


def _learned(method: Scored) -> dict[str, Calibration]:
    """Machine -> what its recordings are ranked among; nothing of one whose model has seen all of it.

    Those that an operator called normal are checked recordings, and no learned ones beside, unless there are no others.
    """
    ways = (method, method.split(Split.TRAIN))
    return {name: own for of in ways for name, own in calibrations(of) if not own.is_seen}


def _course(checks: Sequence[PastCheck], last: PastCheck, learned: Calibration, faults: set[str]) -> Course:
    m = len(learned.scores)
    own = latest([one for one in checks if (one.detector, one.method) == (last.detector, last.method)])
    left = Counter({"judged by what was learned before": len({one.digest for one in checks}) - len(own)})
    found: list[PastCheck] = []
    above: list[int] = []
    for one in own:
        if one.digest in faults:
            left["confirmed as faults"] += 1
        elif one.verdict not in _JUDGED or one.p_value is None:
            left["not judged"] += 1
        else:
            found.append(one)
            above.append(math.ceil(one.p_value * (m + 1) - 1 - _ROUNDING))
    places = np.array(above, np.int64)
    capital = log_capital(online_p_values(places, m, np.random.default_rng(_SEED)))
    return Course(last.machine, last.method, last.detector, learned, tuple(found), places, capital, dict(+left))
