"""What the two papers printed: their tables as data, and what each says of how its figures were made.

The files lie in `catalogue/published/`. Values are percent, as printed. Methods are spelled as `asd score` takes them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from asdcli import catalogue
from asdcli.scorers import MORE, PAPER
from asdcli.spec.spelling import parse

_FOLDER = Path(catalogue.__file__).parent / "published"
_DOMAINS = ("kmeans", "smote", "train-random", "train-cluster")  # what needs the domain of training clips


@dataclass(frozen=True)
class Paper:
    """A paper with tables.

    Attributes:
        source: authors, title, place and year, tables.
        trials: how many seeds are behind a figure.
        datasets: of its columns, in their order.
        training: parameters of the model -> what the paper says of them.
        tables: name of a table, or of a network -> spelling of a model.
        labels: name -> how the paper calls it.
    """

    source: str
    trials: int
    datasets: tuple[str, ...]
    training: Mapping[str, str]
    tables: Mapping[str, str]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Printed:
    """One printed figure: mean and standard deviation over trials in percent, and whether it is bold."""

    mean: float
    std: float | None = None
    bold: bool = False


@dataclass(frozen=True)
class PaperRow:
    """A row of Tables 1 and 2.

    Attributes:
        method: its spelling.
        label: as printed; a dagger marks what requires the domain labels.
        group: the line above its rows, as `Rescaling (K = 8)`; None for those above all groups.
        sees_test: it looks at test clips, though not at their labels.
        printed: whether the paper has it.
    """

    method: str
    label: str
    group: str | None
    sees_test: bool
    printed: bool


def paper(name: str) -> Paper:
    """The paper called `varmin` or `dns`."""
    return _papers()[name]


@cache
def varmin() -> Mapping[tuple[str, str, str, str], Printed]:
    """Tables 1 and 2: (table, method, dataset, subset) -> what is printed."""
    return {
        (row["table"], row["method"], row["dataset"], row["subset"]): Printed(
            float(row["mean"]), float(row["std"]), row["bold"] == "1"
        )
        for row in _rows("varmin.csv")
    }


@cache
def varmin_rows() -> tuple[PaperRow, ...]:
    """The thirteen rows of both tables in the paper's order, and after its siblings what asd has besides."""
    rows = [_row(method) for method in MORE]
    groups = list(dict.fromkeys(row.group for row in rows))
    return tuple(sorted(rows, key=lambda row: groups.index(row.group)))


@cache
def dns_parameters() -> Mapping[tuple[str, str], tuple[int, str]]:
    """Table I: (machine type, method) -> K or number of clusters, and of which domains (`source`, `all`)."""
    return {(row["machine_type"], row["method"]): (int(row["k"]), row["data"]) for row in _rows("dns-parameters.csv")}


@cache
def dns_results() -> Mapping[tuple[str, str], Printed]:
    """Table II: (method, column) -> what is printed. Columns are machine types, `All-hmean` and `ToyCar-5`."""
    return {(row["method"], row["column"]): Printed(float(row["value"])) for row in _rows("dns-results.csv")}


def _row(method: str) -> PaperRow:
    labels = paper("varmin").labels
    name, params = parse(method)
    validation = params.get("val", "")
    label = labels[name] + (f" ({labels[validation]})" if validation else "")
    dagger = " †" if {name, validation} & {*_DOMAINS} else ""
    group = f"Rescaling (K = {params['k']})" if "k" in params else None
    return PaperRow(method, label + dagger, group, validation == "test-all", method in PAPER)


@cache
def _papers() -> dict[str, Paper]:
    facts = catalogue.read_toml(_FOLDER / "papers.toml")
    return {name: Paper(**{**one, "datasets": tuple(one["datasets"])}) for name, one in facts.items()}


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
