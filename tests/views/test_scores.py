"""Scores cut into the sections that are measured, each with its own clips."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.views.scores import Scored, by_section

_clips = st.tuples(
    st.sampled_from(["dev", "eval"]),
    st.sampled_from(["fan", "valve"]),
    st.sampled_from([None, "00", "01"]),
    st.sampled_from(["source", "target", None]),
    st.sampled_from(["normal", "anomaly", None]),
)


@given(st.lists(_clips, min_size=1, max_size=12).filter(lambda clips: any(c[-1] for c in clips)), st.randoms())
def test_every_section_has_its_own_known_clips_in_the_order_of_clip_id(clips: list[tuple], random) -> None:
    names = ("subset", "machine_type", "section", "domain", "condition")
    rows = [
        {**dict(zip(names, clip, strict=True)), "clip_id": f"{number:02}", "split": "test", "anomaly_score": number}
        for number, clip in enumerate(clips)
    ]
    random.shuffle(rows)
    schema = [(c.name, c.type) for c in artifacts.SCORES.columns if c.name in rows[0]]
    table = pa.Table.from_pylist(rows, pa.schema(schema))
    header = Header.make(artifacts.SCORES, dataset="toy")
    found, _ = by_section(Scored("nn", "nn", table, header, Path("nn.parquet")))
    read = {
        (subset, one.machine_type, one.section): list(
            zip(one.scores.tolist(), one.anomalous.tolist(), one.domain.tolist(), strict=True)
        )
        for subset, sections in found.items()
        for one in sections
    }
    expected: dict[tuple, list] = {}
    for number, (subset, machine_type, section, domain, condition) in enumerate(clips):
        if condition:
            own = expected.setdefault((subset, machine_type, section), [])
            own.append((float(number), condition == "anomaly", domain or ""))
    assert read == expected
