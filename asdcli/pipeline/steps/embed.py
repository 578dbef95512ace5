"""embed: the run's embeddings, by its model, without training, or brought from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from asdcli import artifacts
from asdcli.embedders import EMBEDDERS
from asdcli.errors import ArtifactError, AsdError
from asdcli.files import is_model
from asdcli.outcome import Outcome
from asdcli.pipeline import lent
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import warn_of_stale
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.spec import parse
from asdcli.views.shards import Shard
from asdcli.vocabulary import IMPORTED


@answered
def run(
    space: Workspace,
    *,
    embedder: str | None = None,
    format: Literal["parquet", "npz"] = "parquet",
    features_from: Path | None = None,
    output: Path | None = None,
    shard: str | None = None,
    progress: Progress = SILENT,
    **options: Any,
) -> Outcome:
    """Embed all training and test clips into `embeddings.parquet` (or `.npz`).

    Args:
        space: the run that it works on.
        embedder: a spelling; None means that of the run's model, or where it has none that of its embeddings.
        format: `parquet` is what the next steps read.
        features_from: a run of the same dataset whose packs this run reads from now on.
        output: file instead of the run's.
        shard: `2/4`: only the second quarter of the clips.
        progress: is told how far it is, and of what looks wrong.
        options: as `stages.embed.run` has them.
    """
    from asdcli.stages import embed

    part = Shard.of(shard) if shard else None
    if features_from is not None:
        lent.take_packs(space, features_from, embed.features_of(space.model, embedder))
    space.remember_if_there()
    embedder = embedder or before(space, progress)
    reads = embed.reads(space.features, space.model, embedder, options.get("machine_types"))
    warn_of_stale(space, reads, progress)
    outcome = embed.run(
        space.clips,
        space.features,
        output or space.embeddings.with_suffix(f".{format}"),
        model=space.model,
        embedder=embedder,
        format=format,
        shard=part,
        shards=None if output else space.shards / space.embeddings.stem,
        progress=progress,
        **options,
    )
    lent.note(space, [outcome.path], embed.weights_of(embedder, progress))
    return outcome


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

    Where nobody named the dataset, and none of these clips is in the one last worked on, they are a dataset of their
    own, called as a run that was named, or as the file.

    Args:
        space: the run that they are for.
        source: the file.
        output: file instead of the run's.
        progress: is told how far it is, and of what looks wrong.
        options: as `stages.import_embeddings.run` has them.
    """
    from asdcli.stages import import_embeddings

    foreign = import_embeddings.read(source)
    if space.assumed:
        space = _space_of(space, foreign.labels.get("clip_id", ()), source)
        progress.note(f"dataset {space.dataset}, run {space.run}")
    errors = output.with_name(f"errors-{output.stem}.parquet") if output else space.errors("embed")
    output = output or space.embeddings
    outcome = import_embeddings.run(foreign, output, errors=errors, dataset=space.dataset, progress=progress, **options)
    space.remember()
    lent.note(space, [output], [source, options.get("labels")])
    return outcome


def before(space: Workspace, progress: Progress) -> str | None:
    """The embedder that the run's embeddings were made by, where no model is there to embed with; None for another.

    What is taken is said; where a model takes the place of an embedder without one, that is warned of.
    """
    try:
        made = artifacts.read_header(space.embeddings, artifacts.EMBEDDINGS).params.get("embedder")
        cls: Any = None if made == IMPORTED else EMBEDDERS.load(parse(str(made))[0])
    except AsdError:
        return None
    if cls is None or cls.trained:
        return None
    if is_model(space.model):
        progress.warn(f"the run's embeddings are of {made}, new ones are of its model (--embedder {made} keeps them)")
        return None
    progress.note(f"embedding with {made}, as the run's embeddings were (another: --embedder)")
    return str(made)


def _space_of(space: Workspace, clip_ids: Iterable[Any], source: Path) -> Workspace:
    """The workspace that vectors of these clips belong to."""
    try:
        table, _ = artifacts.read_table(space.clips, artifacts.CLIPS, columns=["clip_id"])
        known = set(table["clip_id"].to_pylist())
    except ArtifactError:
        known = set()
    if known & set(clip_ids):
        return space
    return space.renamed(source.stem if space.run_assumed else space.run.resolve().name)
