"""How a command speaks: progress and notes on stderr, results on stdout, as `--json`, `--quiet` and `--verbose` say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asdcli.cli.console import Terminal
    from asdcli.outcome import Outcome


@dataclass(frozen=True)
class Talk:
    """What the user wants to hear.

    Attributes:
        json: one JSON object on stdout instead of tables and of notes about what was written.
        quiet: no progress and no notes.
        verbose: diagnostics too.
    """

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

    def emit(self, value: dict[str, Any]) -> None:
        """Print one JSON object on stdout."""
        from asdcli.cli.console import emit_json

        emit_json(value)

    def report(self, outcome: Outcome) -> int:
        """Tell what a stage did; returns the exit code (3 when clips were skipped)."""
        if self.json:
            self.emit(
                {"path": str(outcome.path), "status": outcome.status, "skipped": outcome.skipped, **outcome.facts}
            )
        else:
            self.say(outcome)
        return 3 if outcome.skipped else 0

    def say(self, outcome: Outcome) -> None:
        """One line on stderr about what a stage did."""
        if outcome.status == "current":
            self.progress.note(f"up to date: {outcome.path} (--force does it again)")
            return
        facts = ", ".join(
            f"{v} {k.replace('_', ' ')}" for k, v in outcome.facts.items() if not isinstance(v, (dict, list))
        )
        self.progress.note(f"wrote {outcome.path}" + (f": {facts}" if facts else ""))
