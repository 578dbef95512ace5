"""`asd threshold`: where normal ends, from scores of normal training clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.options import AllowStaleOption, PlainCellsOption, ScoresArgument
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Output, Talk
from asdcli.metrics.threshold_rules import EDITION_RULE, OWN_RULE, RULES

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
            help=f"{', '.join(RULES.names())}, with parameters as in {OWN_RULE}. Default: {EDITION_RULE} for an "
            f"edition of the challenge, {OWN_RULE} for other recordings.",
            show_default=False,
        ),
    ] = None,
    quantile: Annotated[
        float | None, typer.Option("--quantile", help="Quantile of the rule, in (0, 1).", show_default=False)
    ] = None,
    per_day: Annotated[
        float | None, typer.Option("--per-day", help="False alarms a day that are bearable.", show_default=False)
    ] = None,
    clips_per_day: Annotated[
        float | None,
        typer.Option(
            "--clips-per-day",
            help="Normal clips that arrive in a day. Default: as the dates in their names tell.",
            show_default=False,
        ),
    ] = None,
    from_training: Annotated[
        bool,
        typer.Option(
            "--from-training",
            help="Take the scores of all training clips, also of those that the model knows: no false-alarm rate "
            "follows from them.",
        ),
    ] = False,
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
    plain_cells: PlainCellsOption = False,
    allow_stale: AllowStaleOption = False,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Set a threshold for each machine type on scores of normal training clips that no model has seen.

    These are clips held out of the training (asd train --hold-out) or, where nothing was trained, clips scored without
    their group. The organisers' rule, the default for editions, takes all training clips, as the challenge does.
    One threshold serves both domains. It goes to thresholds.parquet, beside those of other methods; asd evaluate then
    shows precision, recall and F1, asd submit writes decisions, and --decisions lists them with p-values. Nothing is
    scored again.

    What a rule promises is held against the scores it was fitted on; a fit that misses them gives way to the empirical
    quantile. Clips of one group are alike: the interval beside the share above is of the share in a new group, each
    group held against the others. Rare false alarms take many clips: one a day at 24 clips a day is promised by 23
    normal training clips and shown by about 240.
    """
    from asdcli.artifacts import own
    from asdcli.errors import UsageError
    from asdcli.pipeline.steps import threshold as step
    from asdcli.stages.threshold import rows

    fitting = [o is not None for o in (rule, quantile, per_day, clips_per_day, place.output, from_training or None)]
    if given and any(fitting):
        raise UsageError("--thresholds takes thresholds as they are: no rule or -o beside it")
    if given and not decisions:
        raise UsageError("--thresholds alone does nothing", "name the file to write: --decisions FILE.csv")
    if decisions:
        own.check(decisions, force=force)  # before anything is written
    space = place.space_if_any() if scores and (given or place.output) else place.space()
    done: dict[str, Outcome] = {}
    if not given:
        done["thresholds"] = step.run(
            space,
            scores or (),
            rule=rule,
            quantile=quantile,
            per_day=per_day,
            clips_per_day=clips_per_day,
            output=place.output,
            from_training=from_training,
            force=force,
            progress=talk.progress,
        )
        given = done["thresholds"].path
    if decisions:
        done["decisions"] = step.decide(
            space,
            decisions,
            scores or (),
            thresholds=given,
            plain_cells=plain_cells,
            allow_stale=allow_stale,
            force=force,
            progress=talk.progress,
        )
    if talk.shows_tables:
        _show(rows(given), clips_per_day)
    if not talk.json:
        for outcome in done.values():
            talk.say(outcome)
    facts = {"thresholds": rows(given), "decisions": done["decisions"].plain() if decisions else None}
    return talk.answer([Output.of(kind, o) for kind, o in done.items()], facts)


def _show(rows: list[dict], clips_per_day: float | None) -> None:
    from asdcli.cli.tables import Grid, GridColumn

    rules = {row["rule"] for row in rows}
    several, counted = len(rules) > 1, any(clips_per_day or row["clips_per_day"] for row in rows)
    figures = ["threshold", "clips", "groups", "above", "new\ngroup", *(["false\nalarms/day"] if counted else [])]
    columns: list[GridColumn | str] = [
        "method",
        "machine type",
        *(GridColumn(heading, number=True) for heading in figures),
    ]
    columns += [GridColumn("scored as", rank=1), *([GridColumn("rule", rank=2)] if several else [])]
    grid = Grid("thresholds" if several else f"thresholds by {', '.join(rules)}", columns, keys=2)
    for row in rows:
        cells = [f"{row['threshold']:.6g}", row["n_clips"], row["n_groups"], f"{100 * row['false_alarm_rate']:.1f} %"]
        cells += [_interval(row)]
        cells += [_per_day(row, clips_per_day or row["clips_per_day"])] if counted else []
        cells += [row["scored_as"] or "unknown", *([row["rule"]] if several else [])]
        grid.add(row["method"], row["machine_type"], *cells)
    grid.show()


def _interval(row: dict) -> str | None:
    return None if row["low"] is None else f"{100 * row['low']:.0f} to {100 * row['high']:.0f} %"


def _per_day(row: dict, clips: float | None) -> str | None:
    if not clips:
        return None
    rate = row["false_alarm_rate"]
    return f"{rate * clips:.2g} of {clips:g}" if rate else f"< {clips / row['n_clips']:.2g} of {clips:g}"
