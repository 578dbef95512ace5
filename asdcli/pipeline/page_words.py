"""What a page says of its runs: what they are, where all comes from, and everything that was warned of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import AsdError
from asdcli.page.content import TextTable
from asdcli.pipeline.ancestry import Ancestor, ancestry
from asdcli.pipeline.answers_kept import promises_kept
from asdcli.pipeline.freshness import Fate
from asdcli.pipeline.steps import learn
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import Progress, Silent
from asdcli.stages.index import NORMAL
from asdcli.views.making import Making
from asdcli.views.normals import sentences
from asdcli.views.scores import Scored
from asdcli.views.signature import many
from asdcli.views.suspects import told
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Split
from asdcli.wording import counted, listed


class Remembered(Silent):
    """Hands everything on, and remembers what was warned of: a page says it too."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.said: list[str] = []

    def track(self, items: Any, *, total: int | None = None, label: str = "", unit: str = "clips") -> Any:
        return self._progress.track(items, total=total, label=label, unit=unit)

    def advance(self, n: int, **fields: Any) -> None:
        self._progress.advance(n, **fields)

    def note(self, text: str) -> None:
        self._progress.note(text)

    def warn(self, text: str) -> None:
        self.said.append(text)
        self._progress.warn(text)

    def left_out(self, text: str) -> None:
        self.said.append(text)
        self._progress.left_out(text)


def facts(spaces: Sequence[Workspace], methods: Sequence[Scored]) -> list[tuple[str, str]]:
    """What this is, in a few lines: label and words."""
    table = methods[0].table
    splits = Counter(table["split"].to_pylist())
    n_test, n_learned = splits[str(Split.TEST)], splits[str(Split.TRAIN)]
    machines = sorted(pc.unique(table["machine_type"]).to_pylist())
    found = [("dataset", spaces[0].dataset)] if n_test else []
    found.append(("runs" if len(spaces) > 1 else "run", listed([str(space.run) for space in spaces], 8)))
    found.append(("methods" if len(methods) > 1 else "method", listed([one.method for one in methods], 8)))
    called = "machine type" if n_test else "machine"
    found.append((f"{called}s" if len(machines) > 1 else called, listed(machines, 16)))
    if n_test:
        told = f"{counted(n_test, 'test clip')}, {counted(n_learned, 'training clip')} with scores"
        found.append(("clips", told))
    else:
        found.append(("recordings", f"{n_learned:,} normal ones that were learned"))
    return found


def said_of_learned(space: Workspace, method: Scored) -> dict[str, list[str]]:
    """Machine -> what `asd learn` says of its normal recordings; nothing where it set no thresholds."""
    if not space.thresholds.exists() or not space.clips.exists():
        return {}
    params = Thresholds.read(space.thresholds).header.params
    rule = params.get("rules", {}).get(method.spelling) or params.get("rule")
    if rule is None or artifacts.read_header(space.clips, artifacts.CLIPS).params.get("layout") != NORMAL:
        return {}
    return {of.machine: list(sentences(of)) for of in learn.normals(space, method.spelling, rule)}


def operators(space: Workspace, method: str) -> tuple[list[str], list[TextTable]]:
    """What operators said, beside what was promised: sentences, and a table; nothing where nobody said anything."""
    if not space.history.exists():
        return [], []
    found = promises_kept(space, method)
    rows = []
    for one in found:
        share = one.share
        low, high = share.interval if share.n else (0.0, 1.0)
        measured = f"{100 * share.measured:.1f} % ({100 * low:.0f} to {100 * high:.0f} %)" if share.n else "–"
        promised = "–" if one.promised is None else f"{100 * one.promised:.3g} %"
        counts = (one.called_normal, one.alarms, one.faults, one.missed, one.waiting)
        rows.append([one.machine, promised, measured, *map(str, counts)])
    columns = ["machine", "promised", "false alarms (95 %)", "called normal", "of them alarms", "faults"]
    table = TextTable("What operators said", [*columns, "of them missed", "alarms without an answer"], rows)
    return [str(one) for one in found], [table] if rows else []


def signed(one: Scored) -> str:
    """The line of the numbers of a method that has no official score."""
    place = f"{one.header.dataset or one.path.stem}|{'+'.join(sorted(pc.unique(one.table['subset']).to_pylist()))}"
    machines = len(pc.unique(one.table["machine_type"]))
    rest = {"stale": ",".join(one.stale) or None}
    return many(place, Making.of(one.header), one.spelling, counts={"machines": machines}, rest=rest)


def warned_in(space: Workspace) -> Iterator[str]:
    """What earlier commands warned of, as the headers of the run keep it."""
    for path in sorted(space.features.glob("*/*.npz")):
        try:
            header = artifacts.read_header(path, artifacts.FEATURES)
        except AsdError:
            continue
        for sentence in told(header.diagnostics.get("suspects", {})):
            yield f"{path.stem}: {sentence.replace('; --json lists them', '')}"
        if skipped := header.diagnostics.get("skipped"):
            yield f"{path.stem}: {counted(skipped, 'clip')} could not be used"
    if space.results.exists():
        try:
            header = artifacts.read_header(space.results, artifacts.RESULTS)
        except AsdError as error:
            yield error.message
        else:
            yield from (str(sentence) for sentence in header.diagnostics.get("warnings", ()))


def histories(spaces: Sequence[Workspace], methods: Sequence[Scored]) -> Iterator[TextTable]:
    """Of every run, the files behind the scores of the page: what each is, what made it, and what became of it."""
    for space in spaces:
        own = [one.path for one in methods if one.path.parent == space.scores_dir]
        rows: dict[str, list[str]] = {}
        for path in own:
            try:
                found = ancestry(path, data=space.data)
            except AsdError as error:
                rows[str(path)] = [path.stem, "", error.message]
                continue
            for one in _flat([found.root]):
                row = _row(one)
                rows.setdefault(f"{row[:3]}", row)  # of tables of clips that were read by machine type, one
        if rows:
            title = f"How {space.run} was made"
            yield TextTable(title, ["what", "made by", "seed", "digest", "since"], list(reversed(rows.values())))


def _flat(ancestors: Iterable[Ancestor]) -> Iterator[Ancestor]:
    for one in ancestors:
        yield one
        yield from _flat(one.made_of)


def _row(one: Ancestor) -> list[str]:
    header = one.header
    kind = header.kind if header else one.role or "unknown"
    machine = header.params.get("machine_type") if header else None
    since = "" if one.state in (None, Fate.SAME) else str(one.state)
    seed = "" if header is None or header.seed is None else str(header.seed)
    return [f"{kind} {machine}" if machine else kind, one.command or "", seed, one.content[:12], since]
