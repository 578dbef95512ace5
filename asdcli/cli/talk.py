"""How a command speaks: progress and notes on stderr, results on stdout, as `--json`, `--quiet` and `--verbose` say.

With `--json` every command prints exactly one object on stdout, whose shape is

    schema     "asd/1"; another number where a field is renamed or goes away
    command    the command's name, such as "extract-features"
    status     "done"; "current" where every output was up to date and nothing was done; "error"
    outputs    a list of the files and folders that were written or found up to date, each with
                   path, kind ("model", "scores", …), status ("done" or "current"),
                   skipped (clips left out; of results, test clips of known condition without a score; of a
                   submission, problems in it),
                   and method (null where it is not of one method)
    facts      what was counted, measured or found: an object of the command's own; of several methods a list
               under "methods", one object a method
    warnings   a list of sentences: what stderr got, or would have got without --quiet
    exit_code  0, 1, 3 or 4

and of a command that failed

    schema, command (null where none was understood), status ("error"), exit_code, and
    error      kind ("usage", "missing-artifact", …), message, and hint (or null)

A number that is not finite is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from asdcli.cli.console import Terminal
    from asdcli.outcome import Outcome

SCHEMA = "asd/1"
KINDS = {"download": "clips", "extract-features": "features", "train": "model", "embed": "embeddings"}
KINDS |= {"score": "scores", "threshold": "thresholds", "evaluate": "results"}
"""Stage -> what its output is."""


@dataclass(frozen=True)
class Output:
    """A file or folder that a command wrote or found up to date, as `--json` shows it."""

    path: Path
    kind: str
    status: Literal["done", "current"] = "done"
    skipped: int = 0
    method: str | None = None

    @classmethod
    def of(cls, kind: str, outcome: Outcome, method: str | None = None) -> Output:
        return cls(outcome.path, kind, outcome.status, outcome.skipped, method)


@dataclass(frozen=True)
class Talk:
    """What the user wants to hear.

    Attributes:
        command: its name.
        json: one JSON object on stdout instead of tables and of notes about what was written.
        quiet: errors only, and what was left out.
        verbose: diagnostics too.
    """

    command: str = ""
    json: bool = False
    quiet: bool = False
    verbose: bool = False

    @cached_property
    def progress(self) -> Terminal:
        """What a stage speaks to while it works."""
        from asdcli.cli.console import Terminal

        return Terminal(quiet=self.quiet)

    @property
    def shows_tables(self) -> bool:
        """Whether results go to stdout as tables."""
        return not self.json and not self.quiet

    def report(self, kind: str, outcome: Outcome) -> int:
        """Tell what a stage did to its file of this kind; returns the exit code (3 when clips were skipped)."""
        if not self.json:
            self.say(outcome)
        return self.answer([Output.of(kind, outcome)], outcome.plain())

    def report_methods(self, kind: str, outcomes: Mapping[str, Outcome]) -> int:
        """Tell what a stage did for every method; returns the exit code."""
        if not self.json:
            for outcome in outcomes.values():
                self.say(outcome)
        outputs = [Output.of(kind, outcome, method) for method, outcome in outcomes.items()]
        return self.answer(outputs, {"methods": [{"method": m, **o.plain()} for m, o in outcomes.items()]})

    def answer(
        self,
        outputs: Sequence[Output] = (),
        facts: Mapping[str, Any] | None = None,
        *,
        bad: bool = False,
        skipped: int = 0,
        alarm: bool = False,
    ) -> int:
        """Print the one JSON object where it is asked for; returns the exit code.

        Args:
            outputs: what the command wrote, or found up to date.
            facts: what it found out.
            bad: what was looked at is not as it should be: exit code 1.
            skipped: clips left out of what goes into no file: exit code 3, as where an output says so.
            alarm: something is suspicious, and the exit code is to say so: 4.
        """
        code = 1 if bad else 4 if alarm else 3 if skipped or any(output.skipped for output in outputs) else 0
        if self.json:
            from asdcli.cli.console import emit_json

            nothing_done = outputs and all(output.status == "current" for output in outputs)
            emit_json(
                {
                    "schema": SCHEMA,
                    "command": self.command,
                    "status": "current" if nothing_done else "done",
                    "outputs": [asdict(output) for output in outputs],
                    "facts": dict(facts or {}),
                    "warnings": self.progress.warnings,
                    "exit_code": code,
                }
            )
        return code

    def say(self, outcome: Outcome) -> None:
        """One line on stderr about what a stage did."""
        self.progress.note(f"{outcome} (--force does it again)" if outcome.status == "current" else str(outcome))


def error_object(command: str | None, kind: str, message: str, hint: str | None, exit_code: int) -> dict[str, Any]:
    """The object of a command that failed."""
    error = {"kind": kind, "message": message, "hint": hint}
    return {"schema": SCHEMA, "command": command, "status": "error", "error": error, "exit_code": exit_code}
