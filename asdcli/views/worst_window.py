"""The most suspicious window of a clip of a run that was cut into windows: where in it to listen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.views.reading import Reading


@dataclass(frozen=True)
class WorstWindow:
    """Of a clip.

    Attributes:
        number: of the window, from 0.
        span_s: seconds of the clip at which it begins and ends.
    """

    number: int
    span_s: tuple[float, float]


def worst_window(
    windows: Path | None, clip_id: str, how: Mapping[str, Any], duration_s: float | None
) -> WorstWindow | None:
    """That of a clip; None where it was not cut.

    Args:
        windows: the table of scores of windows; None where there is none.
        clip_id: of the clip.
        how: the parameters of its features.
        duration_s: of the clip.

    Raises:
        BadArtifact: the table cannot be read.
    """
    if windows is None or how.get("window_s") is None or duration_s is None:
        return None
    table, _ = artifacts.read_table(windows, artifacts.WINDOW_SCORES)
    own = table.filter(pc.equal(table["clip_id"], pa.scalar(clip_id))).sort_by("window")
    spans = Reading.of(how).spans_s(duration_s)
    if len(own) < 2 or len(own) != len(spans):
        return None
    number = int(own["anomaly_score"].to_numpy().argmax())
    return WorstWindow(number, (float(spans[number, 0]), float(spans[number, 1])))
