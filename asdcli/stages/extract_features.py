"""extract-features: clips.parquet and its audio in, one pack of features a machine type out; or one shard of them.

Machine types are made one by one and kept as they are finished. One that is up to date is left alone: same rows, same
parameters, and no audio file touched since its pack was written (a header holds no clocks, so this last is asked of the
file system, as make does).
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from asdcli import artifacts, audio
from asdcli.blas import single_threaded
from asdcli.errors import AsdError, BadData
from asdcli.features.kinds import DEFAULT
from asdcli.features.pack import SampleSink
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.stages.extract_faults import refusal, report
from asdcli.stages.extract_shards import PackShards, younger
from asdcli.views import packs, shard_files
from asdcli.views.clips import ClipRow, is_for_models, is_training, machine_types_of, rows_to_read
from asdcli.views.digests import bank_digest, pack_input
from asdcli.views.errors_table import is_whole
from asdcli.views.hearing import Extracted, Fault, packed
from asdcli.views.kept import KeptClips
from asdcli.views.reading import Reading, channel_of
from asdcli.views.shards import Piece, Shard, cut
from asdcli.views.suspects import told
from asdcli.writing.locks import alone_with


@dataclass(frozen=True)
class PackFacts:
    """What was packed.

    Attributes:
        clips: packed now.
        machine_types: packed now.
        up_to_date: machine types whose packs were there already.
        suspects: clip_id -> what looks wrong with it, of all packs.
        pieces: of a shard, the pieces of machine types that were made now.
    """

    clips: int
    machine_types: int
    up_to_date: int
    suspects: dict[str, str]
    pieces: int | None = None


def _written(given: Mapping[str, Any]) -> Path:
    """What a call is alone with: its shard, or all."""
    output: Path = given["output"]
    if given["shard"] is None:
        return output
    return shard_files.lock(given["shards"] or shard_files.beside(output), given["shard"])


@alone_with(_written)
def run(
    clips: Path,
    output: Path,
    *,
    errors: Path,
    features: str = DEFAULT,
    machine_types: Sequence[str] | None = None,
    channel: str | None = None,
    sample_rate: int = audio.SAMPLE_RATE,
    resample: bool = False,
    rounding: bool = False,
    scale: str | None = None,
    window_s: float | None = None,
    hop_s: float | None = None,
    cut_from_s: float | None = None,
    on_error: Literal["fail", "skip"] = "fail",
    jobs: int | None = None,
    shard: Shard | None = None,
    shards: Path | None = None,
    force: bool = False,
    shards_are_new: bool = False,
    keep: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Make `output/<machine_type>.npz` for every machine type of `clips`.

    A shard makes the packs of the machine types that lie in it, and a piece of each of those that lie in it in part.
    Pieces are taken when the packs are made without a shard; what no shard has made is read then, and every pack is
    what it is without shards, byte for byte. Then the pieces are removed.

    Args:
        clips: clips.parquet; the paths in it are relative to its folder.
        output: folder of the packs.
        errors: table of the clips left out (`skip`); removed when there are none.
        features: the spelling of a kind of features, such as `waveform` or `logmel`.
        machine_types: only these.
        channel: a name of the edition's channels, an index, `both`, `mean` or `residual`; by default the edition's own
            default. Clips of several channels need one of these.
        sample_rate: in Hz, what every clip must have.
        resample: bring other rates to `sample_rate`.
        rounding: round samples finer than 16 bits.
        scale: `peak`: one gain for each machine type, which brings its loudest sample to full scale; `fixed:GAIN`.
        window_s: cut recordings into windows of so many seconds.
        hop_s: from one window to the next; half a window by default.
        cut_from_s: leave shorter recordings whole; by default those that are shorter than a window.
        on_error: `fail` stops at a machine type with an unusable clip; `skip` leaves such clips out.
        jobs: reading threads; by default one a core.
        shard: do only this one's part.
        shards: folder of the pieces; by default one in `shards/` beside `output`.
        force: do it again even if it is up to date.
        shards_are_new: what shards have made was made again just now: with `force`, that is not done once more.
        keep: recordings whose clips a pack holds that was made in the same way are not read again, nor looked at; a
            `peak` stays as it was measured.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact, BadArtifact: no clips.parquet, or not one.
        UsageError: unknown features, machine type, channel or scale.
        BadData: an unusable clip (`fail`), or a machine type without a single usable one (`skip`).
        StaleArtifact: there are shards that this one cannot be put together with.
        Busy: a shard is being made.
    """
    folder = shards or shard_files.beside(output)
    errors = folder / f"errors.{shard.name}.parquet" if shard else errors
    table, upstream = artifacts.read_table(clips, artifacts.CLIPS)
    reading = Reading(
        features,
        sample_rate,
        channel_of(channel, upstream, progress),
        resample,
        rounding,
        scale,
        window_s=window_s,
        hop_s=hop_s,
        cut_from_s=cut_from_s,
    )
    wanted = machine_types_of(table, machine_types, clips)
    artifacts.claim(errors, artifacts.ERRORS, force=force)
    n_clips = Counter(table["machine_type"].to_pylist())
    todo = cut({name: n_clips[name] for name in wanted}, shard.n if shard else 1)[shard.i - 1 if shard else 0]
    for piece in todo:
        artifacts.claim(output / f"{piece.machine_type}.npz", artifacts.FEATURES, force=force)

    with single_threaded(), ThreadPoolExecutor(jobs or _cores()) as pool:

        def header(how: Reading, machine_type: str) -> artifacts.Header:
            return _header(how, machine_type, table, upstream)

        parts = PackShards(folder, clips.parent, n_clips, wanted, bool(machine_types), reading, header, pool, progress)
        job = _Job(table, output, parts, reading, on_error, force, shards_are_new, keep)
        if shard:
            parts.files.require_same(shard, force=force)
            for piece in todo:
                job.do(piece, shard)
        else:
            with shard_files.nobody_at_work(folder, progress):
                for piece in todo:
                    job.do(piece)
                report(errors, job.faults, table, wanted, upstream, progress)
                if not job.unusable:
                    parts.files.remove()
    if shard:
        report(errors, job.faults, table, sorted(n_clips), upstream, progress)
    if job.unusable:
        first = next(f for f in job.faults if f.error)
        raise BadData(f"not one clip of {', '.join(job.unusable)} can be used: {first.error.message}", first.error.hint)
    for sentence in told(job.suspects):
        progress.warn(sentence)
    facts = PackFacts(job.n_clips, job.n_made, job.n_current, job.known | job.suspects, job.n_pieces)
    done = job.n_made or job.n_pieces
    return Outcome(output, "done" if done else "current", skipped=len(job.faults), facts=facts)


@dataclass
class _Job:
    """Makes packs, and pieces of packs, and keeps count."""

    table: pa.Table
    output: Path
    parts: PackShards
    reading: Reading
    on_error: str
    force: bool
    shards_are_new: bool
    keep: bool
    n_made: int = 0
    n_pieces: int | None = None
    n_current: int = 0
    n_clips: int = 0
    faults: list[Fault] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    suspects: dict[str, str] = field(default_factory=dict)
    unusable: list[str] = field(default_factory=list)

    def do(self, piece: Piece, shard: Shard | None = None) -> None:
        """Make the pack of a machine type unless it is current, or the piece of it that is this shard's."""
        machine_type = piece.machine_type
        rows = rows_to_read(self.table, machine_type)
        target = self.output / f"{machine_type}.npz"
        header = self.parts.header(self.reading.scaled_to(_gain(target)), machine_type)
        wavs = [self.parts.root / row.path for row in rows]
        again = self.force and (not self.shards_are_new or self.parts.are_of(machine_type))
        if not again and is_whole(target, artifacts.FEATURES, header):
            said = artifacts.read_header(target, artifacts.FEATURES).diagnostics
            if said.get(packs.BANK) == self._bank(rows) and (self.keep or younger(target, wavs)):
                self.n_current += 1
                self.known |= said.get(packs.SUSPECTS, {})
                return
        self.output.mkdir(parents=True, exist_ok=True)  # an unwritable place shows before the work, not after
        if shard and not piece.is_whole:
            self._piece(piece, shard, rows)
        else:
            self._pack(machine_type, rows, target)

    def _piece(self, piece: Piece, shard: Shard, rows: Sequence[ClipRow]) -> None:
        faults = self.parts.make(piece, shard, rows, force=self.force, skip=self.on_error == "skip")
        if faults is None:
            self.n_current += 1
            return
        if faults and self.on_error == "fail":
            raise refusal(faults, len(piece), piece.machine_type)
        self.faults += faults
        self.n_pieces, self.n_clips = (self.n_pieces or 0) + 1, self.n_clips + len(piece) - len(faults)

    def _pack(self, machine_type: str, rows: Sequence[ClipRow], target: Path) -> None:
        with artifacts.growing_arrays(target, packs.SAMPLES, np.int16) as file:
            made, how = self._packed(machine_type, rows, target, file)
            if made.faults and self.on_error == "fail":
                raise refusal(made.faults, len(rows), machine_type)
            self.faults += made.faults
            if len(made.faults) == len(rows):
                self.unusable.append(machine_type)
                return
            self.suspects |= made.suspects
            diagnostics = {"skipped": len(made.faults), packs.TRAINING: made.training}
            diagnostics |= {packs.SUSPECTS: made.suspects} if made.suspects else {}
            diagnostics |= {packs.LEVELS: made.levels.plain()} if made.levels else {}
            diagnostics |= {packs.BANK: bank} if (bank := self._bank(rows)) else {}
            file.finish(made.arrays, dataclasses.replace(self.parts.header(how, machine_type), diagnostics=diagnostics))
        self.n_made, self.n_clips = self.n_made + 1, self.n_clips + len(rows) - len(made.faults)

    def _packed(
        self, machine_type: str, rows: Sequence[ClipRow], target: Path, into: SampleSink
    ) -> tuple[Extracted, Reading]:
        """What comes of a machine type, of what its pack holds as far as that is kept; and how it is read."""
        root = self.parts.root
        how = self.reading.scaled_to(_gain(target))
        kept = KeptClips.of(target, self.parts.header(how, machine_type).params) if self.keep else None
        if kept:
            heard = kept.hear_others(rows, root, how, self.parts.pool, self.parts.progress)
            return packed(heard, rows, root, how, *self.training, sounds=kept.sounds(rows, root, how), into=into), how
        how, heard = self.parts.hear(machine_type, rows, force=self.force and not self.shards_are_new)
        return packed(heard, rows, root, how, *self.training, into=into), how

    def _bank(self, rows: Sequence[ClipRow]) -> str | None:
        """Which of the clips of a machine type the levels are of, where some joined or left since they were learned."""
        if self.table["since"].null_count == len(self.table):
            return None
        return bank_digest([row.clip_id for row in rows if row.clip_id in self.training[0]])

    @cached_property
    def training(self) -> tuple[Collection[str], Collection[str]]:
        """The clips (clip_id) to train on, and those that models see."""
        bank, seen = (self.table.filter(which(self.table)) for which in (is_training, is_for_models))
        return set(bank["clip_id"].to_pylist()), set(seen["clip_id"].to_pylist())


def _header(reading: Reading, machine_type: str, clips: pa.Table, upstream: artifacts.Header) -> artifacts.Header:
    """The header of one pack. Its input is the machine type's own rows: other machine types do not make it stale."""
    return artifacts.Header.make(
        artifacts.FEATURES,
        dataset=upstream.dataset,
        params={"machine_type": machine_type, **reading.params()},
        inputs={"clips": upstream.part(pack_input(clips, machine_type))},
    )


def _gain(target: Path) -> Any:
    """What the samples of a pack were multiplied by; None where nothing says it."""
    try:
        return artifacts.read_header(target, artifacts.FEATURES).params.get("gain")
    except AsdError:
        return None


def _cores() -> int:
    """Cores that this process may use, eight at most: beyond that the disk is the limit."""
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
