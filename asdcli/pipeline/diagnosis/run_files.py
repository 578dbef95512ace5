"""Which files of a run are stale, and why: each header says from which contents its file was made."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from asdcli import artifacts
from asdcli.errors import AsdError
from asdcli.files import CHECKPOINT, FOLDS, is_model
from asdcli.pipeline import mending, places
from asdcli.pipeline.chain import CHAIN, STAGES
from asdcli.pipeline.diagnosis.finding import Finding, State
from asdcli.pipeline.diagnosis.left_out import left_out
from asdcli.pipeline.diagnosis.verified import verified, verified_checkpoint
from asdcli.pipeline.freshness import Freshness, Look
from asdcli.pipeline.recordings import told, written_since_packed
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import Progress

_AREA = "run"


def look(space: Workspace, given: Sequence[str] = (), verifying: Progress | None = None) -> Iterator[Finding]:
    """One finding for every file of the run, then one for the first stage that was not made.

    Args:
        space: the run.
        given: the options that lead to it; every command that is advised gets them.
        verifying: every file is read to its last byte, and this is told how far; None: only headers are read.
    """
    if not space.run.is_dir():
        command = shlex.join(["asd", "extract-features", *given])
        yield Finding(_AREA, str(space.run), State.NOTE, "nothing made yet", command)
        return
    fresh = Freshness(space)
    looks = sorted((found for path in places.files_of(space) if (found := fresh.look(path))), key=_order)
    try:
        artifacts.read_header(space.clips, artifacts.CLIPS)
    except AsdError as error:
        needed = not looks or any(found.header and found.header.stage(artifacts.CLIPS) for found in looks)
        yield Finding(_AREA, "clips", State.PROBLEM if needed else State.NOTE, error.message, error.hint)
    for found in verifying.track(looks, label="verify", unit="files") if verifying else looks:
        damage = verified(found) if verifying else None
        if damage:
            yield Finding(_AREA, found.name, State.PROBLEM, damage, _made_anew(found, fresh, given))
        elif found.kind is artifacts.ERRORS:
            yield _of_errors(found)
        else:
            yield _finding(found, looks, fresh, given)
    for folder in [f for model in (space.autoencoder, space.model) for f in (model, *sorted(model.glob(FOLDS)))]:
        if verifying and (damage := verified_checkpoint(folder)):
            name, fix = f"{folder.relative_to(space.run)}/{CHECKPOINT}", shlex.join(["rm", str(folder / CHECKPOINT)])
            yield Finding(_AREA, name, State.PROBLEM, damage, fix)
        if any(folder.glob("checkpoint.*")) and not is_model(folder):
            text = "training was interrupted; the same command goes on"
            yield Finding(
                _AREA, str(folder.relative_to(space.run)), State.NOTE, text, shlex.join(["asd", "train", *given])
            )
    yield from _next({found.stage.name for found in looks}, given)


def _made_anew(found: Look, fresh: Freshness, given: Sequence[str]) -> str:
    return mending.command(found, fresh.space, given, even_if_current=True)


def _order(found: Look) -> tuple[int, int]:
    """By stage, and within one as its entry lists its files: a pool stands before the scores that are made of it."""
    kinds = [files.kind for files in found.stage.writes]
    return list(STAGES).index(found.stage.name), kinds.index(found.kind)


def _finding(found: Look, looks: Sequence[Look], fresh: Freshness, given: Sequence[str]) -> Finding:
    fix = mending.command(found, fresh.space, given)
    if found.error:
        newer = "upgrade asdcli" in (found.error.hint or "")
        return Finding(_AREA, found.name, State.PROBLEM, found.error.message, "upgrade asdcli" if newer else fix)
    if found.kind is artifacts.FEATURES and _lacks(fresh, machine_type := unquote(found.name.rpartition("/")[2])):
        text = f"clips.parquet has no machine type {machine_type} any more"
        return Finding(_AREA, found.name, State.PROBLEM, text, f"rm {shlex.quote(str(found.path))}")
    if found.is_stale:
        return Finding(_AREA, found.name, State.PROBLEM, f"stale: {found.reasons}", fix)
    if found.is_shard:
        text = "waits to be put together with the other shards"
        return Finding(_AREA, found.name, State.NOTE, text, mending.command_of_whole(found, fresh.space, given))
    if written := written_since_packed(found):
        return Finding(_AREA, found.name, State.PROBLEM, told(written), fix)
    if found.gone:
        text = f"{', '.join(found.gone)} is gone: this cannot be made again as it is"
        return Finding(_AREA, found.name, State.NOTE, text, mending.command_of_gone(found, given))
    if found.untold:
        return Finding(_AREA, found.name, State.NOTE, f"cannot be told: {', '.join(found.untold)}")
    if lacking := _scored_since(found, looks):
        return Finding(_AREA, found.name, State.NOTE, f"without {', '.join(lacking)}, scored since", fix)
    return Finding(_AREA, found.name, State.OK, "up to date")


def _lacks(fresh: Freshness, machine_type: str) -> bool:
    """Whether clips.parquet can be read and knows no such machine type."""
    table = fresh.shelf.clips(fresh.space.dataset).table
    return table is not None and machine_type not in table["machine_type"].to_pylist()


def _scored_since(found: Look, looks: Sequence[Look]) -> list[str]:
    """Methods that results or thresholds do not know; those are fitted on training clips, which smoothing drops."""
    if found.header is None or found.kind not in (artifacts.THRESHOLDS, artifacts.RESULTS):
        return []
    of = [one for one in looks if one.kind is artifacts.SCORES]
    if found.kind is artifacts.THRESHOLDS:
        of = [one for one in of if one.stage.name == "score"]
    methods = [str(one.header.params.get("method")) for one in of if one.header]
    return sorted(set(methods) - found.header.inputs.keys())


def _of_errors(found: Look) -> Finding:
    """Clips that a stage left out are worth knowing, and no trouble of the run's files."""
    try:
        text = left_out(found.path)
    except AsdError as error:
        return Finding(_AREA, found.name, State.NOTE, error.message)
    return Finding(_AREA, found.name, State.NOTE, f"{text} (stale: {found.reasons})" if found.is_stale else text)


def _next(made: set[str], given: Sequence[str]) -> Iterator[Finding]:
    """The first stage after all that was made: what is missing in between was not needed."""
    stages = [stage for stage in CHAIN if stage.always and stage.reads]
    last = max((i for i, stage in enumerate(stages) if stage.name in made), default=-1)
    if last + 1 < len(stages):
        stage = stages[last + 1]
        command = shlex.join([*stage.command.split(), *given])
        yield Finding(_AREA, stage.writes[0].kind.name, State.NOTE, "not made yet", command)
