"""Hints that lead where the user works: the commands in them get the options of place that were typed.

A command in a hint stands at its beginning, behind a colon, `then`, `&&`, a comma or a bracket, and goes on to the end
or to `;`, `, `, `)` or ` &&`, so that it can be found, and copied.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asdcli.cli.shared import Place

COMMAND = re.compile(r"(?:^|(?<=: )|(?<=; )|(?<=, )|(?<=\()|(?<=&& )|(?<=then ))asd [a-z-]+.*?(?=$|;|, |\)| &&)")
"""A whole command line in a sentence, or in a chain of them."""


def led(hint: str, place: Place) -> str:
    """The hint with the typed `--data`, `--run` and `--dataset` behind each command that takes them and lacks them."""
    typed = {"--data": place.data, "--run": place.run, "--dataset": place.dataset}
    given = {option: str(value) for option, value in typed.items() if value is not None}
    return COMMAND.sub(lambda found: _with(found[0], given), hint) if given else hint


def _with(line: str, given: Mapping[str, str]) -> str:
    words = line.split()
    taken = _options(words[1])
    if "--run" in words or "--dataset" in words:  # it leads somewhere by itself
        given = {option: value for option, value in given.items() if option == "--data"}
    more = [w for option, value in given.items() if option in taken and option not in words for w in (option, value)]
    return " ".join([line, shlex.join(more)]) if more else line


def _options(command: str) -> set[str]:
    from typer.main import get_command

    from asdcli.cli import build

    commands: dict[str, Any] = get_command(build()).commands  # type: ignore[attr-defined]
    return {o for parameter in commands[command].params for o in parameter.opts} if command in commands else set()
