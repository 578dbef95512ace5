"""The door to the training clips: nothing enters that a name on its way may call an anomaly.

What nobody could read in a name is refused with what to type, where the recording would otherwise train as normal.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from asdcli.clips import without_suffix
from asdcli.errors import BadData
from asdcli.layouts import words
from asdcli.layouts.names import Names
from asdcli.layouts.recording import Doubt, Recording, some
from asdcli.layouts.tokens import CHUNK, Told
from asdcli.vocabulary import Condition, ConditionFrom, Split

_OPTION = "--condition-word"


def refuse_doubtful(
    recordings: Sequence[Recording],
    *,
    told: Told | None = None,
    machine: str | None = None,
    manifest: str | None = None,
) -> None:
    """Refuse training clips that may be anomalies by their names.

    Args:
        recordings: with their splits.
        told: what the user said of words and names.
        machine: what `--machine` said.
        manifest: the name of the table that says what is known, if there is one.

    Raises:
        BadData: there are such clips; the hint has what to type.
    """
    training = [r for r in recordings if r.split == Split.TRAIN]
    untold = [r for r in training if r.condition_from != ConditionFrom.MANIFEST or r.condition is None]
    graves = [r for r in untold if r.doubt and r.doubt.is_anomaly]
    if graves:
        raise _refusal(graves, "would train as normal, although a name says, or may say, an anomaly", machine, manifest)
    assumed = [r for r in training if r.condition_from == ConditionFrom.ASSUMED]
    doubtful = [r for r in assumed if r.doubt]
    if doubtful:
        what = "without a label would train as normal, although the names beside them tell normal from other recordings"
        raise _refusal(doubtful, what, machine, manifest)
    unknown = {r.machine_type or "" for r in assumed} - (told or {}).keys()
    pair = _opposites({r.machine_type or "" for r in recordings}, unknown)
    if pair:
        one, other = pair
        raise BadData(
            f"machine types {one!r} and {other!r}, neither labelled: they may be one machine in two conditions",
            f"say what the names mean: {_typed(other, 'anomaly')} {_typed(one, 'normal')}, "
            "or =none of the first where they are two machines",
        )


def contradicted(recordings: Iterable[Recording]) -> list[str]:
    """Paths of the recordings that a manifest calls normal and whose names may call them anomalies."""
    said = (r for r in recordings if r.condition_from == ConditionFrom.MANIFEST and r.condition == Condition.NORMAL)
    return [r.path for r in said if r.doubt and r.doubt.is_anomaly]


def doubt_of_path(path: str, names: Names) -> Doubt | None:
    """What the names of a path say of an anomaly, where a table says what is known."""
    folder, _, file = path.rpartition("/")
    read = [(names.of_file(without_suffix(file)), file)]
    read += [(names.of_folder(part), part) for part in folder.split("/")]
    return next((Doubt(name.suspects[0], part, True) for name, part in read if name.may_be_anomalous), None)


def _refusal(doubtful: Sequence[Recording], what: str, machine: str | None, manifest: str | None) -> BadData:
    doubts = list(dict.fromkeys(r.doubt for r in doubtful if r.doubt))
    word = doubts[0].word
    n = f"{len(doubtful)} recordings" if len(doubtful) > 1 else "1 recording"
    places = some([f"{d.word!r} in {d.name}" if d.word != d.name else repr(d.name) for d in doubts])
    message = f"{n} {what}: {places}; the first is {doubtful[0].path}"
    if manifest:
        way = ", or let what has no label test: --unlabelled test" if _is_inferred(doubtful) else ""
        return BadData(message, f"say it in a column condition of {manifest}{way}")
    hint = f"say what it means: {_typed(word, 'anomaly')}, or =normal, or =none where it says nothing of the condition"
    if machine is None:
        hint += "; if all recordings are of one machine: --machine NAME"
    return BadData(message, hint)


def _is_inferred(recordings: Iterable[Recording]) -> bool:
    return all(r.condition_from in (ConditionFrom.ASSUMED, ConditionFrom.OPTION) for r in recordings)


def _typed(word: str, meaning: str) -> str:
    return f"{_OPTION} {shlex.quote(f'{word}={meaning}')}"


def _opposites(machine_types: Iterable[str], assumed: set[str]) -> tuple[str, str] | None:
    """Two machine types whose names differ by a negation only, the negated one last; one of them unlabelled."""
    plain = {_joined(name): name for name in machine_types}
    for name in sorted(assumed):
        for without in _without_negation(name):
            if without in plain and plain[without] != name:
                return plain[without], name
    return None


def _without_negation(name: str) -> Iterator[str]:
    chunks = CHUNK.findall(name.casefold())
    for i, chunk in enumerate(chunks):
        for prefix in words.OPPOSING:
            if chunk.startswith(prefix):
                yield "".join([*chunks[:i], chunk[len(prefix) :], *chunks[i + 1 :]])
        for end in words.NEGATING_ENDS:
            if chunk.endswith(end):
                yield "".join([*chunks[:i], chunk[: -len(end)], *chunks[i + 1 :]])


def _joined(name: str) -> str:
    return "".join(CHUNK.findall(name.casefold()))
