"""The command `asd`: one file a command, listed here by what people come for."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from asdcli import __version__
from asdcli.cli.boundary import guarded
from asdcli.cli.console import settle_width
from asdcli.cli.old_words import todays
from asdcli.cli.on_demand import group_of
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
        "learn": "asdcli.cli.learn:learn",
        "check": "asdcli.cli.check:check",
        "confirm": "asdcli.cli.confirm:confirm",
        "reference": "asdcli.cli.reference:reference",
        "history": "asdcli.cli.history:history",
        "drift": "asdcli.cli.drift:drift",
        "index": "asdcli.cli.index:index",
        "threshold": "asdcli.cli.threshold:threshold",
        "explain": "asdcli.cli.explain:explain",
        "report": "asdcli.cli.report:report",
    },
    "The challenge": {
        "datasets": "asdcli.cli.datasets:datasets",
        "submit": "asdcli.cli.submit:submit",
    },
    "Research": {
        "smooth": "asdcli.cli.smooth:smooth",
        "tune": "asdcli.cli.tune:tune",
        "fuse": "asdcli.cli.fuse:fuse",
        "bench": "asdcli.cli.bench:bench",
        "table": "asdcli.cli.table:table",
        "sweep": "asdcli.cli.sweep:sweep",
        "plot": "asdcli.cli.plot:plot",
        "log": "asdcli.cli.log:log",
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
    """The whole command line, of which only what is typed is loaded."""
    app = typer.Typer(
        name="asd",
        cls=group_of(GROUPS),
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    return app


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
