"""Tables 1 and 2 of the variance-minimisation paper from many runs: mean and spread over seeds, best, tied, published.

A column is a year and a subset, a row a method. Which rows there are, how they are called and what the paper printed is
in `views.published`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from asdcli import catalogue
from asdcli.errors import BadData
from asdcli.metrics.across_seeds import DDOF, LEVEL, Measured, Paired
from asdcli.spec.spelling import parse
from asdcli.views.across_runs import (
    RunResults,
    SeedRuns,
    merged,
    model_of,
    not_as_published,
    seeds_of,
)
from asdcli.views.editions import ON_STAND_IN, is_stand_in
from asdcli.views.missing import Missing, from_nothing, to_make
from asdcli.views.paper_runs import is_of, others_of, standing_in
from asdcli.views.published import Paper, PaperRow, Printed, paper, varmin, varmin_rows
from asdcli.views.sheets import BEST, NOTHING, TIED, Sheet, SheetRow, Shown
from asdcli.views.signature import many
from asdcli.wording import counted, listed

_TABLE = "varmin"
Place = tuple[str, str]
"""Dataset and subset: a column."""


def tables(runs: Sequence[RunResults], *, datasets: Sequence[str] = (), published: bool = False) -> list[Sheet]:
    """The tables of which there is at least one run.

    Args:
        runs: whatever was found.
        datasets: those that get columns, in this order; none means all that the runs are of, the paper's first.
        published: put the printed value and the difference, in printed standard deviations, beside each cell.

    Raises:
        BadData: no run is of one of the tables.
    """
    known = paper(_TABLE)
    taken = {name: standing_in(known, name, model, runs, datasets) for name, model in known.tables.items()}
    if not any(taken.values()):
        trained = listed(sorted({model_of(m) or "no model" for run in runs for m in run.makings.values()})) or "none"
        models = " or ".join(known.tables.values())
        raise BadData(
            f"no run is of {models}{' on ' + ', '.join(datasets) if datasets else ''}: what the runs are of: {trained}",
            "any runs and methods: asd table compare",
        )
    sheets = []
    for name, of_dataset in taken.items():
        if of_dataset:
            sheets.append(_Table(known, name, of_dataset, datasets, published=published).sheet(runs))
    for name, of_dataset in taken.items():
        if not of_dataset:
            first = next(iter([*datasets, *(dataset for own in taken.values() for dataset in own)]))
            command = _from_nothing(first, known.tables[name], 0)
            sheets[-1] = _noted(sheets[-1], [f"Table {name} is left out: no run is of {known.tables[name]}: {command}"])
    return sheets


def best_of(rows: Sequence[PaperRow], means: Sequence[float | None]) -> tuple[int | None, set[int]]:
    """What the paper prints bold in a column.

    Returns:
        the best of the rows that look at no test clip (None where none has a value), and all that are bold: that one,
        and of the others those that are better still.
    """
    blind = [i for i, row in enumerate(rows) if not row.sees_test and means[i] is not None]
    if not blind:
        return None, set()
    best = max(blind, key=lambda i: means[i] or 0.0)
    limit = means[best] or 0.0
    return best, {best, *(i for i, row in enumerate(rows) if row.sees_test and (means[i] or 0.0) > limit)}


class _Table:
    """One of the two tables while it is made."""

    def __init__(
        self, known: Paper, name: str, taken: Mapping[str, SeedRuns], datasets: Sequence[str], *, published: bool
    ) -> None:
        self.known, self.name, self.taken, self.model = known, name, taken, known.tables[name]
        self.rows = [row for row in varmin_rows() if row.printed or self._has(row.method)]
        self.places = [place for dataset in [*datasets] or [*taken] for place in self._places(dataset)]
        self.printed = varmin() if published else {}
        self.missing = Missing()
        self.cells = {
            (row.method, place): self._measured(row.method, place) for row in self.rows for place in self.places
        }
        self.lines = {place: line for place in self.places if (line := self._line(place))}

    def sheet(self, runs: Sequence[RunResults]) -> Sheet:
        columns: list[str] = []
        cells: list[list[Shown]] = [[] for _ in self.rows]
        records: list[list[dict[str, Any]]] = [[] for _ in self.rows]
        for place in self.places:
            columns += self._headings(place)
            own = [self.cells[row.method, place] for row in self.rows]
            best, bold = best_of(self.rows, [cell.mean for cell in own])
            for i, (row, cell) in enumerate(zip(self.rows, own, strict=True)):
                test = cell.against(own[best]) if best is not None and i != best else None
                printed = self.printed.get((self.name, row.method, *place))
                shown, mends = self._shown(row, place, cell)
                cells[i].append(Shown(shown, best=i in bold, tied=bool(test and test.tied)))
                cells[i] += self._beside(place, cell, printed)
                records[i].append(self._record(row, place, cell, test, printed, mends, bold=i in bold))
        return Sheet(
            name=f"{_TABLE}-{self.name}",
            title=self._title(),
            keys=("Method",),
            columns=tuple(columns),
            rows=tuple(self._rows(cells)),
            notes=tuple(self._notes(runs)),
            signatures=tuple(self.lines.values()),
            records=tuple(record for of_row in records for record in of_row),
        )

    def _has(self, method: str) -> bool:
        return any(method in run.makings for own in self.taken.values() for run in own.of_seed.values())

    def _places(self, dataset: str) -> list[Place]:
        """Both subsets of the paper's datasets, of others those that were evaluated."""
        there = {s for run in self._runs(dataset) for s in run.subsets}
        subsets = ("dev", "eval") if dataset in self.known.datasets else sorted(there) or ["dev"]
        return [(dataset, subset) for subset in subsets]

    def _runs(self, dataset: str) -> list[RunResults]:
        return [*self.taken[dataset].of_seed.values()] if dataset in self.taken else []

    def _measured(self, method: str, place: Place) -> Measured:
        own = self.taken.get(place[0])
        return Measured({seed: 100 * v for seed, v in own.values(method, place[1]).items()} if own else {})

    def _headings(self, place: Place) -> list[str]:
        above = place[0].removeprefix("dcase") if place[0] in self.known.datasets else place[0]
        here = f"{above}\n{place[1]}"
        if not self._has_printed(place):
            return [here]
        return [here, f"{above} {place[1]}\npublished", "difference\nin its std"]

    def _has_printed(self, place: Place) -> bool:
        return bool(self.printed) and place[0] in self.known.datasets

    @property
    def n(self) -> int:
        """Seeds of the cell that has most."""
        return max((len(cell.values) for cell in self.cells.values()), default=0)

    def _shown(self, row: PaperRow, place: Place, cell: Measured) -> tuple[str, list[str]]:
        """The cell's text, and the commands that make what is missing in it."""
        mends = self._mends(row, place, cell)
        mark = f" {self.missing.mark(mends)}" if mends else ""
        if cell.mean is None:
            return NOTHING + mark, mends
        fewer = f" (n={len(cell.values)})" if len(cell.values) < self.n else ""
        spread = f" ± {cell.std:.2f}" if cell.std is not None else ""
        return f"{cell.mean:.2f}{spread}{fewer}{mark}", mends

    def _mends(self, row: PaperRow, place: Place, cell: Measured) -> list[str]:
        dataset, subset = place
        if dataset not in self.taken:
            return [_from_nothing(dataset, self.model, 0)]
        if not row.printed:
            return []
        own = self.taken[dataset]
        lacking = {seed: run for seed, run in own.of_seed.items() if seed not in cell.values}
        return [
            to_make(run, [r.method for r in self.rows if r.printed and run.value(r.method, subset) is None])
            if subset in run.subsets
            else _from_nothing(dataset, own.model, seed, str(run.run))
            for seed, run in lacking.items()
        ]

    def _beside(self, place: Place, cell: Measured, printed: Printed | None) -> list[Shown]:
        if not self._has_printed(place):
            return []
        if printed is None:
            return [Shown(NOTHING), Shown(NOTHING)]
        away = _in_std(cell, printed)
        text = f"{printed.mean:.2f} ± {printed.std:.2f}"
        return [Shown(text, best=printed.bold), Shown(NOTHING if away is None else f"{away:+.1f}".replace("-", "−"))]

    def _record(
        self,
        row: PaperRow,
        place: Place,
        cell: Measured,
        test: Paired | None,
        printed: Printed | None,
        mends: Sequence[str],
        *,
        bold: bool,
    ) -> dict[str, Any]:
        record: dict[str, Any] = {
            "method": row.method,
            "label": row.label,
            "dataset": place[0],
            "subset": place[1],
            "model": self.taken[place[0]].model if place[0] in self.taken else self.model,
            "n": len(cell.values),
            "seeds": [seed for seed in cell.values if seed is not None],
            "mean": cell.mean,
            "std": cell.std,
            "best": bold,
            "p": test.p if test else None,
            "tied": bool(test and test.tied),
        }
        if self.printed:
            record |= {
                "published_mean": printed.mean if printed else None,
                "published_std": printed.std if printed else None,
                "difference_in_std": _in_std(cell, printed) if printed else None,
            }
        return record | {"missing": " ; ".join(mends) or None, "signature": self.lines.get(place)}

    def _rows(self, cells: Sequence[Sequence[Shown]]) -> Iterable[SheetRow]:
        group = None
        for row, own in zip(self.rows, cells, strict=True):
            if row.group and row.group != group:
                yield SheetRow((row.group,))
            group = row.group
            yield SheetRow((row.label,), tuple(own))

    def _title(self) -> str:
        of_model = " / ".join(dict.fromkeys(own.model for own in self.taken.values())) or self.model
        stand_in = any(is_stand_in(run.header) for dataset in self.taken for run in self._runs(dataset))
        over = counted(self.n, "seed")
        title = f"Table {self.name}: mean ± standard deviation of the official score [%] over {over}, {of_model}"
        return title + (ON_STAND_IN if stand_in else "")

    def _notes(self, runs: Sequence[RunResults]) -> Iterable[str]:
        yield (
            f"{BEST} or bold: the best row that looks at no test clip, and those that look at them and are better "
            f"still, as in the paper; {TIED} not told apart from the former by Student's paired t-test over seeds "
            f"(p ≥ {LEVEL:g}, uncorrected); † requires the domain labels"
        )
        yield (
            f"standard deviation with n − {DDOF}, n = {self.n} where a cell says no other; "
            f"the paper, of {self.known.trials} trials, does not say whether with n or n − 1"
        )
        if self.printed:
            yield f"published: {self.known.source}"
        for dataset, own in self.taken.items():
            subsets = [subset for of, subset in self.places if of == dataset]
            departures = [*self._of_training(own), *not_as_published(own, [r.method for r in self.rows], subsets)]
            if len(own.of_seed) != self.known.trials:
                departures.append(f"{seeds_of(own.of_seed)} (paper: {self.known.trials} trials)")
            if departures:
                yield f"not as in the paper, {dataset}: {'; '.join(departures)}"
            yield from own.notes
        others = [d for d in self.known.datasets if d not in {of for of, _ in self.places}]
        if others and any(d in self.known.datasets for d in self.taken):
            yield f"no run is of {', '.join(others)}: {_from_nothing(others[0], self.model, 0)}"
        strangers = [run for run in runs if not self._knows(run)]
        if strangers:
            yield f"of another model, and left out: {listed([str(run.run) for run in strangers])}"
        yield from self.missing.notes()

    def _knows(self, run: RunResults) -> bool:
        """Whether a run is of any of the paper's tables."""
        models = {model_of(making) for making in run.makings.values()}
        return any(is_of(model, of_table) for model in models for of_table in self.known.tables.values())

    def _of_training(self, own: SeedRuns) -> Iterable[str]:
        for name, value in others_of(own.model, self.model).items():
            said = self.known.training.get(name.rpartition(".")[2])
            yield f"{name} {value}" + (f" (paper: {said})" if said else "")

    def _line(self, place: Place) -> str | None:
        """The line of a column's numbers; None where it has none."""
        dataset, subset = place
        cells = {row.method: self.cells[row.method, place] for row in self.rows}
        seeds = {seed for cell in cells.values() for seed in cell.values}
        if not seeds:
            return None
        of_seed = self.taken[dataset].of_seed
        counts = {
            "table": f"{_TABLE}-{self.name}",
            "runs": len(seeds),
            "machines": len({m for seed in seeds for m in of_seed[seed].machine_types(subset)}),
            "methods": sum(bool(cell.values) for cell in cells.values()),
            "seeds": seeds_of(seeds).rpartition(" ")[2],
        }
        makings = [of_seed[seed].makings[method] for method, cell in cells.items() for seed in cell.values]
        return many(f"{dataset}|{subset}", merged(makings), None, counts=counts, rest={})


def _in_std(cell: Measured, printed: Printed) -> float | None:
    """How many printed standard deviations the cell lies above what is printed."""
    return None if cell.mean is None or not printed.std else (cell.mean - printed.mean) / printed.std


def _from_nothing(dataset: str, model: str, seed: int | None, run: str | None = None) -> str:
    """The command that makes a run of a dataset of which there is none, or not of both subsets."""
    words = {"model": model, "seed": str(seed or 0), "method": "all"}
    words["run"] = run or f"runs/{dataset}/{'-'.join(parse(model)[1].values())}/seed-{seed or 0}"
    return from_nothing(dataset, words, is_edition=dataset in catalogue.names())


def _noted(sheet: Sheet, notes: Sequence[str]) -> Sheet:
    return replace(sheet, notes=(*sheet.notes, *notes))
