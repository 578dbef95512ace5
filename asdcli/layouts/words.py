"""The words by which names and label columns say split, condition and domain: tables, and nothing but tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asdcli.vocabulary import Condition, Domain, Split, Subset


def _table(groups: Mapping[Any, str]) -> dict[str, Any]:
    return {word: meaning for meaning, words in groups.items() for word in words.split()}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPLITS: dict[str, Split] = _table(
    {
        Split.TRAIN: "train training",
        Split.TEST: "test testing eval evaluation val valid validation",
        Split.SUPPLEMENTAL: "supplemental",
    }
)
CONDITIONS: dict[str, Condition] = _table(
    {
        Condition.NORMAL: "normal normals ok okay good healthy nominal intact passed io gut 正常 良品",
        Condition.ANOMALY: "anomaly anomalies anomalous abnormal abnormals abnormality abnormalities anomal anormal ng "
        "nok bad faulty fault faults defect defects defective broken damaged damage damages failure failures failed "
        "failing fail malfunction malfunctions malfunctioning nio schlecht defekt fehler fehlerhaft kaputt "
        "異常 异常 故障 不良",
    }
)
DOMAINS: dict[str, Domain] = _table({Domain.SOURCE: "source", Domain.TARGET: "target"})
SUBSETS: dict[str, Subset] = _table({Subset.DEV: "dev development", Subset.EVAL: "eval evaluation"})

FILLERS = _words(
    "audio clip clips data dataset file files raw recording recordings sound sounds signal signals sample "
    "samples wav wavs flac class label condition conditions state states status operation operations "
    "operating part parts machine machines only ind cnt"
)
"""Words of a name that say nothing. `ind` and `cnt` are ToyADMOS's: recorded one by one, or on and on."""

NEGATIONS = _words("no not non un ab without nicht kein keine ohne")
"""Turn the condition that follows into the other one: `not ok`, `no fault`, `unhealthy`."""

NEGATING_ENDS = _words("free less")
"""Turn the condition before them into the other one: `defect-free`, `faultless`."""

HEDGES = _words("before after pre post until till maybe perhaps possibly almost nearly unknown unclear vs")
"""Beside these a word for a condition may mean anything: `before failure`."""

HIDDEN = ("abnormal", "anomal", "anormal", "broken", "damag", "defect", "failure", "fault", "malfunc", "unhealth")
"""What says an anomaly even inside a longer word (`fanabnormal`): not enough to be read, too much to be ignored."""

HARMLESS = ("default",)
"""Words that hold one of `HIDDEN` and mean nothing of the kind."""

OPPOSING = ("non", "not", "no", "un", "ab", "dis", "mis", "im", "in", "n")
"""Two machine types whose names differ by one of these may well be one machine in two conditions: iO and niO."""

PAIRS = (("negative", "positive"), ("neg", "pos"), ("false", "true"), ("no", "yes"), ("before", "after"), ("0", "1"))
"""Names that may say a condition where they come as a pair, more likely the normal one first."""

SESSIONS = _words(
    "session sessions run runs day days week weeks month months year date time take takes series batch no nr "
    "v monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun january february "
    "march april may june july august september october november december jan feb mar apr jun jul aug sep "
    "sept oct nov dec am pm t z in of from on the"
)
"""Words by which recordings of one machine are told apart: a name of these and of numbers is hardly a machine's."""

LABEL_CODES: dict[str, Condition] = _table(
    {Condition.NORMAL: "0 0.0 false", Condition.ANOMALY: "1 1.0 true"},
)
"""What a label column may hold besides `CONDITIONS`: 1 is anomalous, as in every published ground truth."""
