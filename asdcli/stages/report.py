"""report: scores, vectors and sounds of runs in, one page out that is looked at and listened to.

`gather` puts together what can be said without a sound; of that the caller has the clips explained that are worth it
(`Gathered.queue`), and `run` writes the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header, own
from asdcli.outcome import Outcome
from asdcli.page import PageSounds
from asdcli.page.content import Kind, LookHere, Named, PageContent, TextTable
from asdcli.page.first_look import Machines, first_look, queue
from asdcli.page.listening import Explanation, Listening
from asdcli.page.numbers import MethodNumbers, ShownMethod, clips_of
from asdcli.page.parts import ClipList, MachinePart, MapPart, SeriesPart
from asdcli.page.render import render
from asdcli.page.stores import BesidePage, WithinPage
from asdcli.page.verdicts import verdict
from asdcli.progress import SILENT, Progress
from asdcli.stages.report_parts import map_of, weights_of
from asdcli.stages.report_sounds import explain_all, hear_all, sounds_of, ticks_of
from asdcli.views.embeddings import Embedded, read_embeddings
from asdcli.views.nearest_clips import nearest_clips
from asdcli.vocabulary import Projector, Split
from asdcli.wording import counted
from asdcli.writing.locks import alone_with


@dataclass(frozen=True)
class RunFiles:
    """What a page reads of one run; what is not there is None.

    Attributes:
        name: what it is called on the page.
        methods: its methods, with thresholds.
        features: folder of its packs.
        clips: clips.parquet.
        embeddings: its vectors.
    """

    name: str
    methods: Sequence[ShownMethod]
    features: Path
    clips: Path | None = None
    embeddings: Path | None = None


@dataclass(frozen=True)
class Words:
    """What the caller knows of runs, in words and tables.

    Attributes:
        title: of the page.
        facts: label and words.
        said: machine -> sentences that come before those of the numbers; "" is of all.
        warnings: what must be known.
        tables: of results.
        history: of what the runs were made.
        signatures: method -> how its numbers were made.
    """

    title: str
    facts: Sequence[tuple[str, str]] = ()
    said: Mapping[str, Sequence[str]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    tables: Sequence[TextTable] = ()
    history: Sequence[TextTable] = ()
    signatures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Gathered:
    """What can be said without a sound.

    Attributes:
        runs: of the page.
        shown: its methods.
        machines: one after the other, without sounds.
        kind: of what clips the page is.
    """

    runs: Sequence[RunFiles]
    shown: Sequence[ShownMethod]
    machines: Sequence[MachinePart]
    kind: Kind

    @property
    def first(self) -> Machines:
        """The machines by the method that the page begins with, so far as it has any."""
        return {one.name: (one.clips, one.series[0]) for one in self.machines if one.series[0] is not None}

    @property
    def places(self) -> list[tuple[Path | None, Path, Header]]:
        """Of the runs: clips.parquet, folder of packs, and the header of what was made of these."""
        return [(run.clips, run.features, run.methods[0].scored.header) for run in self.runs]

    def queue(self) -> Iterator[tuple[str, str]]:
        """(machine, clip) in the order in which they are worth a listen."""
        return queue(self.first)

    def look(self) -> list[LookHere]:
        """The clips that stand on the first screen."""
        return first_look(self.first)


@dataclass(frozen=True)
class ReportFacts:
    """What stands on the page: clips, methods, how many clips can be heard and how many are explained."""

    clips: int
    machines: int
    methods: int
    heard: int
    explained: int


@dataclass(frozen=True)
class PageOptions:
    """How a page is made.

    Attributes:
        audio: where sounds lie.
        budget: bytes of sounds and pictures within the page.
        every_s: seconds from one recording to the next.
        force: overwrite files that asd did not write, or that were changed since.
    """

    audio: PageSounds = "inline"
    budget: int = 4_500_000
    every_s: float = 600.0
    force: bool = False


def gather(runs: Sequence[RunFiles], *, by: Projector = "pca", progress: Progress = SILENT) -> Gathered:
    """Everything that can be said without a sound.

    Args:
        runs: of one dataset; the first method of the first one is what the page begins with.
        by: how vectors are laid out.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact, BadArtifact: a file is gone, or not what it should be.
    """
    shown = [one for run in runs for one in run.methods]
    numbers = [MethodNumbers(one) for one in progress.track(shown, total=len(shown), label="numbers", unit="methods")]
    clips = clips_of(numbers, _attributes(runs))
    embedded = {i: read_embeddings(run.embeddings) for i, run in enumerate(runs) if run.embeddings}
    nearest = {i: nearest_clips(one) for i, one in embedded.items()}
    weights = [_weights(one, runs[one.run], progress) for one in shown]
    machines = []
    for name, listed in progress.track(clips.items(), total=len(clips), label="machines", unit="machine types"):
        series: list[SeriesPart | None] = []
        for one, curves in zip(numbers, weights, strict=True):
            part = one.part(name, listed)
            near = nearest.get(one.shown.run, {})
            if part is not None:
                part = replace(part, weights=curves.get(name, ()), nearest=[near.get(clip) for clip in listed.name])
            series.append(part)
        machines.append(MachinePart(name, (), listed, series, _maps(embedded, name, listed, by, progress)))
    tested = any(len(one.scored.split(Split.TEST).table) for one in shown)
    return Gathered(runs, shown, machines, "tested" if tested else "learned")


def may_write(output: Path, *, force: bool) -> None:
    """Raises BadData, before the work, where `run` would raise it after."""
    own.check(output, force=force)


@alone_with("output")
def run(
    gathered: Gathered,
    explanations: Iterable[Explanation],
    words: Callable[[], Words],
    output: Path,
    how: PageOptions | None = None,
    *,
    progress: Progress = SILENT,
) -> Outcome[ReportFacts]:
    """Write the page; the same inputs give the same bytes with the same libsndfile.

    Args:
        gathered: what can be said without a sound.
        explanations: of the clips that are worth it, in that order; those that find no room are left out.
        words: what the caller knows, asked when all else is done.
        output: the HTML file; a folder of sounds lies beside it and is called after it.
        how: where sounds lie, and the like.
        progress: is told how far it is, and of sounds that cannot be had.

    Raises:
        BadData: a file is there that is not asd's to overwrite.
    """
    how = how or PageOptions()
    may_write(output, force=how.force)
    beside = BesidePage(output.with_name(f"{output.stem}-audio"), force=how.force) if how.audio == "folder" else None
    listening = Listening(beside or WithinPage(how.budget if how.audio == "inline" else 0))
    if how.audio != "none":
        explain_all(explanations, listening)
    if beside:
        for one in gathered.machines:
            hear_all(one, sounds_of(gathered.places, one.name), listening, progress)
    content = _content(gathered, listening, words(), how)
    with own.written(output, force=how.force) as temporary:
        temporary.write_bytes(render(content, beside=beside is not None))
    if beside:
        beside.close()
    clips = sum(len(one.clips.name) for one in gathered.machines)
    heard = sum(name in listening.sounds for one in gathered.machines for name in one.clips.name)
    facts = ReportFacts(clips, len(gathered.machines), len(gathered.shown), heard, len(listening.reasons))
    return Outcome(output, facts=facts)


def _content(gathered: Gathered, listening: Listening, words: Words, how: PageOptions) -> PageContent:
    machines = []
    for one in gathered.machines:
        said = [*words.said.get(one.name, ()), *verdict(one.clips, one.series[0])]
        machines.append(replace(one, said=said, ticks=ticks_of(sounds_of(gathered.places, one.name))))
    return PageContent(
        kind=gathered.kind,
        title=words.title,
        facts=words.facts,
        said=words.said.get("", ()),
        warnings=words.warnings,
        tables=words.tables,
        look=gathered.look(),
        series=[Named(one.scored.method, one.run, words.signatures[one.scored.method]) for one in gathered.shown],
        runs=[one.name for one in gathered.runs],
        machines=machines,
        sounds=listening.sounds,
        reasons=listening.reasons,
        sounds_said=_sounds_said(gathered, listening, how),
        every_s=how.every_s,
        history=words.history,
        signatures=list(words.signatures.values()),
    )


def _sounds_said(gathered: Gathered, listening: Listening, how: PageOptions) -> str:
    names = {name for one in gathered.machines for name in one.clips.name}
    heard = len(names & set(listening.sounds))
    if gathered.kind == "checked":
        return (
            f"{heard:,} of {counted(len(names), 'recording')} can be heard in this page, the most suspicious first, "
            "with the normal recordings that they are nearest to; compressed (Opus)."
        )
    if how.audio == "none" or not listening.sounds:
        return "No clip can be heard in this page: asd report --audio inline or folder."
    if how.audio == "folder":
        return f"{heard:,} of {counted(len(names), 'clip')} can be heard, as they were scored (FLAC, beside the page)."
    return (
        f"{heard:,} of {counted(len(names), 'clip')} can be heard in this page: what was decided wrongly and what "
        f"scores highest, with the nearest normal recordings, compressed (Opus), in {how.budget / 1e6:g} MB. "
        "All of them: asd report --audio folder."
    )


def _attributes(runs: Sequence[RunFiles]) -> dict[str, str]:
    for run in runs:
        if run.clips:
            table, _ = artifacts.read_table(run.clips, artifacts.CLIPS, headerless=True)
            if "attribute_string" in table.column_names:
                table = table.filter(pc.is_valid(table["attribute_string"]))
                names = table["clip_id"].to_pylist()
                return dict(zip(names, table["attribute_string"].to_pylist(), strict=True))
    return {}


def _weights(one: ShownMethod, run: RunFiles, progress: Progress) -> Mapping[str, Sequence]:
    return weights_of(one.scored, run.embeddings, run.clips, progress) if run.embeddings else {}


def _maps(
    embedded: Mapping[int, Embedded], machine: str, clips: ClipList, by: Projector, progress: Progress
) -> dict[int, MapPart]:
    found = {i: map_of(one, machine, clips, by, progress) for i, one in embedded.items()}
    return {i: one for i, one in found.items() if one is not None}
