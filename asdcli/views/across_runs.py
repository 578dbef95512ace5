"""Many runs side by side: what each measured and how it was made, by what its files say of themselves.

Dataset, model, seed and parameters come from the history in the header of results.parquet, never from names of folders.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asdcli import __version__, artifacts
from asdcli.artifacts import Header
from asdcli.metrics import roc
from asdcli.metrics.specs import OFFICIAL
from asdcli.views.editions import STAND_IN, edition_of, is_stand_in
from asdcli.views.making import Making
from asdcli.views.scores import Scored
from asdcli.vocabulary import Subset, Unit
from asdcli.wording import counted, listed

_LEFT_OUT = re.compile(r"\|(clips|undefined):([^|]+)(?=\||$)")


@dataclass(frozen=True)
class RunResults:
    """What one run measured.

    Attributes:
        run: its folder.
        words: options that lead a command to it.
        header: that of its results.
        makings: method -> how its scores were made.
        official: (method, subset, machine type or None for all) -> official score in [0, 1].
        scored: methods that have scores, evaluated or not.
    """

    run: Path
    words: tuple[str, ...]
    header: Header
    makings: Mapping[str, Making]
    official: Mapping[tuple[str, str, str | None], float]
    scored: frozenset[str] = frozenset()

    @property
    def dataset(self) -> str:
        return self.header.dataset

    @property
    def subsets(self) -> tuple[str, ...]:
        """Those that were evaluated."""
        found = {subset for _, subset, _ in self.official}
        return tuple(str(s) for s in Subset if str(s) in found)

    def machine_types(self, subset: str) -> tuple[str, ...]:
        """Those that were evaluated, in alphabetical order."""
        return tuple(sorted({m for _, s, m in self.official if s == subset and m is not None}))

    def value(self, method: str, subset: str) -> float | None:
        """The official score over all machine types; None where it was not measured."""
        return self.official.get((method, subset, None))


@dataclass(frozen=True)
class RunScores:
    """The scores of one run, joined with the truth where there is a table of it.

    Attributes:
        run: its folder.
        words: options that lead a command to it.
        dataset: its name.
        scored: a table a method.
    """

    run: Path
    words: tuple[str, ...]
    dataset: str
    scored: tuple[Scored, ...]


@dataclass(frozen=True)
class Unready:
    """A run that has no results to be taken.

    Attributes:
        run: its folder.
        why: as a clause: `it was not evaluated`.
        mends: the command that makes them; empty where nobody knows.
    """

    run: Path
    why: str
    mends: str = ""

    def __str__(self) -> str:
        return f"{self.run} is left out: {self.why}" + (f": {self.mends}" if self.mends else "")


@dataclass(frozen=True)
class SeedRuns:
    """Runs of one dataset and one training, a run a seed.

    Attributes:
        model: spelling of what was trained, or of an embedder that needs no training.
        of_seed: seed -> run; None is that of what has no seed.
        notes: sentences about runs that had to give way.
    """

    dataset: str
    model: str
    of_seed: Mapping[int | None, RunResults]
    notes: tuple[str, ...] = ()

    def values(self, method: str, subset: str) -> dict[int | None, float]:
        """Seed -> official score in [0, 1], of the runs that have it."""
        found = {seed: run.value(method, subset) for seed, run in self.of_seed.items()}
        return {seed: value for seed, value in found.items() if value is not None}


def read_results(run: Path, results: Path, words: Sequence[str], scored: Iterable[str] = ()) -> RunResults:
    """Read what a run measured.

    Args:
        run: its folder.
        results: its results.parquet.
        words: options that lead a command to it.
        scored: methods that have scores.

    Raises:
        MissingArtifact, BadArtifact: they are not there, or not as they were written.
    """
    table, header = artifacts.read_table(results, artifacts.RESULTS)
    columns = [table[name].to_pylist() for name in ("method", "subset", "machine_type", "section", "term", "value")]
    official = {
        (method, subset, machine_type): value
        for method, subset, machine_type, section, term, value in zip(*columns, strict=True)
        if term == OFFICIAL and section is None
    }
    makings = {method: making_in(header, method) for method in dict.fromkeys(m for m, _, _ in official)}
    return RunResults(run, tuple(words), header, makings, official, frozenset(scored) | makings.keys())


def making_in(results: Header, method: str) -> Making:
    """How the scores of a method were made, by the history of the results that they became."""
    entries = {e["content"]: e for e in results.history}
    wanted, found = [results.inputs.get(method, "")], {}
    while wanted:
        content = wanted.pop()
        if content in entries and content not in found:
            found[content] = entries[content]
            wanted += entries[content].get("inputs", {}).values()
    own = found.get(results.inputs.get(method, ""))
    if own is None:
        return Making()
    history = tuple(e for e in results.history if e["content"] in found and e is not own)
    fields = {name: own[name] for name in ("kind", "asdcli", "dataset", "seed", "params", "content")}
    return Making.of(Header(version=1, **fields, inputs=own.get("inputs", {}), history=history))


def model_of(making: Making) -> str:
    """What embedded, else what scored by itself; empty where scores came from elsewhere."""
    for kind in ("embeddings", "autoencoder"):
        if kind in making.origins:
            return making.origins[kind].spelling
    return ""


def choose(runs: Sequence[RunResults], model: str, departures: int = 0) -> tuple[tuple[int, int], SeedRuns]:
    """One run a seed of those that were trained as one `model` on one dataset: the first by its path.

    Args:
        runs: of one dataset and model.
        model: its spelling.
        departures: in how many parameters the training is not that of the table.

    Returns:
        what to sort by, the best first, and the choice.
    """
    of_seed: dict[int | None, RunResults] = {}
    notes = []
    for run in sorted(runs, key=lambda one: str(one.run)):
        making = next(m for m in run.makings.values() if model_of(m) == model)
        if making.seed not in of_seed:
            of_seed[making.seed] = run
            continue
        notes.append(
            f"{run.run} is left out: {of_seed[making.seed].run} is of the same seed ({making.seed}), {run.dataset} and "
            f"{model}; name the runs that are meant"
        )
    ordered = dict(sorted(of_seed.items(), key=lambda item: (item[0] is None, item[0] or 0)))
    return (departures, -len(ordered)), SeedRuns(runs[0].dataset, model, ordered, tuple(notes))


def not_as_published(chosen: SeedRuns, methods: Iterable[str], subsets: Iterable[str]) -> list[str]:
    """What of the runs is not as a paper has it, whichever the paper is: a clause a departure, with the seeds."""
    said: dict[str, set[int | None]] = {}
    methods, subsets = list(methods), list(subsets)
    for seed, run in chosen.of_seed.items():
        for clause in _departures(run, methods, subsets):
            said.setdefault(clause, set()).add(seed)
    every = {*chosen.of_seed}
    return [clause if seeds == every else f"{clause} ({seeds_of(seeds)})" for clause, seeds in said.items()]


def seeds_of(seeds: Iterable[int | None]) -> str:
    """`seeds 0-3,7`, `seed 5`, `no seed`."""
    known = sorted(seed for seed in {*seeds} if seed is not None)
    if not known:
        return "no seed"
    spans: list[list[int]] = []
    for seed in known:
        if spans and seed == spans[-1][1] + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    told = ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
    return f"seed {told}" if len(known) == 1 else f"seeds {told}"


def digest_of(makings: Iterable[Making]) -> str:
    """The `made` of many numbers: digest of all their own, whatever their order; that of one is its own."""
    digests = sorted({m.digest for m in makings})
    if len(digests) == 1:
        return digests[0]
    return hashlib.blake2b("\n".join(digests).encode(), digest_size=3).hexdigest()


def _departures(run: RunResults, methods: Sequence[str], subsets: Sequence[str]) -> Iterable[str]:
    header = run.header
    if is_stand_in(header):
        yield STAND_IN
    yield from _of_training(run, methods)
    units = {str(e["params"].get("unit", Unit.MACHINE_TYPE)) for e in header.history if _scored_by(e, methods)}
    if others := sorted(units - {str(Unit.MACHINE_TYPE)}):
        yield f"one reference set and alpha a {'+'.join(others)}"
    yield from _of_data(run, subsets)
    yield from _of_measuring(header, methods)
    versions = sorted({str(e["asdcli"]) for e in (*header.history, header.entry())} - {__version__, "foreign"})
    if versions:
        yield f"made by asdcli {listed(versions)}"


def _scored_by(entry: Mapping[str, Any], methods: Sequence[str]) -> bool:
    return entry["kind"] == artifacts.SCORES.name and entry["params"].get("method") in methods


def _of_training(run: RunResults, methods: Sequence[str]) -> Iterable[str]:
    makings = [run.makings[m] for m in methods if m in run.makings]
    if formats := sorted({p for making in makings for p in making.precisions if p != "auto"}):
        yield f"trained in {'+'.join(formats)}"
    for entry in (e for e in run.header.history if e["kind"] == artifacts.MODEL.name):
        for name in ("hold_out", "folds"):
            if entry["params"].get(name):
                yield f"trained with --{name.replace('_', '-')} {entry['params'][name]}"


def _of_measuring(header: Header, methods: Sequence[str]) -> Iterable[str]:
    if header.kind != artifacts.RESULTS.name:
        return
    usual = {"metric": None, "max_fpr": roc.MAX_FPR}
    for name, value in usual.items():
        if header.params.get(name, value) != value:
            yield f"measured with --{name.replace('_', '-')} {header.params[name]}"
    lines = [line for line in header.diagnostics.get("signatures", ()) if any(f"|method:{m}|" in line for m in methods)]
    for name, told in dict.fromkeys(found for line in lines for found in _LEFT_OUT.findall(line)):
        yield f"only {told} of the test clips" if name == "clips" else f"{told.partition(' ')[0]} terms undefined"


def _of_data(run: RunResults, subsets: Sequence[str]) -> Iterable[str]:
    edition = edition_of(run.header)
    if edition is None or edition.year is None:
        return
    for subset in subsets:
        part, own = edition.part(Subset(subset)), run.machine_types(subset)
        if part and own and {*own} != {*part.machine_types}:
            yield f"{subset}: only {listed(own)} of {counted(len(part.machine_types), 'machine type')}"


def merged(makings: Sequence[Making]) -> Making:
    """How the numbers of several runs were made, for one line: what they share, and the digest of all."""
    first = makings[0]
    return replace(first, seed=None, digest=digest_of(makings))
