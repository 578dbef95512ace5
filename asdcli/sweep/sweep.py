"""A sweep: what of a plan is not done yet goes to an engine, features first, and what came of it is told."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from asdcli import catalogue
from asdcli.errors import MissingArtifact, UsageError, unknown_name
from asdcli.progress import SILENT, Progress
from asdcli.sweep.cells import Cell
from asdcli.sweep.engines import Engine
from asdcli.sweep.notes import CellReport
from asdcli.sweep.packing import Packing
from asdcli.sweep.work import Site, Work
from asdcli.wording import counted, listed

RUNS = Path("runs")


@dataclass(frozen=True)
class Swept:
    """What came of the cells, in the order of the plan.

    Attributes:
        cells: all that were asked for.
        reports: of each of them.
    """

    cells: tuple[Cell, ...]
    reports: tuple[CellReport, ...]

    def of(self, *states: str) -> list[CellReport]:
        return [report for report in self.reports if report.state in states]


def chosen(cells: Sequence[Cell], only: Sequence[str]) -> list[Cell]:
    """The cells that `only` names: `dcase2023`, `dcase2023/fixed`, `dcase2023/fixed/seed-3`; nothing: all.

    Raises:
        UsageError: it names none ("did you mean").
    """
    known = {"/".join(cell.name.split("/")[:n]) for cell in cells for n in (1, 2, 3)}
    for name in only:
        if name.strip("/") not in known:
            raise unknown_name("part of the plan", name, known, "--status")
    return [c for c in cells if not only or any(f"{c.name}/".startswith(f"{name.strip('/')}/") for name in only)]


def run(cells: Sequence[Cell], site: Site, engine: Engine, *, retry: int = 0, progress: Progress = SILENT) -> Swept:
    """Do what is not done of `cells`.

    Args:
        cells: of a plan.
        site: where.
        engine: does the work.
        retry: how often what failed is tried again.
        progress: is told how far it is, what failed, and what the steps warn of.

    Raises:
        MissingArtifact: datasets are not there.
        UsageError: runs hold models of another plan, and not all is done again.
    """
    phases = to_do(cells, site)
    reports = {cell.name: CellReport(cell.name, "current") for cell in cells}
    if phases:
        total = sum(map(len, phases))
        with closing(engine.run(phases, site, retry=retry)) as works:  # workers end with whoever waits for them
            for report in progress.track(works, total=total, label="sweep", unit="runs"):
                _tell(report, progress)
                if report.name in reports:
                    reports[report.name] = report
    return Swept(tuple(cells), tuple(reports.values()))


def to_do(cells: Sequence[Cell], site: Site) -> list[Sequence[Work]]:
    """What is not done, in phases: packs first; nothing where all is. Raises as `run`."""
    _require_datasets(cells, site)
    todo = [cell for cell in cells if site.force or not cell.is_done(site)]
    if not site.force:
        _refuse_foreign(todo, site)
    return [packings(todo), todo] if todo else []


def packings(cells: Sequence[Cell]) -> list[Packing]:
    """The features that cells need, one piece of work a dataset."""
    found: dict[str, Packing] = {}
    for own in (cell.packing for cell in cells if cell.kinds):
        before = found.get(own.dataset, own)
        kinds = tuple(sorted({*before.kinds, *own.kinds}))
        found[own.dataset] = Packing(own.dataset, kinds, own.machine_types, own.channel)
    return list(found.values())


def _tell(report: CellReport, progress: Progress) -> None:
    if report.state in ("failed", "busy"):
        progress.left_out(f"{report.name} {'is left' if report.state == 'busy' else 'failed'}: {report.error}")
    else:
        progress.note(f"{report.name}: {report.state} in {report.seconds:.1f} s")
    for warning in report.warnings:
        progress.warn(f"{report.name}: {warning}")


def _require_datasets(cells: Sequence[Cell], site: Site) -> None:
    missing = [name for name in dict.fromkeys(c.dataset for c in cells) if not site.space(name).clips.exists()]
    if not missing:
        return
    hints = []
    for name in missing:
        if name not in catalogue.names():
            hints.append(f"asd index DIR --name {shlex.quote(name)}")
            continue
        edition = catalogue.load(name)
        parts = [word for subset in edition.subsets for word in ("--subset", subset)]
        hints.append(edition.made_by or shlex.join(["asd", "download", name, *parts]))
    raise MissingArtifact(
        f"{counted(len(missing), 'dataset')} of the plan {'is' if len(missing) == 1 else 'are'} not under {site.data}: "
        f"{', '.join(missing)}",
        f"bring them, or name others with --only: {' && '.join(hints)}",
    )


def _refuse_foreign(cells: Sequence[Cell], site: Site) -> None:
    """A model that took hours is not replaced because a plan was changed, or another plan has the same name."""
    found = [said for cell in cells if (said := cell.foreign(site))]
    if found:
        raise UsageError(
            f"{counted(len(found), 'run')} in {site.runs} hold other models than the plan says: {listed(found)}",
            "choose another folder with --runs, or make them anew with --force",
        )
