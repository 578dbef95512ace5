"""train: a model of the run's packs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asdcli.outcome import Outcome
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
    output: Path | None = None,
    progress: Progress = SILENT,
    **options: Any,
) -> Outcome:
    """Train `model` on the normal training clips: an autoencoder into `autoencoder/`, any other into `model/`.

    Args:
        space: the run that it works on.
        model: a spelling.
        output: folder instead of the run's.
        progress: is told how far it is, and of what looks wrong.
        options: as `stages.train.run` has them; the model's parameters are among them.
    """
    space.remember_if_there()
    recipe: Any = MODELS.load(parse(model)[0])
    warn_of_stale(space, packs.paths(space.features, recipe.features, options.get("machine_types")), progress)
    folder = space.autoencoder if parse(model)[0] == "autoencoder" else space.model
    return train.run(space.clips, space.features, output or folder, model=model, progress=progress, **options)
