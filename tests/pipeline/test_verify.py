"""`asd doctor --verify`: a byte that is not as it was written is found in every kind of file, and answered."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from asdcli import artifacts
from asdcli.pipeline.diagnosis import machine
from asdcli.training import checkpoint
from tests.helpers.damage import flip
from tests.helpers.whole_run import FILES

Asd = Callable[..., int]


@pytest.fixture
def problems(asd: Asd, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict]:
    """Name -> finding of every problem that `asd doctor` names."""
    monkeypatch.setattr(machine, "_devices", lambda: iter(()))

    def call(*arguments: str) -> dict[str, dict[str, str]]:
        capsys.readouterr()
        code = asd("doctor", "--json", *arguments)
        found = {f["name"]: f for f in json.loads(capsys.readouterr().out)["facts"]["findings"]}
        wrong = {name: f for name, f in found.items() if f["state"] == "problem"}
        assert code == (1 if wrong else 0)
        return wrong

    return call


def content(run: Path, name: str) -> Path:
    """The file whose bytes are those of the artifact of this name."""
    if (run / name / "card.json").exists():
        return run / name / "weights.safetensors"
    return next(run / f"{name}{suffix}" for suffix in (".npz", ".parquet") if (run / f"{name}{suffix}").exists())


def test_a_flipped_byte_is_found_in_every_file_of_a_run_and_only_by_reading_it(
    whole_run: Path, problems: Callable[..., dict]
) -> None:
    assert not problems("--verify")
    for name in FILES:
        flip(content(whole_run, name))
    assert not problems()
    found = problems("--verify")
    assert found.keys() == FILES
    for name, finding in found.items():
        assert content(whole_run, name).name in finding["text"]
        assert finding["fix"].endswith(" --force") or finding["fix"].startswith("asd evaluate")


@pytest.mark.parametrize("name", ["scores/mse", "embeddings", "thresholds", "results", "scores/gmm.tuned", "fractions"])
def test_what_is_advised_makes_a_damaged_file_whole(
    name: str, whole_run: Path, asd: Asd, problems: Callable[..., dict]
) -> None:
    before = artifacts.read_header(content(whole_run, name), artifacts.ANY)
    flip(content(whole_run, name))
    assert asd(*shlex.split(problems("--verify")[name]["fix"])[1:], "--quiet") == 0
    assert not problems("--verify")
    assert artifacts.read_header(content(whole_run, name), artifacts.ANY) == before


def test_a_damaged_checkpoint_is_found(
    whole_run: Path, asd: Asd, problems: Callable[..., dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, save = whole_run / "kept", checkpoint.save

    def keep(path: Path, *rest: object) -> None:
        save(path, *rest)
        shutil.copy(path, kept)

    monkeypatch.setattr(checkpoint, "save", keep)
    assert asd("train", "--epochs", 2, "--force", "--quiet") == 0
    left = whole_run / "model" / "checkpoint.safetensors"
    shutil.copy(kept, left)
    name = "model/checkpoint.safetensors"
    assert name not in problems("--verify")
    flip(left)
    found = problems("--verify")[name]
    assert "is damaged" in found["text"] and found["fix"] == f"rm {left.relative_to(Path.cwd())}"


def test_a_damaged_table_of_clips_is_found_with_and_without(
    whole_run: Path, asd: Asd, problems: Callable[..., dict]
) -> None:
    flip(Path("data/synthetic/clips.parquet"))
    found = problems()["synthetic"]
    assert "is damaged" in found["text"]
    remove, again = found["fix"].split(" && ")
    assert remove == "rm data/synthetic/clips.parquet"
    Path("data/synthetic/clips.parquet").unlink()
    assert again == "asd download synthetic --size tiny"
    assert asd(*again.split()[1:], "--quiet") == 0
    assert not problems("--verify")


@pytest.mark.parametrize("stamp", [b"[" * 200_000, b"no json", b'{"size": [], "seed": 0}', None])
def test_the_command_that_makes_synthetic_clips_again_is_told_whatever_their_stamp_has_become(
    whole_run: Path, problems: Callable[..., dict], stamp: bytes | None
) -> None:
    found = Path("data/synthetic/synthetic.json")
    found.unlink()
    if stamp is None:
        found.mkdir()
    else:
        found.write_bytes(stamp)
    flip(Path("data/synthetic/clips.parquet"))
    assert problems()["synthetic"]["fix"].startswith("rm data/synthetic/clips.parquet && asd download synthetic")
