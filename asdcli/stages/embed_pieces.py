"""Embeds machine types or pieces of them, by a model and those that were cross-fitted beside it; keeps some as shards,
and puts shards together."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.embedders import Embedding
from asdcli.errors import AsdError, BadData
from asdcli.features.ahead import one_ahead
from asdcli.outcome import Outcome
from asdcli.progress import Progress
from asdcli.views import packs
from asdcli.views.clips import rows_of
from asdcli.views.shard_files import SHARD, ShardFiles
from asdcli.views.shards import Piece, Shard, cut
from asdcli.vocabulary import Split

EMBEDDED = (str(Split.TRAIN), str(Split.TEST), str(Split.ANSWERED))


@dataclass(frozen=True)
class Maker:
    """An embedder, the clips (clip_id) that it was trained on, and the splits whose clips it embeds."""

    embedder: Any
    seen: pa.Array
    splits: tuple[str, ...] = EMBEDDED

    def embed(self, machine_type: str, pack: Any, rows: pa.Table) -> pa.Table:
        """The embeddings of one machine type, or of a part of it, with the clips' labels, in the order of the pack.

        Raises:
            BadData: of this machine type.
        """
        own = self.embedder
        own = own.of_machine_type(machine_type) if hasattr(own, "of_machine_type") else own
        try:
            return _embed(own, pack, rows, self.seen, self.splits)
        except BadData as error:
            raise BadData(f"{machine_type}: {error.message}", error.hint) from None


@dataclass(frozen=True)
class EmbeddingWork:
    """What is to be embedded, and by what.

    Attributes:
        packs: of the machine types.
        clips: the table of clips.
        makers: loads the model's, and then those of its folds.
        n_makers: how many these are.
        block: machine types may be cut at multiples of so many clips; None: not at all.
        label: what the progress is of.
        progress: is told how far it is, and what is lacking.
        splits: whose clips are embedded.
    """

    packs: packs.Packs
    clips: pa.Table
    makers: Callable[[], list[Maker]]
    n_makers: int
    block: int | None
    label: str
    progress: Progress
    splits: tuple[str, ...] = EMBEDDED

    def plan(self, n: int) -> list[list[Piece]]:
        """The pieces of each of `n` shards."""
        n_clips = Counter(self.clips["machine_type"].to_pylist())
        return cut({name: n_clips[name] for name in self.packs.machine_types}, n, self.block)

    def whole(self) -> list[pa.Table]:
        """Embed everything: the table of each maker."""
        return self.make(self.plan(1))[0]

    def make(self, shards: Sequence[Sequence[Piece]]) -> list[list[pa.Table]]:
        """Embed the pieces of some shards: shard by shard the table of each maker. Errors as `Maker.embed`."""
        todo = [(number, piece) for number, pieces in enumerate(shards) for piece in pieces]
        made: list[list[list[pa.Table]]] = [[[] for _ in range(self.n_makers)] for _ in shards]
        if not todo:
            return [[joined(tables) for tables in of_makers] for of_makers in made]
        makers = self.makers()
        lost: dict[str, None] = {}
        total = sum(len(piece) for _, piece in todo)
        loaded = one_ahead(self._loaded(todo))
        for number, piece, rows, pack in self.progress.track(loaded, total=total, label=self.label):
            lost |= dict.fromkeys(packs.lacking(pack, rows))
            part = pack if piece.is_whole else pack.part(piece.start, piece.stop)
            for maker, tables in zip(makers, made[number], strict=True):
                tables.append(maker.embed(piece.machine_type, part, rows))
            self.progress.advance(len(piece), machine_type=piece.machine_type)
        packs.tell(list(lost), "embedded", self.progress)
        return [[joined(tables) for tables in of_makers] for of_makers in made]

    def _loaded(self, todo: Sequence[tuple[int, Piece]]) -> Iterator[tuple[int, Piece, pa.Table, Any]]:
        """With each piece the clips and the pack of its machine type."""
        for number, piece in todo:
            rows = rows_of(self.clips, piece.machine_type)
            yield number, piece, rows, self.packs.load(piece.machine_type, rows)

    def tell_lacking(self, pieces: Sequence[Piece], embedded: pa.Table) -> None:
        """Name the clips of machine types that were embedded elsewhere, and have no vector."""
        names = pa.array([piece.machine_type for piece in pieces], pa.string())
        wanted = pc.and_(
            pc.is_in(self.clips["split"], pa.array(self.splits)), pc.is_in(self.clips["machine_type"], names)
        )
        ids = self.clips["clip_id"].filter(wanted)
        lost = ids.filter(pc.invert(pc.is_in(ids, value_set=embedded["clip_id"].combine_chunks())))
        packs.tell(sorted(lost.to_pylist()), "embedded", self.progress)


@dataclass(frozen=True)
class EmbeddingFacts:
    """How many clips have vectors of how many dimensions; of a shard, how many others are not there yet."""

    clips: int
    dims: int
    shards_missing: int | None = None


class EmbeddingShards:
    """The shards of one table of embeddings; each holds the vectors of the model and of its folds.

    Args:
        folder: where they lie.
        made_of: the header of fold embeddings, which have the same inputs.
        batch_size: clips at once, which tells where machine types are cut.
        work: what is to be embedded.
    """

    def __init__(self, folder: Path, made_of: Header, batch_size: int, work: EmbeddingWork) -> None:
        self._made_of, self._batch_size, self._work = made_of, batch_size, work
        self.files = ShardFiles(
            folder, artifacts.EMBEDDINGS_SHARD, lambda header: self._header(str(header.params.get(SHARD)))
        )

    def make(self, shard: Shard, *, force: bool = False) -> Outcome:
        """Make one, or find it there. Errors as `ShardFiles.require_same`, and as those of the embedder."""
        self.files.require_same(shard, force=force)
        output, header = self._path(shard), self._header(str(shard))
        if not force and artifacts.is_current(output, self.files.kind, header):
            return Outcome(output, "current")
        tables = self._work.make([self._work.plan(shard.n)[shard.i - 1]])[0]
        artifacts.write_table(output, self.files.kind, in_folds(tables, 0), header)
        missing = [i for i in range(1, shard.n + 1) if not self._path(Shard(i, shard.n)).exists()]
        if not missing:
            told = f"all {shard.n} shards are there: the same command without --shard puts them together"
            self._work.progress.note(told)
        return Outcome(output, facts=facts(tables[0], len(missing)))

    def together(self) -> list[pa.Table]:
        """The table of each maker: the shards one after the other; those that cannot be used are named and made."""
        n = self.files.n_shards() or 1
        plan = self._work.plan(n)
        there = self._read(n)
        missing = [i for i in range(n) if i not in there]
        if there and missing:
            self._work.progress.note(f"shards not there, embedded now: {', '.join(f'{i + 1}/{n}' for i in missing)}")
        made = dict(zip(missing, self._work.make([plan[i] for i in missing]), strict=True))
        tables = [joined(of_maker) for of_maker in zip(*((there | made)[i] for i in range(n)), strict=True)]
        self._work.tell_lacking([piece for i in there for piece in plan[i]], tables[0])
        return tables

    def _read(self, n: int) -> dict[int, list[pa.Table]]:
        """Number from 0 on -> the tables of those that are there, whole and of the same making."""
        used: dict[Path, Header] = {}
        there = {}
        for i in range(n):
            path = self._path(Shard(i + 1, n))
            try:
                if self.files.fit(artifacts.read_header(path, self.files.kind)):
                    table, used[path] = artifacts.read_table(path, self.files.kind)
                    there[i] = [of_fold(table, fold) for fold in range(self._work.n_makers)]
            except AsdError as error:
                if path.exists():
                    self._work.progress.warn(f"{error.message}: its clips are embedded again")
                    used[path] = self._header("")
        self.files.tell_unused(used, self._work.progress)
        return there

    def _path(self, shard: Shard) -> Path:
        return self.files.folder / f"{shard.name}.parquet"

    def _header(self, shard: str) -> Header:
        kind = artifacts.EMBEDDINGS_SHARD
        params = {**self._made_of.params, "batch_size": self._batch_size, SHARD: shard}
        return dataclasses.replace(self._made_of, kind=kind.name, version=kind.version, params=params)


def facts(embeddings: pa.Table, shards_missing: int | None = None) -> EmbeddingFacts:
    return EmbeddingFacts(
        len(embeddings["clip_id"].unique()), n_dims(embeddings) if len(embeddings) else 0, shards_missing
    )


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """One after the other; of none, a table without rows.

    Raises:
        BadData: their vectors are of different widths.
    """
    filled = [table for table in tables if len(table)]
    widths = sorted({n_dims(table) for table in filled})
    if len(widths) > 1:
        raise BadData(f"embeddings of different machine types have different widths: {widths}")
    return pa.concat_tables(filled or tables[:1] or [_nothing()])


def n_dims(embeddings: pa.Table) -> int:
    return int(embeddings.schema.field("vector").type.list_size)


def in_folds(tables: Sequence[pa.Table], first: int) -> pa.Table:
    """The tables of several makers as one, with their numbers, from `first` on, in front."""
    numbered = enumerate(tables, first)
    return pa.concat_tables([t.add_column(0, "fold", pa.array([fold] * len(t), pa.int32())) for fold, t in numbered])


def of_fold(table: pa.Table, fold: int) -> pa.Table:
    """The table of one maker again."""
    own = table.filter(pc.equal(table["fold"], pa.scalar(fold, pa.int32()))).drop_columns(["fold"])
    vector = pa.list_(pa.float32(), n_dims(own))  # Parquet calls what is in it `element`, pyarrow `item`
    return own.set_column(own.column_names.index("vector"), "vector", own["vector"].cast(vector))


def _nothing() -> pa.Table:
    columns = artifacts.EMBEDDINGS.columns
    return pa.table({column.name: pa.array([], column.type or pa.list_(pa.float32(), 1)) for column in columns})


def _embed(embedder: Any, pack: Any, rows: pa.Table, seen: pa.Array, splits: tuple[str, ...]) -> pa.Table:
    places = pc.index_in(pa.array(pack.clip_ids.tolist(), pa.string()), value_set=rows["clip_id"].combine_chunks())
    rows = rows.take(places).select(artifacts.CLIP_COLUMNS)
    split = np.array(rows["split"].to_pylist(), np.str_)
    embedded: Embedding = embedder.embed(pack, split == str(Split.TRAIN))
    keep = np.isin(split, splits)[embedded.clip]
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
