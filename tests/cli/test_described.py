"""`asd methods` and `asd models`: what registered classes say of themselves."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asdcli.cli.models import registries
from asdcli.scorers import SCORERS
from asdcli.spec import describe
from asdcli.spec.docstrings import Docstring
from tests.helpers import fake_package

Asd = Callable[..., int]

ALL = {"methods": SCORERS, **registries()}
NAMES = [(kind, name) for kind, registry in ALL.items() for name in registry.entries]

MINE = '''
from dataclasses import dataclass

@dataclass(frozen=True)
class LOF:
    """Local outlier factor.

    Source: Breunig et al. 2000.

    Attributes:
        k: neighbours.
        leaf, grain: sizes of something.
    """

    k: int = 8
    leaf: int = 30
    grain: float | None = None

    def fit(self, unit): ...
    def score(self, learnt, windows): ...

@dataclass(frozen=True)
class Bare:
    k: int

    def fit(self, unit): ...
    def score(self, learnt, windows): ...
'''


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with one good plug-in, one whose name is taken, and one that cannot be imported."""
    offers = {"asdcli.scorers": {"sparse": "minepkg.lof:LOF", "nn": "minepkg.lof:LOF", "broken": "minepkg.broken:X"}}
    modules = {"minepkg/lof.py": MINE, "minepkg/broken.py": "import no_such_thing"}
    monkeypatch.syspath_prepend(fake_package.write(tmp_path / "site", "minepkg", modules, version="2.0", offers=offers))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "minepkg"]:
        del sys.modules[name]


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_every_registered_class_says_what_it_is_and_what_each_of_its_parameters_means(kind: str, name: str) -> None:
    described = describe(ALL[kind], name)
    assert len(described.summary) > 20 and described.summary.endswith(".")
    assert [p.name for p in described.parameters if len(p.meaning) < 3] == []


@pytest.mark.parametrize(("kind", "name"), [n for n in NAMES if n[0] in ("methods", "models", "networks", "losses")])
def test_every_method_model_network_and_loss_names_its_source(kind: str, name: str) -> None:
    source = describe(ALL[kind], name).source
    assert source is not None and any(year in source for year in ("20", "DCASE"))


def test_the_lists_name_everything_with_its_package(asd: Asd, mine: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert asd("methods") == 0
    told = capsys.readouterr()
    assert all(f"\n{name}" in told.out for name in (*SCORERS.entries, *SCORERS.short))
    assert "minepkg 2.0" in told.out and "Local outlier factor." in told.out
    assert "nn of minepkg 2.0 is hidden by the built-in nn: name it minepkg.lof:LOF" in told.err
    assert "minepkg.broken:X of minepkg 2.0 cannot be imported: ModuleNotFoundError" in told.err
    assert "broken" not in told.out and "Traceback" not in told.err
    assert asd("models") == 0
    told = capsys.readouterr()
    assert all(f"\n{name}" in told.out for kind, name in NAMES if kind != "methods")


def test_one_method_in_full_shows_choices_defaults_and_meanings(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    assert asd("methods", "varmin:k=3", "--json") == 0
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert (facts["name"], facts["takes"], facts["unit"], facts["package"]) == (
        "varmin",
        "embeddings",
        "machine-type",
        None,
    )
    val = {p["name"]: p for p in facts["parameters"]}["val"]
    assert (
        val["default"] == "train-all" and val["spelled"] and "test-all" in val["choices"] and "X_val" in val["meaning"]
    )


def test_a_class_of_another_package_is_shown_by_name_and_by_path(
    asd: Asd, mine: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("sparse", "minepkg.lof:LOF"):
        assert asd("methods", name, "--json") == 0
        facts = json.loads(capsys.readouterr().out)["facts"]
        assert facts["package"] == "minepkg 2.0" and facts["source"] == "Breunig et al. 2000."
        shown = {p["name"]: (p["type"], p["default"], p["meaning"]) for p in facts["parameters"]}
        assert shown == {
            "k": ("whole number", "8", "neighbours."),
            "leaf": ("whole number", "30", "sizes of something."),
            "grain": ("number or none", "none", "sizes of something."),
        }
    assert asd("methods", "minepkg.lof:Bare") == 0
    told = capsys.readouterr().out
    assert "Bare(k" not in told and "whole number" in told  # a dataclass writes such a docstring by itself


def test_a_model_is_shown_with_its_parts_and_a_name_as_all_that_bear_it(
    asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("models", "discriminative", "--json") == 0
    found = json.loads(capsys.readouterr().out)["facts"]["described"]
    assert [d["kind"] for d in found] == ["model", "embedder"]
    assert [(p["kind"], p["name"]) for p in found[0]["parts"]] == [("network", "dual-branch"), ("loss", "scac")]
    assert asd("models", "asdcli.models.networks.dual_branch:DualBranch", "--json") == 0
    (only,) = json.loads(capsys.readouterr().out)["facts"]["described"]
    assert only["kind"] == "network"


@pytest.mark.parametrize(("command", "name"), [("methods", "vramin"), ("models", "dual-brunch"), ("models", "json:x")])
def test_what_there_is_not_is_refused_with_a_suggestion(
    asd: Asd, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    assert asd(command, name) == 2
    told = capsys.readouterr().err
    assert "did you mean" in told or "json has no 'x'" in told


@pytest.mark.parametrize(
    "line", [["methods"], ["models"], ["models", "serial-oe"], *[["methods", name] for name in SCORERS.entries]]
)
def test_nothing_is_wider_than_eighty_columns(
    asd: Asd, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert asd(*line) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80 and "…" not in told


def test_a_docstring_is_taken_apart_into_paragraphs_source_and_meanings() -> None:
    found = Docstring.of(
        """One.

        Two, on
        two lines.

        Source: somebody,
        1999.

        Attributes:
            a: first,
                and more.
            b, c: both
                of them: with a colon.

        Raises:
            ValueError: never.

        Three.
        """
    )
    assert found.paragraphs == ("One.", "Two, on two lines.", "Three.")
    assert found.source == "somebody, 1999."
    assert found.meanings == {
        "a": "first, and more.",
        "b": "both of them: with a colon.",
        "c": "both of them: with a colon.",
    }
    assert Docstring.of(None).paragraphs == ()
