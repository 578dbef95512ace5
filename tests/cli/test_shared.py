"""The options that commands share: declared once, handed on as one Place and one Talk."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from asdcli.cli.shared import Place, on_a_run, on_nothing, on_the_data
from asdcli.cli.talk import Talk
from asdcli.errors import MissingArtifact

SEEN: dict[str, Any] = {}


def words(command: Any) -> list[str]:
    """The options of a command's parameters, in the order of its help."""
    built = typer.main.get_command(_app(command))
    return [p.opts[-1] for p in built.params if p.name != "help" and "completion" not in (p.name or "")]


def _app(command: Any) -> typer.Typer:
    app = typer.Typer()
    app.command()(command)
    return app


@on_a_run(force=True, verbose=True)
def walk(
    far: Annotated[int, typer.Option("--far", help="How far.")] = 1, *, place: Place, talk: Talk, force: bool
) -> int:
    """Go for a walk."""
    SEEN.update(far=far, place=place, talk=talk, force=force)
    return 0


def test_the_shared_options_follow_the_commands_own_in_one_order() -> None:
    assert words(walk) == [
        "--far",
        "--output",
        "--run",
        "--data",
        "--dataset",
        "--force",
        "--verbose",
        "--json",
        "--quiet",
    ]


def test_a_command_has_no_option_that_it_did_not_ask_for() -> None:
    @on_the_data()
    def look(*, place: Place, talk: Talk) -> int:
        return 0

    @on_nothing
    def tell(*, talk: Talk) -> int:
        return 0

    assert words(look) == ["--data", "--json", "--quiet"]
    assert words(tell) == ["--json"]
    assert "force" not in inspect.signature(look).parameters


def test_what_was_typed_reaches_the_command_as_a_place_and_a_talk() -> None:
    typer.main.get_command(_app(walk)).main(
        ["--far", "3", "--run", "r", "-o", "out", "--force", "-q", "--json"], standalone_mode=False
    )
    assert {
        "far": 3,
        "place": Place(run=Path("r"), output=Path("out")),
        "talk": Talk("walk", json=True, quiet=True),
        "force": True,
    } == SEEN


def test_a_place_that_was_named_must_exist_and_one_that_was_not_may_lack(tmp_path: Path) -> None:
    assert Place(data=tmp_path).space_if_any() is None
    with pytest.raises(MissingArtifact, match="no dataset"):
        Place(data=tmp_path).space()
    with pytest.raises(MissingArtifact, match="no dataset"):
        Place(data=tmp_path, run=tmp_path / "run").space_if_any()
