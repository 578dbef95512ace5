"""`curves`: what metrics.jsonl says, model by model and fold by fold, and what is no training."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadArtifact, MissingArtifact
from asdcli.plots import Material, Numbers
from asdcli.plots.curves import SCHEMA, Curves
from asdcli.progress import SILENT

Asd = Callable[..., int]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trained(folder: Path, losses: list[float], model: str = "discriminative", **more: float) -> None:
    """A model as far as figures look: its card, and a row an epoch."""
    folder.mkdir(parents=True)
    made = Header.make(artifacts.MODEL, dataset="mine", seed=3, params={"model": model}).with_content("abcdef0123")
    (folder / "card.json").write_text(made.to_json(card={}))
    rows = [{"epoch": i, "loss": loss, **more, "seconds": 1.5, "clips_per_s": 9.0} for i, loss in enumerate(losses, 1)]
    (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def numbers(*folders: str) -> Numbers:
    files = {name: Path("run") / name for name in folders or ("model", "autoencoder")}
    return Curves().numbers(Material(files), SILENT)  # type: ignore[arg-type]


def test_loss_and_accuracy_are_what_was_learnt_and_speeds_are_not() -> None:
    trained(Path("run/model"), [2.0, 1.0], accuracy=0.5)
    trained(Path("run/model/fold-2"), [4.0, 3.0])
    trained(Path("run/model/fold-10"), [4.5])
    trained(Path("run/autoencoder"), [90.0], "autoencoder")
    found = numbers()
    assert found.table.schema.equals(SCHEMA)
    told = [(one["model"], one["fold"], one["metric"], one["first"], one["last"]) for one in found.facts]
    assert told == [
        ("discriminative", None, "loss", 2.0, 1.0),
        ("discriminative", "fold-2", "loss", 4.0, 3.0),
        ("discriminative", "fold-10", "loss", 4.5, 4.5),
        ("discriminative", None, "accuracy", 0.5, 0.5),
        ("autoencoder", None, "loss", 90.0, 90.0),
    ]
    assert found.signatures[0].startswith("mine|model:discriminative|seed:3|content:abcdef|figure:curves|asd:")
    assert "2 models that were each trained without one fold" in found.caption[0]


def test_what_is_drawn_are_the_numbers_and_accuracy_is_in_percent() -> None:
    pytest.importorskip("matplotlib")
    trained(Path("run/model"), [2.0, 1.0], accuracy=0.5)
    loss, accuracy = Curves(log=True).draw(numbers("model")).axes
    assert (list(loss.lines[0].get_xdata()), list(loss.lines[0].get_ydata())) == ([1, 2], [2, 1])
    assert list(accuracy.lines[0].get_ydata()) == [50, 50]
    assert (loss.get_yscale(), accuracy.get_yscale()) == ("log", "linear")
    assert (loss.get_xlabel(), loss.get_ylabel(), accuracy.get_ylabel()) == ("epoch", "loss", "accuracy (%)")


def test_without_a_model_or_with_a_damaged_row_nothing_is_drawn(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingArtifact, match="no trained model") as error:
        numbers()
    assert error.value.hint == "train one: asd train"
    trained(Path("run/model"), [2.0])
    (Path("run/model") / "metrics.jsonl").write_text('{"epoch": 1, "loss": 2}\n{"loss": \n')
    with pytest.raises(BadArtifact, match=r"metrics\.jsonl, line 2 says nothing of an epoch"):
        numbers()
    (Path("run/model") / "metrics.jsonl").unlink()
    with pytest.raises(BadArtifact, match=r"metrics\.jsonl cannot be read"):
        numbers()
