"""What of an evaluation set has scores: a number over a part of it must not pass for one over all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from asdcli.views.scores import Scored, known_test, of_subset
from asdcli.wording import they_are


@dataclass(frozen=True)
class Coverage:
    """Test clips of known condition that a method did not score.

    Attributes:
        missing: how many, by subset; only subsets of which something was scored.
        sentences: which.
    """

    missing: Mapping[str, int] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()


def coverage(scored: Scored, clips: pa.Table) -> Coverage:
    """Of `scored` among the clips of `clips`."""
    test = known_test(clips)
    missing = test.filter(pc.invert(pc.is_in(test["clip_id"], value_set=scored.table["clip_id"])))
    subsets = pc.unique(scored.table["subset"]).to_pylist()
    missing = missing.filter(pc.is_in(missing["subset"], value_set=pa.array(subsets, pa.string())))
    sentences = []
    for subset in subsets:
        lost, own = of_subset(missing, subset), of_subset(scored.table, subset)
        has_scores = pc.is_in(lost["machine_type"], value_set=pc.unique(own["machine_type"]))
        single = lost.filter(has_scores)["clip_id"].to_pylist()
        if single:
            sentences.append(
                f"{they_are(single, 'test clip')} in clips.parquet but not scored: the score is over the others"
            )
        whole = sorted(pc.unique(lost.filter(pc.invert(has_scores))["machine_type"]).to_pylist())
        if whole:
            sentences.append(f"{subset}: no scores for {', '.join(whole)}; the score is over the other machine types")
    return Coverage(Counter(missing["subset"].to_pylist()), tuple(sentences))
