"""Checkpoints: folders, files, pickles that hold tensors and such that hold more, halves, and names on a hub."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from asdcli.artifacts import digest_bytes
from asdcli.errors import ArtifactError, BadArtifact, DownloadError, MissingArtifact
from asdcli.fetch import hub
from asdcli.models.encoders.checkpoints import Checkpoint
from asdcli.progress import SILENT, Progress
from tests.helpers.loopback import Act, Loopback

WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(1)}
CONFIG = {"model_type": "none"}


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "asdcli" / "checkpoints"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    place.mkdir()
    (place / "config.json").write_text(json.dumps(CONFIG))
    return place


def opened(path: Path | str) -> Checkpoint:
    return Checkpoint.open(str(path), SILENT)


def same(weights: dict[str, torch.Tensor]) -> bool:
    return weights.keys() == WEIGHTS.keys() and all(torch.equal(weights[name], WEIGHTS[name]) for name in WEIGHTS)


def test_a_folder_and_the_file_in_it_are_one_checkpoint(folder: Path) -> None:
    save_file(WEIGHTS, folder / "model.safetensors")
    one, other = opened(folder), opened(folder / "model.safetensors")
    assert same(one.weights()) and same(other.weights())
    assert one.config == CONFIG and one.digests == other.digests
    assert one.digests["checkpoint"] == digest_bytes((folder / "model.safetensors").read_bytes())


def test_a_pickle_of_tensors_is_converted_once(folder: Path, cache: Path) -> None:
    path = folder / "encoder.pt"
    torch.save({"cfg": {"layers": 2, "of": [1, 2]}, "model": WEIGHTS}, path)
    (folder / "config.json").unlink()
    found = opened(path)
    assert same(found.weights())
    assert found.config == {"layers": 2, "of": [1, 2]}
    (kept,) = cache.iterdir()
    assert kept.name == f"{digest_bytes(path.read_bytes())}.safetensors"
    assert same(load_file(kept))
    before = kept.stat().st_mtime_ns
    assert opened(path).config == found.config
    assert kept.stat().st_mtime_ns == before


def test_a_pickle_that_could_run_code_is_not_read(folder: Path, cache: Path) -> None:
    path = folder / "encoder.bin"
    torch.save({"model": WEIGHTS, "trainer": Path("x")}, path)
    with pytest.raises(BadArtifact, match="holds more than tensors, and could run code") as error:
        opened(path)
    assert "safetensors" in str(error.value.hint)
    path.write_bytes(pickle.dumps(Path("x")))
    with pytest.raises(BadArtifact, match="could run code"):
        opened(path)
    assert not cache.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "encoder.pt"])
@pytest.mark.parametrize("kept", [0, 100, -1])
def test_half_a_file_is_refused(folder: Path, name: str, kept: int) -> None:
    path = folder / name
    if name.endswith(".pt"):
        torch.save(WEIGHTS, path)
    else:
        save_file(WEIGHTS, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BadArtifact, match=f"{name} (holds no weights that can be read|is a pickle)"):
        opened(path)


def test_what_is_no_checkpoint_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match=r"holds none: no model.safetensors"):
        opened(folder)
    save_file(WEIGHTS, folder / "one.safetensors")
    save_file(WEIGHTS, folder / "two.safetensors")
    with pytest.raises(BadArtifact, match=r"holds several: one.safetensors, two.safetensors"):
        opened(folder)
    with pytest.raises(MissingArtifact, match="there is no checkpoint"):
        opened(tmp_path / "nothing" / "here.safetensors")
    torch.save([1, 2], folder / "list.pt")
    with pytest.raises(BadArtifact, match="holds no weights by name"):
        opened(folder / "list.pt")
    (folder / "config.json").write_text("[")
    with pytest.raises(ArtifactError, match=r"config.json cannot be read"):
        opened(folder / "one.safetensors")


class Notes(Progress):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, message: str) -> None:
        self.said.append(message)


def of_hub(content: bytes, **more: object) -> dict[str, bytes]:
    config = json.dumps(CONFIG).encode()
    sha256 = hashlib.sha256(content).hexdigest()
    files = [{"rfilename": "model.safetensors", "size": len(content), "lfs": {"sha256": sha256}, **more}]
    said = {"cardData": {"license": "mit"}, "siblings": [{"rfilename": "config.json"}, *files]}
    return {
        "/api/models/lab/tiny?blobs=true": json.dumps(said).encode(),
        "/lab/tiny/resolve/main/config.json": config,
        "/lab/tiny/resolve/main/model.safetensors": content,
    }


@pytest.fixture
def hub_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def at(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    template = f"{endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def test_a_name_is_fetched_once_and_what_it_is_is_shown(
    hub_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(WEIGHTS, tmp_path / "w")
    content = (tmp_path / "w").read_bytes()
    notes = Notes()
    with Loopback(of_hub(content), headers={"X-Repo-Commit": "0" * 40}) as server:
        at(monkeypatch, server.url)
        found = Checkpoint.open("lab/tiny", notes)
    assert same(found.weights()) and found.config == CONFIG
    sha256 = hashlib.sha256(content).hexdigest()
    assert notes.said == [
        f"fetching model.safetensors of lab/tiny from {server.url}, once: {len(content) / 1e6:,.1f} MB, "
        f"licence mit, sha256 {sha256}"
    ]
    at(monkeypatch, "http://127.0.0.1:9")  # nobody is there, and nobody is asked
    assert same(Checkpoint.open("lab/tiny", notes).weights())
    assert len(notes.said) == 1


def test_other_bytes_than_were_promised_are_refused(
    hub_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(WEIGHTS, tmp_path / "w")
    content = (tmp_path / "w").read_bytes()
    files = of_hub(content, lfs={"sha256": "f" * 64})
    with Loopback(files, headers={"X-Repo-Commit": "0" * 40}) as server:
        at(monkeypatch, server.url)
        for _ in range(2):  # the second call finds no leftovers of the first
            with pytest.raises(DownloadError, match="is not the file that lab/tiny promises, and was removed"):
                opened("lab/tiny")
    assert content not in [file.read_bytes() for file in hub_cache.rglob("*") if file.is_file()]


def test_without_a_network_it_is_said_at_once_what_to_do(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(
        DownloadError, match=r"no lab/tiny here, and it cannot be fetched from http://127.0.0.1:9"
    ) as error:
        opened("lab/tiny")
    assert error.value.hint == "fetch its files where you can, and name the folder that holds them: checkpoint=FOLDER"


def test_a_hub_that_does_not_answer_is_not_waited_for(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PATIENCE_S", 0.1)
    with Loopback() as server:
        server.always["/api/models/lab/tiny?blobs=true"] = Act(body=b"{}", hold_after=0)
        at(monkeypatch, server.url)
        with pytest.raises(DownloadError, match="cannot be fetched"):
            opened("lab/tiny")


def test_a_name_that_the_hub_does_not_know_is_named(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback() as server:
        at(monkeypatch, server.url)
        with pytest.raises(
            DownloadError, match="there is no checkpoint lab/tiny here, nor one that is given to everybody"
        ):
            opened("lab/tiny")
