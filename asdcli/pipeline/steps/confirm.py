"""confirm: what an operator says of checked recordings: thresholds stand on normal ones too, faults are known."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from asdcli import audio
from asdcli.artifacts import digest_file
from asdcli.audio.parts import whole_of
from asdcli.clips import without_suffix
from asdcli.errors import BadData, UsageError
from asdcli.files import is_model
from asdcli.history import checks
from asdcli.history.answers import Confirmed, Said, confirm, confirmed
from asdcli.history.checks import PastCheck
from asdcli.history.database import now
from asdcli.layouts import find_audio
from asdcli.pipeline import again
from asdcli.pipeline.answers import answered
from asdcli.pipeline.answers_kept import PromiseKept, one_sided, promises_kept
from asdcli.pipeline.learning import changing
from asdcli.pipeline.newcomers import Newcomer, Newcomers, Ways
from asdcli.pipeline.steps.check import method_of
from asdcli.pipeline.steps.reference import BankChange, change, learned, today
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.views.bank import CONFIRMED, CONFIRMED_AND_COMPARED, KNOWN_FAULT, BankEdit
from asdcli.views.checked import NOT_JUDGED, UNUSABLE
from asdcli.views.stretches import is_part
from asdcli.vocabulary import ConditionFrom, Split
from asdcli.wording import counted, listed

ANSWERS: tuple[Said, ...] = ("normal", "fault", "none")


@dataclass(frozen=True)
class Answer:
    """What is said of recordings.

    Attributes:
        said: `normal`, `fault`, or `none`, which takes back what was said before.
        reference: others are compared with what is normal, too.
        note: why, in words.
    """

    said: Said
    reference: bool = False
    note: str | None = None


@dataclass(frozen=True)
class Answered:
    """What became of an answer.

    Attributes:
        recordings: that it was given to, by name.
        change: what followed.
        promises: machine by machine, how the promise was kept.
    """

    recordings: tuple[str, ...]
    change: BankChange
    promises: tuple[PromiseKept, ...]


@answered
@changing
def run(
    space: Workspace,
    words: Sequence[str],
    answer: Answer,
    *,
    device: str = "auto",
    progress: Progress = SILENT,
) -> Answered:
    """Say what recordings are that were checked.

    Args:
        space: the run.
        words: what names them: their names, paths or ends of them, beginnings of digests, or folders.
        answer: what they are.
        device: where a network runs.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact: nothing was learned, or checked. Busy: the run is being changed, or the history.
        UsageError: a word that names no checked recording, or several; or one that was learned.
        BadData: a recording that is gone, has changed since it was checked, or says nothing. Nothing is changed then.
    """
    table, _ = learned(space)
    meant = {one.digest: one for word in words for one in _meant(space, word)}
    by_model = is_model(space.model)
    ways = Ways(space.dataset_root, {row["clip_id"]: row for row in table.to_pylist()}, by_model)
    found, edit = _edit(list(meant.values()), answer, table, ways)
    before = confirmed(space.history)
    at = now()
    fresh = [
        Confirmed(digest, answer.said, at, answer.note)
        for digest in meant
        if (before[digest].answer if digest in before else "none") != answer.said
    ]
    again.run(space, device=device, progress=progress)  # what was cut short is finished first
    done = change(space, found, edit, device=device, progress=progress)
    confirm(space.history, fresh)  # last: a change that is refused leaves no answer behind
    promises = promises_kept(space, method_of(space, None))
    for one in promises:
        if (doubt := one_sided(one)) and answer.said == "normal":
            progress.warn(doubt)
    return Answered(tuple(one.recording for one in meant.values()), done, tuple(promises))


def _meant(space: Workspace, word: str) -> list[PastCheck]:
    """The checked recordings that a word means."""
    place = Path(word)
    if place.is_dir():
        files = [place / path for path in find_audio(place)[0]]
        of_digest = {one.digest: one for one in checks.latest(checks.kept(space.history))}
        digests = [digest_file(file) for file in files]
        unknown = [str(file) for file, digest in zip(files, digests, strict=True) if digest not in of_digest]
        if not files:
            raise UsageError(f"there is no recording in {word}", "name checked recordings; all of them: asd history")
        if unknown:
            never = f"{len(unknown)} of {counted(len(files), 'recording')} in {word} never went through asd check"
            raise UsageError(f"{never}: {listed(unknown)}", f"check them first: asd check {shlex.quote(word)}")
        return [of_digest[digest] for digest in digests]
    found = checks.find(space.history, word)
    if place.is_file():
        by_digest = checks.find(space.history, digest_file(place))
        found = [replace(one, path=str(place.absolute())) for one in by_digest] or found
    if not found:
        raise UsageError(
            f"no checked recording is called {word!r}",
            "check it first: asd check FILE; all that were checked: asd history",
        )
    if len({one.digest for one in found}) > 1:
        paths = listed([one.path for one in found])
        raise UsageError(f"several checked recordings are called {word!r}: {paths}", "name one by its path")
    return found[:1]


def _edit(meant: Sequence[PastCheck], answer: Answer, table: pa.Table, ways: Ways) -> tuple[Newcomers, BankEdit]:
    """What becomes of the rows of clips.parquet."""
    rows = {row["clip_id"]: row for row in table.to_pylist()}
    of_stretches = {whole_of(row["path"]): row for row in rows.values() if is_part(row["path"])}
    found, turned, dropped = Newcomers(), [], []
    role = {"normal": CONFIRMED, "fault": KNOWN_FAULT}.get(answer.said, CONFIRMED)
    role = CONFIRMED_AND_COMPARED if answer.reference and answer.said == "normal" else role
    for one in meant:
        file = Path(one.path)
        path = ways.to(file, file.parent)
        known = rows.get(without_suffix(path)) or of_stretches.get(path)
        if (known and known["since"] is None) or (known and known["split"] == Split.SUPPLEMENTAL):
            _refuse_learned(one, known["since"] is None, answer)
        elif known and answer.said == "none":
            dropped += [known["clip_id"]] * (known["condition_from"] == ConditionFrom.OPERATOR)
        elif known and not (answer.said == "normal" and known["split"] == Split.TRAIN):
            turned.append(known["clip_id"])
        elif known is None and answer.said != "none":
            found.found.append(Newcomer(file, path, one.machine, _usable(one, answer)))
    found.links = ways.made
    return found, BankEdit(today(), found.rows(role), turned=turned, role=role, dropped=dropped)


def _refuse_learned(one: PastCheck, is_learned: bool, answer: Answer) -> None:
    """Of what was learned nothing need be said but that it is a fault; then it has to go first."""
    if answer.said == "normal" and is_learned:
        raise UsageError(f"{one.recording} was learned as normal", "nothing need be said of it")
    if is_learned:
        raise UsageError(
            f"{one.recording} was learned as normal, and no fault may be compared with",
            f"take it out: asd reference remove {shlex.quote(one.path)}",
        )
    raise UsageError(
        f"{one.recording} was learned, and taken out with asd reference remove",
        "put it back if it is normal: asd reference add",
    )


def _usable(one: PastCheck, answer: Answer) -> audio.Info:
    """What the header of a checked recording says. Raises BadData where nothing can be made of it any more."""
    if one.verdict == UNUSABLE or (one.verdict == NOT_JUDGED and answer.said == "normal"):
        raise BadData(
            f"{one.recording} says nothing of what is normal: {one.why}", "what was not judged cannot be confirmed"
        )
    file = Path(one.path)
    if not file.is_file():
        raise BadData(f"{file} is not there any more", "bring it back, or check it where it is now: asd check FILE")
    if digest_file(file) != one.digest:
        raise BadData(
            f"{file} is another recording than the one that was checked",
            f"check it: asd check {shlex.quote(str(file))}",
        )
    try:
        return audio.info(file)
    except audio.BadAudio as error:
        raise BadData(error.message, error.hint) from None
