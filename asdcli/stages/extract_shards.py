"""Pieces of packs: the clips of a machine type that one shard read, kept until the pack is made of all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import artifacts, audio
from asdcli.artifacts import Header
from asdcli.audio import BadAudio
from asdcli.errors import ArtifactError, AsdError, BadData
from asdcli.progress import Progress
from asdcli.views.clips import ClipRow
from asdcli.views.hearing import Fault, Heard, hear
from asdcli.views.reading import Reading
from asdcli.views.shard_files import SHARD, ShardFiles
from asdcli.views.shards import Piece, Shard, cut
from asdcli.views.suspects import Oddity
from asdcli.vocabulary import PEAK

_MACHINE_TYPE, _CLIPS = "machine_type", "clips"


@dataclass(frozen=True)
class PackShards:
    """The pieces of the packs of one kind.

    Attributes:
        folder: where they lie.
        root: folder that the paths of clips are below.
        n_clips: machine type -> its clips.
        wanted: the machine types that are cut.
        asked: whether somebody asked for these.
        reading: how clips are read.
        header: that of the pack of a machine type that is read so.
        pool: the threads that read.
        progress: is told how far it is, and of pieces that cannot be used.
    """

    folder: Path
    root: Path
    n_clips: Mapping[str, int]
    wanted: Sequence[str]
    asked: bool
    reading: Reading
    header: Callable[[Reading, str], Header]
    pool: ThreadPoolExecutor
    progress: Progress

    @cached_property
    def files(self) -> ShardFiles:
        return ShardFiles(self.folder, artifacts.FEATURES_SHARD, self._expected)

    def make(
        self, piece: Piece, shard: Shard, rows: Sequence[ClipRow], *, force: bool = False, skip: bool = False
    ) -> list[Fault] | None:
        """Read a piece of the machine type of `rows` and write it.

        Args:
            piece: which.
            shard: whose.
            rows: all clips of the machine type.
            force: do it again even if it is up to date.
            skip: write it without the clips that cannot be used; otherwise it is not written if there are any.

        Returns:
            the clips that cannot be used; None where the piece is there already.
        """
        path, own = self._path(piece, shard), rows[piece.start : piece.stop]
        how = self.reading.scaled_to(_param(path, "gain"))
        header = self._header(how, piece, str(shard))
        if not force and artifacts.is_current(path, self.files.kind, header):
            faulty = artifacts.read_header(path, self.files.kind).diagnostics["faults"]  # which are to be named again
            if not faulty and younger(path, self._wavs(rows if how.scale == PEAK else own)):
                return None
        how = self._scaled(rows)
        faults: list[Fault] = []
        heard = hear(own, self.root, how, self.pool, self.progress, f"{piece.machine_type} {shard}")
        arrays, odd = _arrays(heard, faults, len(own) * len(how.channels))
        if skip or not faults:
            told = {"faults": [[f.row.clip_id, f.error.reason, f.error.hint] for f in faults], "odd": odd}
            header = dataclasses.replace(self._header(how, piece, str(shard)), diagnostics=told)
            artifacts.write_arrays(path, arrays, header)
        return faults

    def hear(
        self, machine_type: str, rows: Sequence[ClipRow], *, force: bool = False
    ) -> tuple[Reading, Iterator[Heard | Fault]]:
        """How the clips of a machine type are read, and they in their order: out of pieces, the rest from audio."""
        n = None if force else self._n
        usable = self._usable(machine_type, rows, n) if n else {}
        how = self.reading
        if how.scale == PEAK:
            gains = [_param(path, "gain") for path in usable.values()]
            how = how.scaled_to(gains[0]) if gains else self._scaled(rows)
            usable = {start: path for start, path in usable.items() if _param(path, "gain") == how.gain}
        return how, self._heard(machine_type, rows, how, usable, n or 1)

    def _heard(
        self, machine_type: str, rows: Sequence[ClipRow], how: Reading, usable: Mapping[int, Path], n: int
    ) -> Iterator[Heard | Fault]:
        for piece in self._pieces(n).get(machine_type, {}).values():
            own = rows[piece.start : piece.stop]
            path = usable.get(piece.start)
            try:
                kept = _read(path, self.files.kind, own) if path else None
            except ArtifactError as error:
                self.progress.warn(f"{error.message}: its clips are read again")
                kept = None
            if kept:
                yield from _kept(*kept, own, self.root)
            else:
                yield from hear(own, self.root, how, self.pool, self.progress, machine_type)

    def _usable(self, machine_type: str, rows: Sequence[ClipRow], n: int) -> dict[int, Path]:
        """First clip -> the piece of `n` that begins there, fits, and is younger than its recordings."""
        found = {}
        for number, piece in self._pieces(n).get(machine_type, {}).items():
            path = self._path(piece, Shard(number, n))
            try:
                header = artifacts.read_header(path, self.files.kind)
            except AsdError as error:
                if path.exists():
                    self.progress.warn(f"{error.message}: its clips are read again")
                continue
            if not self.files.fit(header):
                self.progress.warn(f"{path}: {self.files.changed(header)}: its clips are read again")
            elif not younger(path, self._wavs(rows if self.reading.scale == PEAK else rows[piece.start : piece.stop])):
                self.progress.warn(f"{path}: recordings were written after it: its clips are read again")
            else:
                found[piece.start] = path
        return found

    def are_of(self, machine_type: str) -> bool:
        """Whether there are pieces of a machine type that fit."""
        return self._n is not None and len(self._pieces(self._n).get(machine_type, {})) > 1

    @cached_property
    def _n(self) -> int | None:
        return self.files.n_shards()

    def _pieces(self, n: int) -> dict[str, dict[int, Piece]]:
        """Machine type -> number of a shard -> its piece of it, of `n`."""
        if n not in self._plans:
            plan: dict[str, dict[int, Piece]] = {}
            for number, pieces in enumerate(cut({name: self.n_clips[name] for name in self.wanted}, n), 1):
                for piece in pieces:
                    plan.setdefault(piece.machine_type, {})[number] = piece
            self._plans[n] = plan
        return self._plans[n]

    @cached_property
    def _plans(self) -> dict[int, dict[str, dict[int, Piece]]]:
        return {}

    def _scaled(self, rows: Sequence[ClipRow]) -> Reading:
        scale = self.reading.scale == PEAK
        return self.reading.scaled_to_peak(rows, self.root, self.pool) if scale else self.reading

    def _path(self, piece: Piece, shard: Shard) -> Path:
        return self.folder / f"{piece.machine_type}.{shard.name}.npz"

    def _wavs(self, rows: Sequence[ClipRow]) -> list[Path]:
        return [self.root / row.path for row in rows]

    def _header(self, how: Reading, piece: Piece, shard: str) -> Header:
        of_pack, kind = self.header(how, piece.machine_type), artifacts.FEATURES_SHARD
        params = {**of_pack.params, _CLIPS: [piece.start, piece.stop], SHARD: shard}
        params |= {"machine_types": list(self.wanted)} if self.asked else {}
        return dataclasses.replace(of_pack, kind=kind.name, version=kind.version, params=params)

    def _expected(self, header: Header) -> Header | None:
        machine_type = str(header.params.get(_MACHINE_TYPE))
        if machine_type not in self.wanted:
            return None
        shard = Shard.of(str(header.params.get(SHARD)))
        piece = self._pieces(shard.n).get(machine_type, {}).get(shard.i, Piece(machine_type, 0, 0, 0))
        return self._header(self.reading.scaled_to(header.params.get("gain")), piece, str(shard))


def younger(path: Path, wavs: Sequence[Path]) -> bool:
    """Whether a file was written after all of its audio."""
    written = path.stat().st_mtime_ns
    try:
        changes = (audio.file_of(wav).stat() for wav in wavs)
        return all(max(s.st_mtime_ns, s.st_ctime_ns) <= written for s in changes)
    except OSError:
        return False


def _param(path: Path, name: str) -> Any:
    try:
        return artifacts.read_header(path, artifacts.FEATURES_SHARD).params.get(name)
    except AsdError:
        return None


def _arrays(
    heard: Iterable[Heard | Fault], faults: list[Fault], n_rows: int
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """What is kept of clips, a row a channel, and what is odd about which; those that cannot be used go to `faults`.

    Raises:
        BadData: features of several types or numbers of axes.
    """
    clip_ids: list[str] = []
    checksums: list[str] = []
    flat: list[bool] = []
    levels: list[float] = []
    shapes: list[tuple[int, ...]] = []
    odd: dict[str, str] = {}
    values, filled = np.empty(0, np.int16), 0
    for one in heard:
        if isinstance(one, Fault):
            faults.append(one)
            continue
        odd |= {one.row.clip_id: one.odd.words} if one.odd.words else {}
        for made in one.made:
            made = np.asarray(made)
            if not shapes:
                values = np.empty(n_rows * made.size, made.dtype)
            if made.dtype != values.dtype or (shapes and made.ndim != len(shapes[0])):
                raise BadData(
                    f"{one.row.clip_id}: features of several shapes cannot be kept in shards", "leave --shard out"
                )
            if filled + made.size > len(values):
                values = np.concatenate([values[:filled], np.empty(max(made.size, len(values) // 2), made.dtype)])
            values[filled : filled + made.size] = made.reshape(-1)
            filled += made.size
            clip_ids.append(one.row.clip_id)
            checksums.append(one.checksum)
            flat.append(one.odd.flat)
            levels.append(np.nan if one.level is None else one.level)
            shapes.append(made.shape)
    arrays: dict[str, np.ndarray] = {
        "values": values[:filled],
        "shape": np.array(shapes or np.empty((0, 1)), np.int64),
        "clip_id": np.array(clip_ids, np.str_),
        "checksum": np.array(checksums, np.str_),
        "flat": np.array(flat, bool),
        "level": np.array(levels, np.float64),
    }
    return arrays, odd


def _read(path: Path, kind: artifacts.Kind, rows: Sequence[ClipRow]) -> tuple[dict[str, np.ndarray], Header]:
    """What `_arrays` kept of `rows`. Raises ArtifactError for anything else."""
    arrays, header = artifacts.read_arrays(path, kind)
    if not _holds(arrays, header.diagnostics, [row.clip_id for row in rows]):
        raise artifacts.damaged(path, kind, "it does not hold the clips that its header speaks of")
    return arrays, header


def _holds(arrays: Mapping[str, np.ndarray], told: Mapping[str, Any], clip_ids: Sequence[str]) -> bool:
    """Whether arrays are such as `_arrays` makes, of these clips."""
    try:
        faults = {str(clip_id) for clip_id, _, _ in told["faults"]}
        odd, shape, values = dict(told["odd"]), arrays["shape"], arrays["values"]
        rows = [arrays[name] for name in ("clip_id", "checksum", "flat", "level")]
    except (KeyError, TypeError, ValueError):
        return False
    words = all(isinstance(one, str) for one in odd.values())
    if shape.ndim != 2 or shape.dtype.kind != "i" or values.ndim != 1 or not words:
        return False
    whole = all(row.shape == shape[:, 0].shape for row in rows) and rows[0].dtype.kind == "U"
    fits = bool((shape >= 0).all()) and int(shape.prod(axis=1).sum()) == len(values)
    return whole and fits and list(dict.fromkeys(rows[0].tolist())) == [one for one in clip_ids if one not in faults]


def _kept(
    arrays: Mapping[str, np.ndarray], header: Header, rows: Sequence[ClipRow], root: Path
) -> Iterator[Heard | Fault]:
    """The clips of `rows` as `_arrays` kept them."""
    told = header.diagnostics
    faults = {clip_id: (reason, hint) for clip_id, reason, hint in told["faults"]}
    clip_ids, shape = arrays["clip_id"].tolist(), arrays["shape"]
    ends = np.concatenate([[0], np.cumsum(shape.prod(axis=1))])
    at = 0
    for row in rows:
        if row.clip_id in faults:
            yield Fault(row, BadAudio(root / row.path, *faults[row.clip_id]))
            continue
        made, first = [], at
        while at < len(clip_ids) and clip_ids[at] == row.clip_id:
            made.append(arrays["values"][ends[at] : ends[at + 1]].reshape(shape[at]))
            at += 1
        odd = Oddity(told["odd"].get(row.clip_id, ""), bool(arrays["flat"][first]))
        level = float(arrays["level"][first])
        yield Heard(row, made, str(arrays["checksum"][first]), odd, None if np.isnan(level) else level)
