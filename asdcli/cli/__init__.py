"""The command `asd`: one file a command, listed here by what people come for."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from asdcli import __version__
from asdcli.cli.boundary import guarded
from asdcli.cli.console import settle_width
from asdcli.cli.old_words import todays
from asdcli.errors import UsageError
from asdcli.visible import visible

GROUPS = {
    "The stages of a run": {
        "run": "asdcli.cli.run:run",
        "download": "asdcli.cli.download:download",
        "extract-features": "asdcli.cli.extract_features:extract_features",
        "train": "asdcli.cli.train:train",
        "embed": "asdcli.cli.embed:embed",
        "score": "asdcli.cli.score:score",
        "evaluate": "asdcli.cli.evaluate:evaluate",
    },
    "Your own recordings": {
        "index": "asdcli.cli.index:index",
        "threshold": "asdcli.cli.threshold:threshold",
    },
    "The challenge": {
        "datasets": "asdcli.cli.datasets:datasets",
        "submit": "asdcli.cli.submit:submit",
    },
    "Research": {
        "smooth": "asdcli.cli.smooth:smooth",
        "tune": "asdcli.cli.tune:tune",
        "plot": "asdcli.cli.plot:plot",
        "methods": "asdcli.cli.methods:methods",
        "models": "asdcli.cli.models:models",
    },
    "Looking after files": {
        "doctor": "asdcli.cli.doctor:doctor",
        "show": "asdcli.cli.show:show",
    },
}
"""What people come for -> command name -> "module:function", in the order of `asd --help`."""

COMMANDS = {name: target for group in GROUPS.values() for name, target in group.items()}
"""All of them."""

_ClickException: Any = typer.BadParameter.__mro__[2]  # click's own or the copy that newer typer carries


def _version(value: bool) -> None:
    if value:
        print(f"asdcli {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Anomalous sound detection: from wavs to the official DCASE Task 2 score.

    A first run, without any data of your own: asd run --edition synthetic
    """


def build() -> typer.Typer:
    """The whole command line. Command modules are cheap to import: they load what is heavy when they run."""
    app = typer.Typer(
        name="asd",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for group, commands in GROUPS.items():
        for name, target in commands.items():
            module, _, function = target.partition(":")
            command = getattr(importlib.import_module(module), function)
            app.command(name, help=_paragraphs(command), rich_help_panel=group)(command)
    return app


def _paragraphs(command: Callable[..., object]) -> str:
    """The docstring with each paragraph on one line, so that help breaks lines where the terminal ends."""
    return "\n\n".join(" ".join(p.split()) for p in (inspect.getdoc(command) or "").split("\n\n"))


def call(arguments: list[str]) -> int:
    """Run one command line (without the program name) and return its exit code."""
    settle_width()
    words, notes = todays(arguments)
    name = words[0] if words and words[0] in COMMANDS else None

    def command() -> int:
        if not {"-q", "--quiet"} & set(arguments):
            for note in notes:
                print(f"note: {visible(note)}", file=sys.stderr)
        try:
            result = typer.main.get_command(build()).main(words, prog_name="asd", standalone_mode=False)
        except typer.Abort:
            raise KeyboardInterrupt from None
        except _ClickException as error:
            where = error.ctx.command_path if getattr(error, "ctx", None) else "asd"
            raise UsageError(error.format_message(), f"see: {where} --help") from None
        if result == 130:  # newer typer takes Ctrl-C for itself, and says nothing
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0

    return guarded(command, name, as_json="--json" in words)


def main() -> None:
    """Entry point of the `asd` program."""
    sys.exit(call(sys.argv[1:]))
