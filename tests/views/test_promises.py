"""Promised against measured: the shares of labelled test clips, and the verdict on them."""

from __future__ import annotations

import pytest

from asdcli.metrics.decisions import Confusion
from asdcli.views.promises import Promise, held
from asdcli.vocabulary import Domain, ScoredAs

SOURCE, TARGET = Domain.SOURCE, Domain.TARGET


def counts(alarms: int, normal: int, hits: int = 0, anomalous: int = 0) -> Confusion:
    return Confusion(hits, alarms, anomalous - hits, normal - alarms)


@pytest.mark.parametrize(
    ("alarms", "scored_as", "verdict"),
    [
        (12, ScoredAs.LEFT_OUT_GROUP, "kept, as far as these clips tell"),
        (60, ScoredAs.HELD_OUT, "broken: more alarms"),
        (1, ScoredAs.HELD_OUT, "fewer alarms than promised"),
        (12, ScoredAs.SEEN, "no promise: set on clips that the model was trained on"),
    ],
)
def test_the_verdict_is_whether_the_promise_lies_in_the_interval(alarms: int, scored_as: str, verdict: str) -> None:
    (one,) = held([(None, counts(alarms, 100, 40, 50), Promise(0.1, scored_as))])
    assert one.verdict == verdict
    assert (one.false_alarms.measured, one.false_alarms.promised) == (alarms / 100, 0.1)
    assert one.hits and one.hits.measured == 0.8


def test_machine_types_are_taken_together_and_domains_are_not() -> None:
    found = held(
        [
            (SOURCE, counts(1, 10), Promise(0.1, None)),
            (TARGET, counts(5, 10), Promise(0.1, None)),
            (SOURCE, counts(3, 30), Promise(0.2, None)),
            (TARGET, counts(0, 0, 2, 4), Promise(0.1, None)),  # no normal clip says anything of false alarms
        ]
    )
    assert [(one.domain, one.false_alarms.above, one.false_alarms.n) for one in found] == [
        (SOURCE, 4, 40),
        (TARGET, 5, 10),
    ]
    assert found[0].false_alarms.promised == pytest.approx((10 * 0.1 + 30 * 0.2) / 40)
    assert found[0].hits is None and found[1].hits and found[1].hits.n == 4
