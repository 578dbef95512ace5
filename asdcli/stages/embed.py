"""embed: clips.parquet, feature packs and a model in, one table of embeddings out; or one shard of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.detector.sources import found as with_files
from asdcli.detector.sources import loaded, made_of, trained_embedder
from asdcli.embedders import EMBEDDERS, TRAINED
from asdcli.errors import BadData, MissingArtifact, UsageError
from asdcli.files import FOLDS
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.spec import parse
from asdcli.stages.embed_pieces import EMBEDDED, EmbeddingShards, EmbeddingWork, Maker, facts, in_folds, n_dims
from asdcli.views import packs, shard_files
from asdcli.views.clips import is_for_models
from asdcli.views.digests import trained_machine_types
from asdcli.views.embeddings import BANDS, STANDARDISED
from asdcli.views.fold_embeddings import beside
from asdcli.views.fold_models import fold_inputs, folds_of
from asdcli.views.shards import Shard
from asdcli.views.supplemental import supplemental_clips, supplemental_of
from asdcli.vocabulary import FP32, PRECISIONS, Split, Supplemental
from asdcli.writing.locks import alone_with


def _written(given: Mapping[str, Any]) -> Path:
    """What a call is alone with: its shard, or all."""
    output: Path = given["output"]
    if given["shard"] is None:
        return output
    return shard_files.lock(given["shards"] or shard_files.beside(output), given["shard"])


@alone_with(_written)
def run(
    clips: Path,
    features: Path,
    output: Path,
    *,
    model: Path,
    embedder: str | None = None,
    format: Literal["parquet", "npz"] = "parquet",
    device: str = "auto",
    precision: str = FP32,
    batch_size: int = 64,
    machine_types: Sequence[str] | None = None,
    supplemental: Supplemental = "ignore",
    shard: Shard | None = None,
    shards: Path | None = None,
    force: bool = False,
    shards_are_new: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Embed all training and test clips, and the supplemental ones where these are to be used, into `output`.

    What shards have made is taken, what they have not is made, and `output` is what it is without them, byte for byte.
    Then they are removed.

    Args:
        clips: clips.parquet.
        features: folder of the packs, `<kind>/<machine_type>.npz`.
        output: embeddings.parquet, or an .npz.
        model: folder of the trained model; only looked at for embedders that are trained.
        embedder: a spelling; by default that of the model.
        format: `parquet` is what the next stages read; `npz` is for other programs, and takes no shards.
        device: where the network runs: speed, not results.
        precision: number format in which a network that asd trained embeds: fp32, bf16, or auto, which is bf16 where
            the hardware multiplies that natively. Of fp32 the header says nothing.
        batch_size: clips at once: speed, not results. All shards must have it alike.
        machine_types: only these; by default all that have a pack.
        supplemental: whether supplemental clips are embedded too; no method takes them for training or test clips.
        shard: make only this one.
        shards: folder of the shards; by default one in `shards/` beside `output`.
        force: do it again even if it is up to date.
        shards_are_new: shards were made again just now: with `force`, that is not done once more.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact, BadArtifact: no clips, features or model, or features of other clips.
        UsageError: unknown embedder, device, precision or machine type, bf16 for an embedder that has no network of
            asd's, or a shard of an npz.
        BadData: nothing to embed, no supplemental clips to use, or vectors that are not finite.
        StaleArtifact: there are shards that this one cannot be put together with.
        Busy: a shard is being made.
    """
    if batch_size < 1:
        raise UsageError(f"the batch size must be positive, got {batch_size}")
    if shard and format != "parquet":
        raise UsageError("shards are put together as Parquet only", "leave --format out")
    name, of_model = _embedder_name(embedder, model)
    cls: Any = EMBEDDERS.load(name)
    precision = _settled(precision, device, embedder or name, cls)
    table, upstream = artifacts.read_table(clips, artifacts.CLIPS)
    found = packs.find(features, cls.features, table, machine_types, progress)
    inputs = {"clips": upstream, **found.inputs}
    added = supplemental_of(table, found.machine_types, supplemental).params
    splits = (*EMBEDDED, str(Split.SUPPLEMENTAL)) if added else EMBEDDED
    if of_model is not None:
        inputs["model"] = of_model
        spelling, instance = name, None
    else:
        instance = EMBEDDERS.build(embedder or name)
        spelling = EMBEDDERS.spell(instance)
        instance = with_files(instance, progress)
        inputs |= {role: artifacts.Header.foreign(digest) for role, digest in made_of(instance).items()}
    params = {"embedder": spelling, **added, **({} if precision == FP32 else {"precision": precision})}
    header = artifacts.Header.make(artifacts.EMBEDDINGS, dataset=upstream.dataset, params=params, inputs=inputs)
    folds = folds_of(model) if of_model is not None and format == "parquet" else {}
    of_folds_header = artifacts.Header.make(
        artifacts.FOLD_EMBEDDINGS, dataset=header.dataset, params=header.params, inputs={**fold_inputs(folds), **inputs}
    )
    as_wanted = format != "parquet" or _folds_are_current(beside(output), of_folds_header, bool(folds))
    is_current = not force and as_wanted and artifacts.is_current(output, artifacts.EMBEDDINGS, header)

    def makers() -> list[Maker]:
        return [
            Maker(
                trained_embedder(cls, at, device, batch_size, progress, precision)
                if instance is None
                else loaded(instance, device, batch_size, progress),
                _seen(table, of_model, at),
                splits,
            )
            for at in [model, *folds]
        ]

    block = batch_size if getattr(cls, "in_blocks", False) else None
    work = EmbeddingWork(found, table, makers, 1 + len(folds), block, f"embed {name}", progress, splits)
    parts = EmbeddingShards(shards or shard_files.beside(output), of_folds_header, batch_size, work)
    if shard:
        if is_current:
            return Outcome(output, "current")
        outcome = parts.make(shard, force=force)
        if not force and artifacts.is_current(output, artifacts.EMBEDDINGS, header):
            parts.files.remove()
            progress.note(f"{output} was put together meanwhile")
        return outcome
    if format == "npz":
        return (
            Outcome(output, "current") if is_current else _write_npz(output, work.whole()[0], header, instance or cls)
        )
    with shard_files.nobody_at_work(parts.files.folder, progress):
        if is_current:
            parts.files.remove()  # such as came late, or were left when this was killed
            return Outcome(output, "current")
        artifacts.claim(beside(output), artifacts.FOLD_EMBEDDINGS, force=force)
        embeddings, *of_folds = work.whole() if force and not shards_are_new else parts.together()
        _require_some(embeddings)
        knows = instance or cls
        _write_folds(beside(output), of_folds, _described(of_folds_header, knows, embeddings))
        artifacts.write_table(output, artifacts.EMBEDDINGS, embeddings, _described(header, knows, embeddings))
        parts.files.remove()
    return Outcome(output, facts=facts(embeddings))


def reads(features: Path, model: Path, embedder: str | None, machine_types: Sequence[str] | None) -> list[Path]:
    """The packs and the model, with its folds, that `run` reads when it is called so, as far as they are there.

    Raises:
        UsageError, MissingArtifact, BadArtifact: as `run`.
    """
    name, of_model = _embedder_name(embedder, model)
    cls: Any = EMBEDDERS.load(name)
    models = [] if of_model is None else [model, *sorted(model.glob(FOLDS))]
    return [*packs.paths(features, cls.features, machine_types), *models]


def weights_of(embedder: str | None, progress: Progress) -> list[Path]:
    """The files of the weights that an embedder brings itself; none of one that has none. Raises as `run`."""
    name = parse(embedder or TRAINED)[0]
    if cast(Any, EMBEDDERS.load(name)).trained:
        return []
    files = getattr(getattr(with_files(EMBEDDERS.build(embedder or name), progress), "checkpoint", None), "files", {})
    return list(files.values())


def features_of(model: Path, embedder: str | None) -> str:
    """The kind of packs that `run` reads when it is called so. Raises as `reads`."""
    return str(cast(Any, EMBEDDERS.load(_embedder_name(embedder, model)[0])).features)


def _embedder_name(embedder: str | None, model: Path) -> tuple[str, artifacts.Header | None]:
    """The name of the embedder, and the model's header where it is trained.

    A trained one bears the name of the recipe, or is called `trained` where the recipe is somebody else's.
    """
    asked, params = parse(embedder or TRAINED)
    if not cast(Any, EMBEDDERS.load(asked)).trained:
        return asked, None
    if params:
        raise UsageError(f"embedder {asked!r} has no parameter {min(params)!r}", "what it is was settled by asd train")
    try:
        header = artifacts.read_header(model, artifacts.MODEL)
    except MissingArtifact as error:
        hint = f"{error.hint}; or take one that needs no training: asd embed --embedder logmel"
        raise MissingArtifact(error.message, hint) from None
    recipe = parse(str(header.params.get("model", "")))[0]
    name = recipe if recipe in EMBEDDERS.entries else TRAINED
    if asked not in (name, TRAINED):
        raise UsageError(f"the model in {model} is {recipe}, not {asked}", "leave --embedder out to take what is there")
    return name, header


def _settled(precision: str, device: str, embedder: str, cls: Any) -> str:
    """`fp32` or `bf16`. Raises UsageError for one that there is not, or that this embedder cannot have."""
    if precision == FP32:
        return precision
    if precision in PRECISIONS and not (cls.trained and hasattr(cls, "in_precision")):
        if precision == "auto":
            return FP32
        raise UsageError(
            f"embedder {embedder!r} has no network that asd trained: --precision is of those",
            "leave --precision out; an encoder that others have trained takes it in its spelling, precision=bf16",
        )
    from asdcli.training.devices import pick_device
    from asdcli.training.precision import resolve_precision

    return resolve_precision(precision, pick_device(device))


def _folds_are_current(path: Path, header: artifacts.Header, wanted: bool) -> bool:
    if not wanted:
        return not path.exists()
    return path.exists() and artifacts.is_current(path, artifacts.FOLD_EMBEDDINGS, header)


def _seen(clips: pa.Table, of_model: artifacts.Header | None, model: Path) -> pa.Array:
    """The clips (clip_id) that the model was trained on; none where nothing was trained."""
    if of_model is None:
        return pa.array([], pa.string())
    from asdcli.training.model_files import held_out

    out = pa.array(sorted(held_out(model)), pa.string())
    known = pc.is_in(clips["machine_type"], value_set=pa.array(trained_machine_types(of_model), pa.string()))
    trained_on = pc.and_(pc.and_(is_for_models(clips), known), pc.invert(pc.is_in(clips["clip_id"], value_set=out)))
    seen = clips["clip_id"].filter(trained_on)
    if "supplemental" in of_model.params:
        alone = supplemental_clips(clips, trained_machine_types(of_model), "machine")["clip_id"]
        seen = pa.chunked_array([*seen.chunks, *alone.chunks], pa.string())
    return seen.combine_chunks()


def _require_some(embeddings: pa.Table) -> None:
    if not len(embeddings):
        raise BadData(
            "there is no training or test clip to embed",
            "its recordings must lie in train/ and test/ folders: asd index FOLDER",
        )


def _described(header: artifacts.Header, embedder: Any, embeddings: pa.Table) -> artifacts.Header:
    """The header, saying what the dimensions are where the embedder knows: of which band, whether standardised."""
    said: dict[str, Any] = {STANDARDISED: True} if getattr(embedder, "standardises", False) else {}
    bands = getattr(embedder, "bands", None)
    layout = bands(n_dims(embeddings)) if bands and len(embeddings) else None
    if layout is not None:
        said[BANDS] = layout.tolist()
    return replace(header, diagnostics={**header.diagnostics, **said})


def _write_folds(output: Path, of_folds: Sequence[pa.Table], header: artifacts.Header) -> None:
    """The embeddings by each model that was cross-fitted; without such models those of earlier ones go."""
    if not of_folds:
        output.unlink(missing_ok=True)
        return
    artifacts.write_table(output, artifacts.FOLD_EMBEDDINGS, in_folds(of_folds, 1), header)


def _write_npz(output: Path, embeddings: pa.Table, header: artifacts.Header, embedder: Any) -> Outcome:
    _require_some(embeddings)
    arrays = {"vectors": embeddings["vector"].combine_chunks().flatten().to_numpy().reshape(len(embeddings), -1)}
    arrays["window"] = embeddings["window"].to_numpy()
    for name in artifacts.CLIP_COLUMNS:
        if name != "attributes":  # attribute_string says the same
            arrays[name] = np.array([value or "" for value in embeddings[name].to_pylist()], np.str_)
    artifacts.write_arrays(output, arrays, _described(header, embedder, embeddings))
    return Outcome(output, facts=facts(embeddings))
