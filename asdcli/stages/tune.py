"""tune: choose the parameters of smoothing and of the inlier model on some sections, report on others.

The protocol of Fujimura et al. 2024: K and data of the smoothing, and clusters and data of the Gaussian mixture, are
chosen for each machine type by the labels of sections 00 to 02 and reported on 03 to 05, beside the oracle, which
chose on those. Only the oracle, never a choice, sees the labels of the reported sections.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData
from asdcli.metrics.official import Value, measure, official
from asdcli.metrics.specs import AUC_PAUC, MetricSpec, spec_named
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.scorers.smooth import CHOOSE, CLUSTERS, KS, REPORT, Smooth
from asdcli.stages.candidates import Candidates, of_mixtures, of_smoothing
from asdcli.views.labelled import Judged, judged, objective, of_sections
from asdcli.views.pools import data_to_try
from asdcli.views.samples import SMOOTHED, Samples
from asdcli.views.tuning import ReportTable, TuningFacts, highest
from asdcli.views.windows import per_clip, score_table
from asdcli.vocabulary import Data
from asdcli.writing.locks import alone_with

TUNED = ":tuned"


@dataclass(frozen=True)
class Choice:
    """One parameter setting of one machine type, and what it is worth on both groups of sections."""

    params: str
    chosen_on: float | None
    reported_on: float | None


@alone_with("output")
def run(
    samples: Samples,
    embeddings: Path,
    output: Path,
    *,
    scores_output: Callable[[str], Path],
    truth: Path | None,
    how: Smooth,
    ks: Sequence[int] = KS,
    data: Data | None = None,
    clusters: Sequence[int] = CLUSTERS,
    choose: Sequence[str] = CHOOSE,
    report: Sequence[str] = REPORT,
    metric: str = AUC_PAUC,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[TuningFacts]:
    """Search both grids, write them with the choices to `output`, and the chosen scores as two more methods.

    Args:
        samples: from `views.samples.read_samples`: the scores to smooth, and the vectors to smooth them in.
        embeddings: the table of those vectors, whose training clips the mixtures are fitted on.
        output: tuning.parquet.
        scores_output: spelling of a method -> its file.
        truth: clips.parquet, whose conditions win over those in the scores.
        how: everything about the smoothing but K and data.
        ks: every K that is tried.
        data: of whom neighbours are taken; None means that both are tried.
        clusters: may be empty: no mixtures.
        choose: sections on whose labels is chosen.
        report: sections on which the choice is then judged.
        metric: name of an official rule: what is maximised.
        seed: of everything random.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        BadData: a machine type has no labels to choose by. UsageError: no section of `choose` has labels.
    """
    spec = spec_named(metric)
    tried = data_to_try(samples.table, data, progress)
    params: dict[str, Any] = {
        "method": samples.method,
        "level": samples.level,
        "pool": how.pool,
        "distance": how.metric,
        "outside": how.outside,
        "own_windows": how.own_windows,
    }
    params |= {"metric": metric, "ks": list(ks), "data": list(tried), "clusters": list(clusters)}
    params |= {"choose": list(choose), "report": list(report)}
    inputs = dict(samples.inputs)
    if truth is not None and truth.exists():
        inputs["clips"] = artifacts.read_table_header(truth, artifacts.CLIPS, headerless=True)
    header = Header.make(artifacts.TUNING, dataset=samples.dataset, seed=seed, params=params, inputs=inputs)
    chosen_scores = {
        family: (scores_output(family + TUNED), _scores_header(family, samples, header))
        for family in (*(["gmm"] if clusters else []), samples.method + SMOOTHED)
    }
    current = not force and artifacts.is_current(output, artifacts.TUNING, header)
    current = current and all(artifacts.is_current(p, artifacts.SCORES, made) for p, made in chosen_scores.values())
    if current and (facts := TuningFacts.of(artifacts.read_header(output, artifacts.TUNING))):
        return Outcome(output, "current", facts=facts)

    for path, kind in ((output, artifacts.TUNING), *((p, artifacts.SCORES) for p, _ in chosen_scores.values())):
        artifacts.claim(path, kind, force=force)
    clips = per_clip(samples.table, samples.scores, samples.method)
    labelled = judged(clips, truth)
    choosing = of_sections(labelled, choose)
    reporting = [s for s in labelled if s.section in report]
    if not reporting:
        progress.warn(f"no labels of sections {', '.join(report)}: parameters are chosen, nothing is reported")
    families: dict[str, Candidates] = {}
    if clusters:
        families["gmm"] = of_mixtures(embeddings, clips, clusters, tried, seed, progress)
    families[samples.method + SMOOTHED] = of_smoothing(samples, how, ks, tried, progress)

    machine_types = sorted(set(clips["machine_type"].to_pylist()))
    found = {
        family: {m: grid(spec, candidates, m, choosing, reporting) for m in machine_types}
        for family, candidates in families.items()
    }
    chosen = {family: {m: select(c, m, choose) for m, c in of.items()} for family, of in found.items()}
    oracle = {family: {m: best(c) for m, c in of.items()} for family, of in found.items()}
    table = _table_ii(spec, samples.method, np.asarray(clips["anomaly_score"]), families, chosen, oracle, reporting)
    facts = TuningFacts(chosen, oracle, table)
    header = dataclasses.replace(header, diagnostics=dataclasses.asdict(facts))
    _write(output, found, chosen, oracle, header)
    for family, candidates in families.items():
        _write_scores(*chosen_scores[family], clips, candidates, chosen[family])
    return Outcome(output, facts=facts)


def grid(
    spec: MetricSpec, candidates: Candidates, machine_type: str, choosing: Sequence[Judged], reporting: Sequence[Judged]
) -> list[Choice]:
    """Every candidate's objective over the machine type's choosing and reporting sections."""
    groups = [[s for s in sections if s.machine_type == machine_type] for sections in (choosing, reporting)]
    return [Choice(params, *(objective(spec, g, scores) for g in groups)) for params, scores in candidates.items()]


def select(choices: Sequence[Choice], machine_type: str, sections: Sequence[str]) -> str:
    """The parameters with the largest objective over the choosing sections; ties: the first.

    Raises:
        BadData: nothing was measured there.
    """
    found = highest({c.params: c.chosen_on for c in choices})
    if found is None:
        raise BadData(
            f"{machine_type}: no labels in sections {', '.join(sections)} to choose parameters by",
            "name sections that have labels with --choose, or leave the machine type out",
        )
    return found


def best(choices: Sequence[Choice]) -> str | None:
    """The parameters with the largest objective over the reported sections, which no system may know: the oracle."""
    return highest({c.params: c.reported_on for c in choices})


def _table_ii(
    spec: MetricSpec,
    method: str,
    unsmoothed: np.ndarray,
    families: Mapping[str, Candidates],
    chosen: Mapping[str, Mapping[str, str]],
    oracle: Mapping[str, Mapping[str, str | None]],
    reporting: Sequence[Judged],
) -> ReportTable:
    """The last column is the AUC of the section where the mixture is worst."""
    if not reporting:
        return ReportTable()
    smoothed = method + SMOOTHED
    gmm = "gmm" in families
    rows = {"gmm": _picked(families["gmm"], chosen["gmm"])} if gmm else {}
    rows[method] = dict.fromkeys(chosen[smoothed], unsmoothed)
    rows[smoothed] = _picked(families[smoothed], chosen[smoothed])
    rows[f"{smoothed} (oracle)"] = _picked(families[smoothed], oracle[smoothed])

    def auc(section: Judged, scores: np.ndarray) -> float:
        return next((v.value for v in measure(_AUC, [section.scores(scores)]) if v.value is not None), np.nan)

    worst = min(reporting, key=lambda s: np.nan_to_num(auc(s, rows["gmm"][s.machine_type]), nan=1.0)) if gmm else None
    table = []
    for name, scores in rows.items():
        values: list[Value] = []
        row: dict[str, Any] = {"method": name}
        for machine_type in sorted({s.machine_type for s in reporting}):
            own = [s.scores(scores[machine_type]) for s in reporting if s.machine_type == machine_type]
            measured = measure(spec, own)
            row[machine_type] = official(spec, measured)
            values += measured
        row["all"] = official(spec, values)
        if worst is not None:
            of_worst = [scores[worst.machine_type]]
            if name.endswith("(oracle)"):  # in that column the paper's oracle knows the section itself
                of_worst = list(families[smoothed].values())
            row[f"{worst.machine_type}-{worst.section}"] = max(auc(worst, s) for s in of_worst)
        table.append(row)
    return ReportTable(list(table[0]), [list(row.values()) for row in table])


_AUC = MetricSpec("auc", (spec_named(AUC_PAUC).terms[0],), mean="harmonic")


def _picked(candidates: Candidates, choices: Mapping[str, str | None]) -> dict[str, np.ndarray]:
    """Machine type -> scores of all clips under its parameters."""
    return {m: candidates[params] for m, params in choices.items() if params is not None}


def _write(
    output: Path,
    found: Mapping[str, Mapping[str, Sequence[Choice]]],
    chosen: Mapping[str, Mapping[str, str]],
    oracle: Mapping[str, Mapping[str, str | None]],
    header: Header,
) -> None:
    rows = [
        {
            "method": family,
            "machine_type": machine_type,
            **dataclasses.asdict(choice),
            "chosen": choice.params == chosen[family][machine_type],
            "oracle": choice.params == oracle[family][machine_type],
        }
        for family, of in found.items()
        for machine_type, choices in of.items()
        for choice in choices
    ]
    schema = pa.schema([(c.name, c.type) for c in artifacts.TUNING.columns])
    artifacts.write_table(output, artifacts.TUNING, pa.Table.from_pylist(rows, schema), header)


def _scores_header(family: str, samples: Samples, tuning: Header) -> Header:
    """The header of the scores under the parameters that were chosen."""
    return Header.make(
        artifacts.SCORES,
        dataset=samples.dataset,
        seed=tuning.seed,
        params={"method": family + TUNED, **{k: v for k, v in tuning.params.items() if k != "method"}},
        inputs=samples.inputs,
    )


def _write_scores(
    path: Path, header: Header, clips: pa.Table, candidates: Candidates, chosen: Mapping[str, str]
) -> None:
    """The clips' scores under each machine type's chosen parameters."""
    machine_types = np.array(clips["machine_type"].to_pylist())
    scores = np.empty(len(clips))
    for machine_type, params in chosen.items():
        own = machine_types == machine_type
        scores[own] = candidates[params][own]
    header = dataclasses.replace(header, diagnostics={"choices": dict(chosen)})
    table = score_table(clips, str(header.params["method"]), scores)
    artifacts.write_table(path, artifacts.SCORES, table, header)
