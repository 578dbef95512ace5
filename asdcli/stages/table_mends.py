"""The commands that make what a cell of a comparison lacks: of runs that are there, or of a run that is not."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping

from asdcli import catalogue
from asdcli.embedders import EMBEDDERS
from asdcli.filenames import stem
from asdcli.scorers import SCORERS
from asdcli.spec import parse
from asdcli.training import MODELS
from asdcli.views.across_runs import RunScores
from asdcli.views.missing import from_nothing


def commands(
    method: str, model: str, dataset: str, runs: Mapping[int | None, RunScores], have: Collection[int | None]
) -> list[str]:
    """Those that make the scores of a method; none for what no command of `asd score` makes by its spelling.

    Args:
        method: its spelling.
        model: that of what embeds or scores.
        dataset: its name.
        runs: seed -> run of this model and dataset.
        have: the seeds that have such scores.
    """
    if "+" in method or parse(method)[0] not in SCORERS.entries:
        return []
    if not runs:
        name = parse(model)[0]
        maker = "embedder" if name in EMBEDDERS.entries and name not in MODELS.entries else "model"
        words = {maker: model, "seed": "0", "method": method, "run": f"runs/{dataset}/{stem(model)}/seed-0"}
        return [from_nothing(dataset, words, is_edition=dataset in catalogue.names())]
    lacking = [run for seed, run in runs.items() if seed not in have]
    return [shlex.join(["asd", "score", "--method", method, *run.words]) for run in lacking]
