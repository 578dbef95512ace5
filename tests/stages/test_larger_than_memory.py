"""Packs that do not fit into memory are trained on and embedded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import limited_memory
from tests.helpers.waiting import PATIENCE_S

HERE = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts a process's own memory by itself")
@pytest.mark.parametrize(
    ("packs_mb", "memory_mb"), [(400, 150), pytest.param(1000, 300, marks=pytest.mark.slow)], ids=str
)
def test_packs_larger_than_memory_are_trained_on_and_embedded(tmp_path: Path, packs_mb: int, memory_mb: int) -> None:
    limited_memory.write(tmp_path, packs_mb * 10**6)
    command = [sys.executable, "-m", "tests.helpers.limited_memory", str(tmp_path), str(memory_mb)]
    own = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, env=own, cwd=HERE)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "embeddings.parquet").exists()
