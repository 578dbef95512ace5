"""`asd embed`: a vector for every clip, by the run's model, without training, or brought from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from asdcli.cli.options import DeviceOption, MachineTypeOption
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.errors import MissingArtifact


class EmbeddingsFormat(str, Enum):
    parquet = "parquet"
    npz = "npz"


@on_a_run(force=True)
def embed(
    embedder: Annotated[
        str | None,
        typer.Option(
            "--embedder",
            metavar="SPELLING",
            help="discriminative or logmel. Default: that of the run's model.",
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Import vectors from a CSV, npz or Parquet file instead: clip_id, …, then vector or v0, v1, ….",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        EmbeddingsFormat, typer.Option("--format", help="parquet is what asd score reads; npz is for other programs.")
    ] = EmbeddingsFormat.parquet,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Clips at once on the device.")] = 64,
    machine_type: MachineTypeOption = None,
    device: DeviceOption = "auto",
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Embed all training and test clips: embeddings.parquet, one row a clip and window."""
    from asdcli.pipeline.malloc import keep_freed_memory
    from asdcli.stages import embed

    keep_freed_memory()
    try:
        space = place.space()
    except MissingArtifact:
        if source is None:
            raise
        # vectors from elsewhere need no dataset on disk: they bear the name of the run, or of the file
        name = place.run.resolve().name if place.run else source.stem
        space = replace(place, dataset=name).space()
    space.remember()
    progress = talk.progress
    target = place.output or space.embeddings.with_suffix(f".{format.value}")
    if source is not None:
        from asdcli.stages import import_embeddings

        outcome = import_embeddings.run(
            source, place.output or space.embeddings, dataset=space.dataset, force=force, progress=progress
        )
    else:
        outcome = embed.run(
            space.clips,
            space.run / "features",
            target,
            model=space.model,
            embedder=embedder,
            format=format.value,
            device=device,
            batch_size=batch_size,
            machine_types=machine_type,
            force=force,
            progress=progress,
        )
    return talk.report(outcome)
