"""`asd log`: curves, scores and parameters of runs in trackers that others wrote, read back with their own readers."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from asdcli import artifacts
from asdcli.errors import BadArtifact
from asdcli.stages.log import record_of
from asdcli.tracking import TRACKERS, Tracked
from tests.helpers.heard import Heard

LOSSES = [2.0, 1.5, 0.25]
METHOD = "varmin:k=16,val=test-all"


def write_run(run: Path, losses: list[float], *, folds: bool = False, results: bool = True) -> Path:
    """A run with a trained model, as far as its metrics, card and results tell."""
    for folder in (run / "model", *([run / "model/fold-1"] if folds else [])):
        folder.mkdir(parents=True, exist_ok=True)
        params = {"model": "discriminative:epochs=3", "epochs": len(losses), "lr": 0.001, "sizes": [1, 2]}
        header = artifacts.Header.make(artifacts.MODEL, dataset="toy", seed=7, params=params)
        (folder / "card.json").write_text(header.to_json())
        rows = [{"epoch": i, "loss": loss, "accuracy": 0.5, "note": "x"} for i, loss in enumerate(losses, 1)]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if results:
        values = [(None, None, "official", 0.625), ("fan", None, "official", 0.5), ("fan", "00", "auc", 0.75)]
        columns = {"machine_type": 0, "section": 1, "term": 2, "value": 3}
        table = pa.table({name: [row[i] for row in values] for name, i in columns.items()})
        table = table.append_column("method", pa.array([METHOD] * 3)).append_column("subset", pa.array(["dev"] * 3))
        header = artifacts.Header.make(artifacts.RESULTS, dataset="toy")
        artifacts.write_table(run / "results.parquet", artifacts.RESULTS, table, header)
    return run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "runs" / "first", LOSSES)


SCORES = {f"official/dev/{METHOD}": 0.625, f"machine_types/fan/dev/{METHOD}": 0.5}
PARAMS = {
    "dataset": "toy",
    "model/seed": 7,
    "model/model": "discriminative:epochs=3",
    "model/epochs": 3,
    "model/lr": 0.001,
    "model/sizes": "[1, 2]",
}


def test_a_record_is_what_the_files_of_a_run_say(run: Path) -> None:
    record = record_of(run)
    assert record.name == "first"
    assert record.curves == {
        "model/loss": [(1, 2.0), (2, 1.5), (3, 0.25)],
        "model/accuracy": [(1, 0.5), (2, 0.5), (3, 0.5)],
    }
    assert (record.params, record.summary) == (PARAMS, SCORES)
    assert record.by_step[2] == {"model/loss": 1.5, "model/accuracy": 0.5}
    write_run(run, LOSSES, folds=True)
    assert record_of(run).curves["model/fold-1/loss"] == record.curves["model/loss"]
    assert record.digest != record_of(run).digest


def test_a_training_at_work_gives_its_whole_lines_and_a_damaged_file_is_refused(run: Path) -> None:
    metrics, heard = run / "model/metrics.jsonl", Heard()
    (run / "model/card.json").unlink()
    metrics.write_text(metrics.read_text() + '{"epoch": 4, "lo')
    record = record_of(run, heard)
    assert (len(record.curves["model/loss"]), record.params) == (3, {})
    assert heard.warnings == [f"the last line of {metrics} is not whole, and left out"]
    metrics.write_text("[]\n" + metrics.read_text())
    with pytest.raises(BadArtifact, match=r"line 1 says nothing of an epoch"):
        record_of(run)
    metrics.write_text('{"epoch": 1, "loss": NaN}\n{"epoch": 2, "loss": 1.0}\n')
    assert record_of(run).curves == {"model/loss": [(2, 1.0)]}


# --- the trackers, each read with its own reader -------------------------------------------------------------------


def of_tensorboard(place: Path, name: str) -> tuple[dict[str, list], dict[str, Any], int]:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from tensorboard.plugins.hparams import plugin_data_pb2

    events = accumulator.EventAccumulator(str(place / name))
    events.Reload()
    tags = [tag for tag in events.Tags()["scalars"] if not tag.startswith("asd/")]
    points = {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags}
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    info = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    params = {key: getattr(v, v.WhichOneof("kind")) for key, v in info.hparams.items()}
    return points, params, len([p for p in place.iterdir() if p.is_dir()])


def of_mlflow(place: Path, name: str) -> tuple[dict[str, list], dict[str, Any], int]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(place.absolute().as_uri())
    runs = client.search_runs([client.get_experiment_by_name("asd").experiment_id])
    (own,) = (r for r in runs if r.info.run_name == name)
    points = {m: [(p.step, p.value) for p in client.get_metric_history(own.info.run_id, m)] for m in own.data.metrics}
    return points, own.data.params, len(runs)


def of_trackio(place: Path, name: str) -> tuple[dict[str, list], dict[str, Any], int]:
    from asdcli.tracking.trackio import _storage

    with _storage(place) as storage:
        logs = storage.get_logs("asd", name)
        config, runs = storage.get_run_config("asd", name), storage.get_runs("asd")
    points: dict[str, list] = {}
    for row in logs:
        for key in row.keys() - {"step", "timestamp"}:
            points.setdefault(key, []).append((row["step"], row[key]))
    return points, {k: v for k, v in config.items() if k in PARAMS}, len(runs)


def of_wandb(place: Path, name: str) -> tuple[dict[str, list], dict[str, Any], int]:
    from asdcli.tracking.wandb import _id

    folders = sorted((place / "wandb").glob("offline-run-*"))
    (own,) = (folder for folder in folders if folder.name.endswith(_id(name)))
    points: dict[str, list] = {}
    params, summary = {}, {}
    for record in wandb_records((own / f"run-{_id(name)}.wandb").read_bytes()):
        history = values(record.history.item)
        points |= {k: [*points.get(k, ()), (history["_step"], v)] for k, v in history.items() if k[0] != "_"}
        summary |= values(record.summary.update)
        params |= values(record.run.config.update)
    assert record.HasField("exit") and record.exit.exit_code == 0
    last = max(step for curve in points.values() for step, _ in curve)
    points |= {k: [(last, v)] for k, v in summary.items() if k[0] != "_" and k not in points}
    return points, {k: v for k, v in params.items() if k in PARAMS}, len(folders)


def wandb_records(content: bytes) -> Iterator[Any]:
    """The records of a file that `wandb sync` sends: a log as LevelDB has it, in blocks of 32 KiB, of protobufs."""
    from wandb.proto.wandb_internal_pb2 import Record

    at, record = 7, b""
    while at + 7 <= len(content):
        if (left := 32768 - at % 32768) < 7:
            at += left
            continue
        _, n_bytes, kind = struct.unpack_from("<IHB", content, at)
        record += content[at + 7 : at + 7 + n_bytes]
        at += 7 + n_bytes
        if kind in (1, 4):  # whole, or the last part
            yield Record.FromString(record)
            record = b""


def values(items: Any) -> dict[str, Any]:
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


READERS = {"tensorboard": of_tensorboard, "mlflow": of_mlflow, "trackio": of_trackio, "wandb": of_wandb}


@pytest.mark.parametrize("tracker", READERS)
def test_what_a_tracker_shows_is_what_the_run_says_and_again_it_is_there_once(
    run: Path,
    asd: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    tracker: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip(TRACKERS.load(tracker).package)  # type: ignore[attr-defined]
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a database needs more than mlflow-skinny
    place = Path("kept")
    write_run(Path("runs/second"), [9.0], results=False)

    def log(*runs: str) -> tuple[str, int]:
        capsys.readouterr()
        assert asd("log", *runs, "--to", tracker, "-o", place, "--json") == 0
        said = json.loads(capsys.readouterr().out)
        return said["status"], said["facts"].get("exported", 0)

    def plain(name: str) -> str:
        return name.replace(":", "_").replace("=", "_").replace(",", "_") if tracker == "mlflow" else name

    assert log("runs/first", "runs/second") == ("done", 2)
    points, params, n_runs = READERS[tracker](place, "first")
    curves = {name: list(points) for name, points in record_of(run).curves.items()}
    assert points == {**curves, **{plain(name): [(3, value)] for name, value in SCORES.items()}}
    assert {k: str(v) for k, v in params.items()} == {
        k: str(float(v) if tracker == "tensorboard" and isinstance(v, int) else v) for k, v in PARAMS.items()
    }
    assert n_runs == 2
    assert log("runs/first", "runs/second") == ("current", 0)
    write_run(run, [4.0, 3.0])
    assert log("runs/first", "runs/second") == ("done", 1)
    points, _, n_runs = READERS[tracker](place, "first")
    assert (points["model/loss"], n_runs) == ([(1, 4.0), (2, 3.0)], 2)


def test_the_same_run_gives_the_same_events_byte_for_byte_and_those_of_others_are_not_overwritten(
    run: Path, asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard")
    for place in ("a", "b"):
        assert asd("log", run, "--to", "tensorboard", "-o", place, "-q") == 0
    (events,) = (p.relative_to("a") for p in Path("a").rglob("*tfevents*"))
    assert (Path("a") / events).read_bytes() == (Path("b") / events).read_bytes()
    (Path("a") / events).write_bytes(b"mine")
    assert asd("log", run, "--to", "tensorboard", "-o", "a") == 1
    assert "is there already: asd did not write it" in " ".join(capsys.readouterr().err.split())
    assert asd("log", run, "--to", "tensorboard", "-o", "a", "--force", "-q") == 0
    assert (Path("a") / events).read_bytes() == (Path("b") / events).read_bytes()


class FakeRun:
    """What asd asks of a run of wandb."""

    def __init__(self, **given: Any) -> None:
        self.given, self.rows, self.summary = given, [], {}
        self.folder = Path(given["dir"]) / "wandb" / f"offline-run-20260101_000000-{given['id']}"
        self.folder.mkdir(parents=True)

    def log(self, row: dict[str, float], step: int) -> None:
        self.rows.append((step, row))

    def finish(self) -> None:
        (self.folder / "told.json").write_text(json.dumps([self.given["config"], self.rows, self.summary]))


def test_wandb_is_asked_for_an_offline_run_of_the_same_name_each_time(
    run: Path, asd: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[FakeRun] = []

    def init(**given: Any) -> FakeRun:
        begun.append(FakeRun(**given))
        return begun[-1]

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init, Settings=lambda **_: None))  # type: ignore
    for losses in (LOSSES, LOSSES, [1.0]):
        write_run(run, losses)
        assert asd("log", run, "--to", "wandb", "-q") == 0
    assert [one.given["mode"] for one in begun] == ["offline", "offline"]
    assert begun[0].given["id"] == begun[1].given["id"]
    (folder,) = Path("tracking/wandb/wandb").iterdir()
    config, rows, summary = json.loads((folder / "told.json").read_text())
    assert (config, summary) == ({**PARAMS, "model/epochs": 1}, SCORES)
    assert rows == [[1, {"model/loss": 1.0, "model/accuracy": 0.5}]]


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow", "wandb", "trackio"])
def test_a_tracker_that_is_not_installed_is_named_with_what_installs_it(
    run: Path,
    asd: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    tracker: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, TRACKERS.load(tracker).package.partition(".")[0], None)  # type: ignore
    for name in [name for name in sys.modules if name.startswith(f"{tracker}.")]:
        monkeypatch.delitem(sys.modules, name)
    assert asd("log", run, "--to", tracker) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert f"{tracker} " in told and f"pip install 'asdcli[{tracker}]'" in told
    assert not Path("tracking").exists()


def test_what_mlflow_refuses_is_named(
    run: Path, asd: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow.tracking")
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    Path("in_the_way").write_text("")
    assert asd("log", run, "--to", "mlflow", "-o", "in_the_way") == 1
    assert "mlflow cannot keep runs in in_the_way: " in " ".join(capsys.readouterr().err.split())


def test_runs_that_are_not_there_say_nothing_or_are_called_alike_are_refused(
    run: Path, asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard")
    Path("runs/empty").mkdir()
    write_run(Path("others/first"), LOSSES)
    for words, told in (
        (["runs/gone"], "there is no run runs/gone"),
        (["runs/empty"], "runs/empty has neither a training nor results"),
        (["runs/first", "others/first"], "two of these runs are called alike"),
        (["runs/first", "--to", "tensorbord"], "did you mean 'tensorboard'"),
    ):
        assert asd("log", *words) in (1, 2)
        assert told.casefold() in " ".join(capsys.readouterr().err.split()).casefold()
    assert not Path("tracking").exists()


def test_names_of_records_are_told_apart_by_all_that_they_say() -> None:
    records = [
        Tracked("a"),
        Tracked("b"),
        Tracked("a", {"x": 1}),
        Tracked("a", {}, {"c": [(1, 2.0)]}),
        Tracked("a", summary={"s": 1.0}),
    ]
    assert len({record.digest for record in records}) == 5
