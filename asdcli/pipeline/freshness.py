"""The one rule of what is stale: a file is, when what it was made from has since changed, or is stale itself.

A header holds the digests of what its file was made from; they are followed to what lies in the run and in the data
root now. What is gone is looked through: the history says what that was made from. What came from elsewhere is followed
to where it was (`run_note`). What is nowhere to be found cannot be told, and is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asdcli import artifacts
from asdcli.artifacts import Header, Kind
from asdcli.artifacts.header import WHOLE
from asdcli.errors import AsdError
from asdcli.filenames import stem
from asdcli.pipeline import places, run_note
from asdcli.pipeline.chain import Stage
from asdcli.pipeline.shelf import Shelf, files_in
from asdcli.pipeline.workspace import Workspace
from asdcli.vocabulary import Word
from asdcli.wording import listed


class Fate(Word):
    """What became of an input of a file."""

    SAME = "as it was"
    CHANGED = "changed since"
    GONE = "gone"
    UNTOLD = "cannot be told"


@dataclass(frozen=True)
class Trace:
    """One input of a file, followed to what lies in its place now.

    Attributes:
        state: what became of it.
        path: where it lies, or lay; None where nobody knows.
        now: the header of what lies there.
        of_part: only a part of it counts, and that is as it was.
    """

    state: Fate
    path: Path | None = None
    now: Header | None = None
    of_part: bool = False


@dataclass(frozen=True)
class Look:
    """What became of what a file was made from.

    Attributes:
        name: `scores/nn` in a run, its path where it lies in none.
        space: the run it lies in.
        stage: what makes it.
        header: None where it cannot be read: `error` says why.
        elsewhere: inputs that lay in no place of the run, and where.
        changed: inputs that have changed.
        because: the inputs that are stale themselves.
        became: name of a changed input in the header -> the header of what lies in its place now.
        gone: inputs that are not there any more.
        untold: what cannot be told, in words.
        recalled: of an unreadable file what its header will have said.
    """

    path: Path
    kind: Kind
    name: str
    space: Workspace | None
    stage: Stage
    header: Header | None
    error: AsdError | None = None
    elsewhere: Mapping[str, Path] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    because: tuple[Look, ...] = ()
    became: Mapping[str, Header] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    recalled: Header | None = None

    @property
    def is_stale(self) -> bool:
        """False means up to date as far as can be told."""
        return bool(self.changed or self.because)

    @property
    def is_shard(self) -> bool:
        """Whether it waits to be put together with others."""
        return self.kind in (artifacts.FEATURES_SHARD, artifacts.EMBEDDINGS_SHARD)

    @property
    def reasons(self) -> str:
        """Why it is stale: `clips changed, model is stale and 3 more`."""
        told = [f"{name} changed" for name in self.changed] + [f"{of.name} is stale" for of in self.because]
        return listed(told)

    def history_of(self, role: str) -> Header | None:
        """The header that an input of this file had, as the history has it; None where it has none."""
        header = self.header
        return None if header is None else entry_of(header, header.inputs.get(role, ""))


@dataclass
class _Found:
    """What is found about the inputs of one file, in order and without repetition."""

    changed: dict[str, None] = field(default_factory=dict)
    because: dict[Path, Look] = field(default_factory=dict)
    became: dict[str, Header] = field(default_factory=dict)
    gone: dict[str, None] = field(default_factory=dict)
    untold: dict[str, None] = field(default_factory=dict)


class Freshness:
    """The rule on one run, and on what other runs lent to it. Looks at every file once."""

    def __init__(self, space: Workspace) -> None:
        self.space = space
        self.shelf = Shelf(space)
        self._looks: dict[Path, Look | None] = {}

    def look(self, path: Path) -> Look | None:
        """Judge one file; None for one in no run that is no artifact: nothing is known of a foreign file."""
        key = path.absolute()
        if key not in self._looks:
            self._looks[key] = None  # a pool is among its own inputs
            self._looks[key] = self._look(path)
        return self._looks[key]

    def looks(self, paths: Iterable[Path]) -> list[Look]:
        """Judge those of `paths` that are there and artifacts; a folder that is no model stands for all files in it."""
        files = [f for p in paths for f in files_in(p)]
        return [found for file in files if file.exists() and (found := self.look(file))]

    def _look(self, path: Path) -> Look | None:
        space, relative = self.shelf.place(path)
        header = self.shelf.header(path)
        name = run_note.name_of(relative) if space else str(path)
        if isinstance(header, AsdError):
            kind = self.shelf.kind_at(path)
            if kind is None:
                return None
            stage = places.maker(kind, relative, places.guess(kind, name))
            recalled = self._recall(kind, relative, stage)
            elsewhere = self.shelf.elsewhere(space, name)
            return Look(path, kind, name, space, stage, None, header, elsewhere, recalled=recalled)
        stage, elsewhere, found = maker_of(header, relative), self.shelf.elsewhere(space, name), _Found()
        for role, digest in header.inputs.items():
            if places.is_former_self(header, role):
                self._follow_models(space, header, digest, found)
            else:
                self._follow(space, elsewhere.get(role), stage, header, role, digest, found)
        return Look(
            path,
            artifacts.KINDS[header.kind],
            name,
            space,
            stage,
            header,
            elsewhere=elsewhere,
            changed=tuple(found.changed),
            because=tuple(found.because.values()),
            became=found.became,
            gone=tuple(found.gone),
            untold=tuple(found.untold),
        )

    def _recall(self, kind: Kind, relative: str, stage: Stage) -> Header:
        """What the header of a file of this run will have said, by what was made with it, or of it, and can be read."""
        guess = places.guess(kind, run_note.name_of(relative))
        found = [h for p in places.files_of(self.space) if isinstance(h := self.shelf.header(p), Header)]
        beside = (h for h in found if h.kind not in (kind.name, artifacts.ERRORS.name) and _share(stage, h, guess))
        before = (e for h in found for e in _entries(h) if e.kind == kind.name and places.place_of(e) == relative)
        return next(beside, None) or next(before, guess)

    def _follow(
        self,
        space: Workspace | None,
        elsewhere: Path | None,
        stage: Stage,
        header: Header,
        role: str,
        digest: str,
        found: _Found,
    ) -> None:
        """Follow one input of a file in `space`, or of one in its history, to what lies in its place now."""
        trace = self.trace(space, elsewhere, stage, header, role)
        is_clips = role == "clips" and elsewhere is None
        name = str(elsewhere or (self._name(trace.path) if trace.path and not is_clips else role))
        if trace.state is Fate.SAME:
            if trace.path and not is_clips:
                self._take_on(self.look(trace.path), found, but_for_clips=trace.of_part)
            return
        if trace.state is Fate.CHANGED:
            found.changed[name] = None
            found.became |= {role: trace.now} if trace.now else {}
            return
        if is_clips:
            found.untold[f"whether the recordings changed: {trace.path} cannot be read"] = None
            return
        if trace.now:
            found.untold[f"whether its {role} changed: {(space or self.space).run} has others"] = None
        elif trace.state is Fate.GONE:
            found.gone[str(elsewhere or role)] = None
        self._look_through(space, header, digest, found)

    def trace(self, space: Workspace | None, elsewhere: Path | None, stage: Stage, header: Header, role: str) -> Trace:
        """What became of one input of a file.

        Args:
            space: the run that the file lies in, or lay in.
            elsewhere: where the input lay, if in no place of that run.
            stage: what made the file.
            header: the file's.
            role: name of the input in it.
        """
        digest = header.inputs[role]
        if role == "clips" and elsewhere is None:
            clips = self.shelf.clips(header.dataset or self.space.dataset)
            told = Fate.SAME if clips.content and clips.gives(digest, stage, header) else Fate.CHANGED
            return Trace(told if clips.content else Fate.UNTOLD, clips.path)
        own = space or self.space
        tried = [elsewhere] if elsewhere else [p for n in stage.names(header, role) for p in places.paths_of(own, n)]
        there = {p: h for p in tried if p.exists() and (h := self.shelf.held(p, lent=elsewhere is not None))}
        for path, now in there.items():
            of_part = stage.part is not None and now.diagnostics.get(stage.part) == digest
            if of_part or now.content == digest:
                return Trace(Fate.SAME, path, now, of_part)
        if there:
            path, now = next(iter(there.items()))
            return Trace(Fate.CHANGED if space or elsewhere else Fate.UNTOLD, path, now)
        return Trace(Fate.GONE if tried else Fate.UNTOLD, elsewhere)

    def _take_on(self, of: Look | None, found: _Found, *, but_for_clips: bool) -> None:
        """What holds of an input holds of what was made from it."""
        if of is None:
            return
        found.untold |= dict.fromkeys(of.untold)
        if of.is_stale and not (but_for_clips and of.changed == ("clips",)):
            found.because[of.path] = of

    def _look_through(self, space: Workspace | None, header: Header, digest: str, found: _Found) -> None:
        """Follow what the input with this digest was made from, as the history has it."""
        before = entry_of(header, digest)
        for role, made_of in before.inputs.items() if before else ():
            if before and role != WHOLE:
                self._follow(space, None, maker_of(before, ""), before, role, made_of, found)

    def _follow_models(self, space: Workspace | None, header: Header, digest: str, found: _Found) -> None:
        """Follow the models behind a pool as it was: what they had made of its clips then is replaced by design."""
        before = entry_of(header, digest)
        for role, made_of in before.inputs.items() if before else ():
            if before and role == "model":
                self._follow(space, None, maker_of(before, ""), before, role, made_of, found)
            else:
                self._follow_models(space, header, made_of, found)

    def _name(self, path: Path) -> str:
        return run_note.name_of(self.shelf.place(path)[1]) or str(path)


def maker_of(header: Header, relative: str) -> Stage:
    """The stage that made a file: by its place in a run, or where that would be."""
    kind = artifacts.KINDS[header.kind]
    at = places.files_at(relative)
    return places.maker(kind, relative if at and at.kind == kind else places.place_of(header), header)


def entry_of(later: Header, digest: str) -> Header | None:
    """The entry with this content in the history of `later` as the header that it was, with the same history."""
    return next((entry for entry in _entries(later) if entry.content == digest), None)


def _entries(later: Header) -> Iterator[Header]:
    """The history of `later` as the headers that they were, each with the same history."""
    for entry in later.history:
        if entry.get("kind") in artifacts.KINDS:
            kind = artifacts.KINDS[entry["kind"]]
            fields = {name: entry[name] for name in ("asdcli", "dataset", "seed", "params", "content")}
            yield Header(kind.name, kind.version, **fields, inputs=entry.get("inputs", {}), history=later.history)


def _share(stage: Stage, header: Header, guess: Header) -> bool:
    """Whether the command of the stage that makes a file with one of the headers makes that with the other too."""
    told = ((str(h.params.get(name)) for h in (header, guess)) for name in stage.apart)
    return maker_of(header, "") is stage and all(stem(a) == stem(b) for a, b in told)
