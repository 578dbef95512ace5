"""`asd tune`: parameters chosen on some sections and reported on others; or methods, chosen without a label."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli.options import MachineTypeOption, SeedOption, method_option
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.smooth import (
    DistanceOption,
    LevelOption,
    NeighboursOption,
    OutsideOption,
    OwnWindowsOption,
    PoolOption,
    ScoresOption,
    objective_option,
)
from asdcli.cli.talk import Talk
from asdcli.errors import UsageError
from asdcli.metrics.specs import AUC_PAUC, LABEL_FREE
from asdcli.scorers.smooth import CHOOSE, CLUSTERS, KS, REPORT, Smooth
from asdcli.spec.values import choices
from asdcli.vocabulary import PseudoAnomaly

if TYPE_CHECKING:
    from asdcli.outcome import Outcome
    from asdcli.views.label_free import LabelFreeFacts
    from asdcli.views.tuning import TuningFacts


def _series(values: Sequence[int]) -> str:
    """`1, 2, 4, … 32`."""
    return f"{', '.join(map(str, values[:3]))}, … {values[-1]}"


@on_a_run(force=True)
def tune(
    scores: ScoresOption = None,
    embeddings: Annotated[
        list[Path] | None,
        typer.Option(
            "--embeddings",
            metavar="RUN|FILE",
            help=f"In this embedding space. {LABEL_FREE}: repeatable, and folders above runs. Default: the run's own.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        method_option(
            help=f"Which of several methods' scores to smooth. {LABEL_FREE}: repeatable, to choose from, as in "
            "'varmin:k=1|4|16,val=train-all|held-out'. Default: all of asd score that look at no test clip."
        ),
    ] = None,
    ks: Annotated[
        list[str] | None,
        typer.Option(
            "-k",
            metavar="N[,N]",
            help=f"K to try (repeatable). Default: {_series(KS)}; {LABEL_FREE}: as the methods say.",
            show_default=False,
        ),
    ] = None,
    neighbours: NeighboursOption = None,
    clusters: Annotated[
        str | None,
        typer.Option(
            "--clusters",
            metavar="N,N|none",
            help=f"Clusters of the Gaussian mixtures to try. Default: {_series(CLUSTERS)}.",
            show_default=False,
        ),
    ] = None,
    choose: Annotated[str, typer.Option("--choose", metavar="NN,NN", help="Sections that choose.")] = ",".join(CHOOSE),
    report_on: Annotated[str, typer.Option("--report", metavar="NN,NN", help="Sections reported.")] = ",".join(REPORT),
    objective: Annotated[
        str, objective_option(f"or {LABEL_FREE}: how far pseudo-anomalies lie apart, of methods and embeddings")
    ] = AUC_PAUC,
    pseudo: Annotated[
        str | None,
        typer.Option(
            "--pseudo",
            metavar="KIND,KIND",
            help=f"What stands for anomalies where {LABEL_FREE} chooses: {', '.join(choices(PseudoAnomaly))}. "
            "Default: all that a machine type has.",
            show_default=False,
        ),
    ] = None,
    transductive: Annotated[
        bool,
        typer.Option(
            "--transductive",
            help=f"{LABEL_FREE}: let the test clips, all together and unlabelled, count as normal, and methods look at "
            "them.",
        ),
    ] = False,
    level: LevelOption = None,
    pool: PoolOption = Smooth.pool,
    distance: DistanceOption = Smooth.metric,
    outside: OutsideOption = Smooth.outside,
    own_windows: OwnWindowsOption = Smooth.own_windows,
    seed: SeedOption = 0,
    machine_type: MachineTypeOption = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Choose parameters of smoothing and mixtures by some sections' labels, or methods and embeddings by no label.

    K and data of the smoothing, and clusters and data of the Gaussian mixture, are chosen for each machine type. The
    labels of the --choose sections choose; the --report sections are only reported, beside the oracle that chose on
    them. Writes tuning.parquet (the whole grid) and the chosen scores as two methods for asd evaluate.

    With --objective label-free, methods with their parameters are chosen instead, in one or several tables of
    embeddings, and no label of a test clip has a say: normal training clips are held against pseudo-anomalies. Writes
    tuning-label-free.parquet, says which command scores with what was chosen, and, where labels are known, how the
    order of the candidates agrees with their official scores.
    """
    from asdcli.pipeline.steps import tune as step
    from asdcli.pipeline.steps.smooth import asked

    methods, spaces = method or [], embeddings or []
    where: dict[str, Any] = {"seed": seed, "output": place.output, "force": force, "progress": talk.progress}
    of_smoothing = {
        "--scores": scores is not None,
        "--neighbours": neighbours is not None,
        "--clusters": clusters is not None,
        "--choose": choose != ",".join(CHOOSE),
        "--report": report_on != ",".join(REPORT),
        "--level": level is not None,
        "--pool": pool != Smooth.pool,
        "--distance": distance != Smooth.metric,
        "--outside": outside != Smooth.outside,
        "--own-windows": own_windows != Smooth.own_windows,
    }
    of_no_label = {
        "--pseudo": pseudo is not None,
        "--transductive": transductive,
        "a second --method": len(methods) > 1,
        "a second --embeddings": len(spaces) > 1,
    }
    if objective == LABEL_FREE:
        _refuse(of_smoothing, f"has no say in --objective {LABEL_FREE}", "leave one of them out")
        space = place.space()
        candidates = step.candidates_of(
            space,
            spaces,
            methods,
            ks=_numbers("-k", ks, ()),
            pseudo=pseudo.split(",") if pseudo is not None else None,
            transductive=transductive,
            machine_types=machine_type or (),
        )
        return _tell(step.label_free(space, candidates, **where), talk)
    _refuse(of_no_label, f"is for --objective {LABEL_FREE}", f"leave it out, or add --objective {LABEL_FREE}")
    source, smoothing = asked(
        scores,
        spaces[0] if spaces else None,
        methods[0] if methods else None,
        machine_type,
        data=neighbours,
        level=level,
        pool=pool,
        metric=distance,
        outside=outside,
        own_windows=own_windows,
    )
    outcome = step.run(
        place.space(),
        source,
        smoothing=smoothing,
        neighbours=smoothing.data if neighbours else None,
        ks=_numbers("-k", ks, KS),
        clusters=() if clusters == "none" else _numbers("--clusters", [clusters] if clusters else None, CLUSTERS),
        choose=choose.split(","),
        report=report_on.split(","),
        objective=objective,
        **where,
    )
    if talk.shows_tables:
        _show(outcome.facts)
    return talk.report("tuning", outcome)


def _refuse(typed: Mapping[str, bool], why: str, hint: str) -> None:
    """Raises UsageError for the first option that was typed and has no say."""
    for option, was_typed in typed.items():
        if was_typed:
            raise UsageError(f"{option} {why}", hint)


def _tell(outcome: Outcome[LabelFreeFacts], talk: Talk) -> int:
    """The tables, and the command that scores with what was chosen."""
    from asdcli.cli.label_free_tables import show

    if talk.shows_tables:
        show(outcome.facts, outcome.path)
    code = talk.report("tuning", outcome)
    if not talk.json:
        talk.progress.note(f"next: {shlex.join(outcome.facts.next)}")
    return code


def _numbers(option: str, given: list[str] | None, default: tuple[int, ...]) -> tuple[int, ...]:
    """The whole numbers of a repeatable option whose values may be lists with commas."""
    if not given:
        return default
    numbers: set[int] = set()
    for text in given:
        try:
            numbers |= {int(part) for part in text.split(",")}
        except ValueError:
            numbers.add(0)
        if min(numbers) < 1:
            raise UsageError(f"cannot read {option} {text!r}", "write whole numbers from 1, as 1,2,4")
    return tuple(sorted(numbers))


def _show(facts: TuningFacts) -> None:
    """The choices (the paper's Table I) and what they are worth (its Table II)."""
    from asdcli.cli.console import stdout
    from asdcli.cli.tables import Grid, GridColumn, number

    choices, oracle = facts.choices, facts.oracle
    columns = [(choices, f, f) for f in choices] + [(oracle, f, f"{f}\n(oracle)") for f in choices if "+" in f]
    grid = Grid("chosen parameters", ["machine type", *(heading for _, _, heading in columns)], box=None)
    for machine_type in next(iter(choices.values())):
        grid.add(machine_type, *(of[family][machine_type] for of, family, _ in columns))
    grid.show()
    headings, rows = facts.table.columns, facts.table.rows
    if not rows:
        return
    rank = {"method": 0, "all": 0}
    grid = Grid(
        "reported sections, in percent",
        [GridColumn(heading, number=heading != "method", rank=rank.get(heading, 1)) for heading in headings],
        box=None,
    )
    for method, *values in rows:
        grid.add(method, *(number(None if v is None else 100 * v, digits=2) for v in values))
    stdout().print()
    grid.show()
