"""index: a folder of anyone's recordings in, clips.parquet out; the recordings stay where and as they are."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from asdcli import artifacts, audio
from asdcli.clips import SUFFIXES, without_suffix
from asdcli.editions import clips_table
from asdcli.errors import ArtifactError, BadArtifact, BadData, UsageError
from asdcli.filenames import fault
from asdcli.files import require_file
from asdcli.layouts import (
    Asked,
    LeftOut,
    Recording,
    assign_splits,
    meanings,
    refuse_doubtful,
    unread,
    with_groups,
)
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.stages import index_report
from asdcli.stages.index_layout import find, of_folders, of_manifest, of_normal
from asdcli.stages.index_place import is_edition, make_link, prefix_of, refuse_if_taken
from asdcli.views.bank import regrouped, with_later
from asdcli.views.listing import table_of
from asdcli.vocabulary import Split, Unlabelled
from asdcli.writing.locks import alone_with

ERRORS = "errors-index.parquet"
NORMAL = "normal"
"""The layout of recordings that were all said to be normal: those of `asd learn`."""


def dataset_name(recordings: Path, asked: str | None = None) -> str:
    """The dataset's name: the one asked for, else one made from the folder's: `My pumps (2)` -> `My-pumps-2`.

    Raises:
        UsageError: the name asked for cannot be a folder's, or none can be made.
    """
    name = re.sub(r"[^\w.-]+", "-", asked or recordings.resolve().name).strip("-.")
    if asked is not None and name != asked:
        raise UsageError(f"a dataset cannot be called {asked!r}", f"use letters, digits, '_', '.' and '-': {name}")
    if why := fault(name):
        if asked is not None:
            raise UsageError(f"a dataset cannot be called {asked!r}: {why}", "give another --name")
        raise UsageError(f"no dataset name can be made of {recordings}", "give one: --name NAME")
    return name


@alone_with("clips")
def run(
    recordings: Path,
    clips: Path,
    *,
    manifest: Path | None = None,
    machine: str | None = None,
    unlabelled: Unlabelled | None = None,
    condition_words: Sequence[str] = (),
    test_fraction: float = 0.2,
    group_by: str | None = None,
    normal: Sequence[str] | None = None,
    models_stay: bool = False,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Write `clips` (and `errors-index.parquet` beside it, if clips are left out) for the audio below `recordings`.

    Args:
        recordings: a folder, read only.
        clips: `<data>/<dataset>/clips.parquet`; its folder's name is the dataset's.
        manifest: a table that says what folders would say; recordings that it does not list are left alone.
        machine: the machine type of all recordings, whatever folders or manifest say.
        unlabelled: the split of recordings without condition and split; by default they test where anything of their
            machine type is labelled, else all are taken as normal and train.
        condition_words: what words of names mean: `niO=anomaly`, `Bad Homburg=none`.
        test_fraction: share of the normal clips held out for testing where nothing says what tests; in (0, 1).
        group_by: what says which training clips belong together, one of `GROUPINGS`; by default what is known.
        normal: files and folders below `recordings` of which all that is in them is normal and trains; the rest is
            left alone. None: names or the manifest say what trains. What came later, was answered or taken out since
            these were learned before, stays so.
        models_stay: with `normal`: a model was trained on what was learned before.
        seed: chooses these clips.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Returns:
        An Outcome whose `skipped` counts the clips left out, with facts for the report: see `index_report`.

    Raises:
        UsageError: the dataset's name belongs to other recordings, or options that cannot be.
        BadData: no folder, no usable recording, a manifest that cannot be read, or training clips that may be
            anomalies by their names.
    """
    root = clips.parent
    _check(recordings, manifest, machine, test_fraction, condition_words)
    told = meanings(condition_words)
    prefix = prefix_of(recordings, root)
    artifacts.claim(clips, artifacts.CLIPS, force=force)
    refuse_if_taken(recordings, clips, prefix)
    if is_edition(root) and not (prefix or manifest or machine):
        if unlabelled or told:
            what = "--unlabelled and --condition-word are for recordings of your own"
            raise UsageError(f"{root.name} is an edition, whose names and tables say everything: {what}")
        return _edition_in_place(clips, group_by, progress)

    artifacts.claim(root / ERRORS, artifacts.ERRORS, force=force)
    paths, left = find(recordings, normal)
    if manifest:
        lie = of_manifest(paths, recordings, manifest, group_by)
    elif normal is None:
        lie = of_folders(paths, told, machine)
    else:
        lie = of_normal(paths, recordings, told, machine)
    left += lie.left
    read = [_of_machine(r, machine or r.machine_type or root.name) for r in lie.recordings]
    read, infos = _probe(read, recordings, left, progress)
    read = _without_twins(read, left)
    split = Split(unlabelled) if unlabelled else None
    read, untrainable, held_out = assign_splits(read, test_fraction=test_fraction, seed=seed, unlabelled=split)
    left += untrainable
    if not read:
        raise _nothing(recordings, left)
    name = manifest.name if manifest else None
    refuse_doubtful(read, Asked(recordings.resolve().name, told, machine, name))

    grouped = any(r.group for r in read)
    table = table_of(read, infos, prefix)
    if normal is not None and (before := _learned_before(clips)) is not None:
        table = regrouped(with_later(table, before, root), group_by, models_stay=models_stay)
    else:
        table = with_groups(table, None if grouped else group_by)
    params: dict[str, Any] = {
        "layout": "manifest" if manifest else "folders" if normal is None else NORMAL,
        "machine": machine,
        "test_fraction": test_fraction,
    }
    said = {"unlabelled": unlabelled, "condition_words": sorted(condition_words), "group_by": group_by}
    said["normal"] = sorted(normal) if normal and list(normal) != ["."] else None
    params |= {name: value for name, value in said.items() if value}
    header = artifacts.Header.make(
        artifacts.CLIPS, dataset=root.name, seed=seed, params=params, diagnostics={"held_out": held_out}
    )
    facts = index_report.facts(
        table,
        {r.path: infos[r.path] for r in read},
        left,
        held_out,
        test_fraction=test_fraction,
        seed=seed,
        of_layout=lie.notes,
        against_layout=[*lie.warnings, *([] if manifest else unread(read)), *_typed_otherwise(clips, header)],
    )
    skipped = sum(x.is_loss for x in left)
    make_link(recordings, root, prefix)
    _write_errors(root / ERRORS, left, prefix, header)
    if not force and _is_there(clips, table, header):
        return Outcome(clips, "current", skipped, facts)
    artifacts.write_table(clips, artifacts.CLIPS, table, header)
    return Outcome(clips, "done", skipped, facts)


def _check(
    recordings: Path,
    manifest: Path | None,
    machine: str | None,
    test_fraction: float,
    condition_words: Sequence[str],
) -> None:
    if not recordings.is_dir():
        what = "is a file, not a folder" if recordings.exists() else "does not exist"
        raise BadData(f"{recordings} {what}", "name the folder that holds the recordings")
    if manifest:
        try:
            require_file(manifest)
        except FileNotFoundError:
            raise BadData(f"there is no manifest {manifest}") from None
    if machine is not None and (why := fault(machine)):
        raise UsageError(f"machine type {machine!r} cannot be a file name: {why}", "leave out slashes and the like")
    if manifest and condition_words:
        raise UsageError(
            "--condition-word reads names, and --manifest takes none", "say it in the manifest's column condition"
        )
    if not 0 < test_fraction < 1:
        raise UsageError(f"--test-fraction must lie between 0 and 1, got {test_fraction:g}")


def _edition_in_place(clips: Path, group_by: str | None, progress: Progress) -> Outcome:
    """An edition somebody unpacked (or linked) under its own name: its own grammar, attribute tables and truth."""
    attributes = clips.exists() and artifacts.read_header(clips, artifacts.CLIPS).params.get("released_attributes")
    return clips_table.run(
        clips.parent,
        clips,
        edition=clips.parent.name,
        released_attributes=bool(attributes),
        group_by=group_by,
        progress=progress,
    )


def _of_machine(recording: Recording, name: str) -> Recording:
    return recording if recording.machine_type == name else dataclasses.replace(recording, machine_type=name)


def _probe(
    read: Sequence[Recording], recordings: Path, left: list[LeftOut], progress: Progress
) -> tuple[list[Recording], dict[str, audio.Info]]:
    """The recordings whose headers can be read, and these headers by path; the others go to `left`."""
    infos: dict[str, audio.Info] = {}
    for recording in progress.track(read, total=len(read), label="index"):
        try:
            infos[recording.path] = audio.info(recordings / recording.path)
        except audio.BadAudio as error:
            left.append(LeftOut(recording.path, error.reason, is_loss=True))
    return [r for r in read if r.path in infos], infos


def _without_twins(read: Iterable[Recording], left: list[LeftOut]) -> list[Recording]:
    """Of files that differ in their suffix only (a.wav, a.flac, a.WAV) one stays: the first by the list of suffixes."""
    by_id: dict[str, Recording] = {}
    rank = {suffix: i for i, suffix in enumerate(SUFFIXES)}
    for recording in sorted(read, key=lambda r: (rank.get(PurePosixPath(r.path).suffix.lower(), len(rank)), r.path)):
        kept = by_id.setdefault(without_suffix(recording.path), recording)
        if kept is not recording:
            name = kept.path.rpartition("/")[2]
            left.append(LeftOut(recording.path, f"the same clip as another file, by its name: {name}", is_loss=True))
    return sorted(by_id.values(), key=lambda r: r.path)


def _nothing(recordings: Path, left: Sequence[LeftOut]) -> BadData:
    if not left:
        return BadData(f"{recordings} is empty", "put recordings there: wav, flac or what else libsndfile reads")
    by_weight = sorted(left, key=lambda x: not x.is_loss)  # what should have been a clip tells more than a text file
    reasons = Counter(x.reason.partition(":")[0] for x in by_weight).most_common(3)
    told = "; ".join(f"{n} {reason}" for reason, n in reasons)
    return BadData(
        f"no usable recording below {recordings}: of what is there, {told}",
        f"the first is {by_weight[0].path}: {by_weight[0].reason}",
    )


def _learned_before(clips: Path) -> pa.Table | None:
    """The table that is there, if it is of recordings that were learned, and something became of them later."""
    try:
        table, header = artifacts.read_table(clips, artifacts.CLIPS)
    except ArtifactError:
        return None
    is_later = header.params.get("layout") == NORMAL and table["since"].null_count < len(table)
    return table if is_later else None


def _typed_otherwise(clips: Path, header: artifacts.Header) -> list[str]:
    """A sentence where the table that is there was made with other options: those of last time are easily forgotten."""
    if not clips.exists():
        return []
    try:
        before = artifacts.read_header(clips, artifacts.CLIPS).params
    except BadArtifact:
        return []
    names = ("layout", "machine", "unlabelled", "condition_words", "group_by", "normal")
    other = {name: before.get(name) for name in names if before.get(name) != header.params.get(name)}
    told = ", ".join(f"{name.replace('_', ' ')} {value or 'not said'}" for name, value in other.items())
    return [f"last time {clips} was made with other options: {told}"] if other else []


def _is_there(clips: Path, table: pa.Table, header: artifacts.Header) -> bool:
    """Whether `clips` says the same already: its header cannot tell, because recordings are no artifacts."""
    if not artifacts.is_current(clips, artifacts.CLIPS, header):
        return False
    there, _ = artifacts.read_table(clips, artifacts.CLIPS)
    empty = all(there[name].null_count == len(there) for name in {*there.column_names} - {*table.column_names})
    return empty and bool(there.select(table.column_names).equals(table))


def _write_errors(path: Path, left: Iterable[LeftOut], prefix: str, header: artifacts.Header) -> None:
    """Name the clips that were left out; a table that says nothing any more goes away."""
    reasons: dict[str, dict[str, str]] = {}
    for lost in left:
        if lost.is_loss:
            reasons.setdefault(prefix + without_suffix(lost.path), {})[prefix + lost.path] = lost.reason
    if not reasons:
        path.unlink(missing_ok=True)
        return
    columns = {
        "clip_id": list(reasons),
        "path": [next(iter(of_path)) for of_path in reasons.values()],
        "error": ["; ".join(of_path.values()) for of_path in reasons.values()],
    }
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}).sort_by("clip_id")
    errors = artifacts.Header.make(artifacts.ERRORS, dataset=header.dataset, params=header.params)
    artifacts.write_table(path, artifacts.ERRORS, table, errors)
