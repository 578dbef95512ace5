"""The whole history of a file, and `asd show`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asdcli import artifacts
from asdcli.errors import BadArtifact, MissingArtifact
from asdcli.pipeline.ancestry import ancestry
from asdcli.pipeline.freshness import Fate, Freshness
from asdcli.pipeline.places import files_of
from asdcli.pipeline.workspace import Workspace

Asd = Callable[..., int]


@pytest.fixture
def shown(asd: Asd, capsys: pytest.CaptureFixture[str]) -> Callable[[object], dict[str, Any]]:
    def call(path: object) -> dict[str, Any]:
        capsys.readouterr()
        assert asd("show", path, "--json") == 0
        facts: dict[str, Any] = json.loads(capsys.readouterr().out)["facts"]
        return facts

    return call


def walk(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield one
    for before in one["made_of"]:
        yield from walk(before)


def test_every_file_of_a_run_is_traced_to_the_clips_and_all_is_as_it_was(
    asd: Asd, folded_run: Path, shown: Callable[[object], dict[str, Any]]
) -> None:
    files = files_of(Workspace(Path("data"), Path("runs/synthetic"), "synthetic"))
    put_together = {"features-shard", "embeddings-shard"}  # are gone where all is made
    assert {f.kind for f in map(read, files)} >= artifacts.KINDS.keys() - {"clips", "errors", *put_together}
    for file in files:
        found = shown(file)
        every = list(walk(found))
        assert found["stale"] is None and found["state"] is None and found["command"].startswith("asd ")
        assert {one["state"] for one in every[1:]} == {"as it was"}, file
        assert any(one["kind"] == "clips" for one in every) or any(not one["made_of"] for one in every[1:])
        assert all(Path(one["path"]).exists() for one in every), file


def read(path: Path) -> artifacts.Header:
    return artifacts.read_header(path, artifacts.ANY)


def test_the_direct_inputs_and_their_states_are_those_of_the_one_rule(asd: Asd, whole_run: Path) -> None:
    asd("train", "--epochs", 2, "-q")
    shutil.rmtree(whole_run / "autoencoder")
    space = Workspace(Path("data"), Path("runs/synthetic"), "synthetic")
    freshness = Freshness(space)
    for file in files_of(space):
        look, found = freshness.look(file), ancestry(file)
        assert look is not None and look.header is not None
        states = {one.role: one.state for one in found.root.made_of}
        assert states.keys() == look.header.inputs.keys() - {"whole"}
        gone = {role for role, state in states.items() if state is Fate.GONE}
        assert gone == set(look.gone) or look.kind is artifacts.POOL or not gone
        assert bool(found.reasons) == look.is_stale


def test_what_changed_and_what_is_gone_is_said_with_how_it_had_been_made(
    asd: Asd, whole_run: Path, shown: Callable[[object], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("train", "--epochs", 2, "-q") == 0
    found = shown("runs/synthetic/scores/nn.parquet")
    (embeddings,) = found["made_of"]
    model = next(one for one in embeddings["made_of"] if one["role"] == "model")
    assert (embeddings["state"], model["state"]) == ("as it was", "changed since")
    assert "epochs=1" in model["command"] and model["kind"] == "model"
    assert found["stale"] and found["mend"][0].startswith("asd embed") and found["mend"][-1].startswith("asd score")

    (whole_run / "embeddings.parquet").unlink()
    found = shown("runs/synthetic/scores/nn.parquet")
    (embeddings,) = found["made_of"]
    assert embeddings["state"] == "gone" and embeddings["command"].startswith("asd embed")
    assert next(one for one in embeddings["made_of"] if one["role"] == "model")["state"] == "changed since"
    assert asd("show", "runs/synthetic/scores/nn.parquet") == 0
    said = capsys.readouterr()
    assert "embeddings gone" in said.out and "model changed since" in said.out and "bring up to date" in said.err


def test_a_tree_fits_into_80_columns_and_says_commands_whole(
    asd: Asd, whole_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert asd("show", "runs/synthetic/thresholds.parquet") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "asd threshold --rule quantile:quantile=0.8 --from-training" in lines
    assert sum("as told above" in line for line in lines) >= 1, "one file is told once"


def test_a_run_is_shown_from_any_working_folder(
    asd: Asd, whole_run: Path, monkeypatch: pytest.MonkeyPatch, shown: Callable[[object], dict[str, Any]]
) -> None:
    monkeypatch.chdir(whole_run / "scores")
    every = list(walk(shown("nn.parquet")))
    assert {one["state"] for one in every[1:]} == {"as it was"}


def test_a_copy_outside_of_any_run_has_its_history_and_foreign_inputs_are_named_by_digest(
    asd: Asd, whole_run: Path, tmp_path: Path, shown: Callable[[object], dict[str, Any]]
) -> None:
    shutil.copy(whole_run / "scores/nn.parquet", tmp_path / "copy.parquet")
    assert {"embeddings", "model", "clips"} <= {one["role"] for one in walk(shown("copy.parquet"))}
    (tmp_path / "v.csv").write_text("clip_id,machine_type,split,v0,v1\na,fan,train,1,2\nb,fan,test,3,5\n")
    assert asd("embed", "--from", "v.csv", "--run", "runs/mine", "--dataset", "mine", "-q") == 0
    (source,) = shown("runs/mine/embeddings.parquet")["made_of"]
    assert source["role"] == "source" and source["command"] is None and len(source["content"]) == 32


def test_what_is_no_artifact_is_refused_with_what_is(asd: Asd, whole_run: Path) -> None:
    with pytest.raises(MissingArtifact, match=r"there is no file nothing\.parquet") as missing:
        ancestry(Path("nothing.parquet"))
    assert "tables" in str(missing.value.hint)
    with pytest.raises(BadArtifact) as other:
        ancestry(whole_run / "run.json")
    assert "tables" in str(other.value.hint)
    with pytest.raises(BadArtifact, match="is a run") as run:
        ancestry(whole_run)
    assert run.value.hint == "look at all of them: asd doctor --run runs/synthetic"
    assert asd("show", "data/synthetic/clips.parquet", "-q") == 0
