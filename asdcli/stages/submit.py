"""scores/*.parquet and thresholds.parquet -> a challenge package in an edition's naming: CSVs, meta files, zip."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc

from asdcli import artifacts, catalogue
from asdcli.artifacts import CLIPS, Header
from asdcli.catalogue.edition import Edition
from asdcli.errors import BadData, UsageError
from asdcli.metrics.decisions import decide
from asdcli.metrics.official import measure
from asdcli.metrics.specs import spec_named
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.submission import rows
from asdcli.submission.check import Expected, check
from asdcli.submission.formats import SCORE, CsvPart, SubmissionFormat, format_of
from asdcli.submission.meta import meta_yaml
from asdcli.views.editions import edition_of
from asdcli.views.results import Evaluation
from asdcli.views.scores import Scored, by_section
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Domain, Split, Subset

MOST = 4
"""Systems that a team may hand in."""

Clip = tuple[str, float, int]
"""File name, score, decision."""


def run(
    methods: Sequence[Scored],
    output: Path,
    *,
    label: str,
    edition: str | None = None,
    subset: Subset = Subset.EVAL,
    thresholds: Path | None = None,
    meta: Path | None = None,
    progress: Progress = SILENT,
) -> Outcome:
    """Write `output/task2/<label>_task2_<n>/` for the n-th method and `output/<label>_task2.zip` of them all.

    Args:
        methods: one to four scored systems.
        output: folder of the package; the systems in it are replaced whole.
        label: `<Lastname>_<Institute>`.
        edition: whose naming to use; by default the one that the scores come from.
        subset: `dev` writes a rehearsal with the development set.
        thresholds: thresholds.parquet, needed where the edition asks for decisions.
        meta: a finished meta file to pack instead of one to be filled in (for one method).
        progress: is told how far it is, and of what looks wrong.

    Returns:
        An Outcome whose `skipped` counts what `check` finds wrong; each is a warning.

    Raises:
        UsageError: bad label, unknown edition, more than four methods.
        BadData: no test clip of the subset, no threshold, thresholds of other scores.
    """
    _check_label(label)
    if not 1 <= len(methods) <= MOST:
        raise UsageError(f"a team hands in 1 to {MOST} systems, not {len(methods)}", "name the score tables to submit")
    if meta and len(methods) > 1:
        raise UsageError("--meta is the meta file of one system", "submit one score table at a time")
    known = challenge(edition, methods[0].header)
    style = format_of(known)
    limits = _limits(thresholds, methods) if style.decisions else None
    temporary = output / f".task2.{os.getpid()}.tmp"
    folders = []
    try:
        for n, method in enumerate(methods, start=1):
            folder = temporary / f"{label}_task2_{n}"
            _write(method, folder, style, subset, limits)
            text = meta.read_text(encoding="utf-8") if meta else _meta(method, folder.name, known, limits)
            (folder / f"{folder.name}.meta.yaml").write_text(text, encoding="utf-8")
            folders.append(_replace(folder, output / "task2" / folder.name))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    package = output / f"{label}_task2.zip"
    _zip(folders, package)
    problems = [f"{f.name}: {problem}" for f in folders for problem in check(f, style, expected(known, subset))]
    for problem in problems:
        progress.warn(problem)
    return Outcome(package, skipped=len(problems), facts={"systems": len(folders), "edition": known.name})


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


def _limits(thresholds: Path | None, methods: Sequence[Scored]) -> Thresholds:
    if thresholds is None:
        raise BadData("this edition asks for decisions, and there are no thresholds", "fit them: asd threshold")
    limits = Thresholds.read(thresholds)
    for method in methods:
        if not limits.has(method) or not limits.fitted_on(method):
            raise BadData(f"{thresholds} was not fitted on the scores of {method.method}", "fit it: asd threshold")
    return limits


def _write(method: Scored, folder: Path, style: SubmissionFormat, subset: Subset, limits: Thresholds | None) -> None:
    """Write the CSVs of one system into a new `folder`, clips in the order of their names."""
    folder.mkdir(parents=True)
    for part, clips in _parts(method, style, subset, limits).items():
        for kind in style.kinds:
            values = [(name, score if kind == SCORE else decision) for name, score, decision in clips]
            rows.write(folder / style.file_name(kind, part), values)


def _parts(
    method: Scored, style: SubmissionFormat, subset: Subset, limits: Thresholds | None
) -> dict[CsvPart, list[Clip]]:
    table = method.split(Split.TEST).table
    table = table.filter(pc.equal(table["subset"], str(subset))).sort_by("clip_id")
    if not len(table):
        raise BadData(f"{method.path} has no test clips of {subset}", "a rehearsal with the other set: --subset dev")
    found: dict[CsvPart, list[Clip]] = {}
    columns = (table[c].to_pylist() for c in ("clip_id", "machine_type", "section", "domain", "anomaly_score"))
    for clip_id, machine_type, section, domain, score in zip(*columns, strict=True):
        if section is None or (style.by_domain and domain is None):
            raise BadData(f"{clip_id} has no {'section' if section is None else 'domain'}: it is in no submitted file")
        threshold = limits.of(method, machine_type) if limits else None
        if limits and threshold is None:
            raise BadData(f"no threshold for {machine_type} ({method.method})", "fit it: asd threshold --force")
        decision = int(decide(score, threshold)) if threshold is not None else 0
        part = CsvPart(machine_type, section, domain if style.by_domain else None)
        found.setdefault(part, []).append((_file(clip_id), score, decision))
    return found


def _meta(method: Scored, label: str, edition: Edition, limits: Thresholds | None) -> str:
    """The meta file with what is known: the method's spelling, its embedder, its results on the development set."""
    header, spec = method.header, spec_named(edition.metric)
    development: dict[str, dict[str, float]] = {}
    try:
        subsets = by_section(method)[0]
    except BadData:  # no truth at all: nothing to report
        subsets = {}
    if sections := subsets.get(str(Subset.DEV)):
        values = tuple(measure(spec, sections))
        evaluation = Evaluation(label, str(Subset.DEV), spec, values, None, {}, "")
        for machine_type in dict.fromkeys(v.machine_type for v in values):
            means = {t.name: evaluation.mean(t.name, machine_type=machine_type) for t in spec.terms}
            development[machine_type] = {name: mean for name, mean in means.items() if mean is not None}
    description = {
        "input_sampling_rate": f"{edition.sample_rate / 1000:g}kHz",
        "data_augmentation": None,
        "front_end_system": header.recall("embedder"),
        "acoustic_features": None,
        "machine_learning_method": method.spelling,
        "decision_making": limits.rules_of(method) if limits else None,
        "ensemble_method_subsystem_count": 1,
        "external_data_usage": None,
    }
    return meta_yaml(label, description, development)


def _replace(folder: Path, place: Path) -> Path:
    """Move a finished folder to its place; one that stood there goes only when the new one is whole."""
    place.parent.mkdir(parents=True, exist_ok=True)
    old = folder.with_name(f"old.{place.name}")
    if not place.exists():
        return folder.rename(place)
    place.rename(old)
    try:
        return folder.rename(place)
    except OSError:
        old.rename(place)
        raise


def _zip(folders: Sequence[Path], package: Path) -> None:
    """Pack the folders under `task2/`, with no clock in it: the same systems give the same bytes."""
    with artifacts.atomic(package) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for folder in folders for p in folder.iterdir()):
            entry = zipfile.ZipInfo(f"task2/{path.parent.name}/{path.name}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def _file(clip_id: str) -> str:
    """A clip's file name as the challenge lists it."""
    return clip_id.rpartition("/")[2] + ".wav"
