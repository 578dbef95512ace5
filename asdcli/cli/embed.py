"""`asd embed`: a vector for every clip, by the run's model, without training, or brought from elsewhere."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from asdcli.cli import completion
from asdcli.cli.options import (
    DeviceOption,
    EngineOption,
    FeaturesFromOption,
    MachineTypeOption,
    OnError,
    RetryOption,
    ShardOption,
    ShardsOption,
    one_of,
)
from asdcli.cli.sharded import sharded
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.embedders import EMBEDDERS
from asdcli.errors import UsageError
from asdcli.vocabulary import FP32, PRECISIONS, Supplemental


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
            help=f"{', '.join([*EMBEDDERS.entries, *EMBEDDERS.short])}. Default: that of the run's model.",
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
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            help="With --from: a table that says of each clip what the vectors' file does not: clip_id or filename, "
            "machine_type, split, ….",
            show_default=False,
        ),
    ] = None,
    on_error: Annotated[
        OnError,
        typer.Option(
            "--on-error",
            help="With --from: stop at a vector that is not finite, or leave its clip out and exit with 3.",
        ),
    ] = OnError.fail,
    format: Annotated[
        EmbeddingsFormat, typer.Option("--format", help="parquet is what asd score reads; npz is for other programs.")
    ] = EmbeddingsFormat.parquet,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Clips at once on the device.")] = 64,
    supplemental: Annotated[
        str,
        typer.Option(
            "--supplemental",
            metavar=one_of(Supplemental),
            help="Whether supplemental clips are embedded too: asd plot map shows them, and no method scores them.",
        ),
    ] = "ignore",
    precision: Annotated[
        str,
        typer.Option(
            "--precision",
            metavar=one_of(PRECISIONS),
            help="Number format of a network that asd trained. auto: the shorter one on hardware that has it. Scores "
            "of the two differ by less than those of two seeds.",
        ),
    ] = FP32,
    features_from: FeaturesFromOption = None,
    machine_type: MachineTypeOption = None,
    device: DeviceOption = "auto",
    shard: ShardOption = None,
    shards: ShardsOption = None,
    engine: EngineOption = None,
    retry: RetryOption = 0,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Embed all training and test clips: embeddings.parquet, one row a clip and window."""
    from asdcli.pipeline import process

    process.settle(networks=True)
    if source is not None and (shard or shards):
        raise UsageError("vectors that are brought are taken whole", f"leave --{'shard' if shard else 'shards'} out")
    if source is not None:
        space = place.space(otherwise=source.stem, begins=True)  # vectors from elsewhere need no dataset on disk
        from asdcli.pipeline.steps import embed as step

        outcome = step.bring(
            space,
            source,
            labels=labels,
            on_error=on_error.value,
            output=place.output,
            force=force,
            progress=talk.progress,
        )
    elif labels or on_error is not OnError.fail:
        raise UsageError("--labels and --on-error are for vectors that are brought", "name their file: --from FILE")
    else:
        space = place.space(said=True)
        from asdcli.pipeline.steps import embed as step

        outcome = sharded("embed", step.run, shard, shards, engine, retry)(
            space,
            embedder=embedder,
            format=format.value,
            features_from=features_from,
            output=place.output,
            device=device,
            precision=precision,
            batch_size=batch_size,
            machine_types=machine_type,
            supplemental=supplemental,
            force=force,
            progress=talk.progress,
        )
    return talk.report("embeddings", outcome)
