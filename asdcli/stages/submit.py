"""scores/*.parquet and thresholds.parquet -> a challenge package in an edition's naming: CSVs, meta files, zip."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from asdcli import artifacts, catalogue
from asdcli.artifacts import CLIPS, Header, own
from asdcli.catalogue.edition import Edition
from asdcli.errors import BadData, UsageError
from asdcli.metrics.decisions import decide
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.stages.submit_costs import cost_of
from asdcli.stages.submit_meta import Metas
from asdcli.submission import package, rows
from asdcli.submission.check import Expected, check
from asdcli.submission.formats import SCORE, CsvPart, SubmissionFormat, format_of
from asdcli.views.editions import edition_of
from asdcli.views.scores import Scored
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Domain, Split, Subset
from asdcli.writing.locks import alone_with

MOST = 4
"""Systems that a team may hand in."""

Clip = tuple[str, float, int]
"""File name, score, decision."""


@dataclass(frozen=True)
class PackageFacts:
    """How many systems are in the package, and of which edition."""

    systems: int
    edition: str


@alone_with("output")
def run(
    methods: Sequence[Scored],
    output: Path,
    *,
    label: str,
    edition: str | None = None,
    subset: Subset = Subset.EVAL,
    thresholds: Path | None = None,
    metas: Mapping[int, Path] | None = None,
    models: Sequence[Path] = (),
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Write `output/task2/<label>_task2_<n>/` for the n-th method and `output/<label>_task2.zip` of them all.

    Meta files keep what their authors filled in. A technical report that lies in a system's folder goes into the zip.

    Args:
        methods: one to four scored systems.
        output: folder of the package; a rehearsal goes to `output/dev`.
        label: `<Lastname>_<Institute>`.
        edition: whose naming to use; by default the one that the scores come from.
        subset: `dev` writes a rehearsal with the development set.
        thresholds: thresholds.parquet, needed where the edition asks for decisions.
        metas: number of a system -> a finished meta file to pack instead of one to be filled in; 0 for the only one.
        models: folders of the models that may have made the scores: what they cost goes into the meta files.
        force: overwrite files that asd did not write, or that were changed since.
        progress: is told how far it is, and of what looks wrong.

    Returns:
        An Outcome whose `skipped` counts what `check` finds wrong; each is a warning.

    Raises:
        UsageError: bad label, unknown edition, more than four methods, a meta file of no system.
        BadData: no test clip of the subset, no threshold, thresholds of other scores, files that are not asd's.
    """
    _check_label(label)
    if not 1 <= len(methods) <= MOST:
        raise UsageError(f"a team hands in 1 to {MOST} systems, not {len(methods)}", "name the score tables to submit")
    metas = _of_systems(metas or {}, len(methods))
    known = challenge(edition, methods[0].header)
    style = format_of(known)
    limits = _limits(thresholds, methods) if style.decisions else None
    base = output if subset == Subset.EVAL else output / str(subset)
    names = [f"{label}_{package.TASK}_{n}" for n in range(1, len(methods) + 1)]
    meta = Metas(base, known, limits, force)
    files: dict[str, bytes] = {}
    for n, (name, method) in enumerate(zip(names, methods, strict=True), start=1):
        place = f"{package.TASK}/{name}"
        tables = _tables(method, style, subset, limits)
        files |= {f"{place}/{file}": rows.text(lines).encode() for file, lines in tables.items()}
        finished = metas.get(n)
        cost = None if finished else cost_of(method.header, models, known, progress)
        files[f"{place}/{name}.meta.yaml"] = meta.of(method, name, finished, cost, progress)
    folders = [base / package.TASK / name for name in names]
    reports = {f"{package.TASK}/{f.name}/{r}": of for f in folders for r, of in package.beside(f).items()}
    packed = f"{label}_{package.TASK}.zip"
    files[packed] = package.zipped({**reports, **files})
    _write(base, files, names, meta.theirs, force=force)
    meta.remember()
    for old in sorted(set((base / package.TASK).glob(f"{label}_{package.TASK}_*")) - set(folders)):
        progress.left_out(f"{old} is of an earlier package and not in the zip")
    problems = [f"{f.name}: {problem}" for f in folders for problem in check(f, style, expected(known, subset))]
    for problem in problems:
        progress.left_out(problem)
    return Outcome(base / packed, skipped=len(problems), facts=PackageFacts(len(names), known.name))


def _write(
    base: Path, files: Mapping[str, bytes], names: Sequence[str], theirs: Collection[str], *, force: bool
) -> None:
    """Put a package's files in their places, or none where one may not be, and take away those of before."""
    for file in sorted(files.keys() - set(theirs)):
        own.check(base / file, files[file], force=force, folder=base)
    places = tuple(f"{package.TASK}/{name}/" for name in names)
    own.remove(base, [file for file in own.names(base) if file.startswith(places) and file not in files])
    own.write_files(base, files, theirs=theirs)


def challenge(name: str | None, header: Header) -> Edition:
    """The edition called `name`, else the one that an artifact comes from. Raises UsageError when there is neither."""
    edition = catalogue.load(name) if name else edition_of(header)
    if edition is None:
        raise UsageError(f"dataset {header.dataset!r} is no challenge edition", "name one: --edition EDITION")
    return edition


def expected(edition: Edition, subset: Subset, clips: Path | None = None) -> Expected:
    """What must be in a submission: the parts by the catalogue, their clips by `clips` where that is given.

    Raises:
        UsageError: nothing is submitted for this edition. BadData: the edition has no such subset.
    """
    style, part = format_of(edition), edition.part(subset)
    if part is None:
        raise BadData(f"{edition.name} has no {subset} subset")
    domains = [str(d) for d in Domain] if style.by_domain else [None]
    parts = [CsvPart(m, s, d) for m in part.machine_types for s in part.sections_for(m) for d in domains]
    names = _names(clips, style, subset) if clips else {}
    count = None if style.by_domain else part.clips.get(Split.TEST)
    return {p: names.get(p, count) for p in parts}


def _names(clips: Path, style: SubmissionFormat, subset: Subset) -> dict[CsvPart, list[str]]:
    """The file names of the test clips in a clips table, by part."""
    table = artifacts.read_table(clips, CLIPS, headerless=True)[0]
    table = table.filter(pc.and_(pc.equal(table["split"], "test"), pc.equal(table["subset"], str(subset))))
    found: dict[CsvPart, list[str]] = {}
    columns = (table[c].to_pylist() for c in ("clip_id", "machine_type", "section", "domain"))
    for clip_id, machine_type, section, domain in zip(*columns, strict=True):
        part = CsvPart(machine_type, section or "", domain if style.by_domain else None)
        found.setdefault(part, []).append(_file(clip_id))
    return found


def _check_label(label: str) -> None:
    if len(label.split("_")) != 2 or not all(p.replace("-", "").isalnum() for p in label.split("_")):
        raise UsageError(f"label {label!r} is not <Lastname>_<Institute>", "for example --label Doe_FactoryLab")


def _of_systems(metas: Mapping[int, Path], n_systems: int) -> dict[int, Path]:
    if 0 in metas and n_systems > 1:
        raise UsageError(f"--meta {metas[0]} is of which of the {n_systems} systems?", f"say it: --meta 1={metas[0]}")
    found = {n or 1: path for n, path in metas.items()}
    if strangers := found.keys() - range(1, n_systems + 1):
        raise UsageError(f"--meta is of system {min(strangers)}, and there are {n_systems}", "systems count from 1")
    return found


def _limits(thresholds: Path | None, methods: Sequence[Scored]) -> Thresholds:
    if thresholds is None:
        raise BadData("this edition asks for decisions, and there are no thresholds", "fit them: asd threshold")
    limits = Thresholds.read(thresholds)
    for method in methods:
        if not limits.has(method) or not limits.fitted_on(method):
            if not len(method.split(Split.TRAIN).table):
                hint = "thresholds are fitted on scores of training clips, and it has none: submit a method that has"
                raise BadData(f"{thresholds} holds no thresholds of {method.method}", hint)
            again = shlex.join(["asd", "threshold", str(method.path), "-o", str(thresholds)])
            raise BadData(f"{thresholds} was not fitted on the scores of {method.method}", f"fit it: {again}")
    return limits


def _tables(
    method: Scored, style: SubmissionFormat, subset: Subset, limits: Thresholds | None
) -> dict[str, list[tuple[str, float | int]]]:
    """Name of each CSV of one system -> its lines, clips in the order of their names."""
    return {
        style.file_name(kind, part): [(name, score if kind == SCORE else decision) for name, score, decision in clips]
        for part, clips in _parts(method, style, subset, limits).items()
        for kind in style.kinds
    }


def _parts(
    method: Scored, style: SubmissionFormat, subset: Subset, limits: Thresholds | None
) -> dict[CsvPart, list[Clip]]:
    table = method.split(Split.TEST).table
    table = table.filter(pc.equal(table["subset"], str(subset))).sort_by("clip_id")
    if not len(table):
        other = Subset.DEV if subset == Subset.EVAL else Subset.EVAL
        there = str(other) in method.split(Split.TEST).table["subset"].to_pylist()
        hint = f"of the other set: --subset {other}" if there else "score test clips first: they are what is submitted"
        raise BadData(f"{method.path} has no test clips of {subset}", hint)
    found: dict[CsvPart, list[Clip]] = {}
    columns = (table[c].to_pylist() for c in ("clip_id", "machine_type", "section", "domain", "anomaly_score"))
    for clip_id, machine_type, section, domain, score in zip(*columns, strict=True):
        if section is None or (style.by_domain and domain is None):
            raise BadData(f"{clip_id} has no {'section' if section is None else 'domain'}: it is in no submitted file")
        threshold = limits.of(method, machine_type) if limits else None
        if limits and threshold is None:
            raise BadData(
                f"no threshold for {machine_type} ({method.method})",
                "thresholds are fitted on scores of normal training clips, and these hold none of it",
            )
        decision = int(decide(score, threshold)) if threshold is not None else 0
        part = CsvPart(machine_type, section, domain if style.by_domain else None)
        found.setdefault(part, []).append((_file(clip_id), score, decision))
    return found


def _file(clip_id: str) -> str:
    """A clip's file name as the challenge lists it."""
    return clip_id.rpartition("/")[2] + ".wav"
