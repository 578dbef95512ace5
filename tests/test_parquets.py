"""Parquet that is damaged: one error of one line, and words from whoever reads it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asdcli import artifacts
from asdcli.errors import BadArtifact, BadData
from asdcli.layouts.manifest import read_manifest
from asdcli.parquets import DamagedParquet, read
from asdcli.views.foreign import read_foreign


def table(path: Path) -> bytes:
    columns = {"clip_id": ["a", "b"], "path": ["a.wav", "b.wav"], "v0": [0.5, 1.5]}
    pq.write_table(pa.table(columns), path, compression="none")
    return path.read_bytes()


@pytest.fixture(params=["name", "text", "end", "footer", "other"])
def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "x.parquet"
    whole = table(path)
    damages = {
        "name": whole.replace(b"clip_id", b"clip\xefid"),  # a name of a column that is no text
        "text": whole.replace(b"b.wav", b"\xef.wav"),
        "end": whole[:-20],
        "footer": whole[:-60] + bytes(40) + whole[-20:],
        "other": b"PAR1, or so it says",
    }
    path.write_bytes(damages[request.param])
    return path


def test_every_damage_is_the_same_error_of_one_line(damaged: Path) -> None:
    with pytest.raises(DamagedParquet) as caught:
        read(damaged)
    assert len(str(caught.value).splitlines()) == 1


def test_whoever_reads_it_says_so(damaged: Path) -> None:
    with pytest.raises(BadData, match="cannot be read as Parquet"):
        read_foreign(damaged, numeric=lambda name: name == "v0")
    with pytest.raises(BadData, match="is not a Parquet file"):
        read_manifest(damaged, damaged.parent)
    with pytest.raises(BadArtifact, match=r"is not a Parquet file|is damaged|has no asd header"):
        artifacts.read_table(damaged, artifacts.SCORES)
