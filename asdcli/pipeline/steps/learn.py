"""learn: normal recordings in, a run that tells normal from suspicious out: the stages one after the other."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from asdcli import artifacts
from asdcli.errors import AsdError, BadData, UsageError
from asdcli.filenames import fault
from asdcli.files import is_model
from asdcli.layouts import machine_of, sizes
from asdcli.layouts.links import LINK, shown
from asdcli.metrics import alarm_rates
from asdcli.metrics.alarm_rates import DEFAULT, rule_of
from asdcli.outcome import Outcome
from asdcli.pipeline import choices, run_note, workspace
from asdcli.pipeline.learning import learning
from asdcli.pipeline.plainly import Plainly
from asdcli.pipeline.steps import index, score, threshold
from asdcli.pipeline.steps import run as stages_of
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.stages import check
from asdcli.stages.index import NORMAL
from asdcli.stages.threshold import rows
from asdcli.views.calibration import calibrations
from asdcli.views.clips import is_training
from asdcli.views.normals import Normals, normals_of
from asdcli.views.scores import read_scores
from asdcli.vocabulary import Split
from asdcli.wording import listed, some

METHOD = "nn"
"""The distance to the nearest normal recording: what it says can be listened to."""


@dataclass(frozen=True)
class Learnt:
    """What was learned.

    Attributes:
        space: the run.
        dataset: what became of the list of recordings.
        outcomes: what became of the run's files: stage -> outcome.
        normals: how good the normal recordings of each machine are.
        method: spelling of the method.
        embedder: that was taken; `model` where one was trained.
        skipped: recordings that could not be used.
    """

    space: Workspace
    dataset: Outcome
    outcomes: dict[str, Outcome]
    normals: tuple[Normals, ...]
    method: str
    embedder: str
    skipped: int


def run(
    places: Sequence[Path],
    *,
    data: Path | None = None,
    into: Path | None = None,
    dataset: str | None = None,
    machine: str | None = None,
    false_alarms: str = DEFAULT,
    every: str | None = None,
    embedder: str | None = None,
    method: str | None = None,
    channel: str | None = None,
    sample_rate: int | None = None,
    resample: bool = False,
    scale: str | None = None,
    window_s: float | None = None,
    hop_s: float | None = None,
    condition_words: Sequence[str] = (),
    group_by: str | None = None,
    seed: int = 0,
    device: str = "auto",
    force: bool = False,
    progress: Progress = SILENT,
) -> Learnt:
    """Learn what is normal from recordings of healthy machines: list, features, vectors, scores and thresholds.

    Args:
        places: folders and files; they are only read.
        data: the data root.
        into: the run; by default it is called as the dataset.
        dataset: by default called as the run, the one machine, or the folder.
        machine: the machine of all recordings; by default the nearest folder that names one.
        false_alarms: how rare they are to be, as `metrics.alarm_rates` has it.
        every: the time from one recording to the next; by default as long as they last, where all are so long that they
            are cut.
        embedder: one that needs no training; by default that where there is but one machine, else a trained network.
        method: of scoring.
        channel: of recordings with several; by default the first.
        sample_rate: in Hz; by default 16,000, or the lowest of the recordings where that is lower.
        resample: convert other rates in every recording that is checked later, also where none was met yet.
        scale: as `asd extract-features` has it.
        window_s: cut all recordings that are longer into windows of so many seconds; by default those of 20 s or more
            into windows of 10 s.
        hop_s: from one window to the next; by default half a window.
        condition_words: what words of names mean.
        group_by: what tells which recordings belong together.
        seed: of everything random.
        device: where a network is trained.
        force: do everything again, and let a run stand for other recordings than before.
        progress: is told how far it is, what was chosen, and what looks wrong.

    Raises:
        UsageError: a rate of false alarms that is none, or options that cannot be.
        BadData: no recording, a single one of every machine, or none of a machine with any sound.
        Busy: the run is being learned by another command. What the stages raise.
    """
    is_of_a_time = alarm_rates.is_of_a_time(false_alarms, every)
    wanted = _method(method)
    root, below = _common(places)
    name = _dataset(root, below, machine, into, dataset)
    space = workspace.resolve(data=data, run=into, dataset=name, begins=True)
    with learning(space, progress):
        options_of_index = {"machine": machine, "condition_words": condition_words, "group_by": group_by}
        stretches_from_s = choices.stretches_from(channel, window_s)
        listed_now = _index(
            space, root, below, {**options_of_index, "stretches_from_s": stretches_from_s}, force, Plainly(progress)
        )
        space.remember()
        table, _ = artifacts.read_table(space.clips, artifacts.CLIPS)
        table = table.filter(is_training(table))  # without what operators said something of
        choices.require_several(table, progress)
        reading = choices.reading(table, channel, sample_rate, resample, progress)
        reading |= choices.learned_windows(table, reading["channel"], window_s, hop_s, progress)
        if is_of_a_time:
            every = choices.every(table, reading, false_alarms, progress)
        rule = rule_of(false_alarms, every)
        trains = choices.trains(table, embedder, progress)
        options: dict[str, dict[str, Any]] = {
            "extract-features": {**reading, "scale": scale, "rounding": True, "on_error": "skip"},
            "train": {"seed": seed, "device": device},
            "embed": {"embedder": None if trains else embedder or stages_of.WITHOUT_TRAINING, "device": device},
            "score": {"methods": [wanted], "seed": seed, "device": device},
        }
        stages = ["extract-features", *(["train"] if trains else []), "embed", "score"]
        plainly = Plainly(progress)
        outcomes: dict[str, Outcome] = {}
        for taken in stages_of.run(space, stages, options=options, force=force, progress=plainly):
            outcomes[taken.stage] = next(iter(taken.outcomes.values()))
            if taken.stage == "extract-features":
                _require_sound(outcomes[taken.stage].path, table)
        outcomes["threshold"] = threshold.run(space, [space.scores(wanted)], rule=rule, force=force, progress=SILENT)
        skipped = listed_now.skipped + outcomes["extract-features"].skipped
        taken_by = "model" if trains else str(options["embed"]["embedder"])
        return Learnt(space, listed_now, outcomes, normals(space, wanted, rule), wanted, taken_by, skipped)


def _require_sound(features: Path, table: pa.Table) -> None:
    """Raises BadData where not one recording of a machine has sound: what a dead microphone records is not normal."""
    machines = sorted(set(table["machine_type"].to_pylist()))
    told = check.levels_of(features.parent, features.name, machines)
    if dead := [machine for machine in machines if machine in told and told[machine] is None]:
        raise BadData(
            f"not one recording of {listed(dead)} has any sound: the microphone was dead, or muted",
            "learn recordings in which the machine is heard",
        )


def _method(asked: str | None) -> str:
    of_vectors, of_residuals = score.spellings([asked or METHOD])
    if of_residuals:
        raise UsageError(
            f"{asked} scores what an autoencoder misses, and asd learn trains none",
            "take another --method, or go stage by stage: asd train --model autoencoder",
        )
    if len(of_vectors) != 1:
        raise UsageError(f"--method {asked} stands for several methods", "name one of them")
    return of_vectors[0]


def _common(places: Sequence[Path]) -> tuple[Path, list[str]]:
    """The folder that holds all places, and where they lie below it."""
    if not places:
        raise UsageError("name the recordings: files, or folders that hold them")
    for place in places:
        if not place.exists():
            raise BadData(f"{place} does not exist", "name the folder that holds the recordings")
    whole = [Path(os.path.normpath(place.absolute())) for place in places]
    folders = [place if place.is_dir() else place.parent for place in whole]
    root = Path(os.path.commonpath(folders))
    return root, sorted({place.relative_to(root).as_posix() for place in whole})


def _dataset(root: Path, below: Sequence[str], machine: str | None, into: Path | None, asked: str | None) -> str:
    """The name of the dataset: as asked for, of the run, of the one machine, else of the folder."""
    if asked is not None:
        return asked
    if into is not None and (known := run_note.dataset_of(into)):
        return known
    folders = [name for name in below if (root / name).is_dir()]
    named = {machine_of([*root.parts[-3:], *Path(name).parts]) for name in folders or ["."]}
    said = into.resolve().name if into else machine or (named.pop() if len(named) == 1 else None) or root.name
    name = re.sub(r"[^\w.-]+", "-", said or "").strip("-.") or "machines"
    if why := fault(name):
        raise UsageError(f"a run cannot be called {name!r}: {why}", "name one: --run runs/NAME")
    return name


def _index(
    space: Workspace,
    root: Path,
    below: Sequence[str],
    options: Mapping[str, Any],
    force: bool,
    progress: Progress,
) -> Outcome:
    link = space.dataset_root / LINK
    if force and link.is_symlink() and _is_learnt(space) and link.resolve() != root.resolve():
        link.unlink()
        space.clips.unlink()  # with what came later, which lies elsewhere
    try:
        outcome = index.run(
            space.data,
            root,
            name=space.dataset,
            normal=below,
            **options,
            models_stay=is_model(space.model),
            force=force,
            progress=progress,
        )
    except UsageError as error:
        if "another --name" in (error.hint or ""):
            others = "learn into a run of its own: --run runs/NAME; or forget what it stood for: --force"
            error.answer(f"let them join: asd reference add DIR; or {others}")
        raise
    for row in getattr(outcome.facts, "left_out", ()):
        if row["loss"]:
            progress.left_out(f"left out {row['files']} ({row['reason']}): {some(row['examples'])}")
    for sentence in getattr(outcome.facts, "warnings", ()):
        progress.warn(sentence)
    return outcome


def _is_learnt(space: Workspace) -> bool:
    try:
        return artifacts.read_header(space.clips, artifacts.CLIPS).params.get("layout") == NORMAL
    except AsdError:
        return False


def normals(space: Workspace, method: str, rule: str) -> tuple[Normals, ...]:
    """How good the normal recordings of each machine are, by the thresholds that the rule asked for has set."""
    (scored,) = read_scores([space.scores(method)])
    of_machine = Counter(scored.split(Split.TRAIN).table["machine_type"].to_pylist())
    told = {name: how for name, (how, _) in sizes(artifacts.read_table(space.clips, artifacts.CLIPS)[0]).items()}
    limits = {row["machine_type"]: row for row in rows(space.thresholds) if row["method"] == method}
    found = (
        normals_of(name, own, of_machine[name], told.get(name, ""), limits[name], rule)
        for name, own in calibrations(scored)
        if name in limits
    )
    return tuple(
        replace(of, stand_out=tuple(replace(one, clip_id=shown(one.clip_id)) for one in of.stand_out)) for of in found
    )
