"""Any runs and methods in one table: official scores and what a method gains on another, over clips and seeds together.

A row is a model and a method, a column a dataset and subset, or one of its machine types. All seeds and methods of a
column are measured on the same clips, those that all of them scored, so that one draw of clips serves them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from asdcli.errors import UsageError, unknown_name
from asdcli.metrics import bootstrap
from asdcli.metrics.across_seeds import LEVEL, Drawn
from asdcli.metrics.official import SectionScores, measure, official
from asdcli.metrics.specs import MetricSpec
from asdcli.progress import Progress
from asdcli.stages.table_means import Place, mean_columns
from asdcli.stages.table_mends import commands
from asdcli.views.across_runs import RunScores, merged, model_of, seeds_of
from asdcli.views.common_clips import in_common
from asdcli.views.editions import ON_STAND_IN, STAND_IN, is_stand_in, rule_of
from asdcli.views.making import Making
from asdcli.views.missing import Missing
from asdcli.views.named import as_scored
from asdcli.views.scores import Scored, by_section
from asdcli.views.sheets import BEST, NOTHING, TIED, Sheet, SheetRow, Shown, TableColumns
from asdcli.views.signature import many
from asdcli.wording import counted, listed

_TABLE = "compare"
Key = tuple[str, str]
"""Model and method: a row."""


@dataclass(frozen=True)
class HowCompared:
    """What is asked of a comparison.

    Attributes:
        methods: the only ones that get rows; none means all.
        baseline: what every other method is set against.
        by: what a column is.
        n_resamples: of the bootstrap.
        seed: of it.
        means: add the columns that are means over those of datasets.
    """

    methods: Sequence[str] = ()
    baseline: str | None = None
    by: TableColumns = "dataset"
    n_resamples: int = 1000
    seed: int = 0
    means: bool = False

    def __post_init__(self) -> None:
        if self.n_resamples < 1:
            raise UsageError(f"--bootstrap must be at least 1, got {self.n_resamples}")


def sheet(runs: Sequence[RunScores], how: HowCompared, progress: Progress) -> Sheet:
    """The table.

    Args:
        runs: whatever was found; methods that are not asked for are left alone.
        how: what is asked for.
        progress: is told how far it is.

    Raises:
        UsageError: no run has one of the methods.
        BadData: no clip of known condition was scored by all, or runs disagree on the label of one.
    """
    known = dict.fromkeys(one.spelling for run in runs for one in run.scored)
    baseline = as_scored(how.baseline, known) if how.baseline else how.baseline
    how = replace(how, methods=tuple(as_scored(method, known) for method in how.methods), baseline=baseline)
    for method in (*how.methods, *([how.baseline] if how.baseline else [])):
        if method not in known:
            raise unknown_name("method", method, known)
    return _Compared(runs, how, progress).sheet()


class _Compared:
    """The table while it is made."""

    def __init__(self, runs: Sequence[RunScores], how: HowCompared, progress: Progress) -> None:
        self.how, self.runs = how, runs
        self.notes: list[str] = []
        self.found: dict[tuple[Key, str], dict[int | None, tuple[RunScores, Scored]]] = {}
        for run in sorted(runs, key=lambda one: str(one.run)):
            for one in run.scored:
                self._take(run, one)
        self.keys = sorted({key for key, _ in self.found}, key=self._order)
        self.cells: dict[tuple[Key, Place], Drawn] = {}
        self.places: list[Place] = []
        for dataset in dict.fromkeys(sorted(of for _, of in self.found)):
            self._measure(dataset, progress)
        self.means = {c.place: c for c in mean_columns(self.places)} if how.means and how.by == "dataset" else {}
        for key in self.keys:
            own = {place: self.cells[key, place] for place in self.places if (key, place) in self.cells}
            averaged = {place: column.cell(own, how.seed) for place, column in self.means.items()}
            self.cells.update({(key, place): cell for place, cell in averaged.items() if cell})
        self.places += self.means

    def sheet(self) -> Sheet:
        missing = Missing()
        columns = [heading for place in self.places for heading in self._headings(place)]
        lines = {(key, place): self._line(key, place) for key, place in self.cells}
        rows, records = [], []
        best = {place: self._best(place) for place in self.places}
        for key in self.keys:
            shown: list[Shown] = []
            for place in self.places:
                cell = self.cells.get((key, place), Drawn())
                mends = self._mends(key, place)
                record = self._record(key, place, cell)
                shown += self._shown(record, missing.mark(mends) if mends else "", best=key == best[place])
                signature = lines.get((key, place))
                records.append({**record, "missing": " ; ".join(mends) or None, "signature": signature})
            rows.append(SheetRow(key, tuple(shown)))
        stand_in = ON_STAND_IN if self._stand_ins else ""
        against = f", and differences to {self.how.baseline}" if self.how.baseline else ""
        return Sheet(
            name=_TABLE,
            title=f"Official score [%], mean over seeds, with 95 % intervals over clips and seeds{against}{stand_in}",
            keys=("Model", "Method"),
            columns=tuple(columns),
            rows=tuple(rows),
            notes=(*self._about(), *dict.fromkeys(self.notes), *missing.notes()),
            signatures=tuple(dict.fromkeys(lines.values())),
            records=tuple(records),
        )

    def _take(self, run: RunScores, one: Scored) -> None:
        wanted = {*self.how.methods, self.how.baseline} if self.how.methods else None
        if wanted is not None and one.spelling not in wanted:
            return
        making = Making.of(one.header)
        key = (model_of(making) or NOTHING, one.spelling)
        own = self.found.setdefault((key, run.dataset), {})
        if making.seed in own:
            self.notes.append(
                f"{run.run} is left out of {' '.join(key)}: {own[making.seed][0].run} is of the same seed "
                f"({making.seed}) and {run.dataset}; name the runs that are meant"
            )
            return
        own[making.seed] = (run, one)

    def _order(self, key: Key) -> tuple[Any, ...]:
        return key[0], key[1] != self.how.baseline, key[1]

    def _measure(self, dataset: str, progress: Progress) -> None:
        """Fill the cells of a dataset's columns."""
        own = {
            (key, seed): one
            for (key, of), seeds in self.found.items()
            if of == dataset
            for seed, (_, one) in seeds.items()
        }
        common, lost = in_common(own)
        if lost:
            self.notes.append(f"{dataset}: {counted(lost, 'test clip')} not scored by all and left out of every row")
        for (key, seed), one in progress.track(common.items(), label=dataset, unit="tables"):
            subsets, _ = by_section(one)
            for subset, sections in subsets.items():
                self._cells(key, seed, (dataset, subset), rule_of(one.header, sections), sections)

    def _cells(
        self, key: Key, seed: int | None, where: tuple[str, str], spec: MetricSpec, sections: Sequence[SectionScores]
    ) -> None:
        parts: dict[str | None, list[SectionScores]] = {None: [*sections]}
        if self.how.by == "machine-type":
            parts = {
                m: [s for s in sections if s.machine_type == m] for m in sorted({s.machine_type for s in sections})
            }
        for machine_type, part in parts.items():
            place = (*where, machine_type)
            values = [value for value in measure(spec, part) if value.term in {term.name for term in spec.terms}]
            if undefined := sum(value.value is None for value in values):
                told = f"{undefined} of {counted(len(values), 'term')} cannot be computed and are left out of its means"
                self.notes.append(" ".join(filter(None, place)) + f": {told}")
            score = official(spec, values)
            if score is None:
                continue
            if place not in self.places:
                self.places.append(place)
            drawn = bootstrap.resampled_scores(spec, part, n_resamples=self.how.n_resamples, seed=self.how.seed)
            cell = self.cells.get((key, place), Drawn())
            self.cells[key, place] = Drawn({**cell.observed, seed: 100 * score}, {**cell.resampled, seed: 100 * drawn})

    def _headings(self, place: Place) -> list[str]:
        dataset, subset, machine_type = place
        above = f"{dataset} {subset}" if machine_type else dataset
        below = machine_type or subset
        return (
            [f"{above}\n{below}", f"{below} minus\n{self.how.baseline}"] if self.how.baseline else [f"{above}\n{below}"]
        )

    def _best(self, place: Place) -> Key | None:
        means = {key: mean for key in self.keys if (mean := self.cells.get((key, place), Drawn()).mean) is not None}
        return max(means, key=lambda key: means[key]) if means else None

    def _record(self, key: Key, place: Place, cell: Drawn) -> dict[str, Any]:
        low, high = cell.interval(self.how.seed) if cell.observed else (None, None)
        record: dict[str, Any] = {
            "model": key[0],
            "method": key[1],
            "dataset": place[0],
            "subset": place[1],
            "machine_type": place[2],
            "n": len(cell.observed),
            "seeds": sorted(seed for seed in cell.observed if seed is not None),
            "mean": cell.mean,
            "low": low,
            "high": high,
        }
        if self.how.baseline:
            other = self.cells.get(((key[0], self.how.baseline), place), Drawn())
            found = cell.minus(other, self.how.seed) if key[1] != self.how.baseline else None
            one, n = found or (None, 0)
            record |= {
                "difference": one and one.difference,
                "difference_low": one and one.low,
                "difference_high": one and one.high,
                "difference_p": one and one.p,
                "difference_n": n,
            }
        return record

    def _shown(self, record: Mapping[str, Any], mark: str, *, best: bool) -> list[Shown]:
        n = record["n"]
        fewer = f" (n={n})" if n and n < self._most else ""
        text = f"{record['mean']:.2f} [{record['low']:.2f}, {record['high']:.2f}]{fewer}" if n else NOTHING
        cells = [Shown(f"{text} {mark}".rstrip(), best=best)]
        if self.how.baseline and record["difference"] is None:
            cells.append(Shown("" if record["method"] == self.how.baseline else NOTHING))
        elif self.how.baseline:
            figures = [record[f"difference{part}"] for part in ("", "_low", "_high")]
            told = "{:+.2f} [{:+.2f}, {:+.2f}]".format(*figures).replace("-", "−")
            cells.append(Shown(told, tied=record["difference_p"] >= LEVEL))
        return cells

    @property
    def _stand_ins(self) -> list[str]:
        headers = {of: one.header for (_, of), own in self.found.items() for _, one in own.values()}
        return sorted(of for of, header in headers.items() if is_stand_in(header))

    @property
    def _most(self) -> int:
        return max((len(cell.observed) for cell in self.cells.values()), default=0)

    def _mends(self, key: Key, place: Place) -> list[str]:
        """The commands that make the scores that a cell lacks of runs of its model."""
        (model, method), (dataset, _, _) = key, place
        if model == NOTHING or place in self.means:
            return []
        runs = {
            seed: run
            for ((other, _), of), own in self.found.items()
            if (other, of) == (model, dataset)
            for seed, (run, _) in own.items()
        }
        return commands(method, model, dataset, runs, self.found.get((key, dataset), {}))

    def _about(self) -> Iterable[str]:
        yield (
            f"[ ]: central 95 % of {self.how.n_resamples:,} resamples (seed {self.how.seed}) of the test clips within "
            "section, domain and condition, and of the seeds; the same clips in all rows of a column, of a difference "
            "the same seeds too"
        )
        yield f"{BEST} or bold: the largest of a column"
        if self.means:
            yield "means: over all columns of their subset, each with the same weight; – where one of these is missing"
        if self.how.baseline:
            yield f"{TIED} not told from {self.how.baseline} by the resamples (p ≥ {LEVEL:g}, uncorrected)"
        yield f"n = {self._most} where a cell says no other"
        if stand_ins := self._stand_ins:
            yield f"{', '.join(stand_ins)}: {STAND_IN}"
        few = sorted({len(cell.observed) for cell in self.cells.values()})
        if few and few[0] == 1:
            yield "of one seed an interval is over clips alone"
        if self.how.baseline:
            lacking = [m for m in dict.fromkeys(key[0] for key in self.keys) if (m, self.how.baseline) not in self.keys]
            if lacking:
                yield f"no difference, for want of scores of {self.how.baseline}: {listed(lacking)}"

    def _line(self, key: Key, place: Place) -> str:
        """The line of a cell's number."""
        dataset, subset, machine_type = place
        cell, column = self.cells[key, place], self.means.get(place)
        datasets = column.datasets if column else (dataset,)
        counts = {
            "mean": column and column.mean,
            "table": _TABLE,
            "runs": len(cell.observed) * len(datasets),
            "machine-type": machine_type,
            "seeds": seeds_of(cell.observed).rpartition(" ")[2],
        }
        makings = [Making.of(self.found[key, of][seed][1].header) for of in datasets for seed in cell.observed]
        return many(f"{'+'.join(datasets)}|{subset}", merged(makings), key[1], counts=counts, rest={})
