"""embed: clips.parquet, feature packs and a model in, one table of embeddings out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.detector.sources import trained_embedder
from asdcli.embedders import EMBEDDERS, Embedding
from asdcli.errors import BadData, MissingArtifact, UsageError
from asdcli.files import FOLDS
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.spec import parse
from asdcli.views import packs
from asdcli.views.clips import is_training, rows_of
from asdcli.views.digests import trained_machine_types
from asdcli.views.fold_embeddings import beside
from asdcli.views.fold_models import fold_inputs, folds_of
from asdcli.vocabulary import Split
from asdcli.writing.locks import alone_with

_TRAINED = "trained"
"""The embedder that rebuilds any trained network."""


@dataclass(frozen=True)
class EmbeddingFacts:
    """How many clips have vectors of how many dimensions."""

    clips: int
    dims: int


@alone_with("output")
def run(
    clips: Path,
    features: Path,
    output: Path,
    *,
    model: Path,
    embedder: str | None = None,
    format: Literal["parquet", "npz"] = "parquet",
    device: str = "auto",
    batch_size: int = 64,
    machine_types: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Embed all training and test clips (not the supplemental ones) and write them to `output`.

    Args:
        clips: clips.parquet.
        features: folder of the packs, `<kind>/<machine_type>.npz`.
        output: embeddings.parquet, or an .npz.
        model: folder of the trained model; only looked at for embedders that are trained.
        embedder: a spelling; by default that of the model.
        format: `parquet` is what the next stages read; `npz` is for other programs.
        device: where the network runs: speed, not results.
        batch_size: clips at once: speed, not results.
        machine_types: only these; by default all that have a pack.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact, BadArtifact: no clips, features or model, or features of other clips.
        UsageError: unknown embedder, device or machine type.
        BadData: nothing to embed, or vectors that are not finite.
    """
    if batch_size < 1:
        raise UsageError(f"the batch size must be positive, got {batch_size}")
    name, of_model = _embedder_name(embedder, model)
    cls: Any = EMBEDDERS.load(name)
    table, upstream = artifacts.read_table(clips, artifacts.CLIPS)
    found = packs.find(features, cls.features, table, machine_types, progress)
    inputs = {"clips": upstream, **found.inputs}
    if of_model is not None:
        inputs["model"] = of_model
        spelling, instance = name, None
    else:
        instance = EMBEDDERS.build(embedder or name)
        spelling = EMBEDDERS.spell(instance)
    header = artifacts.Header.make(
        artifacts.EMBEDDINGS, dataset=upstream.dataset, params={"embedder": spelling}, inputs=inputs
    )
    folds = folds_of(model) if of_model is not None and format == "parquet" else {}
    of_folds_header = artifacts.Header.make(
        artifacts.FOLD_EMBEDDINGS, dataset=header.dataset, params=header.params, inputs={**fold_inputs(folds), **inputs}
    )
    as_wanted = format != "parquet" or _folds_are_current(beside(output), of_folds_header, bool(folds))
    if not force and as_wanted and artifacts.is_current(output, artifacts.EMBEDDINGS, header):
        return Outcome(output, "current")
    if format == "parquet":
        artifacts.claim(beside(output), artifacts.FOLD_EMBEDDINGS, force=force)
    folders = [model, *folds]
    makers = [
        _Maker(instance or trained_embedder(cls, folder, device, batch_size, progress), _seen(table, of_model, folder))
        for folder in folders
    ]
    lost: list[str] = []
    labelled = [rows_of(table, machine_type) for machine_type in found.machine_types]
    for machine_type, rows in progress.track(
        zip(found.machine_types, labelled, strict=True), total=sum(map(len, labelled)), label=f"embed {name}"
    ):
        pack = found.load(machine_type, rows)
        lost += packs.lacking(pack, rows)
        for maker in makers:
            maker.embed(machine_type, pack, rows)
        progress.advance(len(rows), machine_type=machine_type)
    packs.tell(lost, "embedded", progress)
    embeddings, *of_folds = (_concatenated(maker.tables) for maker in makers)
    if not len(embeddings):
        raise BadData(
            "there is no training or test clip to embed",
            "its recordings must lie in train/ and test/ folders: asd index FOLDER",
        )
    if format == "parquet":
        _write_folds(beside(output), of_folds, of_folds_header)
    _write(output, embeddings, header, format)
    return Outcome(output, facts=EmbeddingFacts(len(set(embeddings["clip_id"].to_pylist())), _n_dims(embeddings)))


def reads(features: Path, model: Path, embedder: str | None, machine_types: Sequence[str] | None) -> list[Path]:
    """The packs and the model, with its folds, that `run` reads when it is called so, as far as they are there.

    Raises:
        UsageError, MissingArtifact, BadArtifact: as `run`.
    """
    name, of_model = _embedder_name(embedder, model)
    cls: Any = EMBEDDERS.load(name)
    models = [] if of_model is None else [model, *sorted(model.glob(FOLDS))]
    return [*packs.paths(features, cls.features, machine_types), *models]


def features_of(model: Path, embedder: str | None) -> str:
    """The kind of packs that `run` reads when it is called so. Raises as `reads`."""
    return str(cast(Any, EMBEDDERS.load(_embedder_name(embedder, model)[0])).features)


def _embedder_name(embedder: str | None, model: Path) -> tuple[str, artifacts.Header | None]:
    """The name of the embedder, and the model's header where it is trained.

    A trained one bears the name of the recipe, or is called `trained` where the recipe is somebody else's.
    """
    asked, params = parse(embedder or _TRAINED)
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
    name = recipe if recipe in EMBEDDERS.entries else _TRAINED
    if asked not in (name, _TRAINED):
        raise UsageError(f"the model in {model} is {recipe}, not {asked}", "leave --embedder out to take what is there")
    return name, header


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
    trained_on = pc.and_(pc.and_(is_training(clips), known), pc.invert(pc.is_in(clips["clip_id"], value_set=out)))
    return clips["clip_id"].filter(trained_on).combine_chunks()


@dataclass
class _Maker:
    """An embedder, the clips (clip_id) that it was trained on, and what it has made so far."""

    embedder: Any
    seen: pa.Array
    tables: list[pa.Table] = field(default_factory=list)

    def embed(self, machine_type: str, pack: Any, rows: pa.Table) -> None:
        own = self.embedder
        own = own.of_machine_type(machine_type) if hasattr(own, "of_machine_type") else own
        try:
            self.tables.append(_embed(own, pack, rows, self.seen))
        except BadData as error:
            raise BadData(f"{machine_type}: {error.message}", error.hint) from None


def _embed(embedder: Any, pack: Any, rows: pa.Table, seen: pa.Array) -> pa.Table:
    """The embeddings of one machine type with its clips' labels, in the order of the pack."""
    places = pc.index_in(pa.array(pack.clip_ids.tolist(), pa.string()), value_set=rows["clip_id"].combine_chunks())
    rows = rows.take(places).select(artifacts.CLIP_COLUMNS)
    split = np.array(rows["split"].to_pylist())
    embedded: Embedding = embedder.embed(pack, split == str(Split.TRAIN))
    keep = np.isin(split, [str(Split.TRAIN), str(Split.TEST)])[embedded.clip]
    windows = embedded.of_clips(pack.clip_ids)
    vectors, clip, window = windows.vectors[keep], windows.clip[keep], windows.window[keep]
    labels = rows.take(pa.array(clip))
    broken = ~np.isfinite(vectors).all(axis=1)
    if broken.any():
        first = labels["clip_id"][int(broken.argmax())].as_py()
        raise BadData(
            f"{int(broken.sum())} embeddings are not finite, the first of {first}",
            "train again with --precision fp32 or a lower --lr",
        )
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).reshape(-1))
    vector = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    labels = labels.add_column(1, "window", pa.array(window, pa.int32()))
    labels = labels.append_column("seen", pc.is_in(labels["clip_id"], value_set=seen))
    return labels.append_column("vector", vector)


def _concatenated(tables: Sequence[pa.Table]) -> pa.Table:
    widths = sorted({_n_dims(t) for t in tables if len(t)})
    if len(widths) > 1:
        raise BadData(f"embeddings of different machine types have different widths: {widths}")
    return pa.concat_tables([t for t in tables if len(t)] or tables[:1])


def _n_dims(embeddings: pa.Table) -> int:
    return int(embeddings.schema.field("vector").type.list_size)


def _write_folds(output: Path, of_folds: Sequence[pa.Table], header: artifacts.Header) -> None:
    """The embeddings by each model that was cross-fitted; without such models those of earlier ones go."""
    if not of_folds:
        output.unlink(missing_ok=True)
        return
    tables = [
        table.add_column(0, "fold", pa.array([fold] * len(table), pa.int32())) for fold, table in enumerate(of_folds, 1)
    ]
    artifacts.write_table(output, artifacts.FOLD_EMBEDDINGS, pa.concat_tables(tables), header)


def _write(output: Path, embeddings: pa.Table, header: artifacts.Header, format: str) -> None:
    if format == "parquet":
        artifacts.write_table(output, artifacts.EMBEDDINGS, embeddings, header)
        return
    arrays = {"vectors": embeddings["vector"].combine_chunks().flatten().to_numpy().reshape(len(embeddings), -1)}
    arrays["window"] = embeddings["window"].to_numpy()
    for name in artifacts.CLIP_COLUMNS:
        if name != "attributes":  # attribute_string says the same
            arrays[name] = np.array([value or "" for value in embeddings[name].to_pylist()], np.str_)
    artifacts.write_arrays(output, arrays, header)
