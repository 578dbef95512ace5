"""The number format in which `embed` has networks compute: near, said in the header, and kept by detectors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from asdcli import artifacts
from asdcli.detector.sources import source_of
from asdcli.errors import UsageError
from asdcli.features.pack import WaveformPack
from asdcli.pipeline.options import of_embeddings
from asdcli.stages import embed, train
from tests.helpers import noise_run
from tests.helpers.heard import Heard


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Clips and features of two machine types and a model of one epoch."""
    clips, features = noise_run.write(tmp_path_factory.mktemp("noise"))
    train.run(clips, features, features.parent / "model", epochs=1, batch_size=8, device="cpu")
    return {"clips": clips, "features": features, "model": features.parent / "model"}


def vectors(table: pa.Table) -> np.ndarray:
    return np.stack(table["vector"].to_numpy(zero_copy_only=False))


@pytest.fixture(scope="module")
def embedded(places: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    output = tmp_path_factory.mktemp("embedded") / "embeddings.parquet"
    embed.run(**places, output=output, device="cpu")
    assert "precision" not in artifacts.read_header(output, artifacts.EMBEDDINGS).params
    return artifacts.read_table(output, artifacts.EMBEDDINGS)[0]


@pytest.fixture(scope="module")
def in_bf16(places: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("bf16") / "embeddings.parquet"
    embed.run(**places, output=output, device="cpu", precision="bf16")
    return output


def test_a_shorter_format_is_near_and_its_header_says_it(
    places: dict[str, Path], embedded: pa.Table, in_bf16: Path
) -> None:
    table, header = artifacts.read_table(in_bf16, artifacts.EMBEDDINGS)
    ours, exact = vectors(table), vectors(embedded)
    assert table["clip_id"] == embedded["clip_id"] and not np.array_equal(ours, exact)
    off = np.linalg.norm(ours - exact, axis=1) / np.linalg.norm(exact, axis=1)
    assert off.max() < 0.05  # bfloat16 keeps 8 bits: 0.004 a number, of which a layer's output is a sum
    assert header.params["precision"] == "bf16" and of_embeddings(header)[-2:] == ["--precision", "bf16"]
    how: dict[str, Any] = {**places, "output": in_bf16, "device": "cpu"}
    assert embed.run(**how, precision="bf16").status == "current"
    assert not artifacts.is_current(in_bf16, artifacts.EMBEDDINGS, replace(header, params={"embedder": "trained"}))


def test_a_detector_embeds_in_the_format_of_its_embeddings(places: dict[str, Path], in_bf16: Path) -> None:
    table, header = artifacts.read_table(in_bf16, artifacts.EMBEDDINGS)
    how: dict[str, Any] = {"model": places["model"], "features": None, "clips": None, "device": "cpu"}
    source = source_of(header, "vectors", **how, batch_size=64, progress=Heard())
    stored = places["features"] / "waveform" / "fan.npz"
    pack = WaveformPack.from_arrays(artifacts.read_arrays(stored, artifacts.FEATURES)[0])
    own = table.filter(pc.equal(table["machine_type"], "fan"))
    assert np.array_equal(source.windows("fan", pack)[0], vectors(own))


@pytest.mark.parametrize("native", [True, False])
def test_auto_is_the_shorter_format_where_the_hardware_has_it(
    places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    embed.run(**places, output=tmp_path / "e.parquet", device="cpu", precision="auto")
    header = artifacts.read_header(tmp_path / "e.parquet", artifacts.EMBEDDINGS)
    assert header.params.get("precision") == ("bf16" if native else None)


def test_a_format_that_there_is_not_or_that_an_embedder_has_not_is_refused(
    places: dict[str, Path], tmp_path: Path
) -> None:
    how: dict[str, Any] = {**places, "output": tmp_path / "e.parquet", "device": "cpu"}
    with pytest.raises(UsageError, match="precision"):
        embed.run(**how, precision="fp8")
    with pytest.raises(UsageError, match="embedder 'logmel' has no network that asd trained"):
        embed.run(**how, precision="bf16", embedder="logmel")
