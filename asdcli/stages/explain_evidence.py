"""What `asd explain` is given: files of a run, and recordings that are no clips of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asdcli.views.standing import Standing


@dataclass(frozen=True)
class Evidence:
    """What explaining reads; what is not there is None.

    Attributes:
        clips: clips.parquet.
        features: folder of the packs, of which the headers say how recordings were read.
        embeddings: the run's vectors.
        detector: what the method has learnt.
        thresholds: thresholds.parquet.
        model: folder of the model that embeds, or of the autoencoder.
    """

    clips: Path
    features: Path
    embeddings: Path | None = None
    detector: Path | None = None
    thresholds: Path | None = None
    model: Path | None = None


@dataclass(frozen=True)
class Outside:
    """A recording that is no clip of the run.

    Attributes:
        path: of the file.
        clip_id: one that no clip has.
        standing: what a check says of it.
        notes: what a check remarks on it.
        changes: to how the clips were read.
        span_s: of a long one, the seconds that are explained; None: all of it.
    """

    path: Path
    clip_id: str
    standing: Standing
    notes: tuple[str, ...] = ()
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    span_s: tuple[float, float] | None = None
