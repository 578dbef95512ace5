"""The door to the training clips: nothing enters that a name on its way may call an anomaly.

What nobody could read in a name is refused with what to type, where the recording would otherwise train as normal.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from asdcli.clips import without_suffix
from asdcli.errors import BadData
from asdcli.layouts import words
from asdcli.layouts.names import Names
from asdcli.layouts.recording import Doubt, Recording
from asdcli.layouts.tokens import CHUNK, Told
from asdcli.vocabulary import NONE, Condition, ConditionFrom, Split
from asdcli.wording import counted, some

_TYPED = 3  # how many words a hint spells out


@dataclass(frozen=True)
class Asked:
    """What the user typed already, so that no hint says it again.

    Attributes:
        place: name of the folder of recordings.
        told: what words of names mean.
        machine: the machine type of all recordings.
        manifest: name of the table that says what is known.
    """

    place: str = ""
    told: Told = field(default_factory=dict)
    machine: str | None = None
    manifest: str | None = None


def refuse_doubtful(recordings: Sequence[Recording], asked: Asked) -> None:
    """Refuse training clips that may be anomalies by their names; `recordings` have their splits.

    Raises:
        BadData: there are such clips; the hint has what to type.
    """
    training = [r for r in recordings if r.split == Split.TRAIN]
    untold = [r for r in training if r.condition_from != ConditionFrom.MANIFEST or r.condition is None]
    graves = [r for r in untold if r.doubt and r.doubt.is_grave]
    if graves:
        raise _refusal(graves, "would train as normal, although a name says, or may say, an anomaly", asked)
    assumed = [r for r in training if r.condition_from == ConditionFrom.ASSUMED]
    doubtful = [r for r in assumed if r.doubt]
    if any(r.doubt is None or r.doubt.says is None for r in assumed) and doubtful:  # else all are called normal
        what = "without a label would train as normal, although the names beside them tell normal from other recordings"
        raise _refusal(doubtful, what, asked)
    place = Names(asked.told).of_folder(asked.place)
    if assumed and place.is_plain and place.may_be_anomalous:
        raise BadData(
            f"{len(assumed)} recordings without a label would train as normal, and their folder is {asked.place!r}",
            f"index the folder above it, or let them test: --unlabelled {Split.TEST}",
        )
    _refuse_opposites(recordings, assumed, asked)


def unread(recordings: Iterable[Recording]) -> list[str]:
    """Sentences about names that may say a condition, where what was stated is kept: that clips train, or test."""
    sentences = []
    for split, by, what in (
        (Split.TRAIN, ConditionFrom.SPLIT, "training clips are normal by definition, but some names may say otherwise"),
        (Split.TEST, None, "test clips count in no evaluation while what their names say is not read"),
    ):
        own = (r.doubt for r in recordings if r.split == split and r.condition_from == by and r.doubt)
        if doubts := list(dict.fromkeys(d for d in own if split == Split.TEST or d.says != Condition.NORMAL)):
            sentences.append(f"{what}: {_places(doubts)}; {_to_type(doubts)}")
    return sentences


def contradicted(recordings: Iterable[Recording]) -> list[str]:
    """Paths of the recordings that a manifest calls normal and whose names may call them anomalies."""
    said = (r for r in recordings if r.condition_from == ConditionFrom.MANIFEST and r.condition == Condition.NORMAL)
    return [r.path for r in said if r.doubt and r.doubt.is_grave]


def with_doubts(recordings: Iterable[Recording]) -> list[Recording]:
    """Recordings of a manifest with what their paths and machine types may say of an anomaly."""
    names = Names()

    def doubt(recording: Recording) -> Doubt | None:
        *folders, file = recording.path.split("/")
        read = [(names.of_file(without_suffix(file)), file)]
        read += [(names.of_folder(name), name) for name in (*folders, recording.machine_type) if name]
        return next((Doubt(n.suspects[0], name, Condition.ANOMALY) for n, name in read if n.may_be_anomalous), None)

    return [dataclasses.replace(r, doubt=doubt(r)) for r in recordings]


def _refusal(doubtful: Sequence[Recording], what: str, asked: Asked) -> BadData:
    doubts = list(dict.fromkeys(r.doubt for r in doubtful if r.doubt))
    message = f"{counted(len(doubtful), 'recording')} {what}: {_places(doubts)}; the first is {doubtful[0].path}"
    if asked.manifest:
        inferred = all(r.condition_from in (ConditionFrom.ASSUMED, ConditionFrom.OPTION) for r in doubtful)
        way = f", or let what has no label test: --unlabelled {Split.TEST}" if inferred else ""
        return BadData(message, f"say it in a column condition of {asked.manifest}{way}")
    way = "" if asked.machine else "; if all recordings are of one machine: --machine NAME"
    return BadData(message, f"{_to_type(doubts)}{way}")


def _places(doubts: Sequence[Doubt]) -> str:
    return some([f"{d.word!r} in {d.name}" if d.word != d.name else repr(d.name) for d in doubts])


def _to_type(doubts: Sequence[Doubt]) -> str:
    typed = " ".join(_typed(d.word, d.says or Condition.ANOMALY) for d in doubts[:_TYPED])
    others = " and so on" if len(doubts) > _TYPED else ""
    meanings = [c for c in (*Condition, NONE) if c != (doubts[0].says or Condition.ANOMALY)]
    return (
        f"say what it means: {typed}{others}, or ={meanings[0]}, or ={meanings[1]} for a word that says nothing of it"
    )


def _typed(word: str, meaning: str) -> str:
    return f"--condition-word {shlex.quote(f'{word}={meaning}')}"


def _refuse_opposites(recordings: Iterable[Recording], assumed: Iterable[Recording], asked: Asked) -> None:
    """Refuse two machine types whose names are a pair of opposites, where the negated one is not labelled."""
    first = {r.machine_type or "": r.path for r in reversed(list(recordings))}
    joined = {"".join(CHUNK.findall(name.casefold())): name for name in first}
    for name in sorted({r.machine_type or "" for r in assumed}):
        for opposite in _opposites(name, joined):
            other = joined.get(opposite, name)
            one, negated = _that_differ(first[other], first[name]) or (other, name)
            if other != name and not {one, negated} & asked.told.keys():
                hint = f"say what the names mean: {_typed(negated, Condition.ANOMALY)} {_typed(one, Condition.NORMAL)}"
                hint += f", or {_typed(negated, NONE)} where they are two machines"
                raise BadData(
                    f"machine types {other!r} and {name!r} are not labelled and may be one machine in two conditions",
                    f"say it in a column condition of {asked.manifest}" if asked.manifest else hint,
                )


def _that_differ(one: str, other: str) -> tuple[str, str] | None:
    """The folders in which two paths part."""
    return next(((a, b) for a, b in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False) if a != b), None)


def _opposites(name: str, all_names: Collection[str]) -> Iterator[str]:
    """What would be the opposite of a machine type's name, words in one: without a negation, or the other of a pair."""
    chunks = CHUNK.findall(name.casefold())
    for i, chunk in enumerate(chunks):
        for prefix in words.OPPOSING:
            if chunk.startswith(prefix):
                yield "".join([*chunks[:i], chunk[len(prefix) :], *chunks[i + 1 :]])
        for end in words.NEGATING_ENDS:
            if chunk.endswith(end):
                yield "".join([*chunks[:i], chunk[: -len(end)], *chunks[i + 1 :]])
    yield from (one for one, other in words.PAIRS if {one, other} == set(all_names) and "".join(chunks) == other)
