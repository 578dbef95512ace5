"""tune --objective label-free: choose method, parameters and embeddings by normal training clips alone.

Every method in every table of embeddings is a candidate. Its criterion is the mean over kinds of pseudo-anomalies of
mu^2 / (Var_out + Var_in + mu^2), a lower bound on the AUC of pseudo-anomalies against normal clips: see
`metrics.separation`, which has the source. Normal are clips that were held out where there are some, else training
clips that are left out of what they are compared with. Labels of test clips choose nothing: by them is said,
afterwards, how the order of the candidates agrees with that of their official scores.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData, UsageError
from asdcli.metrics.rank_correlation import rank_correlation
from asdcli.metrics.specs import LABEL_FREE
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.stages.label_free_bounds import EmbeddedTable, Findings, of_table
from asdcli.views.fold_embeddings import header_beside
from asdcli.views.label_free import ALL, Agreement, Candidate, Candidates, LabelFreeFacts, NamedEmbeddings
from asdcli.views.pseudo import EVERY
from asdcli.views.tuning import ReportTable, highest
from asdcli.vocabulary import ScoredAs
from asdcli.writing.locks import alone_with

_BOUNDS = ["embeddings", "method", "machine_type", "pseudo", "normals", "n_normal", "n_pseudo", "bound", "auc"]


@alone_with("output")
def run(
    candidates: Candidates,
    output: Path,
    *,
    truth: Path | None = None,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[LabelFreeFacts]:
    """Judge every candidate and write what each is worth, with the choices, to `output`.

    Args:
        candidates: what is to choose from, and by what.
        output: table of tuning.
        truth: clips.parquet, whose conditions win over those in the embeddings; they are reported by, never chosen by.
        seed: of everything random.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        UsageError: no such method or machine type, or a method that looks at test clips, which nobody allowed.
        BadData: tables of other clips or datasets, or otherwise as `label_free_bounds.of_table`.
    """
    _refuse_transductive(candidates)
    headers = {one.name: _headers(one) for one in candidates.embeddings}
    header = _header(candidates, headers, truth, seed)
    current = not force and artifacts.is_current(output, artifacts.TUNING, header)
    if current and (facts := LabelFreeFacts.of(artifacts.read_header(output, artifacts.TUNING))):
        return Outcome(output, "current", facts=facts)
    artifacts.claim(output, artifacts.TUNING, force=force)
    found: dict[str, Findings] = {}
    trained: dict[str, list[str]] = {}
    for one in candidates.embeddings:
        upstream, *folded = headers[one.name]
        table = EmbeddedTable.read(one.path, upstream, candidates, folded=bool(folded), seed=seed)
        trained[one.name] = table.trained
        _require_same_clips(trained, one.name)
        found[one.name] = of_table(table, upstream, truth, progress)
    _tell_of_normals(found, candidates.transductive, progress)
    worth = {name: _worth(candidates, found, name) for name in _machine_types(found)}
    facts = LabelFreeFacts(
        {name: _first(of, "criterion") for name, of in worth.items()},
        {name: _first(of, "official") for name, of in worth.items() if any(c.official is not None for c in of)},
        [one for name, of in worth.items() for one in _agreement(name, of, found)],
        _bounds(found),
    )
    header = dataclasses.replace(header, diagnostics=dataclasses.asdict(facts))
    artifacts.write_table(output, artifacts.TUNING, _rows(worth, facts), header)
    return Outcome(output, facts=facts)


def _refuse_transductive(candidates: Candidates) -> None:
    looking = [method for method in candidates.methods if "val=test-all" in method]
    if looking and not candidates.transductive:
        raise UsageError(
            f"{looking[0]} looks at the test clips, which are not to choose anything",
            "leave it out, or allow it: --transductive",
        )


def _headers(one: NamedEmbeddings) -> list[Header]:
    """Of the table, and of that by models that were cross-fitted, if there is one."""
    upstream = artifacts.read_table_header(one.path, artifacts.EMBEDDINGS, headerless=True)
    folded = header_beside(one.path, upstream)
    return [upstream, *([folded] if folded else [])]


def _header(candidates: Candidates, headers: Mapping[str, list[Header]], truth: Path | None, seed: int) -> Header:
    inputs: dict[str, Header] = {}
    for one in candidates.embeddings:
        upstream, *folded = headers[one.name]
        inputs |= {one.role: upstream} | {f"fold-{one.role}": header for header in folded}
    if truth is not None and truth.exists():
        inputs["clips"] = artifacts.read_table_header(truth, artifacts.CLIPS, headerless=True)
    datasets = {name: of[0].dataset for name, of in headers.items()}
    first, *others = datasets
    for other in others:
        if datasets[other] != datasets[first]:
            raise BadData(
                f"{first} is of dataset {datasets[first]!r}, {other} of {datasets[other]!r}",
                "choose among embeddings of one dataset",
            )
    params = candidates.params(LABEL_FREE)
    return Header.make(artifacts.TUNING, dataset=datasets[first], seed=seed, params=params, inputs=inputs)


def _require_same_clips(trained: Mapping[str, list[str]], name: str) -> None:
    """Raises BadData where a table has other training clips than the first: their bounds could not be compared."""
    first = next(iter(trained))
    if trained[name] != trained[first]:
        raise BadData(
            f"{first} and {name} are not of the same training clips",
            "choose among embeddings of the same clips: embed all of them again",
        )


def _tell_of_normals(found: Mapping[str, Findings], transductive: bool, progress: Progress) -> None:
    """What normal clips are, where they tell less than held-out ones would, or something else in every table."""
    if transductive:
        progress.warn("the test clips count as normal, all together: the choice depends on which clips are tested")
    ways = {
        name: {(one.pseudo, one.normals) for bounds in of.bounds.values() for one in bounds}
        for name, of in found.items()
    }
    for name, of in ways.items():
        if seen := [kind for kind in EVERY if (kind, ScoredAs.SEEN.value) in of]:
            progress.note(
                f"{name}: held against clips that the model was trained on, left out one at a time: {', '.join(seen)}"
                + (" (to hold others out: asd train --hold-out 0.1)" if "shuffled" in seen else "")
            )
    unlike = [kind for kind in EVERY if len({frozenset(n for k, n in of if k == kind) for of in ways.values()}) > 1]
    if unlike:
        progress.warn(f"not held against normal clips of one kind in all embeddings: {', '.join(unlike)}")


def _machine_types(found: Mapping[str, Findings]) -> list[str]:
    """Those that were looked at, and `all`."""
    bounds = next(iter(next(iter(found.values())).bounds.values()))
    return [*dict.fromkeys(one.machine_type for one in bounds), ALL]


def _worth(candidates: Candidates, found: Mapping[str, Findings], machine_type: str) -> list[Candidate]:
    """Every candidate by what it is worth on one machine type, or on all."""
    return [
        Candidate(name, method, _criterion(of, method, machine_type), of.official.get(method, {}).get(machine_type))
        for name, of in found.items()
        for method in candidates.methods
    ]


def _criterion(found: Findings, method: str, machine_type: str, pseudo: str = ALL) -> float:
    """The mean over kinds of the bounds of a machine type; of all, the mean over machine types."""
    of_types: dict[str, list[float]] = {}
    for one in found.bounds[method]:
        if machine_type in (ALL, one.machine_type) and pseudo in (ALL, one.pseudo):
            of_types.setdefault(one.machine_type, []).append(one.bound)
    return float(np.mean([np.mean(bounds) for bounds in of_types.values()]))


def _first(of: Sequence[Candidate], by: str) -> Candidate:
    """The candidate with the largest figure; ties: the first."""
    return of[int(highest({str(i): getattr(one, by) for i, one in enumerate(of)}) or 0)]


def _agreement(machine_type: str, of: Sequence[Candidate], found: Mapping[str, Findings]) -> list[Agreement]:
    """Of the order by the criterion, and by the bounds of each kind alone, with that of the official scores."""
    known = [one for one in of if one.official is not None]
    if not known:
        return []
    bounds = next(iter(found.values())).bounds[of[0].method]
    kinds = dict.fromkeys(one.pseudo for one in bounds if machine_type in (ALL, one.machine_type))
    agreement = []
    for kind in (ALL, *kinds):
        criterion = [_criterion(found[one.embeddings], one.method, machine_type, kind) for one in known]
        ranks = rank_correlation(criterion, np.array([one.official for one in known], np.float64))
        agreement.append(Agreement(machine_type, kind, ranks.spearman, ranks.kendall, ranks.n))
    return agreement


def _bounds(found: Mapping[str, Findings]) -> ReportTable:
    rows = [
        [name, method, *(getattr(one, column) for column in _BOUNDS[2:])]
        for name, of in found.items()
        for method, bounds in of.bounds.items()
        for one in bounds
    ]
    return ReportTable(_BOUNDS, rows)


def _rows(worth: Mapping[str, Sequence[Candidate]], facts: LabelFreeFacts) -> pa.Table:
    rows = [
        {
            "method": one.method,
            "machine_type": name,
            "params": f"embeddings={one.embeddings}",
            "chosen_on": one.criterion,
            "reported_on": one.official,
            "chosen": one == facts.chosen[name],
            "oracle": one == facts.oracle.get(name),
        }
        for name, of in worth.items()
        for one in of
    ]
    return pa.Table.from_pylist(rows, pa.schema([(c.name, c.type) for c in artifacts.TUNING.columns]))
