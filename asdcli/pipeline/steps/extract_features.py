"""extract-features: the run's packs from the dataset's audio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asdcli.features.kinds import DEFAULT, FEATURES
from asdcli.filenames import stem
from asdcli.outcome import Outcome
from asdcli.pipeline import run_note
from asdcli.pipeline.answers import answered
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.stages import extract_features
from asdcli.views.shards import Shard


@answered
def run(
    space: Workspace,
    *,
    features: str = DEFAULT,
    clips: Path | None = None,
    output: Path | None = None,
    shard: str | None = None,
    progress: Progress = SILENT,
    **options: Any,
) -> Outcome:
    """Pack the audio of every machine type into `features/<features>/`.

    Args:
        space: the run that it works on.
        features: a spelling of a kind of features.
        clips: instead of the dataset's.
        output: folder instead of the run's.
        shard: `2/4`: only the second quarter of the clips.
        progress: is told how far it is, and of what looks wrong.
        options: as `stages.extract_features.run` has them.
    """
    features = FEATURES.canonical(features)
    space.remember_if_there()
    errors = output / "errors.parquet" if output else space.errors("extract-features")
    shards = None if output else space.shards / space.own_features.name / stem(features)
    outcome = extract_features.run(
        clips or space.clips,
        output or space.own_features / stem(features),
        errors=errors,
        features=features,
        shard=Shard.of(shard) if shard else None,
        shards=shards,
        progress=progress,
        **options,
    )
    if not output and space.features != space.own_features:
        progress.note(f"{space.run} reads its own packs from now on, not those of {space.features.parent}")
        run_note.remember_packs(space.run, space.dataset, None)
    return outcome
