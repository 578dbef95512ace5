"""The detectors of a run find the run's model, thresholds and training clips by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdcli.errors import BadArtifact, MissingArtifact, UsageError
from asdcli.pipeline.detectors import detector_of
from asdcli.stages import threshold
from tests.detector.test_detector import EMBEDDINGS, Run, autoencoders, untrained

__all__ = ["autoencoders", "untrained"]  # fixtures


def test_a_method_of_a_run_scores_and_decides(untrained: Run) -> None:
    found = detector_of(untrained.space, "nn:k=1").score(untrained.recordings("fan", "test"), "fan")
    assert found.scores.tolist() == untrained.scores("nn", "fan", "test")
    assert found.anomalous is not None


def test_a_method_of_an_autoencoder_takes_the_autoencoder_and_decides_nothing_without_thresholds(
    autoencoders: Run,
) -> None:
    found = detector_of(autoencoders.space, "mse", device="cpu").score(autoencoders.recordings("fan", "test"), "fan")
    assert found.scores == pytest.approx(autoencoders.scores("mse", "fan", "test"), rel=1e-5)  # float32 network
    assert found.anomalous is None


def test_a_method_without_thresholds_of_its_own_decides_nothing(
    untrained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(untrained.space), "thresholds", property(lambda space: tmp_path / "thresholds.parquet"))
    threshold.run([untrained.space.scores("nn")], tmp_path / "thresholds.parquet", rule="quantile:quantile=0.9")
    assert detector_of(untrained.space, "nn").thresholds is not None
    assert detector_of(untrained.space, EMBEDDINGS[1]).thresholds is None


def test_a_method_that_was_not_scored_or_does_not_exist_is_named(untrained: Run) -> None:
    with pytest.raises(MissingArtifact, match="no detector at") as caught:
        detector_of(untrained.space, "smote")
    assert "asd score" in str(caught.value.hint)
    with pytest.raises(UsageError, match="unknown method 'varmni'"):
        detector_of(untrained.space, "varmni")
    with pytest.raises(BadArtifact):
        untrained.detector("nn", thresholds=untrained.space.scores("nn"))
