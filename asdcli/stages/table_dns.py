"""Tables I and II of the smoothing paper from many runs: what was chosen for a machine type, and what it is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asdcli.errors import BadData
from asdcli.metrics.across_seeds import DDOF, LEVEL, mean_and_std, paired
from asdcli.metrics.specs import AUC_PAUC
from asdcli.scorers.smooth import CHOOSE, REPORT, Smooth
from asdcli.spec.spelling import parse
from asdcli.views.across_runs import SeedRuns, merged, not_as_published, seeds_of
from asdcli.views.editions import ON_STAND_IN, is_stand_in
from asdcli.views.published import Paper, Printed, dns_parameters, dns_results, paper
from asdcli.views.samples import SMOOTHED
from asdcli.views.sheets import BEST, NOTHING, TIED, Sheet, SheetRow, Shown
from asdcli.views.signature import many
from asdcli.views.tuning import RunTuning
from asdcli.wording import counted

_TABLE, _GMM = "dns", "gmm"
Training = tuple[str, str, str]
"""What embedded, the autoencoder, and the method whose scores were smoothed."""


def tables(runs: Sequence[RunTuning], *, datasets: Sequence[str] = (), published: bool = False) -> list[Sheet]:
    """Both tables of every dataset, the paper's first.

    Args:
        runs: what was tuned.
        datasets: the only ones that are wanted; none means all that there are runs of.
        published: put what is printed beside each cell.

    Raises:
        BadData: no run is of these datasets.
    """
    known = paper(_TABLE)
    found = sorted({run.run.dataset for run in runs if not datasets or run.run.dataset in datasets})
    if not found:
        raise BadData("no run is of the datasets that were asked for", "leave --only out, or name other runs")
    sheets: list[Sheet] = []
    for dataset in sorted(found, key=lambda one: one not in known.datasets):
        made = _Tuned(known, _taken(known, [run for run in runs if run.run.dataset == dataset]), published=published)
        sheets += [made.chosen(), made.worth()]
    return sheets


@dataclass(frozen=True)
class _Taken:
    """The runs of one dataset and one training, a run a seed; `notes` tell of others."""

    dataset: str
    training: Training
    of_seed: Mapping[int | None, RunTuning]
    notes: list[str] = field(default_factory=list)


def _taken(known: Paper, runs: Sequence[RunTuning]) -> _Taken:
    """The runs whose training is nearest to the paper's."""
    groups: dict[Training, dict[int | None, RunTuning]] = {}
    notes = []
    for run in sorted(runs, key=lambda one: str(one.run.run)):
        making = run.making
        spelled = [making.origins[kind].spelling if kind in making.origins else "" for kind in known.tables]
        own = groups.setdefault((spelled[0], spelled[1], run.method), {})
        if making.seed in own:
            notes.append(
                f"{run.run.run} is left out: {own[making.seed].run.run} is of the same seed ({making.seed}) and "
                "training; name the runs that are meant"
            )
            continue
        own[making.seed] = run
    training = min(groups, key=lambda one: (len(list(_departures(known, one))), -len(groups[one]), one))
    for other, own in groups.items():
        if other != training:
            notes.append(f"left out: {counted(len(own), 'run')} of {' with '.join(other)}, another training")
    ordered = dict(sorted(groups[training].items(), key=lambda item: (item[0] is None, item[0] or 0)))
    return _Taken(runs[0].run.dataset, training, ordered, notes)


def _departures(known: Paper, training: Training) -> Iterable[str]:
    """What of the two networks and the method is not as in the paper."""
    for spelling, wanted in zip(training, known.tables.values(), strict=False):
        (name, params), (named, needed) = parse(spelling or "none"), parse(wanted)
        if name != named:
            yield f"{name} (paper: {named})"
        for key, value in params.items() if name == named else ():
            if needed.get(key) != value:
                said = needed.get(key) or (known.training.get(key) if not needed else None)
                yield f"{name} {key} {value}" + (f" (paper: {said})" if said else "")
    if training[2] != "mse":
        yield f"scores of {training[2]} are smoothed (paper: mse)"


class _Tuned:
    """The tables of one dataset while they are made."""

    def __init__(self, known: Paper, taken: _Taken, *, published: bool) -> None:
        self.known, self.taken, self.published = known, taken, published
        self.of_seed = taken.of_seed
        self.method = taken.training[2]
        first = next(iter(self.of_seed.values()))
        self.machine_types = sorted(next(iter(first.facts.choices.values())), key=str.lower)
        self.is_papers = taken.dataset in known.datasets
        self.rows = {name: known.labels[suffix] for name, suffix in self._names() if suffix in known.labels}

    def _names(self) -> list[tuple[str, str]]:
        """Row of the report -> what stands for it among the labels."""
        smoothed = self.method + SMOOTHED
        return [(_GMM, _GMM), (self.method, ""), (smoothed, SMOOTHED), (f"{smoothed} (oracle)", f"{SMOOTHED} (oracle)")]

    def chosen(self) -> Sheet:
        """Table I."""
        smoothed = self.method + SMOOTHED
        columns = {
            self.known.labels[_GMM]: (_GMM, False),
            self.known.labels[SMOOTHED]: (smoothed, False),
            self.known.labels[f"{SMOOTHED} (oracle)"]: (smoothed, True),
        }
        line, headings, rows, records = self._line("dns-1"), [], [], []
        for label in columns:
            what = "clusters, data" if label == self.known.labels[_GMM] else "K, data"
            headings += [f"{label}\n{what}", f"{label}\npublished"] if self._prints else [f"{label}\n{what}"]
        for machine_type in self.machine_types:
            cells: list[Shown] = []
            for label, (family, oracle) in columns.items():
                choices = [_setting(run, family, machine_type, oracle=oracle) for run in self.of_seed.values()]
                told = [one for one in choices if one]
                printed = dns_parameters().get((machine_type, label)) if self._prints else None
                cells.append(Shown(_often(told)))
                cells += [Shown(f"{printed[0]} {printed[1]}" if printed else NOTHING)] if self._prints else []
                record: dict[str, Any] = {"machine_type": machine_type, "method": label, "chosen": told}
                record |= {"published": f"{printed[0]} {printed[1]}" if printed else None} if self.published else {}
                records.append({**record, "signature": line})
            rows.append(SheetRow((machine_type,), tuple(cells)))
        choose = ", ".join(self._param("choose", CHOOSE))
        title = f"Table I: parameters chosen on sections {choose} for each machine type{self._stand_in}"
        keys = ("Machine type",)
        return Sheet(
            self._name(1), title, keys, tuple(headings), tuple(rows), tuple(self._notes()), (line,), tuple(records)
        )

    def worth(self) -> Sheet:
        """Table II."""
        line, headings, records = self._line("dns-2"), [], []
        cells: dict[str, list[Shown]] = {name: [] for name in self.rows}
        values = self._values()
        n = max((len(of) for of in values.values()), default=0)
        for column in dict.fromkeys(column for _, column in values):
            heading = self._heading(column)
            headings += [heading, f"{heading}\npublished", "difference\nin points"] if self._prints else [heading]
            own = {name: values.get((name, column), {}) for name in self.rows}
            means = {name: mean_and_std([*of.values()])[0] for name, of in own.items() if of}
            best = max(means, key=lambda name: means[name]) if means else None
            for name, label in self.rows.items():
                printed = dns_results().get((label, heading)) if self._prints else None
                shown, record = self._cell(own[name], own[best] if best and best != name else None, n)
                cells[name].append(Shown(shown.text, best=name == best, tied=shown.tied))
                cells[name] += self._beside(means.get(name), printed)
                record = {"label": label, "method": name, "column": heading, **record, "best": name == best}
                if self.published:
                    record["published"] = printed.mean if printed else None
                records.append({**record, "signature": line})
        report = ", ".join(self._param("report", REPORT))
        over = f", mean ± standard deviation over {n} seeds" if n > 1 else ""
        metric = "harmonic mean of AUC and pAUC (p = 0.1) [%]"
        return Sheet(
            name=self._name(2),
            title=f"Table II: {metric} over sections {report}{over}; of one section: AUC [%]{self._stand_in}",
            keys=("Method",),
            columns=tuple(headings),
            rows=tuple(SheetRow((label,), tuple(cells[name])) for name, label in self.rows.items()),
            notes=(*self._about(n), *self._notes(), *self._unreported()),
            signatures=(line,),
            records=tuple(records),
        )

    @property
    def _prints(self) -> bool:
        return self.published and self.is_papers

    @property
    def _stand_in(self) -> str:
        header = next(iter(self.of_seed.values())).run.header
        return ON_STAND_IN if is_stand_in(header) else ""

    def _name(self, number: int) -> str:
        return f"{_TABLE}-{number}" if self.is_papers else f"{_TABLE}-{number}-{self.taken.dataset}"

    def _param(self, name: str, usual: Sequence[str]) -> Sequence[str]:
        own: Sequence[str] = next(iter(self.of_seed.values())).run.header.params.get(name, usual)
        return own

    def _values(self) -> dict[tuple[str, str], dict[int | None, float]]:
        """(row, column) -> seed -> percent; columns as they are in the reports, machine types in the paper's order."""
        found: dict[tuple[str, str], dict[int | None, float]] = {}
        for seed, run in self.of_seed.items():
            table = run.facts.table
            for name, *figures in table.rows:
                for column, figure in zip(table.columns[1:], figures, strict=True):
                    if figure is not None:
                        found.setdefault((name, column), {})[seed] = 100 * figure
        order = [*self.machine_types, "all"]
        return dict(
            sorted(found.items(), key=lambda item: order.index(item[0][1]) if item[0][1] in order else len(order))
        )

    def _heading(self, column: str) -> str:
        """`ToyCar-05` is printed as `ToyCar-5`."""
        if column == "all":
            return "All-hmean"
        machine_type, dash, section = column.rpartition("-")
        return f"{machine_type}-{int(section)}" if dash and section.isdigit() else column

    def _cell(
        self, own: Mapping[int | None, float], best: Mapping[int | None, float] | None, n: int
    ) -> tuple[Shown, dict[str, Any]]:
        both = [seed for seed in own if best and seed in best]
        test = paired([own[s] for s in both], [best[s] for s in both]) if best else None
        mean, std = mean_and_std([*own.values()]) if own else (None, None)
        spread = f" ± {std:.2f}" if std is not None else ""
        fewer = f" (n={len(own)})" if own and len(own) < n else ""
        record = {"n": len(own), "seeds": [s for s in own if s is not None], "mean": mean, "std": std}
        record |= {"p": test.p if test else None, "tied": bool(test and test.tied)}
        text = NOTHING if mean is None else f"{mean:.2f}{spread}{fewer}"
        return Shown(text, tied=bool(test and test.tied)), record

    def _beside(self, mean: float | None, printed: Printed | None) -> list[Shown]:
        if not self._prints:
            return []
        if printed is None:
            return [Shown(NOTHING), Shown(NOTHING)]
        away = NOTHING if mean is None else f"{mean - printed.mean:+.2f}".replace("-", "−")
        return [Shown(f"{printed.mean:.2f}"), Shown(away)]

    def _about(self, n: int) -> Iterable[str]:
        yield f"{BEST} or bold: the best of a column; the oracle has seen the labels of the sections it is reported on"
        if n > 1:
            yield f"standard deviation with n − {DDOF}, n = {n} where a cell says no other"
            test = "Student's paired t-test over seeds"
            yield f"{TIED} not told apart from the best by {test} (p ≥ {LEVEL:g}, uncorrected)"

    def _notes(self) -> Iterable[str]:
        if self._prints:
            yield f"published: {self.known.source}; of one trial"
        runs = SeedRuns(self.taken.dataset, self.taken.training[0], {s: one.run for s, one in self.of_seed.items()})
        departures = [*_departures(self.known, self.taken.training), *self._of_tuning()]
        departures += not_as_published(runs, [self.method], ())
        if departures:
            yield f"not as in the paper, {self.taken.dataset}: {'; '.join(departures)}"
        yield from self.taken.notes

    def _unreported(self) -> Iterable[str]:
        without = [seed for seed, run in self.of_seed.items() if not run.facts.table.rows]
        if without:
            report = ", ".join(self._param("report", REPORT))
            yield f"nothing is reported of {seeds_of(without)}: there were no labels of sections {report}"

    def _of_tuning(self) -> Iterable[str]:
        """Settings of the search that are not those of the paper's experiment."""
        how = Smooth()
        usual = {"metric": AUC_PAUC, "choose": list(CHOOSE), "report": list(REPORT), "pool": how.pool}
        usual |= {"level": how.level, "distance": how.metric, "outside": how.outside, "own_windows": how.own_windows}
        params = next(iter(self.of_seed.values())).run.header.params
        for name, value in usual.items():
            own = params.get(name, value)
            if own != value:
                yield f"{name.replace('_', ' ')} {','.join(own) if isinstance(own, list) else own}"
        if self.taken.dataset in self.known.datasets and len(self.machine_types) < len(
            {m for m, _ in dns_parameters()}
        ):
            yield f"only {', '.join(self.machine_types)}"

    def _line(self, table: str) -> str:
        counts = {
            "table": table,
            "runs": len(self.of_seed),
            "machines": len(self.machine_types),
            "seeds": seeds_of(self.of_seed).rpartition(" ")[2],
        }
        makings = [run.making for run in self.of_seed.values()]
        report = "+".join(self._param("report", REPORT))
        return many(f"{self.taken.dataset}|{report}", merged(makings), self.method, counts=counts, rest={})


def _setting(run: RunTuning, family: str, machine_type: str, *, oracle: bool) -> str | None:
    """`512 source` of `k=512,data=source`; None where nothing was chosen."""
    chosen = (run.facts.oracle if oracle else run.facts.choices).get(family, {}).get(machine_type)
    return " ".join(parse(f"x:{chosen}")[1].values()) if chosen else None


def _often(told: Sequence[str]) -> str:
    """What seeds chose, the most frequent first; how often, where they do not agree."""
    found = Counter(told).most_common()
    if len(found) < 2:
        return found[0][0] if found else NOTHING
    return ", ".join(f"{one} ×{n}" for one, n in found)
