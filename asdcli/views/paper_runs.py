"""Which of many runs stand in a paper's table: those of its model, by the training that is nearest to the paper's."""

from __future__ import annotations

from collections.abc import Sequence

from asdcli.spec.spelling import parse
from asdcli.views.across_runs import RunResults, SeedRuns, choose, model_of
from asdcli.views.published import Paper
from asdcli.wording import counted


def standing_in(
    known: Paper, name: str, model: str, runs: Sequence[RunResults], datasets: Sequence[str]
) -> dict[str, SeedRuns]:
    """Dataset -> the runs that stand in table `name`: those whose training is nearest to the paper's."""
    groups: dict[str, dict[str, list[RunResults]]] = {}
    for run in runs:
        for spelling in dict.fromkeys(map(model_of, run.makings.values())):
            if is_of(spelling, model) and (not datasets or run.dataset in datasets):
                groups.setdefault(run.dataset, {}).setdefault(spelling, []).append(run)
    order = [*datasets] or [*known.datasets, *sorted({*groups} - {*known.datasets})]
    found = {}
    for dataset in order:
        choices = [
            choose(own, spelling, len(others_of(spelling, model))) for spelling, own in groups.get(dataset, {}).items()
        ]
        if not choices:
            continue
        best = min(choices, key=lambda one: (*one[0], one[1].model))[1]
        notes = [
            f"not in Table {name}: {counted(len(one.of_seed), 'run')} of {one.model} on {dataset}, another training"
            for _, one in choices
            if one is not best
        ]
        found[dataset] = SeedRuns(best.dataset, best.model, best.of_seed, (*best.notes, *notes))
    return found


def is_of(spelling: str, model: str) -> bool:
    """Whether a model is that of a table, whatever other parameters it has."""
    (name, params), (wanted, needed) = parse(spelling), parse(model)
    return name == wanted and all(params.get(k) == v for k, v in needed.items())


def others_of(spelling: str, model: str) -> dict[str, str]:
    """The parameters that a model of a table has besides."""
    return {k: v for k, v in parse(spelling)[1].items() if k not in parse(model)[1]}
