"""`asd threshold`: where normal ends, from scores of normal training clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.options import ScoresArgument
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Output, Talk
from asdcli.metrics import DEFAULT_RULE, RULES

if TYPE_CHECKING:
    from asdcli.outcome import Outcome


@on_a_run(force=True)
def threshold(
    scores: ScoresArgument = None,
    rule: Annotated[
        str | None,
        typer.Option(
            "--rule",
            metavar="SPELLING",
            help=f"{', '.join(RULES.names())}, with parameters as in {DEFAULT_RULE} (the default).",
            show_default=False,
        ),
    ] = None,
    quantile: Annotated[
        float | None, typer.Option("--quantile", help="Quantile of gamma or quantile, in (0, 1).", show_default=False)
    ] = None,
    per_day: Annotated[
        float | None, typer.Option("--per-day", help="False alarms a day that are bearable.", show_default=False)
    ] = None,
    clips_per_day: Annotated[
        float | None,
        typer.Option("--clips-per-day", help="Normal clips that arrive in a day [8640].", show_default=False),
    ] = None,
    given: Annotated[
        Path | None,
        typer.Option("--thresholds", metavar="FILE", help="Fit nothing; use these thresholds.", show_default=False),
    ] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(
            "--decisions",
            metavar="FILE",
            help="Write a decision for every test clip (.csv, .parquet).",
            show_default=False,
        ),
    ] = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Fit a threshold for each machine type on leave-one-out scores of its normal training clips.

    One threshold serves both domains. It goes to thresholds.parquet; asd evaluate then shows precision, recall and F1,
    asd submit writes decisions, and --decisions lists them. Nothing is scored again.
    """
    from asdcli.errors import UsageError
    from asdcli.pipeline.steps import threshold as step
    from asdcli.stages.threshold import rows

    fitting = [o is not None for o in (rule, quantile, per_day, clips_per_day, place.output)]
    if given and (any(fitting) or force):
        raise UsageError("--thresholds takes thresholds as they are: no rule, -o or --force beside it")
    if given and not decisions:
        raise UsageError("--thresholds alone does nothing", "name the file to write: --decisions FILE.csv")
    space = None if scores and (given or place.output) else place.space()
    done: dict[str, Outcome] = {}
    if not given:
        spelling = step.rule_of(rule, quantile=quantile, per_day=per_day, clips_per_day=clips_per_day)
        done["thresholds"] = step.run(
            space, scores or (), rule=spelling, output=place.output, force=force, progress=talk.progress
        )
        given = done["thresholds"].path
    if decisions:
        done["decisions"] = step.decide(space, decisions, scores or (), thresholds=given, progress=talk.progress)
    if talk.shows_tables:
        _show(rows(given), clips_per_day)
    if not talk.json:
        for outcome in done.values():
            talk.say(outcome)
    facts = {"thresholds": rows(given), "decisions": done["decisions"].facts if decisions else None}
    return talk.answer([Output.of(kind, o) for kind, o in done.items()], facts)


def _show(rows: list[dict], clips_per_day: float | None) -> None:
    from asdcli.cli.tables import Grid, GridColumn
    from asdcli.metrics.decisions import FalseAlarms

    per_day = clips_per_day or FalseAlarms().clips_per_day
    figures = (GridColumn(heading, number=True) for heading in ("threshold", "clips", "above", "false\nalarms/day"))
    grid = Grid(
        f"thresholds; false alarms expected of {per_day:g} normal clips a day",
        ["method", "machine type", *figures, GridColumn("rule", rank=2)],
        keys=2,
    )
    for row in rows:
        rate = row["false_alarm_rate"]
        grid.add(
            row["method"],
            row["machine_type"],
            f"{row['threshold']:.6g}",
            row["n_clips"],
            f"{100 * rate:.1f} %",
            f"{rate * per_day:.0f}" if rate else f"< {per_day / row['n_clips']:.0f}",
            row["rule"],
        )
    grid.show()
