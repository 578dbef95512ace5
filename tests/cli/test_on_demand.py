"""A command line loads the command that was typed, and the help of all of them none."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

from asdcli.cli import COMMANDS, GROUPS, build
from asdcli.cli.on_demand import Commands


def loaded(*words: str) -> set[str]:
    """The commands whose modules a command line has imported at its end."""
    code = (
        "import sys, contextlib, io\n"
        "from asdcli.cli import COMMANDS, call\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        f"    call({list(words)!r})\n"
        "print(*(n for n, target in COMMANDS.items() if target.partition(':')[0] in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("words", [("--help",), (), ("--version",), ("scroe",)])
def test_what_runs_no_command_loads_none(words: tuple[str, ...]) -> None:
    assert loaded(*words) == set()


@pytest.mark.parametrize("words", [("datasets", "--help"), ("--", "datasets"), ("datasets", "--no-such-option")])
def test_what_is_typed_is_loaded_and_nothing_else(words: tuple[str, ...]) -> None:
    assert loaded(*words) == {"datasets"}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_told_of_a_command_is_what_it_says_itself(name: str) -> None:
    commands = Commands(GROUPS)
    told, itself = commands.told(name), commands[name]
    assert told.name == itself.name == name
    assert told.help == itself.help and len(told.help or "") > 40
    assert told.rich_help_panel == itself.rich_help_panel  # type: ignore[attr-defined]


def test_the_commands_of_a_command_line_are_all_there_in_their_order() -> None:
    group = get_command(build())
    assert list(group.commands) == list(COMMANDS)  # type: ignore[attr-defined]
    assert all(command.params for command in group.commands.values())  # type: ignore[attr-defined]
