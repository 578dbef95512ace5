"""The words by which folders and label columns say split, condition and domain: tables, and nothing but tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asdcli.vocabulary import Condition, Domain, Split, Subset


def _table(groups: Mapping[Any, str]) -> dict[str, Any]:
    return {word: meaning for meaning, words in groups.items() for word in words.split()}


SPLITS: dict[str, Split] = _table(
    {
        Split.TRAIN: "train training",
        Split.TEST: "test testing eval evaluation val valid validation",
        Split.SUPPLEMENTAL: "supplemental",
    }
)
CONDITIONS: dict[str, Condition] = _table(
    {
        Condition.NORMAL: "normal normals ok good healthy nominal",
        Condition.ANOMALY: "anomaly anomalies anomalous abnormal abnormals ng nok bad faulty fault faults defect "
        "defective broken damaged failure",
    }
)
DOMAINS: dict[str, Domain] = _table({Domain.SOURCE: "source", Domain.TARGET: "target"})
SUBSETS: dict[str, Subset] = _table({Subset.DEV: "dev development", Subset.EVAL: "eval evaluation"})

FILLERS = frozenset(["audio", "clips", "data", "files", "raw", "recordings", "sounds", "wav", "wavs", "flac"])
"""Words of a folder's name that say nothing."""

LABEL_CODES: dict[str, Condition] = _table(
    {Condition.NORMAL: "0 0.0 false", Condition.ANOMALY: "1 1.0 true"},
)
"""What a label column may hold besides `CONDITIONS`: 1 is anomalous, as in every published ground truth."""
