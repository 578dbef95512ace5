"""The freshness rule: what has changed is found through every file between, near and far, and never guessed."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from asdcli import artifacts
from asdcli.pipeline import mending, run_note
from asdcli.pipeline.freshness import Freshness, Look
from asdcli.pipeline.workspace import Workspace

Asd = Callable[..., int]
DATA = Path("data")


@pytest.fixture
def space(whole_run: Path, asd: Asd) -> Workspace:
    """The whole run as a command finds it from the working folder."""
    return Workspace(DATA, whole_run.relative_to(Path.cwd()), "synthetic")


def look(space: Workspace, path: Path) -> Look:
    found = Freshness(space).look(path)
    assert found is not None
    return found


def index_less(space: Workspace, keep: str = "fan", *, split: str | None = None) -> None:
    """Drop a recording (of `keep`'s machine type) from clips.parquet, as a new `asd index` would."""
    table, header = artifacts.read_table(space.clips, artifacts.CLIPS)
    rows = table.to_pylist()
    i = next(i for i, r in enumerate(rows) if r["machine_type"] == keep and split in (None, r["split"]))
    table = table.take([j for j in range(len(rows)) if j != i])
    artifacts.write_table(space.clips, artifacts.CLIPS, table, header)


def test_a_change_far_up_is_found_through_all_files_between(space: Workspace) -> None:
    index_less(space, "fan", split="train")
    found = look(space, space.results)
    assert found.is_stale and found.changed == ("clips",)  # whose labels it took
    assert [of.name for of in found.because if of.name == "scores/nn"]
    scores = look(space, space.scores("nn"))
    assert scores.reasons == "embeddings is stale"
    (embeddings,) = scores.because
    assert embeddings.changed == ("clips",)
    assert {of.name for of in embeddings.because} == {"features/waveform/fan", "model"}


def test_a_new_test_recording_leaves_the_model_alone_and_another_training_recording_does_not(
    space: Workspace, asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    index_less(space, "fan", split="test")
    told = mending.commands(Freshness(space).looks([space.scores("nn")]), space)
    assert [line.split()[1] for line in told] == ["extract-features", "embed", "score"]
    assert asd("extract-features", "--quiet") == 0
    assert not look(space, space.model).is_stale
    assert asd("train", "--epochs", 1) == 0
    assert "up to date: runs/synthetic/model" in capsys.readouterr().err
    recording = next((DATA / "synthetic").rglob("valve/train/*.wav"))
    recording.write_bytes(recording.read_bytes()[:-2000] + bytes(2000))
    assert asd("extract-features", "--quiet") == 0
    assert look(space, space.model).changed == ("features/waveform/valve",)


def test_what_no_change_reaches_stays_fresh(space: Workspace) -> None:
    index_less(space, "fan", split="test")
    assert not look(space, space.features / "waveform" / "valve.npz").is_stale
    assert not look(space, space.model).is_stale
    assert look(space, space.features / "waveform" / "fan.npz").changed == ("clips",)


def test_commands_come_in_the_order_of_the_chain_with_like_ones_joined(space: Workspace) -> None:
    index_less(space, "fan", split="train")
    index_less(space, "valve", split="train")
    fresh = Freshness(space)
    assert mending.commands(fresh.looks([space.scores("nn")]), space) == [
        "asd extract-features --machine-type fan --machine-type valve",
        "asd train --model discriminative:centers=fixed,epochs=1",
        "asd embed --embedder discriminative",
        "asd score --method nn --seed 3",
    ]
    whole = mending.commands(fresh.looks([space.scores_dir, space.thresholds]), space)
    assert [line.split()[1] for line in whole] == [
        *("extract-features", "train", "train", "embed", "score", "score", "smooth", "smooth", "tune", "threshold")
    ]
    assert "asd smooth -k 2 -k 3 --method mse --neighbours source --level clip" in whole


def test_what_is_gone_is_looked_through_to_what_it_was_made_from(space: Workspace) -> None:
    space.embeddings.unlink()
    shutil.rmtree(space.features)
    found = look(space, space.scores("nn"))
    assert not found.is_stale and found.gone[0] == "embeddings"
    index_less(space)
    assert look(space, space.scores("nn")).changed == ("clips",)


def test_another_model_is_found_behind_embeddings_that_are_gone(space: Workspace, asd: Asd) -> None:
    space.embeddings.unlink()
    assert asd("train", "--epochs", 2, "--quiet") == 0
    assert look(space, space.scores("nn")).changed == ("model",)


def test_a_run_without_its_data_root_is_judged_as_far_as_it_can_be_told(space: Workspace, asd: Asd) -> None:
    shutil.rmtree(DATA)
    found = look(space, space.scores("nn"))
    assert not found.is_stale
    assert found.untold == (f"whether the recordings changed: {space.clips} cannot be read",)
    assert asd("train", "--epochs", 2, "--quiet", "--run", space.run) == 1  # and nothing else is made up


def test_a_file_of_another_run_is_judged_in_that_run(space: Workspace, asd: Asd) -> None:
    other = Path("runs/other")
    shutil.copytree(space.run, other)
    assert asd("train", "--epochs", 2, "--quiet", "--run", other) == 0
    assert look(space, other / "scores" / "nn.parquet").is_stale
    assert not look(space, space.scores("nn")).is_stale
    fresh = Freshness(space)
    told = mending.commands(fresh.looks([other / "scores" / "nn.parquet"]), space)
    assert told[-1] == "asd score --method nn --seed 3 --run runs/other"


def test_an_input_from_another_run_is_followed_to_it(space: Workspace, asd: Asd) -> None:
    other = Path("runs/other")
    shutil.copytree(space.run, other)
    assert asd("train", "--epochs", 2, "--quiet") == 0
    assert asd("embed", "--quiet") == 0
    assert look(space, space.scores("nn")).changed == ("embeddings",)
    run_note.remember_elsewhere(space.run, [space.scores("nn")], {"embeddings": other / "embeddings.parquet"})
    assert not look(space, space.scores("nn")).is_stale
    assert asd("train", "--epochs", 3, "--quiet", "--run", other) == 0
    found = look(space, space.scores("nn"))
    assert [of.path.name for of in found.because] == ["embeddings.parquet"]
    assert mending.commands([found], space) == [
        "asd embed --embedder discriminative --run runs/other",
        "asd score --method nn --seed 3 --embeddings runs/synthetic/../other/embeddings.parquet",
    ]
    (other / "embeddings.parquet").unlink()
    assert look(space, space.scores("nn")).changed == ("model",)  # of the other run: looked through


def test_a_file_in_no_run_is_judged_by_what_can_be_told(space: Workspace, asd: Asd) -> None:
    assert asd("score", "--method", "nn", "-o", "apart.parquet", "--quiet") == 0
    apart = Path("apart.parquet")
    assert not look(space, apart).is_stale and not look(space, apart).untold
    assert asd("train", "--epochs", 2, "--quiet") == 0
    assert look(space, apart).reasons == "embeddings is stale"
    assert asd("embed", "--quiet") == 0
    found = look(space, apart)
    assert not found.is_stale
    assert found.untold[0] == f"whether its embeddings changed: {space.run} has others"
    index_less(space)
    assert look(space, apart).changed == ("clips",)


def test_a_file_without_history_of_inputs_is_judged_by_its_own_inputs(space: Workspace) -> None:
    table, header = artifacts.read_table(space.scores("nn"), artifacts.SCORES)
    old = tuple({k: v for k, v in entry.items() if k != "inputs"} for entry in header.history)
    artifacts.write_table(space.scores("nn"), artifacts.SCORES, table, dataclasses.replace(header, history=old))
    assert not look(space, space.scores("nn")).is_stale
    arrays, header = artifacts.read_arrays(space.features / "waveform" / "fan.npz", artifacts.FEATURES)
    old = tuple({k: v for k, v in entry.items() if k != "inputs"} for entry in header.history)
    artifacts.write_arrays(space.features / "waveform" / "fan.npz", arrays, dataclasses.replace(header, history=old))
    assert not look(space, space.features / "waveform" / "fan.npz").is_stale
    index_less(space, "valve")
    assert not look(space, space.features / "waveform" / "fan.npz").is_stale
    index_less(space, "fan")
    assert look(space, space.features / "waveform" / "fan.npz").is_stale


def test_nothing_is_said_of_a_foreign_file(space: Workspace) -> None:
    Path("mine.csv").write_text("clip_id,anomaly_score\na,1\n")
    assert Freshness(space).look(Path("mine.csv")) is None


def test_every_header_is_read_once_and_the_table_of_clips_only_where_it_changed(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    tables: list[Path] = []
    original, of_tables = artifacts.read_header, artifacts.read_table
    monkeypatch.setattr(artifacts, "read_header", lambda path, kind: read.append(path) or original(path, kind))
    monkeypatch.setattr(artifacts, "read_table", lambda path, kind: tables.append(path) or of_tables(path, kind))
    Freshness(space).looks([space.scores_dir, space.thresholds, space.results])
    assert len(read) == len(set(read)) and tables == []
    index_less(space)
    read.clear(), tables.clear()
    Freshness(space).looks([space.scores_dir, space.thresholds, space.results])
    assert len(read) == len(set(read)) and tables == [space.clips]


def test_a_run_remembers_what_came_from_elsewhere_and_forgets_it(tmp_path: Path) -> None:
    run, output, other = tmp_path / "run", tmp_path / "run" / "scores" / "nn.parquet", tmp_path / "other"
    run_note.remember(run, "d")
    run_note.remember_elsewhere(run, [output, tmp_path / "apart.parquet"], {"embeddings": other / "e.parquet"})
    assert {k: v.resolve() for k, v in run_note.elsewhere(run)["scores/nn"].items()} == {
        "embeddings": other / "e.parquet"
    }
    assert run_note.elsewhere(run).keys() == {"scores/nn"} and run_note.dataset_of(run) == "d"
    run_note.remember(run, "d")
    assert run_note.elsewhere(run)
    run_note.remember_elsewhere(run, [output], {})
    assert run_note.elsewhere(run) == {}
