"""What was chosen by `asd tune` and what it is worth, as the header of tuning.parquet has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.views.across_runs import RunResults
from asdcli.views.making import Making


def highest(values: Mapping[str, float | None]) -> str | None:
    """The name with the largest value; ties: the first; None where nothing was measured."""
    known = {name: value for name, value in values.items() if value is not None}
    return max(known, key=lambda name: known[name]) if known else None


@dataclass(frozen=True)
class ReportTable:
    """Names of columns and rows of names and figures; empty where nothing is reported.

    What smoothing is worth has the form of the paper's Table II: a row a method, of its name and figures.
    """

    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)


@dataclass(frozen=True)
class TuningFacts:
    """What was chosen and what it is worth.

    Attributes:
        choices, oracle: method -> machine type -> parameters, chosen on the one sections and on the others.
        table: what both are worth on the reported sections.
    """

    choices: dict[str, dict[str, str]]
    oracle: dict[str, dict[str, str | None]]
    table: ReportTable

    @staticmethod
    def of(header: Header) -> TuningFacts | None:
        """What a table's header says was found when it was made; None where it does not say so, or not all of it."""
        from pydantic import TypeAdapter, ValidationError

        try:
            facts: TuningFacts = TypeAdapter(TuningFacts).validate_python(header.diagnostics)
        except ValidationError:
            return None
        machine_types = [{*of} for of in facts.choices.values()] + [{*of} for of in facts.oracle.values()]
        table = facts.table
        fits = (
            facts.choices.keys() == facts.oracle.keys() != set()
            and all(of == machine_types[0] for of in machine_types)
            and all(len(row) == len(table.columns) for row in table.rows)
            and all(isinstance(figure, (int, float, type(None))) for row in table.rows for figure in row[1:])
        )
        return facts if fits else None


@dataclass(frozen=True)
class RunTuning:
    """What was tuned in one run.

    Attributes:
        run: which, and how its scores were made; nothing of it was measured by an official rule.
        facts: what was chosen, and what it is worth.
    """

    run: RunResults
    facts: TuningFacts

    @property
    def method(self) -> str:
        """Spelling of the scores that were smoothed."""
        return str(self.run.header.params.get("method"))

    @property
    def making(self) -> Making:
        return self.run.makings[self.method]


def read_tuning(run: Path, tuning: Path, words: Sequence[str]) -> RunTuning | None:
    """Read what was tuned in a run; None where its tuning.parquet does not say it.

    Args:
        run: its folder.
        tuning: its tuning.parquet.
        words: options that lead a command to it.

    Raises:
        MissingArtifact, BadArtifact: it is not there, or not as it was written.
    """
    _, header = artifacts.read_table(tuning, artifacts.TUNING)
    facts = TuningFacts.of(header)
    makings = {str(header.params.get("method")): Making.of(header)}
    if facts is None:
        return None
    return RunTuning(RunResults(run, tuple(words), header, makings, {}), facts)
