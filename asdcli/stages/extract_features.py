"""extract-features: clips.parquet and its audio in, one pack of features a machine type out.

Machine types are made one by one and kept as they are finished. One that is up to date is left alone: same rows, same
parameters, and no audio file touched since its pack was written (a header holds no clocks, so this last is asked of the
file system, as make does).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts, audio
from asdcli.errors import AsdError, BadData
from asdcli.features.kinds import DEFAULT
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.stages.extract_reading import Fault, read
from asdcli.views import packs
from asdcli.views.clips import is_training, machine_types_of, rows_to_read
from asdcli.views.digests import pack_input
from asdcli.views.editions import edition_of
from asdcli.views.errors_table import is_whole, naming, read_errors, write_errors
from asdcli.views.reading import Reading
from asdcli.views.suspects import told
from asdcli.vocabulary import PEAK
from asdcli.writing.locks import alone_with


@dataclass(frozen=True)
class PackFacts:
    """What was packed.

    Attributes:
        clips: packed now.
        machine_types: packed now.
        up_to_date: machine types whose packs were there already.
        suspects: clip_id -> what looks wrong with it, of all packs.
    """

    clips: int
    machine_types: int
    up_to_date: int
    suspects: dict[str, str]


@alone_with("output")
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
    on_error: Literal["fail", "skip"] = "fail",
    jobs: int | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Make `output/<machine_type>.npz` for every machine type of `clips`.

    Args:
        clips: clips.parquet; the paths in it are relative to its folder.
        output: folder of the packs.
        errors: table of the clips left out (`skip`); removed when there are none.
        features: the spelling of a kind of features, such as `waveform` or `logmel`.
        machine_types: only these.
        channel: a name of the edition's channels, an index or `both`; by default the edition's own default. Clips of
            several channels need one of these.
        sample_rate: in Hz, what every clip must have.
        resample: bring other rates to `sample_rate`.
        rounding: round samples finer than 16 bits.
        scale: `peak`: one gain for each machine type, which brings its loudest sample to full scale; `fixed:GAIN`.
        on_error: `fail` stops at a machine type with an unusable clip; `skip` leaves such clips out.
        jobs: reading threads; by default one a core.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact, BadArtifact: no clips.parquet, or not one.
        UsageError: unknown features, machine type, channel or scale.
        BadData: an unusable clip (`fail`), or a machine type without a single usable one (`skip`).
    """
    table, upstream = artifacts.read_table(clips, artifacts.CLIPS)
    reading = Reading(features, sample_rate, _channel(channel, upstream, progress), resample, rounding, scale)
    wanted = machine_types_of(table, machine_types, clips)
    artifacts.claim(errors, artifacts.ERRORS, force=force)
    for machine_type in wanted:
        artifacts.claim(output / f"{machine_type}.npz", artifacts.FEATURES, force=force)

    training = set(table.filter(is_training(table))["clip_id"].to_pylist())
    n_made = n_current = n_clips = 0
    faults: list[Fault] = []
    known: dict[str, str] = {}
    suspects: dict[str, str] = {}
    unusable: list[str] = []
    with ThreadPoolExecutor(jobs or _cores()) as pool:
        for machine_type in wanted:
            rows = rows_to_read(table, machine_type)
            target = output / f"{machine_type}.npz"
            header = _header(reading.scaled_to(_gain(target)), machine_type, table, upstream)
            if not force and _is_current(target, header, [clips.parent / row.path for row in rows]):
                n_current += 1
                known |= artifacts.read_header(target, artifacts.FEATURES).diagnostics.get("suspects", {})
                continue
            output.mkdir(parents=True, exist_ok=True)  # an unwritable place shows before the work, not after
            how = reading.scaled_to_peak(rows, clips.parent, pool) if reading.scale == PEAK else reading
            made = read(rows, clips.parent, how, pool, progress, machine_type, training=training)
            if made.faults and on_error == "fail":
                raise _refusal(made.faults, len(rows), machine_type)
            faults += made.faults
            if len(made.faults) == len(rows):
                unusable.append(machine_type)
                continue
            suspects |= made.suspects
            diagnostics = {"skipped": len(made.faults), packs.TRAINING: made.training}
            diagnostics |= {"suspects": made.suspects} if made.suspects else {}
            diagnostics |= {packs.LEVELS: made.levels.plain()} if made.levels else {}
            header = _header(how, machine_type, table, upstream)
            header = dataclasses.replace(header, diagnostics=diagnostics)
            artifacts.write_arrays(target, made.arrays, header)
            n_made, n_clips = n_made + 1, n_clips + len(rows) - len(made.faults)
            del made  # before the next machine type is read

    _report_faults(errors, faults, table, wanted, upstream, progress)
    if unusable:
        first = next(f for f in faults if f.error)
        raise BadData(f"not one clip of {', '.join(unusable)} can be used: {first.error.message}", first.error.hint)
    for sentence in told(suspects):
        progress.warn(sentence)
    facts = PackFacts(n_clips, n_made, n_current, known | suspects)
    return Outcome(output, "done" if n_made else "current", skipped=len(faults), facts=facts)


def _channel(word: str | None, clips: artifacts.Header, progress: Progress) -> int | str | None:
    """What is read of clips with several channels, by the names that their edition gives them."""
    edition = edition_of(clips)
    if edition is None or len(edition.channels) == 1:
        return audio.channel_index(word)
    if word is None and edition.default_channel:
        word = edition.default_channel
        progress.note(f"of the channels {', '.join(edition.channels)}: {word} (another: --channel)")
    return audio.channel_index(word, edition.channels)


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


def _is_current(target: Path, header: artifacts.Header, wavs: Sequence[Path]) -> bool:
    """Whether the pack is of these rows and parameters, without a clip left out, and younger than all its audio."""
    if not is_whole(target, artifacts.FEATURES, header):
        return False
    written = target.stat().st_mtime_ns
    try:
        changes = (wav.stat() for wav in wavs)
        return all(max(s.st_mtime_ns, s.st_ctime_ns) <= written for s in changes)
    except OSError:
        return False


def _refusal(faults: Sequence[Fault], n_rows: int, machine_type: str) -> BadData:
    first = faults[0].error
    others = f" ({len(faults)} of {n_rows} clips of {machine_type} cannot be used)" if len(faults) > 1 else ""
    if len(faults) == n_rows:  # nothing would be left
        return BadData(f"{first.message}{others}", first.hint)
    return BadData(f"{first.message}{others}", f"{first.hint or 'repair it'}; or leave it out: --on-error skip")


def _report_faults(
    path: Path,
    faults: Sequence[Fault],
    table: pa.Table,
    wanted: Sequence[str],
    upstream: artifacts.Header,
    progress: Progress,
) -> None:
    """Name the clips that were left out, and list them. Those of machine types that nobody looked at stay listed."""
    elsewhere = set(table.filter(pc.invert(pc.is_in(table["machine_type"], pa.array(wanted))))["clip_id"].to_pylist())
    lost = [(f.row.clip_id, f.row.path, f.error.reason) for f in faults]
    kept = [row for row in read_errors(path) if row[0] in elsewhere]
    header = artifacts.Header.make(artifacts.ERRORS, dataset=upstream.dataset, inputs={"clips": upstream})
    write_errors(path, sorted([*lost, *kept]), header)
    if lost:
        progress.left_out(naming(lost, "left out", path))


def _cores() -> int:
    """Cores that this process may use, eight at most: beyond that the disk is the limit."""
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
