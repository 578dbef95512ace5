"""The Ray engine: a local cluster makes what a process makes, also where one of its workers is killed midway."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from asdcli.errors import AsdError, UsageError
from asdcli.sweep.engines import ENGINES
from asdcli.sweep.engines.ray import Ray, _ray
from asdcli.sweep.work import Site
from tests.helpers.sweeps import EMBEDDER, HERE, ORDER
from tests.helpers.typed import typed
from tests.sweep.test_sweep import Told, files, states


def test_what_no_cluster_can_be_is_refused() -> None:
    for spelling in ("ray:workers=-1", "ray:cpus=0", "ray:gpus=-0.5"):
        with pytest.raises(UsageError, match="are not negative, and a run has at least one of cpus"):
            ENGINES.build(spelling)


def test_where_ray_is_not_installed_that_is_said_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(UsageError, match="the engine ray needs Ray") as error:
        list(ENGINES.build("ray").run([[]], Site("p", "data", "runs", ".")))
    assert error.value.hint == "pip install 'asdcli[ray]'"


def test_a_head_that_does_not_answer_is_named() -> None:
    pytest.importorskip("ray")
    with pytest.raises(AsdError, match="no Ray cluster answers at nonsense:") as error:
        list(ENGINES.build("ray:address=nonsense").run([[]], Site("p", "data", "runs", ".")))
    assert "start its head with ray start" in (error.value.hint or "")


@pytest.fixture(scope="module")
def started() -> Iterator[None]:
    """A local cluster, started once, as the engine starts one; its workers find the methods of these tests."""
    pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        with Ray(workers=2)._connected(_ray()):
            yield


@pytest.fixture
def cluster(started: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine finds that cluster there, and leaves it there."""
    monkeypatch.setattr(Ray, "_connected", lambda *_: contextlib.nullcontext())


def test_two_workers_of_which_one_is_killed_make_what_one_process_makes(here: Path, told: Told, cluster: None) -> None:
    Path("tiny.toml").write_text(Path("tiny.toml").read_text().replace('"smote", ', ""))
    part = ("sweep", "tiny.toml", "--only", "synthetic/logmel")
    assert told(*part, "--engine", HERE, "--runs", "runs/alone")["exit_code"] == 0
    Path(ORDER).write_text("die with who started it")
    swept = told(*part, "--engine", "ray:workers=2", "--retry", "1")
    assert swept["exit_code"] == 0 and states(swept) == ["done", "done"]
    assert not Path(ORDER).exists()
    made, alone = (files(Path("runs", name)) for name in ("tiny", "alone"))
    assert made == alone and len(made) == 14


def test_shards_made_by_two_workers_of_which_one_is_killed_are_those_of_the_plain_command(
    here: Path, told: Told, cluster: None
) -> None:
    embed = f"embed --embedder {EMBEDDER} --batch-size 3 --dataset synthetic"
    typed(here, "extract-features --features logmel --dataset synthetic", embed)
    whole = files(Path("runs/synthetic"))
    Path("runs/synthetic/embeddings.parquet").unlink()
    Path(ORDER).write_text("die with who started it")
    made = told(*embed.split(), *["--shards", "3", "--engine", "ray:workers=2", "--retry", "1"])
    assert (made["exit_code"], made["facts"]["shards"], Path(ORDER).exists()) == (0, 3, False)
    assert files(Path("runs/synthetic")) == whole


def test_two_models_two_seeds_and_all_methods_give_one_table_here_and_through_ray(
    here: Path, told: Told, cluster: None
) -> None:
    models = 'fixed = "discriminative:centers=fixed,epochs=1"\nlogmel = { embed = "logmel" }\n'
    Path("both.toml").write_text(f'datasets = ["synthetic"]\nseeds = "0-1"\nmethods = ["all"]\n[models]\n{models}')
    tables = {}
    for name, engine in (("here", "local:threads=1"), ("ray", "ray:workers=2,cpus=1")):
        swept = told("sweep", "both.toml", "--engine", engine, "--runs", f"runs/{name}")
        assert swept["exit_code"] == 0 and states(swept) == ["done"] * 4
        shown = [told("table", "varmin", f"runs/{name}"), told("table", "compare", f"runs/{name}", "--bootstrap", "5")]
        tables[name] = json.dumps([one["facts"]["tables"] for one in shown]).replace(f"runs/{name}/", "runs/")
    assert tables["here"] == tables["ray"]
    assert tables["here"].count("varmin:k=16,val=test-all") >= 3
