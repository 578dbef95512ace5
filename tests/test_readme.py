"""Every command of the README exists, with the options and choices it is shown with."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from asdcli import catalogue
from asdcli.cli import build

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
FENCES = re.findall(r"```sh\n(.*?)```", README, flags=re.S)
LINES = [
    line.split("   #")[0].split("  #")[0].strip() for block in FENCES for line in block.splitlines() if line.strip()
]
COMMANDS = sorted({part.strip() for line in LINES for part in line.split("&&") if part.strip().startswith("asd ")})
TARGETS = sorted(
    {t for line in LINES for t in re.findall(r"\bmake ([a-z0-9-]+)", line)}
    | set(re.findall(r"`make ([a-z0-9-]+)", README))
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_parses(command: str) -> None:
    words = shlex.split(command)[1:]
    group = typer.main.get_command(build())
    name, *arguments = words
    assert name in group.commands  # type: ignore[attr-defined]
    group.commands[name].make_context(name, list(arguments))  # type: ignore[attr-defined]  # raises on a wrong option


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    text = (ROOT / "Makefile").read_text()
    edition = re.fullmatch(r"([a-z0-9]+)(-[a-z-]+)?", target)
    assert re.search(rf"^{target}:", text, flags=re.M) or (edition and edition[1] in catalogue.names())
