"""The nearest normal recordings of clips with several windows, of a section, and of nobody."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData
from asdcli.views.embeddings import Embedded, embedded_of
from asdcli.views.neighbourhood import neighbourhood
from asdcli.vocabulary import Unit
from tests.helpers.two_runs import rows


def embedded(n_train: int = 12) -> Embedded:
    """Two windows a clip of two sections."""
    clips = rows(["fan"], ("00", "01"), n_train=n_train, n_test=1)
    labels = [{**c, "group": None, "window": w} for c in clips for w in range(2)]
    vectors = np.random.default_rng(1).normal(size=(len(labels), 5)).astype(np.float32)
    names = [(c.name, c.type) for c in artifacts.EMBEDDINGS.columns if c.name in labels[0]]
    table = pa.Table.from_pylist(labels, pa.schema(names))
    table = table.append_column("seen", pa.array([False] * len(labels)))
    table = table.append_column("vector", pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), 5))
    return embedded_of(table, Header.make(artifacts.EMBEDDINGS, dataset="made"))


@pytest.mark.parametrize("unit", list(Unit))
def test_a_distance_is_the_mean_over_windows_of_the_least_to_any_window_of_a_recording_of_the_unit(unit: Unit) -> None:
    own = embedded()
    split, section, ids = (own.column(name) for name in ("split", "section", "clip_id"))
    row = int(np.flatnonzero((split == "test") & (section == "01"))[0])
    found = neighbourhood(own, row, unit, None, most=5)
    x = own.vectors.astype(np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    train = [i for i in np.flatnonzero(split == "train") if unit is Unit.MACHINE_TYPE or section[i] == "01"]
    d = {ids[i]: ((1 - x[own.clip == row] @ x[own.clip == i].T) / 2).min(axis=1).mean() for i in train}
    nearest = sorted(d, key=lambda name: d[name])[:5]
    assert [n.clip_id for n in found.near] == nearest and found.of == len(train) and found.windows == 2
    assert [n.distance for n in found.near] == pytest.approx([d[name] for name in nearest])


def test_a_clip_is_no_neighbour_of_its_own_and_with_nobody_else_that_is_said() -> None:
    own = embedded(2)
    row = int(np.flatnonzero((own.column("split") == "train") & (own.column("section") == "00"))[0])
    (other,) = neighbourhood(own, row, Unit.SECTION, None, most=5).near
    assert other.clip_id != own.column("clip_id")[row]
    with pytest.raises(BadData, match="no normal recording to compare"):
        neighbourhood(own, row, Unit.SECTION, None, without=[other.clip_id], most=5)
