"""`asd evaluate`: anomaly scores into official scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli.options import AllowStaleOption, PlainCellsOption, ScoresArgument
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Output, Talk
from asdcli.metrics.specs import SPECS

if TYPE_CHECKING:
    from asdcli.stages.evaluate import Report


@on_a_run(force=True, verbose=True)
def evaluate(
    scores: ScoresArgument = None,
    submission: Annotated[
        Path | None,
        typer.Option("--submission", metavar="DIR", help="A folder of challenge CSVs instead.", show_default=False),
    ] = None,
    names: Annotated[
        list[Path] | None,
        typer.Option(
            "--names", metavar="FILE", help="Of --submission: lists of renamed test files.", show_default=False
        ),
    ] = None,
    clips: Annotated[
        Path | None,
        typer.Option(
            "--clips", metavar="FILE", help="Take the truth from here. Default: clips.parquet.", show_default=False
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="RULE",
            help=f"One of {', '.join(SPECS)}. Default: the edition's own.",
            show_default=False,
        ),
    ] = None,
    max_fpr: Annotated[float, typer.Option("--max-fpr", help="Where pAUC ends, in (0, 1].")] = 0.1,
    n_resamples: Annotated[
        int, typer.Option("--bootstrap", min=0, metavar="N", help="95 % intervals from N resamples of the test clips.")
    ] = 0,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--compare",
            metavar="A B",
            help="Paired bootstrap of method A minus B. Of two runs: run-a/A run-b/A, or A A.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the bootstrap.")] = 0,
    thresholds: Annotated[
        Path | None,
        typer.Option(
            "--thresholds", metavar="FILE", help="Decide by these. Default: the run's, if any.", show_default=False
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write all rows as CSV too, each with its line.", show_default=False
        ),
    ] = None,
    plain_cells: PlainCellsOption = False,
    allow_stale: AllowStaleOption = False,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """AUC, pAUC and the edition's official score, for every section, machine type and method, dev and eval apart.

    Only test clips whose condition is known count. A number comes with the line that says how it was made; where some
    of them have no score the line says of how many (clips:420/1400), and the exit code is 3. Scores of files that have
    changed since are marked stale, and --csv refuses them unless --allow-stale.
    """
    from asdcli.cli import evaluation_tables
    from asdcli.pipeline.steps import evaluate as step

    report = step.run(
        place.space_if_any() if scores or (submission and clips) else place.space(),
        scores or (),
        submission=submission,
        names=names or (),
        clips=clips,
        thresholds=thresholds,
        compare=compare,
        options=step.Options(metric=metric, max_fpr=max_fpr, n_resamples=n_resamples, seed=seed),
        csv=csv,
        plain_cells=plain_cells,
        allow_stale=allow_stale,
        output=place.output,
        force=force,
        progress=talk.progress,
    )
    if talk.shows_tables:
        evaluation_tables.show(report, details=talk.verbose)
    if report.outcome and not talk.json:
        talk.say(report.outcome)
    outputs = [Output.of("results", report.outcome)] if report.outcome else []
    outputs += [Output(csv, "csv", skipped=report.missing)] if csv else []
    return talk.answer(outputs, facts(report) if talk.json else None, skipped=report.missing)


def facts(report: Report) -> dict[str, Any]:
    """What was measured, JSON-ready."""
    from dataclasses import asdict

    return {
        "results": [
            {
                "method": e.method,
                "dataset": e.dataset,
                "subset": e.subset,
                "metric": e.spec.name,
                "official": e.official,
                "interval": e.interval,
                "signature": e.signature,
                "clips": {"evaluated": e.n_clips, "missing": e.n_missing},
                "made_of": {kind: asdict(origin) for kind, origin in e.making.origins.items()},
                "making": e.making.digest,
                "stale": e.stale,
                "machine_types": e.by_machine_type,
                "means": {
                    mean: {t.name: e.mean(t.name, mean) for t in e.spec.reported} for mean in ("arithmetic", "harmonic")
                },
                "sections": [asdict(v) for v in e.values],
                "decisions": [
                    {
                        "machine_type": d.machine_type,
                        "section": d.section,
                        "domain": d.domain,
                        **asdict(d.confusion),
                        "precision": d.confusion.precision,
                        "recall": d.confusion.recall,
                        "f1": d.confusion.f1,
                    }
                    for d in e.decided
                ],
                "promises": [
                    {
                        "domain": one.domain,
                        "promised": one.false_alarms.promised,
                        "false_alarms": one.false_alarms.above,
                        "normal": one.false_alarms.n,
                        "interval": one.false_alarms.interval,
                        "hits": one.hits.above if one.hits else None,
                        "anomalous": one.hits.n if one.hits else None,
                        "verdict": one.verdict,
                    }
                    for one in e.promises
                ],
            }
            for e in report.evaluations
        ],
        "compared": report.compared,
        "comparisons": {subset: asdict(c) for subset, c in report.comparisons.items()},
    }
