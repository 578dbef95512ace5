"""Kinds of features: by name, and of anybody's making."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from asdcli.artifacts import FEATURES as PACKS
from asdcli.artifacts import read_arrays, read_table
from asdcli.artifacts.kinds import CLIPS
from asdcli.errors import BadData, UsageError
from asdcli.features.kinds import FEATURES, Unfit
from asdcli.features.pack import VectorPack
from asdcli.filenames import stem
from asdcli.progress import SILENT
from asdcli.stages import extract_features
from asdcli.views import packs
from asdcli.views.reading import Reading
from tests.helpers import noise_run


@dataclass(frozen=True)
class Energy:
    """Root mean square in `n` equal parts of a clip."""

    n: int = 2

    def of_channel(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        if len(samples) < self.n:
            raise Unfit(f"has {len(samples)} samples, not {self.n}")
        parts = np.array_split(samples.astype(float), self.n)
        return np.array([np.sqrt(np.mean(part**2)) for part in parts], np.float32)

    def pack(self, clips: Iterable[tuple[str, np.ndarray]], sample_rate: int, expected: int) -> VectorPack:
        ids, vectors = zip(*clips, strict=True)
        return VectorPack(np.stack(vectors), np.array(ids))

    def read(self, arrays: Mapping[str, np.ndarray]) -> VectorPack:
        return VectorPack.from_arrays(arrays)


SPELLING = f"{__name__}:Energy,n=4"


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    path, _ = noise_run.write(tmp_path, ("fan",))
    for row in read_table(path, CLIPS)[0].to_pylist():
        wav = path.parent / row["path"]
        wav.parent.mkdir(parents=True, exist_ok=True)
        sf.write(wav, np.full(1000, 300, np.int16), 16_000)
    return path


def test_a_kind_of_anybody_is_made_and_read_like_the_built_in_ones(clips: Path, tmp_path: Path) -> None:
    place = tmp_path / "features" / stem(SPELLING)
    outcome = extract_features.run(clips, place, errors=tmp_path / "errors.parquet", features=f"{__name__}:Energy:n=4")
    assert outcome.facts.clips == 14
    arrays, header = read_arrays(place / "fan.npz", PACKS)
    assert header.params["features"] == SPELLING
    np.testing.assert_allclose(arrays["vectors"], np.full((14, 4), 300.0))
    table, _ = read_table(clips, CLIPS)
    found = packs.find(tmp_path / "features", SPELLING, table, None, SILENT)
    assert list(found.inputs) == [f"features/{SPELLING}/fan"]
    assert isinstance(found.load("fan", table), VectorPack)


def test_a_clip_that_is_unfit_for_a_kind_is_named_with_the_reason(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"vel_1\.wav: has 1000 samples, not 2000"):
        extract_features.run(
            clips, tmp_path / "out", errors=tmp_path / "errors.parquet", features=f"{__name__}:Energy,n=2000"
        )


def test_an_unknown_kind_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UsageError, match="unknown features 'logmell'") as caught:
        Reading("logmell")
    assert "did you mean 'logmel'" in str(caught.value.hint)


def test_every_kind_that_is_listed_can_be_loaded() -> None:
    for name in FEATURES.entries:
        assert FEATURES.spell(FEATURES.build(name)) == name
