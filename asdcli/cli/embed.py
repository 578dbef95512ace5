"""`asd embed`: a vector for every clip, by the run's model, without training, or brought from elsewhere."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from asdcli.cli import completion
from asdcli.cli.options import DeviceOption, MachineTypeOption
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.embedders import EMBEDDERS


class EmbeddingsFormat(str, Enum):
    parquet = "parquet"
    npz = "npz"


@on_a_run(force=True)
def embed(
    embedder: Annotated[
        str | None,
        typer.Option(
            "--embedder",
            autocompletion=completion.embedders,
            metavar="SPELLING",
            help=f"{', '.join(EMBEDDERS.entries)}. Default: that of the run's model.",
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
    from asdcli.pipeline import process
    from asdcli.pipeline.steps import embed as step

    process.settle(networks=True)
    if source is not None:
        space = place.space(otherwise=source.stem)  # vectors from elsewhere need no dataset on disk
        outcome = step.bring(space, source, output=place.output, force=force, progress=talk.progress)
    else:
        outcome = step.run(
            place.space(),
            embedder=embedder,
            format=format.value,
            output=place.output,
            device=device,
            batch_size=batch_size,
            machine_types=machine_type,
            force=force,
            progress=talk.progress,
        )
    return talk.report("embeddings", outcome)
