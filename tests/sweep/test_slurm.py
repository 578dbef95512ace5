"""The Slurm engine: what it submits, and that what it submits works, in submitit's own processes of this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asdcli.errors import AsdError, UsageError
from asdcli.sweep.attempts import attempt
from asdcli.sweep.engines import ENGINES
from asdcli.sweep.engines.slurm import SlurmTask
from asdcli.sweep.work import Site
from tests.helpers.sweeps import HERE
from tests.sweep.test_sweep import Told, cell, files, site


def test_what_no_job_can_be_is_refused() -> None:
    for name in ("workers", "minutes", "cpus"):
        with pytest.raises(UsageError, match=f"{name} must be at least 1, got 0"):
            ENGINES.build(f"slurm:{name}=0")


def test_where_submitit_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "submitit", None)
    with pytest.raises(UsageError, match="the engine slurm needs submitit") as error:
        list(ENGINES.build("slurm").run([[]], Site("p", "data", "runs", ".")))
    assert error.value.hint == "pip install 'asdcli[slurm]'"


def test_a_machine_without_slurm_is_told_so(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AsdError, match="there is no Slurm on this machine"):
        list(ENGINES.build("slurm").run([[cell()]], site()))


def test_a_dry_run_prints_an_array_of_packs_and_one_of_runs(
    here: Path, asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("submitit")
    spelling = "slurm:partition=gpu,gpus=1,cpus=8,minutes=90,memory_gb=32"
    assert asd("sweep", "tiny.toml", "--engine", spelling, "--workers", "3", "--dry-run") == 0
    packs, runs = capsys.readouterr().out.split("#!/bin/bash")[1:]
    for line in (
        "#SBATCH --array=0-3%3",
        "#SBATCH --partition=gpu",
        "#SBATCH --gpus-per-node=1",
        "#SBATCH --cpus-per-task=8",
        "#SBATCH --time=90",
        "#SBATCH --mem=32GB",
        "#SBATCH --job-name=asd-sweep-tiny",
    ):
        assert line in runs.splitlines(), runs
    assert "#SBATCH --array=0-0%1" in packs or "--array" not in packs
    assert "submitit.core._submit" in runs and not Path("runs").exists()
    assert asd("sweep", "tiny.toml", "--dry-run") == 2
    assert "engine local submits no scripts" in capsys.readouterr().err


def test_a_job_that_is_preempted_goes_to_the_queue_as_it_was(here: Path) -> None:
    pytest.importorskip("submitit")
    piece = SlurmTask(site(), 2, 1)
    again = piece.checkpoint(cell())
    assert (again.function, again.args, again.kwargs) == (piece, (cell(),), {})


def test_jobs_make_what_one_process_makes(here: Path, told: Told) -> None:
    pytest.importorskip("submitit")
    Path("tiny.toml").write_text(Path("tiny.toml").read_text().replace('"smote", ', ""))
    one = cell("synthetic/logmel/seed-1")
    assert told("sweep", "tiny.toml", "--only", one.name, "--engine", HERE, "--runs", "runs/alone")["exit_code"] == 0
    assert attempt(one.packing, site()).state == "done"
    assert [report.state for report in ENGINES.build("slurm:on=local,cpus=1").run([[one]], site())] == ["done"]
    made = files(Path("runs/tiny/synthetic"))
    assert made == files(Path("runs/alone/synthetic")) and len(made) == 8
