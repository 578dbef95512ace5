"""What `asd index` found and what it left out, for a table or a program to show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import audio
from asdcli.layouts import LeftOut, is_session, sizes
from asdcli.training.classes import classes
from asdcli.views.clips import is_training
from asdcli.vocabulary import ConditionFrom, Split
from asdcli.wording import counted, listed, some

_GROUP = ("machine_type", "subset", "split", "domain", "condition")
_EXAMPLES = 3


@dataclass(frozen=True)
class IndexFacts:
    """What a table or a program can show.

    Attributes:
        clips: how many are in the dataset.
        machine_types: how many.
        found: a row a group of clips that are alike.
        condition_from: who said the condition of how many clips.
        left_out: a row a reason.
        warnings: what looks wrong, in sentences.
        notes: advice, in sentences.
        next: the words of the command to type next.
    """

    clips: int
    machine_types: int
    found: list[dict[str, Any]]
    condition_from: dict[str, int]
    left_out: list[dict[str, Any]]
    warnings: list[str]
    notes: list[str]
    next: list[str]


def facts(
    table: pa.Table,
    infos: Mapping[str, audio.Info],
    left: Iterable[LeftOut],
    held_out: Mapping[str, int],
    *,
    test_fraction: float,
    seed: int,
    of_layout: Sequence[str] = (),
    against_layout: Sequence[str] = (),
) -> IndexFacts:
    """All of it.

    Args:
        table: the clips.
        infos: what the audio header of each says, by path.
        left: what was not taken, with reasons.
        held_out: normal clips of each machine type that were held out for testing.
        test_fraction: share of the normal clips held out, as it was asked for.
        seed: as it was asked for.
        of_layout: what there is to say of how the recordings lie.
        against_layout: the same, where something may be wrong.
    """
    told = [
        f"{machine_type}: held out {n} normal clips for testing ({test_fraction:g} of them, seed {seed})"
        for machine_type, n in sorted(held_out.items())
    ]
    told += [*of_layout, *_unlabelled(table), *_told_apart(table), *_grouped(table)]
    if "anomaly" not in table["condition"].to_pylist():
        told.append("no clip is labelled as an anomaly: scores and thresholds can be made, but nothing evaluated")
    options, advice = _reading(list(infos.values()))
    if _is_one_class(table):
        options = ["--features", "logmel", *options]
        advice.append(
            "one machine type without sections, domains or attributes: nothing to tell apart in training, so take "
            "what needs none: asd extract-features --features logmel, then asd embed --embedder logmel"
        )
    return IndexFacts(
        clips=len(table),
        machine_types=len(set(table["machine_type"].to_pylist())),
        found=_found(table),
        condition_from=dict(Counter(by for by in table["condition_from"].to_pylist() if by)),
        left_out=_left_out(left),
        warnings=[*_taken_as_normal(table), *_without_training(table), *against_layout, *_odd_headers(infos)],
        notes=told + advice,
        next=["asd", "extract-features", *options],
    )


def _taken_as_normal(table: pa.Table) -> list[str]:
    """Sentences about the training clips that nobody called normal."""
    training = table.filter(pc.equal(table["split"], str(Split.TRAIN)))
    assumed = training.filter(pc.equal(training["condition_from"], str(ConditionFrom.ASSUMED)))
    empty = training.filter(pc.is_null(training["condition"]))
    sentences = []
    if len(assumed):
        sentences.append(
            f"NOT LABELLED: all {len(assumed)} recordings of {_machines(assumed)} are taken as normal training clips. "
            "If some may not be: folders normal, abnormal or test say so, or a --manifest with a column condition, or "
            "--unlabelled test"
        )
    if len(empty):
        sentences.append(
            f"NOT LABELLED: {len(empty)} recordings of {_machines(empty)}, whose condition is empty in the manifest, "
            "train like normal ones. If they may not be: give them split test there"
        )
    return sentences


def _unlabelled(table: pa.Table) -> list[str]:
    """A sentence about the test clips of which nothing is known, where others are labelled."""
    test = table.filter(pc.equal(table["split"], str(Split.TEST)))
    hidden = test.filter(pc.is_null(test["condition"]))
    if not len(hidden):
        return []
    return [
        f"{len(hidden)} test clips of {_machines(hidden)} have no label: they are scored, and count in no evaluation"
    ]


def _without_training(table: pa.Table) -> list[str]:
    """A sentence about machine types whose test clips have nothing to be compared with."""
    training = table.filter(is_training(table))
    trained = pc.is_in(table["machine_type"], value_set=pc.unique(training["machine_type"]))
    lost = table.filter(pc.invert(trained))
    if not len(lost):
        return []
    unlabelled = len(lost.filter(pc.is_null(lost["condition"])))
    way = f": {unlabelled} have no label, and --unlabelled train takes those as normal" if unlabelled else ""
    return [f"{_machines(lost)}: {len(lost)} clips, but none to train on, so they cannot be scored{way}"]


def _told_apart(table: pa.Table) -> list[str]:
    """A sentence about machine types that look like days or numbers of one machine."""
    names = sorted({name for name in table["machine_type"].to_pylist() if is_session(name)})
    if len(names) < 2:
        return []
    return [
        f"machine types told apart by numbers or dates alone: {some(names)}; each has a reference set of its own. "
        "If they are one machine, say so: --machine NAME makes them one machine type"
    ]


def _grouped(table: pa.Table) -> list[str]:
    """A sentence about the groups of training clips, and one about machine types whose clips are a single group."""
    found = sizes(table)
    told = [
        f"{machine_type} by {how} ({counted(len(of_groups), 'group')} of {_range(of_groups)})"
        for machine_type, (how, of_groups) in found.items()
    ]
    single = [machine_type for machine_type, (_, of_groups) in found.items() if len(of_groups) == 1]
    sentences = [f"training clips that belong together: {listed(told)}"] if told else []
    if single:
        sentences.append(
            f"all training clips of {some(single)} are one group: none can be held out as a group; --group-by block:N "
            "cuts them into blocks of N consecutive ones"
        )
    return sentences


def _range(counts: Sequence[int]) -> str:
    low, high = counts[0], counts[-1]
    return counted(low, "clip") if low == high else f"{low} to {high} clips"


def _machines(table: pa.Table) -> str:
    names = sorted(set(table["machine_type"].to_pylist()))
    return some(names) if len(names) < 4 else f"{len(names)} machine types ({some(names)})"


def _is_one_class(table: pa.Table) -> bool:
    labels, _ = classes(table.filter(pc.equal(table["split"], str(Split.TRAIN))))
    return len(labels) == 1


def _found(table: pa.Table) -> list[dict[str, Any]]:
    groups: dict[tuple[str | None, ...], list[tuple[float, int, int]]] = defaultdict(list)
    names = [table[name].to_pylist() for name in (*_GROUP, "duration_s", "sample_rate", "channels")]
    for row in zip(*names, strict=True):
        groups[row[: len(_GROUP)]].append(row[len(_GROUP) :])
    rows = []
    for key in sorted(groups, key=lambda key: tuple(part or "" for part in key)):
        lengths, rates, channels = zip(*groups[key], strict=True)
        rows.append(
            {
                **dict(zip(_GROUP, key, strict=True)),
                "clips": len(lengths),
                "seconds": [round(min(lengths), 3), round(max(lengths), 3)],
                "sample_rates": sorted(set(rates)),
                "channels": sorted(set(channels)),
            }
        )
    return rows


def _left_out(left: Iterable[LeftOut]) -> list[dict[str, Any]]:
    """Files grouped by the reason up to its colon, losses first; details are told where all share them."""
    groups: dict[tuple[bool, str], list[LeftOut]] = defaultdict(list)
    for x in left:
        groups[not x.is_loss, x.reason.partition(":")[0]].append(x)
    return [
        {
            "reason": own[0].reason if len({x.reason for x in own}) == 1 else reason,
            "loss": not harmless,
            "files": len(own),
            "examples": sorted(x.path for x in own)[:_EXAMPLES],
        }
        for (harmless, reason), own in sorted(groups.items(), key=lambda item: item[0])
    ]


def _odd_headers(infos: Mapping[str, audio.Info]) -> list[str]:
    """A sentence for each kind of oddity, with the first recording that has it."""
    odd: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, info in sorted(infos.items()):
        if info.note:
            odd[info.note.partition(":")[0]].append((path, info.note))
    return [
        f"{path}: {note}" + (f" ({len(own) - 1} more with such a header)" if len(own) > 1 else "")
        for own in odd.values()
        for path, note in own[:1]
    ]


def _reading(infos: Sequence[audio.Info]) -> tuple[list[str], list[str]]:
    """The options of extract-features that these clips need, and why: nothing is converted or dropped unasked."""
    rates, channels = Counter(i.sample_rate for i in infos), Counter(i.channels for i in infos)
    options, notes = [], []
    if set(rates) != {audio.SAMPLE_RATE}:
        options.append("--resample")
        if len(rates) > 1:
            listed = ", ".join(f"{rate} Hz ({n} clips)" for rate, n in sorted(rates.items()))
            what = f"sample rates differ: {listed}. --resample brings all to {audio.SAMPLE_RATE} Hz or --sample-rate"
        else:
            (rate,) = rates
            what = f"the sample rate is {rate} Hz, not {audio.SAMPLE_RATE}"
            what += f": --resample converts, --sample-rate {rate} keeps it"
        notes.append(what)
    fine = sum(i.is_fine and i.sample_rate == audio.SAMPLE_RATE for i in infos)
    if fine:
        options.append("--round")
        notes.append(f"{fine} clips may be finer than 16 bits, which is what a pack holds: --round rounds them")
    if set(channels) != {1}:
        listed = ", ".join(f"{n} clips of {count}" for count, n in sorted(channels.items()))
        options += ["--channel", "0"]
        notes.append(
            f"channels: {listed}. A clip is one channel: --channel N takes the same one everywhere, from 0, "
            "--channel mean the mean of all"
        )
    return options, notes
