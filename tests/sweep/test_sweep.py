"""A sweep makes what the commands make, once; what is killed, fails or is somebody else's costs its own run alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asdcli import artifacts
from asdcli.sweep import plan
from asdcli.sweep.attempts import attempt
from asdcli.sweep.cells import Cell
from asdcli.sweep.engines.local import Local
from asdcli.sweep.hands import Hands
from asdcli.sweep.notes import CellReport, Mistake
from asdcli.sweep.sweep import packings
from asdcli.sweep.work import Site
from asdcli.sweep.worker import handed, taken
from asdcli.writing.locks import alone
from tests.helpers.sweeps import HERE, NOWHERE, OBEDIENT, ORDER
from tests.helpers.typed import typed

Told = Callable[..., dict[str, Any]]
CELLS = [f"synthetic/{label}/seed-{n}" for label in ("logmel", "again") for n in (0, 1)]
RUNS = Path("runs/tiny/synthetic")
NOTES = {"run.json", "sweep.json", "metrics.jsonl"}
"""With places and clocks in them: no artifacts."""


def files(run: Path) -> dict[str, bytes]:
    """The artifacts of a run: path -> bytes."""
    found = (p for p in run.rglob("*") if p.is_file() and p.name not in NOTES and not p.name.startswith("."))
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in found}


def states(told: dict[str, Any]) -> list[str]:
    return [cell["state"] for cell in told["facts"]["cells"]]


def site() -> Site:
    return Site("tiny", "data", "runs/tiny", str(Path.cwd()))


def cell(name: str = CELLS[0]) -> Cell:
    return next(c for c in plan.read(Path("tiny.toml")) if c.name == name)


def swept(told: Told, *more: str) -> dict[str, Any]:
    return told("sweep", "tiny.toml", "--engine", HERE, *more)


# --- what is made ----------------------------------------------------------------------------------------------------


def test_a_sweep_makes_what_the_commands_make_and_a_second_one_does_nothing(here: Path, told: Told) -> None:
    first = swept(told)
    assert (first["exit_code"], first["status"], states(first)) == (0, "done", ["done"] * 4)
    assert [output["path"] for output in first["outputs"]] == [f"runs/tiny/{name}" for name in CELLS]
    typed(
        here,
        "extract-features --features logmel --run byhand/packs --dataset synthetic",
        "embed --embedder logmel --features-from byhand/packs --run byhand/logmel --dataset synthetic",
        f"score -m nn -m smote -m {OBEDIENT} --seed 1 --run byhand/logmel",
        "evaluate --run byhand/logmel",
    )
    assert files(RUNS / "logmel" / "seed-1") == files(Path("byhand/logmel"))
    assert len(files(RUNS / "logmel" / "seed-1")) == 8
    assert files(RUNS / "shared") == files(Path("byhand/packs"))
    again = told("sweep", "tiny.toml", "--engine", NOWHERE)
    assert (again["exit_code"], again["status"], states(again)) == (0, "current", ["current"] * 4)


def test_a_method_that_is_fused_of_others_stands_among_the_methods_of_a_plan(here: Path, told: Told) -> None:
    Path("f.toml").write_text(
        'datasets = ["synthetic"]\nmethods = ["nn+kmeans:clusters=2+fuse:by=rank"]\n[models]\nm = {embed = "logmel"}\n'
    )
    (one,) = plan.read(Path("f.toml"))
    assert one.methods == ("nn", "kmeans:clusters=2") and one.fusions == ("nn+kmeans:clusters=2+fuse:by=rank",)
    assert told("sweep", "f.toml", "--engine", HERE)["exit_code"] == 0
    run = Path("runs/f/synthetic/m/seed-0")
    header = artifacts.read_header(run / "scores/nn+kmeans.clusters=2+fuse.by=rank.parquet", artifacts.SCORES)
    assert list(header.inputs) == ["kmeans:clusters=2", "nn"] and header.params["method"] == one.fusions[0]
    assert one.fusions[0] in artifacts.read_header(run / "results.parquet", artifacts.RESULTS).inputs
    assert told("sweep", "f.toml", "--engine", NOWHERE)["status"] == "current"


def test_a_cell_with_a_network_holds_the_model_that_the_command_trains(
    here: Path, told: Told, everything: Path
) -> None:
    Path("net.toml").write_text(
        'datasets = ["synthetic"]\nmethods = ["nn"]\nunits = ["machine-type", "section"]\n'
        '[models]\nnet = "discriminative:epochs=1"\n'
    )
    assert told("sweep", "net.toml", "--engine", HERE)["exit_code"] == 0
    made, run = everything / "runs" / "synthetic", Path("runs/net/synthetic/net/seed-0")
    for name in ("model/weights.safetensors", "model/card.json", "embeddings.parquet"):
        assert (run / name).read_bytes() == (made / name).read_bytes(), name
    by = {
        folder: artifacts.read_header(folder / "scores" / "nn.parquet", artifacts.SCORES).params["unit"]
        for folder in (run, run.with_name("seed-0-section"))
    }
    assert list(by.values()) == ["machine-type", "section"]
    assert told("sweep", "net.toml", "--engine", NOWHERE)["status"] == "current"

    # the same name, another plan: hours of training are not replaced without a word
    Path("net.toml").write_text(Path("net.toml").read_text().replace("epochs=1", "epochs=2"))
    refused = told("sweep", "net.toml", "--engine", NOWHERE)
    assert refused["exit_code"] == 2 and "synthetic/net/seed-0 holds discriminative:" in refused["error"]["message"]
    assert refused["error"]["hint"].startswith("choose another folder with --runs")
    (waiting,) = told("sweep", "net.toml", "--status")["facts"]["cells"]
    assert waiting["state"] == "waiting" and "made by another plan" in waiting["told"]


def test_packs_are_made_once_for_all_that_models_of_a_dataset_read(here: Path) -> None:
    text = 'datasets = ["a", "b"]\nmethods = ["nn"]\n[models]\nl = {embed = "logmel"}\nm = "discriminative"\n'
    Path("p.toml").write_text(text)
    assert [(p.name, p.kinds) for p in packings(plan.read(Path("p.toml")))] == [
        (f"{name}/shared", ("logmel", "waveform")) for name in ("a", "b")
    ]


def test_a_run_that_was_made_of_other_clips_is_not_done(here: Path, told: Told) -> None:
    part = ("--only", CELLS[0])
    assert swept(told, *part)["exit_code"] == 0
    assert cell().is_done(site())
    Path("data").unlink()
    typed(here, "download synthetic --size tiny --machine-type fan")
    assert not cell().is_done(site())
    assert states(swept(told, *part)) == ["done"]
    table, _ = artifacts.read_table(RUNS / "logmel/seed-0/scores/nn.parquet", artifacts.SCORES)
    assert set(table["machine_type"].to_pylist()) == {"fan"}


@pytest.mark.parametrize("lost", ["embeddings.parquet", "scores/smote.parquet", "results.parquet"])
def test_a_run_that_lacks_a_file_is_not_done_and_gets_that_file_again(here: Path, told: Told, lost: str) -> None:
    swept(told, "--only", CELLS[0])
    file = RUNS / "logmel/seed-0" / lost
    before = file.read_bytes()
    file.unlink()
    assert not cell().is_done(site())
    assert states(swept(told, "--only", "synthetic/logmel/seed-0")) == ["done"]
    assert file.read_bytes() == before


def test_a_model_of_some_machine_types_is_not_taken_for_one_of_all(here: Path) -> None:
    for packing in packings([cell()]):
        assert attempt(packing, site()).state == "done"
    (RUNS / "shared/features/logmel/fan.npz").unlink()
    report = attempt(cell(), site())
    assert report.state == "failed" and report.error
    assert report.error.message == "there are no logmel features of fan in runs/tiny/synthetic/shared"


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_costs_its_run_and_a_rerun_completes(here: Path, told: Told) -> None:
    Path(ORDER).write_text("die")
    Path("tiny.toml").write_text(Path("tiny.toml").read_text().replace('"smote", ', ""))
    first = told("sweep", "tiny.toml", "--only", "synthetic/logmel", "--engine", "local:threads=1")
    assert first["exit_code"] == 3 and states(first) == ["failed", "done"]
    assert first["facts"]["cells"][0]["error"]["message"] == "killed by signal 9 (SIGKILL)"
    assert "synthetic/logmel/seed-0 failed: killed by signal 9 (SIGKILL)" in first["heard"]
    (failed, _) = told("sweep", "tiny.toml", "--only", "synthetic/logmel", "--status")["facts"]["cells"]
    assert failed["state"] == "failed" and failed["told"].startswith("score: killed by signal 9")
    again = swept(told, "--only", "synthetic/logmel")
    assert again["exit_code"] == 0 and states(again) == ["done", "current"]
    note = json.loads((RUNS / "logmel/seed-0/sweep.json").read_text())
    assert (note["error"], note["attempts"]) == (None, 2)


@pytest.mark.parametrize(
    ("order", "kind", "message"),
    [
        ("refuse", "bad-data", "nothing can be made of this"),
        ("stumble", "bug", "ZeroDivisionError: by nought"),
    ],
)
def test_a_run_that_fails_is_noted_with_its_error_and_stops_no_other(
    here: Path, told: Told, order: str, kind: str, message: str
) -> None:
    Path(ORDER).write_text(order)
    first = swept(told)
    assert first["exit_code"] == 3 and states(first) == ["failed", "done", "done", "done"]
    note = json.loads((RUNS / "logmel/seed-0/sweep.json").read_text())
    assert (note["step"], note["error"]["kind"], note["error"]["message"]) == ("score", kind, message)
    assert ("by nought" in (note["error"]["trace"] or "")) == (kind == "bug")
    assert swept(told)["exit_code"] == 0


def test_what_failed_is_tried_as_often_as_was_asked(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    for retry, fails, state, tries in ((0, 1, "failed", 1), (2, 1, "done", 2), (2, 9, "failed", 3)):
        asked = []

        def once(self: Hands, work: Cell, site: Site, fails: int = fails, asked: list[str] = asked) -> CellReport:
            asked.append(work.name)
            return CellReport(work.name, "failed" if len(asked) <= fails else "done", error=Mistake("x", "y"))

        monkeypatch.setattr(Hands, "_once", once)
        assert [r.state for r in Local().run([[cell()]], site(), retry=retry)] == [state]
        assert len(asked) == tries


def test_a_run_that_somebody_else_is_at_is_left_and_named(here: Path, told: Told) -> None:
    with alone(RUNS / "logmel/seed-0"):
        first = swept(told)
        assert first["exit_code"] == 3 and states(first) == ["busy", "done", "done", "done"]
        assert "synthetic/logmel/seed-0 is left: " in first["heard"] and "is being written by" in first["heard"]
        running = told("sweep", "tiny.toml", "--status")["facts"]
        assert running["running"] == 1 and "(process " in running["cells"][0]["told"]
    assert states(swept(told)) == ["done", "current", "current", "current"]


def test_status_says_what_is_done_and_how_long_the_rest_takes(
    here: Path, told: Told, asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert told("sweep", "tiny.toml", "--status")["facts"]["left_s"] is None
    assert not Path("runs").exists()  # looking makes nothing
    swept(told, "--only", "synthetic/again")
    for n, seconds in ((0, 100.0), (1, 140.0)):
        note = RUNS / f"again/seed-{n}/sweep.json"
        note.write_text(json.dumps({**json.loads(note.read_text()), "seconds": seconds}))
    facts = told("sweep", "tiny.toml", "--status")["facts"]
    assert (facts["done"], facts["waiting"], facts["left_s"]) == (2, 2, 240.0)  # two, at the median of 120 s
    assert asd("sweep", "tiny.toml", "--status") == 0
    said = capsys.readouterr().out
    assert "2 done, 2 waiting; about 0:04:00 left" in said
    assert [line.split()[:2] for line in said.splitlines()[2:6]] == [
        [name, "waiting" if "logmel" in name else "done"] for name in CELLS
    ]


def test_datasets_that_are_not_there_are_named_before_any_work(here: Path, told: Told) -> None:
    Path("p.toml").write_text('datasets = ["synthetic", "mine", "dcase2023"]\n[models]\nm = "discriminative"\n')
    refused = told("sweep", "p.toml", "--engine", NOWHERE)
    assert refused["exit_code"] == 1
    assert refused["error"]["message"] == "2 datasets of the plan are not under data: mine, dcase2023"
    assert refused["error"]["hint"].endswith(
        "asd index DIR --name mine && asd download dcase2023 --subset dev --subset eval"
    )


def test_a_sweep_leaves_alone_which_dataset_commands_take_by_default(here: Path, told: Told) -> None:
    data = here / "own"
    shutil.copytree("data", data)
    (data / "current").write_text("another\n")
    assert swept(told, "--data", "own", "--only", "synthetic/again")["exit_code"] == 0
    assert (data / "current").read_text() == "another\n"


def test_a_plan_is_written_once(here: Path, told: Told) -> None:
    assert told("sweep", "--init", "varmin")["outputs"][0]["path"] == "varmin-tables.toml"
    assert told("sweep", "--init", "varmin")["error"]["message"] == "varmin-tables.toml is there already"
    assert told("sweep", "--init", "varmin", "--force")["exit_code"] == 0
    assert told("sweep", "--init", "varmim")["error"]["hint"].startswith("did you mean 'varmin'?")
    assert told("sweep", "varmin-tables.toml", "--status")["facts"]["waiting"] == 80


# --- handing on ------------------------------------------------------------------------------------------------------


def test_what_is_handed_to_a_worker_arrives_as_it_was(here: Path) -> None:
    for work in (cell(), cell(CELLS[3]), *packings([cell()])):
        assert taken(handed(work, site())) == (work, site())


def test_threads_are_divided_among_workers_and_a_single_one_is_left_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asdcli.cores.at_hand", lambda: 8)
    assert Local()._threads_each() is None
    assert [Local(workers=n)._threads_each() for n in (2, 3, 16)] == [4, 2, 1]
    assert Local(workers=2, threads=1)._threads_each() == 1


def test_a_table_takes_a_plan_for_its_runs_and_says_how_many_are_not_done(here: Path, told: Told) -> None:
    assert told("table", "compare", "tiny.toml")["error"]["hint"] == "asd sweep tiny.toml"
    assert told("sweep", "tiny.toml", "--only", "synthetic/again", "--engine", HERE)["exit_code"] == 0
    found = told("table", "compare", "tiny.toml", "--bootstrap", "5")
    assert "2 runs of 4 of tiny.toml not done: asd sweep tiny.toml" in found["heard"]
    assert found["facts"] == told("table", "compare", "runs/tiny", "--bootstrap", "5")["facts"]
