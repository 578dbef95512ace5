"""score: embeddings in, one table of anomaly scores a method out; all methods read the same distances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.errors import BadData
from asdcli.progress import SILENT, Progress
from asdcli.scorers import RULES, SCORERS, Scorer
from asdcli.stages import units
from asdcli.stages.outcome import Outcome
from asdcli.stages.units import Embedded, UnitPlan
from asdcli.vocabulary import Unit

_ALONE = "it is the only training clip of its unit: nothing is left to compare it with"


def run(
    embeddings: Path,
    outputs: Mapping[str, Path],
    *,
    errors: Path,
    unit: Unit = Unit.MACHINE_TYPE,
    seed: int = 0,
    dataset: str = "",
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome]:
    """Score all training and test clips of `embeddings` with every method of `outputs`.

    Test clips are compared with the unit's training clips, training clips with all but themselves. A clip of several
    windows gets the mean of its windows' scores. Methods whose file is up to date are left alone.

    Args:
        embeddings: table of embeddings.
        outputs: spelling of a method -> its table of scores.
        errors: table of the clips that could not be scored; removed when there are none.
        unit: the clips that share one reference set and one alpha.
        seed: of everything random; each unit draws from a seed of its own.
        dataset: name for the header where the embeddings have none.

    Returns:
        canonical spelling -> outcome; `facts["units"]` holds the diagnostics of every unit.

    Raises:
        UsageError: unknown method or parameter.
        MissingArtifact, BadArtifact, BadData: no embeddings, not embeddings, or none that can be scored.
    """
    outputs = {SCORERS.spell(SCORERS.build(spelling)): path for spelling, path in outputs.items()}
    methods: dict[str, Scorer] = {spelling: SCORERS.build(spelling) for spelling in outputs}
    upstream = artifacts.read_table_header(embeddings, artifacts.EMBEDDINGS, headerless=True)
    outcomes: dict[str, Outcome] = {}
    for spelling, path in outputs.items():
        header = _header(spelling, upstream, unit=unit, seed=seed, dataset=dataset)
        if not force and artifacts.is_current(path, artifacts.SCORES, header):
            found = artifacts.read_header(path, artifacts.SCORES).diagnostics
            outcomes[spelling] = Outcome(path, "current", found.get("unscored", 0), {"units": found.get("units", {})})
    todo = {spelling: method for spelling, method in methods.items() if spelling not in outcomes}
    if todo:
        for spelling in todo:  # an unwritable place shows before the work, not after
            outputs[spelling].parent.mkdir(parents=True, exist_ok=True)
        embedded = units.read(embeddings)
        plans, unscored, warnings = units.plan(embedded, unit)
        if not plans:
            raise BadData(
                f"{embeddings} holds no training clips to compare with",
                "embed the train split too, or check the column split of an imported table",
            )
        for sentence in warnings:
            progress.warn(sentence)
        scores, diagnostics = _score(embedded, plans, todo, seed=seed, progress=progress)
        for sentence in _fallbacks(diagnostics):
            progress.warn(sentence)
        ids = embedded.column("clip_id")
        planned = np.concatenate([plan.scored for plan in plans])
        without: dict[str, dict[str, str]] = {}
        for spelling in todo:
            alone = planned[~np.isfinite(scores[spelling][planned])]
            without[spelling] = unscored | dict.fromkeys(ids[alone], _ALONE)
            header = _header(
                spelling,
                upstream,
                unit=unit,
                seed=seed,
                dataset=dataset,
                diagnostics={"units": diagnostics[spelling], "unscored": len(without[spelling])},
            )
            table = _table(embedded, spelling, scores[spelling])
            header = artifacts.write_table(outputs[spelling], artifacts.SCORES, table, header)
            facts = {"clips": len(table), **_alpha_fact(diagnostics[spelling]), "units": header.diagnostics["units"]}
            outcomes[spelling] = Outcome(outputs[spelling], "done", len(without[spelling]), facts)
        everything = {clip: reason for of_method in without.values() for clip, reason in of_method.items()}
        _report_unscored(errors, everything, upstream, dataset, progress)
    return {spelling: outcomes[spelling] for spelling in outputs}


def _header(spelling: str, upstream: artifacts.Header, *, unit: Unit, dataset: str, **more: Any) -> artifacts.Header:
    return artifacts.Header.make(
        artifacts.SCORES,
        dataset=upstream.dataset or dataset,
        params={"method": spelling, "unit": unit},
        inputs={"embeddings": upstream},
        **more,
    )


def _score(
    embedded: Embedded, plans: Sequence[UnitPlan], methods: Mapping[str, Scorer], *, seed: int, progress: Progress
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, dict[str, Any]]]]:
    """spelling -> (n_clips,) scores, NaN where a clip has none; spelling -> unit -> diagnostics."""
    scores = {spelling: np.full(len(embedded.clips), np.nan) for spelling in methods}
    diagnostics: dict[str, dict[str, dict[str, Any]]] = {spelling: {} for spelling in methods}
    for plan in progress.track(plans, total=len(plans), label="score", unit="units"):
        unit, of_train, of_test = plan.vectors(embedded, seed=seed)
        for spelling, method in methods.items():
            fitted = method.fit(unit)
            windows = np.full(len(embedded.clip), np.nan)
            windows[of_train] = fitted.score(unit.train)
            windows[of_test] = fitted.score(unit.test)
            scores[spelling][plan.scored] = embedded.mean(windows)[plan.scored]
            diagnostics[spelling][plan.name] = fitted.diagnostics
    return scores, diagnostics


def _table(embedded: Embedded, spelling: str, scores: np.ndarray) -> pa.Table:
    table = embedded.clips.append_column("method", pa.array([spelling] * len(scores), pa.string()))
    table = table.append_column("anomaly_score", pa.array(scores, pa.float64()))
    return table.filter(pa.array(np.isfinite(scores)))


def _fallbacks(diagnostics: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """One sentence for every rule that fired, with the methods and units."""
    fired: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for spelling, of_units in diagnostics.items():
        for unit, found in of_units.items():
            for rule in found["rules"]:
                methods, names = fired.setdefault(rule, ({}, {}))
                methods[spelling], names[unit] = None, None
    return [f"{RULES[rule]} ({_some(list(m), 'methods')}; {_some(list(u), 'units')})" for rule, (m, u) in fired.items()]


def _some(names: Sequence[str], what: str) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])}, … {len(names)} {what}"


def _alpha_fact(of_units: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    alphas = [found["alpha"] for found in of_units.values() if "alpha" in found]
    return {"alpha": f"{min(alphas):.3g} to {max(alphas):.3g}"} if alphas else {}


def _report_unscored(
    path: Path, unscored: Mapping[str, str], upstream: artifacts.Header, dataset: str, progress: Progress
) -> None:
    """Name the clips without a score in the errors table; a table that says nothing any more goes away."""
    if not unscored:
        path.unlink(missing_ok=True)
        return
    first = next(iter(unscored))
    progress.warn(f"{len(unscored)} clips are not scored, such as {first}: {unscored[first]} (all are named in {path})")
    columns = {"clip_id": list(unscored), "path": list(unscored), "error": list(unscored.values())}
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    header = artifacts.Header.make(
        artifacts.ERRORS, dataset=upstream.dataset or dataset, inputs={"embeddings": upstream}
    )
    artifacts.write_table(path, artifacts.ERRORS, table, header)
