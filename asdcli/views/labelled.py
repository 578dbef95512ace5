"""What a choice of parameters is judged by: areas over the sections whose truth is known, joined into one number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadData, UsageError
from asdcli.metrics.official import SectionScores, measure, official
from asdcli.metrics.specs import MetricSpec
from asdcli.vocabulary import Condition


@dataclass(frozen=True)
class Judged:
    """The clips of one section with known condition: `rows` of a table of clips, `anomalous` and `domain` of each."""

    machine_type: str
    section: str | None
    rows: np.ndarray
    anomalous: np.ndarray
    domain: np.ndarray

    def scores(self, of_clips: np.ndarray) -> SectionScores:
        """`of_clips` (n_clips,) are the scores of all rows of the table."""
        return SectionScores(self.machine_type, self.section, of_clips[self.rows], self.anomalous, self.domain)

    def only(self, keep: np.ndarray) -> Judged:
        """The section without the rows that `keep` (n_clips,) strikes out."""
        kept = keep[self.rows]
        return Judged(self.machine_type, self.section, self.rows[kept], self.anomalous[kept], self.domain[kept])


def judged(clips: pa.Table, truth: Path | None) -> list[Judged]:
    """The sections of a table of clips, with conditions from `truth` over those in the table.

    Raises:
        BadData: no clip has a known condition.
    """
    condition, domain = clips["condition"], clips["domain"]
    if truth is not None and truth.exists():
        known, _ = artifacts.read_table(truth, artifacts.CLIPS, headerless=True)
        place = pc.index_in(clips["clip_id"], value_set=known["clip_id"])
        condition = pc.coalesce(known["condition"].take(place), condition)
        domain = pc.coalesce(known["domain"].take(place), domain)
    words = np.array(condition.to_pylist(), dtype=object)
    domains = np.array([d or "" for d in domain.to_pylist()], dtype=np.str_)
    groups: dict[tuple[str, str | None], list[int]] = {}
    keys = zip(clips["machine_type"].to_pylist(), clips["section"].to_pylist(), strict=True)
    for row, key in enumerate(keys):
        if words[row] is not None:
            groups.setdefault(key, []).append(row)
    if not groups:
        raise BadData("no test clip has a known condition: nothing tells a good choice from a bad one")
    return [
        Judged(machine_type, section, np.array(rows), words[rows] == str(Condition.ANOMALY), domains[rows])
        for (machine_type, section), rows in sorted(groups.items(), key=lambda g: (g[0][0], g[0][1] or ""))
    ]


def of_sections(sections: Sequence[Judged], wanted: Collection[str]) -> list[Judged]:
    """Those of the named sections. Raises UsageError when none of them is there."""
    found = [s for s in sections if s.section in wanted]
    if not found:
        known = sorted({s.section or "-" for s in sections})
        raise UsageError(
            f"no labelled test clip is of section {', '.join(wanted)}", f"sections with labels: {', '.join(known)}"
        )
    return found


def objective(spec: MetricSpec, sections: Sequence[Judged], of_clips: np.ndarray) -> float | None:
    """The spec's mean over the sections; None where no area is defined."""
    return official(spec, measure(spec, [s.scores(of_clips) for s in sections]))
