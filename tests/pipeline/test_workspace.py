"""Which dataset and run a command works on."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdcli.errors import MissingArtifact, UsageError
from asdcli.pipeline import workspace


def _dataset(data: Path, name: str) -> None:
    (data / name).mkdir(parents=True)
    (data / name / "clips.parquet").touch()


def test_the_only_dataset_needs_no_naming(tmp_path: Path) -> None:
    _dataset(tmp_path, "synthetic")
    ws = workspace.resolve(data=tmp_path)
    assert ws.dataset == "synthetic" and ws.run == Path("runs/synthetic")


def test_the_dataset_last_worked_on_is_the_default(tmp_path: Path) -> None:
    _dataset(tmp_path, "synthetic")
    _dataset(tmp_path, "dcase2023")
    with pytest.raises(UsageError, match="several datasets"):
        workspace.resolve(data=tmp_path)
    workspace.select(tmp_path, "dcase2023")
    assert workspace.resolve(data=tmp_path).dataset == "dcase2023"


def test_a_run_remembers_its_dataset_and_refuses_another(tmp_path: Path) -> None:
    run = tmp_path / "run"
    workspace.resolve(data=tmp_path, run=run, dataset="dcase2021", begins=True).remember()
    workspace.select(tmp_path, "other")
    assert workspace.resolve(data=tmp_path, run=run).dataset == "dcase2021"
    with pytest.raises(UsageError, match="belongs to dataset 'dcase2021'"):
        workspace.resolve(data=tmp_path, run=run, dataset="dcase2022")


def test_no_dataset_at_all_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(MissingArtifact) as caught:
        workspace.resolve(data=tmp_path)
    assert caught.value.hint == "start with: asd download synthetic"


def test_a_method_s_score_file_has_no_colon(tmp_path: Path) -> None:
    ws = workspace.resolve(data=tmp_path, run=tmp_path, dataset="d", begins=True)
    assert ws.scores("varmin:k=16,val=test-all").name == "varmin.k=16,val=test-all.parquet"


def test_a_dataset_that_is_not_there_is_refused_or_not_remembered_before_the_work(tmp_path: Path) -> None:
    _dataset(tmp_path, "synthetic")
    with pytest.raises(MissingArtifact, match="no dataset 'sinthetic' under") as caught:
        workspace.resolve(data=tmp_path, dataset="sinthetic")
    assert caught.value.hint == "there are: synthetic"
    workspace.resolve(data=tmp_path, run=tmp_path / "run", dataset="sinthetic", begins=True).remember_if_there()
    assert not (tmp_path / "run").exists()
    assert workspace.resolve(data=tmp_path).dataset == "synthetic"
