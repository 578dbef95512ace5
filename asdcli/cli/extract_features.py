"""`asd extract-features`: audio into packs of features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asdcli.cli.options import (
    EngineOption,
    HopOption,
    MachineTypeOption,
    OnError,
    RetryOption,
    ShardOption,
    ShardsOption,
    one_of,
    scale_option,
    window_option,
)
from asdcli.cli.sharded import sharded
from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk
from asdcli.features.kinds import DEFAULT, FEATURES
from asdcli.vocabulary import BOTH, MEAN, PEAK, RESIDUAL


@on_a_run(force=True)
def extract_features(
    features: Annotated[
        str,
        typer.Option(
            "--features", metavar=one_of(FEATURES.entries), help="The samples themselves, or what is taken from them."
        ),
    ] = DEFAULT,
    machine_type: MachineTypeOption = None,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel",
            metavar=one_of(("NAME", "N"), BOTH, MEAN, RESIDUAL),
            help="Channel of clips that have several, by the edition's name for it or counted from 0. "
            f"{BOTH}: the first two, as two windows of each clip. {MEAN}: of all, rounded. {RESIDUAL}: the first "
            "without what the second explains of it.",
            show_default=False,
        ),
    ] = None,
    sample_rate: Annotated[
        int, typer.Option("--sample-rate", min=1, metavar="HZ", help="Sample rate that every clip must have.")
    ] = 16_000,
    resample: Annotated[bool, typer.Option("--resample", help="Convert other sample rates instead.")] = False,
    rounding: Annotated[
        bool, typer.Option("--round", help="Round samples finer than 16 bits instead of refusing them.")
    ] = False,
    scale: Annotated[
        str | None,
        scale_option(
            help=f"Multiply all samples of a machine type by one factor, and round. {PEAK}: the factor that brings the "
            "loudest of its samples to full scale."
        ),
    ] = None,
    window: Annotated[float | None, window_option(otherwise="none is cut")] = None,
    hop: HopOption = None,
    cut_from: Annotated[
        float | None,
        typer.Option(
            "--cut-from",
            metavar="SECONDS",
            help="Leave shorter recordings whole. Default: those shorter than a window.",
            show_default=False,
        ),
    ] = None,
    on_error: Annotated[
        OnError, typer.Option("--on-error", help="Stop at an unusable clip, or leave it out and exit with 3.")
    ] = OnError.fail,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Reading threads. Default: one a core.", show_default=False)
    ] = None,
    shard: ShardOption = None,
    shards: ShardsOption = None,
    engine: EngineOption = None,
    retry: RetryOption = 0,
    clips: Annotated[
        Path | None,
        typer.Option("--clips", metavar="FILE", help="Read this clips.parquet instead.", show_default=False),
    ] = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Pack the clips' audio, one file a machine type: features/<features>/<machine type>.npz.

    Reads without loss and refuses, by name, what is truncated, empty, not finite, at another sample rate, finer than 16
    bits, beyond full scale, or of several channels when none was chosen. Clips that are silent, interrupted or clipped,
    and copies of training clips, are named and used. --window cuts long clips into windows, each of which gets a vector
    and a score later on. Machine types that are up to date are left alone.
    """
    from asdcli.pipeline.steps import extract_features as step

    outcome = sharded("extract-features", step.run, shard, shards, engine, retry)(
        place.space(),
        features=features,
        clips=clips,
        output=place.output,
        machine_types=machine_type,
        channel=channel,
        sample_rate=sample_rate,
        resample=resample,
        rounding=rounding,
        scale=scale,
        window_s=window,
        hop_s=hop,
        cut_from_s=cut_from,
        on_error=on_error.value,
        jobs=jobs,
        force=force,
        progress=talk.progress,
    )
    return talk.report("features", outcome)
