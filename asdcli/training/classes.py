"""The classes that a discriminative model tells apart: one for each distinct combination of what a clip's name says."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

LABEL_COLUMNS = ("machine_type", "section", "attribute_string", "domain")

ClassLabel = tuple[str | None, ...]


def classes(clips: pa.Table) -> tuple[list[ClassLabel], np.ndarray]:
    """Classes of a table of training clips and the class of each of its rows.

    A class is a distinct (machine type, section, attribute string, domain); null (hidden) is a value too.

    Returns:
        labels: C tuples in `LABEL_COLUMNS` order, sorted, nulls first.
        index: (n_clips,) int64, which of them each clip belongs to.
    """
    rows: list[ClassLabel] = list(zip(*(clips[name].to_pylist() for name in LABEL_COLUMNS), strict=True))
    labels = sorted(set(rows), key=lambda row: [(value is not None, value or "") for value in row])
    number = {label: i for i, label in enumerate(labels)}
    return labels, np.array([number[row] for row in rows], dtype=np.int64)
