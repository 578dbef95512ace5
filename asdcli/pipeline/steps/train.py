"""train: a model of the run's packs, or of another run's; one model a seed, each in a run folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from asdcli.outcome import Outcome
from asdcli.pipeline import lent
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import warn_of_stale
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.spec import parse
from asdcli.stages import train
from asdcli.training import DEFAULT, MODELS
from asdcli.views import packs


@answered
def run(
    space: Workspace,
    *,
    model: str = DEFAULT,
    features_from: Path | None = None,
    output: Path | None = None,
    progress: Progress = SILENT,
    **options: Any,
) -> Outcome:
    """Train `model` on the normal training clips: an autoencoder into `autoencoder/`, any other into `model/`.

    Args:
        space: the run that it works on.
        model: a spelling.
        features_from: a run of the same dataset whose packs this run reads from now on.
        output: folder instead of the run's.
        progress: is told how far it is, and of what looks wrong.
        options: as `stages.train.run` has them; the model's parameters are among them.

    Raises:
        UsageError: `features_from` is a run of another dataset. MissingArtifact: it has no such packs.
    """
    recipe: Any = MODELS.load(parse(model)[0])
    if features_from is not None:
        lent.take_packs(space, features_from, recipe.features)
    space.remember_if_there()
    warn_of_stale(space, packs.paths(space.features, recipe.features, options.get("machine_types")), progress)
    folder = space.autoencoder if parse(model)[0] == "autoencoder" else space.model
    outcome = train.run(space.clips, space.features, output or folder, model=model, progress=progress, **options)
    lent.note(space, train.models_in(outcome.path), train.weights_of(outcome.path))
    return outcome


def run_seeds(
    space: Workspace,
    seeds: Sequence[int],
    *,
    features_from: Path | None = None,
    progress: Progress = SILENT,
    **options: Any,
) -> dict[int, Outcome]:
    """Train one model a seed, each in a run of its own below this one: `seed-0/`, `seed-1/`, … read its packs.

    Args:
        space: the run that they lie below.
        seeds: whole numbers from 0.
        features_from: another run whose packs they read; None means those of `space`.
        progress: is told how far it is, and of what looks wrong.
        options: as `run` has them, but for `seed` and `output`.

    Returns:
        seed -> outcome.
    """
    packs_of = features_from or space.features.parent
    outcomes = {}
    for seed in seeds:
        own = of_seed(space, seed)
        progress.note(f"seed {seed}: {own.run}")
        outcomes[seed] = run(own, features_from=packs_of, seed=seed, progress=progress, **options)
    space.remember_if_there()
    return outcomes


def of_seed(space: Workspace, seed: int) -> Workspace:
    """The run of one of several seeds."""
    return replace(space, run=space.run / f"seed-{seed}", run_assumed=False)
