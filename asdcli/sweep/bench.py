"""Encoders on editions of the challenge: runs as of a plan, what is not there to be scored, and one table of all."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from asdcli import artifacts, catalogue
from asdcli.catalogue.chosen import chosen
from asdcli.detector.sources import found
from asdcli.editions.gaps import Gap, gaps
from asdcli.embedders import EMBEDDERS, TRAINED
from asdcli.errors import AsdError, BadData, MissingArtifact, UsageError
from asdcli.filenames import stem
from asdcli.pipeline.steps import table
from asdcli.pipeline.steps.score import spellings
from asdcli.pipeline.workspace import RUNS_ROOT, Workspace
from asdcli.progress import SILENT, Progress
from asdcli.scorers import FOR_ENCODERS
from asdcli.scorers.fuse import unspelled
from asdcli.spec import parse
from asdcli.stages.table import HowCompared, Tables
from asdcli.sweep import sweep
from asdcli.sweep.cells import Cell
from asdcli.sweep.engines import Engine
from asdcli.sweep.plan import ModelSteps, steps_of
from asdcli.sweep.sweep import Swept
from asdcli.sweep.work import Site
from asdcli.training import MODELS
from asdcli.views.editions import ON_STAND_IN
from asdcli.views.sheets import Sheet
from asdcli.vocabulary import SYNTHETIC
from asdcli.wording import listed

NAME = "bench"
RUNS = RUNS_ROOT / NAME
"""Where its runs lie unless another folder is named: `<edition>/<encoder>/seed-<n>`."""
_EMBEDDINGS = "embeddings of a trained model"
_AUTOENCODER = "autoencoder"


@dataclass(frozen=True)
class Bench:
    """What is to be done, and what cannot be, because it is not there.

    Attributes:
        cells: a run an encoder and edition.
        gaps: what of the editions, or of models, is not there.
        skipped: how many of these were asked for, because the editions were named.
    """

    cells: tuple[Cell, ...]
    gaps: tuple[Gap, ...]
    skipped: int = 0

    @property
    def methods(self) -> list[str]:
        """All that score."""
        return list(dict.fromkeys(method for cell in self.cells for method in (*cell.methods, *cell.fusions)))


@dataclass(frozen=True)
class Benched:
    """What came of it: of each run, and the table of all that are done."""

    swept: Swept
    tables: Tables


def plan(
    encoders: Sequence[str], editions: str | None, site: Site, *, methods: Sequence[str] = (), seed: int = 0
) -> Bench:
    """What scoring `encoders` on editions comes to.

    Args:
        encoders: spellings of embedders, or of models that are trained on each edition; `TRAINED`: what the model of
            each edition's own run embedded.
        editions: as `chosen` takes them, datasets of one's own among them; None means all that are there.
        site: where it is done.
        methods: that score; none means `FOR_ENCODERS`.
        seed: of everything random.

    Raises:
        UsageError: an unknown encoder, edition or method.
        MissingArtifact: nothing that could be scored is there.
    """
    steps = {_canonical(encoder): _steps(encoder, methods or FOR_ENCODERS) for encoder in encoders}
    root = Path(site.data)
    words = Workspace(root, Path(site.runs), "").words_to_data()
    own = [path.parent.name for path in sorted(root.glob("*/clips.parquet"))]
    names = chosen(editions, own) if editions else [name for name in catalogue.names() if _is_there(name, site)]
    lacking: list[Gap] = []
    cells: list[Cell] = []
    for name in names:
        if name in catalogue.names():
            lacking += gaps(catalogue.load(name), _clips(name, site), words)
        if not _is_there(name, site):
            continue
        for label, of in steps.items():
            cell = Cell(_dataset(name), stem(label), seed, **of)
            lent, gap = _lent(name, words) if label == TRAINED else (None, None)
            cells += [] if gap else [replace(cell, lent=lent)]
            lacking += [gap] if gap else []
    if not cells:
        raise _nothing(lacking, root)
    told = tuple(dict.fromkeys(lacking))
    return Bench(tuple(cells), told, len(told) if editions else 0)


def run(
    bench: Bench, site: Site, engine: Engine, *, n_resamples: int, seed: int = 0, progress: Progress = SILENT
) -> Benched:
    """Do what of it is not done, and put all into one table.

    Args:
        bench: as `plan` gives it.
        site: where.
        engine: does the work.
        n_resamples: of the test clips, behind the intervals.
        seed: of these.
        progress: is told how far it is, what is not there and what failed.

    Raises:
        MissingArtifact, BadArtifact, DownloadError: weights of an encoder are not there, or not what they should be.
        BadData: not one run could be scored. What `sweep.run` and the table raise.
    """
    for gap in bench.gaps:
        (progress.left_out if bench.skipped else progress.warn)(str(gap))
    if sweep.to_do(bench.cells, site):
        for encoder in dict.fromkeys(cell.embedder for cell in bench.cells if cell.embedder):
            found(EMBEDDERS.build(encoder), progress)  # one error, not one an edition
    swept = sweep.run(bench.cells, site, engine, progress=progress)
    left = {report.name: report for report in swept.of("failed", "busy")}
    runs = [cell.space(site).run for cell in bench.cells if cell.name not in left]
    if not runs:
        why = next(iter(left.values())).error
        raise BadData(f"not one edition could be scored: {why.message if why else ''}", why.hint if why else None)
    how = HowCompared(methods=bench.methods, n_resamples=n_resamples, seed=seed, means=True)
    tables = table.run("compare", runs, data=Path(site.data), how=how, progress=progress)
    return Benched(swept, replace(tables, name=NAME, sheets=tuple(_sheet(one, bench.gaps) for one in tables.sheets)))


def _nothing(lacking: Sequence[Gap], root: Path) -> MissingArtifact:
    """The error where not one edition is there, or not one model; the latter is what is to be mended first."""
    if not lacking:
        hint = "which there are: asd datasets; bring one: asd download EDITION --subset dev --subset eval"
        return MissingArtifact(f"no edition of the challenge is under {root}", hint)
    first = next((gap for gap in lacking if gap.what.startswith(_EMBEDDINGS)), lacking[0])
    return MissingArtifact(
        f"nothing to score; not there: {listed([gap.name for gap in lacking])}",
        f"bring it: {first.mends}" if first.mends else None,
    )


def _sheet(sheet: Sheet, lacking: Sequence[Gap]) -> Sheet:
    """The comparison under a title of its own, with a note of what is not in it."""
    stand_in = ON_STAND_IN if sheet.title.endswith(ON_STAND_IN) else ""
    title = f"Official score [%] of each edition, with 95 % intervals over test clips{stand_in}"
    return replace(sheet, name=NAME, title=title, notes=(*sheet.notes, *map(str, lacking)))


def _canonical(encoder: str) -> str:
    """The spelling of an encoder that its run is called by. Errors as `_steps`."""
    registry = MODELS if _is_to_be_trained(encoder) else EMBEDDERS
    return registry.canonical(encoder)


def _is_to_be_trained(encoder: str) -> bool:
    name = parse(encoder)[0]
    return name in MODELS.names() and MODELS.parse(encoder)[0] != _AUTOENCODER


def _steps(encoder: str, methods: Sequence[str]) -> dict[str, Any]:
    """The fields of a cell that say what is done with an encoder.

    Raises:
        UsageError: an unknown encoder, parameter or method, one that needs residuals, or no checkpoint is named.
    """
    parts = [part for method in methods for part in (unspelled(method) or ((method,), None))[0]]
    if of_residuals := spellings(parts)[1]:
        raise UsageError(
            f"{of_residuals[0]} looks at what an autoencoder misses, and encoders give embeddings",
            "name methods that take embeddings: asd methods",
        )
    if _is_to_be_trained(encoder):
        return steps_of(ModelSteps(train=(encoder,)), methods)
    if not cast(Any, EMBEDDERS.load(EMBEDDERS.parse(encoder)[0])).trained:
        return steps_of(ModelSteps(embed=encoder), methods)
    EMBEDDERS.canonical(encoder)
    of_vectors = steps_of(ModelSteps(embed="logmel"), methods)  # any: what it embeds is not asked for
    return {**of_vectors, "embedder": None, "kinds": ()}


def _dataset(name: str) -> str:
    """The folder below the data root that holds an edition: all that are rendered share one."""
    return SYNTHETIC if name in catalogue.names() and catalogue.load(name).made_by else name


def _clips(name: str, site: Site) -> Path:
    return site.space(_dataset(name)).clips


def _is_there(name: str, site: Site) -> bool:
    """Whether the table of clips is there, and where it is an edition's, of this one."""
    clips = _clips(name, site)
    if not clips.exists() or name not in catalogue.names():
        return clips.exists()
    return artifacts.read_header(clips, artifacts.CLIPS).recall("edition") in (None, name)


def _lent(name: str, words: Sequence[str]) -> tuple[str | None, Gap | None]:
    """The embeddings of the model in the edition's own run; or that there are none."""
    dataset = _dataset(name)
    own = Workspace(Path(), RUNS_ROOT / dataset, dataset)
    try:
        if "model" in artifacts.read_header(own.embeddings, artifacts.EMBEDDINGS).inputs:
            return str(own.embeddings), None
    except AsdError:
        pass
    told = shlex.join(["--dataset", dataset, *words])
    commands = [f"asd {step} {told}" for step in ("extract-features", "train", "embed")]
    return None, Gap(name, f"{_EMBEDDINGS} in {own.run}", " && ".join(commands))
