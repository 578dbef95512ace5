"""What several tests of training work on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import noise_run


@pytest.fixture(scope="package")
def noise(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Sixteen source and four target training clips a machine type, in blocks of two; not to be written to."""
    return noise_run.write(tmp_path_factory.mktemp("noise"), n_train=20, group_by="block:2")
