"""reference: which recordings others are compared with; some join or leave, and all that hangs on it follows."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.audio.parts import whole_of
from asdcli.clips import without_suffix
from asdcli.errors import BadData, MissingArtifact, UsageError, unknown_name
from asdcli.files import is_model
from asdcli.layouts.links import shown
from asdcli.pipeline import again
from asdcli.pipeline.answers import answered
from asdcli.pipeline.hearing_first import left_by_sound
from asdcli.pipeline.learning import changing
from asdcli.pipeline.newcomers import Newcomers, newcomers
from asdcli.pipeline.steps.check import LEARN, limits_of, scored_by
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.stages import reference
from asdcli.stages.index import NORMAL
from asdcli.stages.threshold import rows as thresholds_of
from asdcli.views.bank import AS_NORMAL, CONFIRMED_AND_COMPARED, BankEdit
from asdcli.views.bank_report import BankRow, bank_rows
from asdcli.views.clips import is_training
from asdcli.views.stretches import is_part
from asdcli.wording import counted, listed

_LIST = "they are listed by: asd reference list"


@dataclass(frozen=True)
class BankChange:
    """What became of the reference set.

    Attributes:
        joined: names of the recordings that joined.
        left: of those that left.
        here: of those that were there already.
        refused: name -> why it did not join.
        said: what follows, in words.
        outcomes: of the stages that were taken.
    """

    joined: tuple[str, ...]
    left: tuple[str, ...]
    here: tuple[str, ...]
    refused: dict[str, str]
    said: tuple[str, ...]
    outcomes: dict[str, Any]


@answered
def listing(space: Workspace, *, machine: str | None = None, method: str | None = None) -> list[BankRow]:
    """The recordings that those that come are compared with, machine by machine; nothing is changed.

    Args:
        space: the run.
        machine: only of this one.
        method: whose scores are told; by default that whose thresholds decide.
    """
    table, _ = learned(space)
    limits, spelling = limits_of(space, method)
    rows = bank_rows(table, scored_by(space, limits, spelling), limits)
    _require_known(machine, {row.machine for row in rows})
    return [row for row in rows if machine in (None, row.machine)]


@answered
@changing
def add(
    space: Workspace,
    places: Sequence[Path],
    *,
    machine: str | None = None,
    condition_words: Sequence[str] = (),
    force: bool = False,
    device: str = "auto",
    progress: Progress = SILENT,
) -> BankChange:
    """Let recordings of healthy machines join those that others are compared with.

    Args:
        space: the run.
        places: files, and folders that hold some.
        machine: of all of them.
        condition_words: what words of their names mean.
        force: also where they do not sound like the machine.
        device: where a network runs.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact: nothing was learned. Busy: the run is being changed. UsageError: a machine that cannot be told.
        BadData: there is no recording, their names may say that they are no normal ones, or they sound like another
            machine. Then nothing is changed.
    """
    table, _ = learned(space)
    by_model = again.run(space, device=device, progress=progress).by_model  # what was cut short is finished first
    machines = sorted(set(table.filter(is_training(table))["machine_type"].to_pylist()))
    _require_known(machine, machines)
    found = newcomers(
        space,
        places,
        table,
        machines,
        machine=machine,
        condition_words=condition_words,
        apart=by_model,
        progress=progress,
    )
    if not (found.found or found.back or found.turned or found.here or found.left):
        raise BadData(f"there is no recording in {listed([str(p) for p in places])}", "name wav or flac files")
    found.without(left_by_sound(space, found, force=force, device=device, progress=progress))
    edit = BankEdit(today(), found.rows(AS_NORMAL), turned=found.turned, role=CONFIRMED_AND_COMPARED, back=found.back)
    return change(space, found, edit, progress=progress, device=device)


@answered
@changing
def remove(space: Workspace, names: Sequence[str], *, device: str = "auto", progress: Progress = SILENT) -> BankChange:
    """Take recordings out of those that others are compared with.

    Args:
        space: the run.
        names: of recordings as `listing` has them, their paths or ends of them, or folders that hold them.
        device: where a network runs.
        progress: is told how far it is.

    Raises:
        Busy: the run is being changed. UsageError: a name that no recording of the reference set has, or several.
        BadData: fewer than two of a machine would be left. Then nothing is changed.
    """
    table, _ = learned(space)
    bank = table.filter(is_training(table))
    out = sorted({clip_id for name in names for clip_id in _meant(name, table, bank, space)})
    gone = [clip_id for clip_id in out if clip_id not in set(bank["clip_id"].to_pylist())]
    return change(
        space,
        Newcomers(here=[shown(clip_id) for clip_id in gone]),
        BankEdit(today(), out=[clip_id for clip_id in out if clip_id not in gone]),
        progress=progress,
        device=device,
    )


def change(
    space: Workspace, found: Newcomers, edit: BankEdit, *, device: str = "auto", progress: Progress = SILENT
) -> BankChange:
    """Write who is in the reference set now, and make what hangs on it again.

    Args:
        space: the run.
        found: those that come.
        edit: who comes and who goes.
        device: where a network runs.
        progress: is told how far it is.
    """
    for one in found.left:
        progress.left_out(f"left out {one.path} ({one.reason})")
    before = _thresholds(space)
    found.make_links(space.dataset_root)
    reference.run(space.clips, edit, models_stay=is_model(space.model), progress=progress)
    done = again.run(space, device=device, progress=progress)
    return BankChange(
        joined=tuple(shown(clip_id) for clip_id in [*(one.clip_id for one in found.found), *edit.turned, *edit.back]),
        left=tuple(shown(clip_id) for clip_id in [*edit.out, *edit.dropped]),
        here=tuple(found.here),
        refused={one.path: one.reason for one in found.left},
        said=tuple(_moved(before, _thresholds(space))),
        outcomes=done.outcomes,
    )


def today() -> str:
    """YYYY-MM-DD."""
    return datetime.date.today().isoformat()


def learned(space: Workspace) -> tuple[pa.Table, Header]:
    """clips.parquet of what was learned. Raises MissingArtifact, BadData for what was not."""
    if not space.clips.exists():
        raise MissingArtifact(f"there is no {space.clips}: nothing was learned there", LEARN)
    table, header = artifacts.read_table(space.clips, artifacts.CLIPS)
    if header.params.get("layout") != NORMAL:
        raise BadData(
            f"dataset {space.dataset!r} was not learned by asd learn, so its folders say what it is compared with",
            f"put the recordings there and index again; or learn it into a run of its own: {LEARN.partition(': ')[2]}",
        )
    return table, header


def _require_known(machine: str | None, known: Collection[str]) -> None:
    if machine is not None and machine not in known:
        hint = f"it knows {', '.join(sorted(known))}; others are learned"
        raise UsageError(f"the run knows no machine {machine!r}", hint)


def _meant(name: str, table: pa.Table, bank: pa.Table, space: Workspace) -> list[str]:
    """The recordings that a word means; also ones that were taken out already."""
    if Path(name).is_dir():
        folder = Path(name).resolve()
        rows = bank.select(["clip_id", "path"]).to_pylist()
        found = [r["clip_id"] for r in rows if (space.dataset_root / r["path"]).resolve().is_relative_to(folder)]
        if not found:
            raise UsageError(f"no recording of {name} is among those that others are compared with", _LIST)
        return found
    rows = {row["clip_id"]: row["path"] for row in table.select(["clip_id", "path"]).to_pylist()}
    file = Path(name).resolve() if Path(name).is_file() else None
    stretches = [one for one, path in rows.items() if is_part(path) and _is_whole(name, file, path, space)]
    if stretches:
        return stretches
    exact, ends = [], []
    for clip_id, path in rows.items():
        called = (clip_id, path, shown(clip_id), shown(path))
        if name in called or (file and (space.dataset_root / path).resolve() == file):
            exact.append(clip_id)
        elif any(word.endswith(f"/{name}") for word in called):
            ends.append(clip_id)
    found = exact or ends
    if not found:
        known = unknown_name(
            "recording", name.rpartition("/")[2], map(shown, bank["clip_id"].to_pylist()), "asd reference list"
        )
        raise UsageError(f"{name!r} names no recording that others are compared with", known.hint)
    if len(found) > 1:
        several = listed([shown(clip_id) for clip_id in found])
        raise UsageError(f"several recordings are called {name!r}: {several}", "type more of the one that is meant")
    return found


def _is_whole(name: str, file: Path | None, path: str, space: Workspace) -> bool:
    """Whether a word means the recording that a stretch at `path` is of."""
    whole = whole_of(path)
    called = {whole, shown(whole), without_suffix(whole), without_suffix(shown(whole))}
    return name in called or (file is not None and (space.dataset_root / whole).resolve() == file)


_Limits = dict[tuple[str, str], tuple[float, int]]


def _thresholds(space: Workspace) -> _Limits:
    """Method and machine -> the threshold, and the recordings that it stands on."""
    try:
        rows = thresholds_of(space.thresholds)
    except MissingArtifact:
        return {}
    return {(row["method"], row["machine_type"]): (row["threshold"], row["n_clips"]) for row in rows}


def _moved(before: _Limits, after: _Limits) -> Iterator[str]:
    """What became of the thresholds, in words."""
    several = len({method for method, _ in after}) > 1
    for (method, machine), (limit, n) in after.items():
        was, of = before.get((method, machine), (limit, n))
        if (was, of) == (limit, n):
            continue
        by = f" ({method})" if several else ""
        told = f"{machine}{by}: the threshold stands on {counted(n, 'recording')} now, {of} before"
        yield f"{told}; it is {_from_to(was, limit)}"


def _from_to(was: float, limit: float) -> str:
    if limit == was:
        return f"{limit:.4g} as before"
    if was <= 0:
        return f"{limit:.4g} instead of {was:.4g}"
    percent = 100 * abs(limit / was - 1)
    by = f"{percent:.2g}" if percent < 10 else f"{percent:,.0f}"
    return f"{limit:.4g} instead of {was:.4g} ({by} % {'higher' if limit > was else 'lower'})"
