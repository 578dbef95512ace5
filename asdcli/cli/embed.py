"""`asd embed`: a vector for every clip, by the run's model, without training, or brought from elsewhere."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from asdcli.cli.options import (
    DataOption,
    DatasetOption,
    DeviceOption,
    ForceOption,
    JsonOption,
    MachineTypeOption,
    OutputOption,
    QuietOption,
    RunOption,
)
from asdcli.errors import MissingArtifact


class EmbeddingsFormat(str, Enum):
    parquet = "parquet"
    npz = "npz"


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
    output: OutputOption = None,
    run: RunOption = None,
    data: DataOption = None,
    dataset: DatasetOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Embed all training and test clips: embeddings.parquet, one row a clip and window."""
    from asdcli.cli.console import Terminal, report
    from asdcli.pipeline import workspace
    from asdcli.pipeline.malloc import keep_freed_memory
    from asdcli.stages import embed

    keep_freed_memory()
    try:
        space = workspace.resolve(data=data, run=run, dataset=dataset)
    except MissingArtifact:
        if source is None:
            raise
        # vectors from elsewhere need no dataset on disk: they bear the name of the run, or of the file
        name = run.resolve().name if run else source.stem
        space = workspace.resolve(data=data, run=run, dataset=name)
    space.remember()
    progress = Terminal(quiet=quiet)
    target = output or space.embeddings.with_suffix(f".{format.value}")
    if source is not None:
        from asdcli.stages import import_embeddings

        outcome = import_embeddings.run(
            source, output or space.embeddings, dataset=space.dataset, force=force, progress=progress
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
    return report(outcome, progress, as_json=as_json)
