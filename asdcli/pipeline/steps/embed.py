"""embed: the run's embeddings, by its model, without training, or brought from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from asdcli.outcome import Outcome
from asdcli.pipeline import lent
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import warn_of_stale
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress


@answered
def run(
    space: Workspace,
    *,
    embedder: str | None = None,
    format: Literal["parquet", "npz"] = "parquet",
    output: Path | None = None,
    progress: Progress = SILENT,
    **options: Any,
) -> Outcome:
    """Embed all training and test clips into `embeddings.parquet` (or `.npz`).

    Args:
        space: the run that it works on.
        embedder: a spelling; None means that of the run's model.
        format: `parquet` is what the next steps read.
        output: file instead of the run's.
        progress: is told how far it is, and of what looks wrong.
        options: as `stages.embed.run` has them.
    """
    from asdcli.stages import embed

    space.remember_if_there()
    reads = embed.reads(space.features, space.model, embedder, options.get("machine_types"))
    warn_of_stale(space, reads, progress)
    return embed.run(
        space.clips,
        space.features,
        output or space.embeddings.with_suffix(f".{format}"),
        model=space.model,
        embedder=embedder,
        format=format,
        progress=progress,
        **options,
    )


@answered
def bring(
    space: Workspace,
    source: Path,
    *,
    output: Path | None = None,
    progress: Progress = SILENT,
    **options: Any,
) -> Outcome:
    """Take the vectors of a CSV, npz or Parquet file for the run's embeddings.

    Args:
        space: the run that they are for.
        source: the file.
        output: file instead of the run's.
        progress: is told how far it is, and of what looks wrong.
        options: as `stages.import_embeddings.run` has them.
    """
    from asdcli.stages import import_embeddings

    errors = output.with_name(f"errors-{output.stem}.parquet") if output else space.errors("embed")
    output = output or space.embeddings
    outcome = import_embeddings.run(source, output, errors=errors, dataset=space.dataset, progress=progress, **options)
    space.remember()
    lent.note(space, [output], [source, options.get("labels")])
    return outcome
