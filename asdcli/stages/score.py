"""score: embeddings in, one table of anomaly scores a method out (and one of windows where clips have several).

All methods read the same distances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.errors import BadData
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.scorers import SCORERS, Scorer, own_unit, scorers_of
from asdcli.scorers.rules import told
from asdcli.views.embeddings import Embedded, read_embeddings
from asdcli.views.scores import ScoreFiles
from asdcli.views.units import UnitPlan, plan_units
from asdcli.views.windows import score_table
from asdcli.vocabulary import Unit

_ALONE = "it is the only training clip of its unit: nothing is left to compare it with"


def run(
    embeddings: Path,
    outputs: Mapping[str, ScoreFiles],
    *,
    errors: Path,
    unit: Unit | None = None,
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
        outputs: spelling of a method -> its tables. That of windows is written where clips have several.
        errors: table of the clips that could not be scored; removed when there are none.
        unit: the clips that share one reference set and one alpha; None means each method's own.
        seed: of everything random; each unit draws from a seed of its own.
        dataset: name for the header where the embeddings have none.

    Returns:
        canonical spelling -> outcome; `facts["units"]` holds the diagnostics of every unit.

    Raises:
        UsageError: unknown method or parameter.
        MissingArtifact, BadArtifact, BadData: no embeddings, not embeddings, or none that can be scored.
    """
    outputs = {SCORERS.canonical(spelling): files for spelling, files in outputs.items()}
    scorers = scorers_of(outputs, "embeddings")
    upstream = artifacts.read_table_header(embeddings, artifacts.EMBEDDINGS, headerless=True)
    of = {spelling: unit or own_unit(scorer) for spelling, scorer in scorers.items()}

    def header(kind: artifacts.Kind, spelling: str, diagnostics: dict[str, Any] | None = None) -> artifacts.Header:
        return artifacts.Header.make(
            kind,
            dataset=upstream.dataset or dataset,
            seed=seed,
            params={"method": spelling, "unit": of[spelling]},
            inputs={"embeddings": upstream},
            diagnostics=diagnostics or {},
        )

    outcomes: dict[str, Outcome] = {}
    for spelling, files in outputs.items():
        if not force and artifacts.is_current(files.clips, artifacts.SCORES, header(artifacts.SCORES, spelling)):
            found = artifacts.read_header(files.clips, artifacts.SCORES).diagnostics
            made = header(artifacts.WINDOW_SCORES, spelling)
            if not found.get("windows") or artifacts.is_current(files.windows, artifacts.WINDOW_SCORES, made):
                facts = {"units": found.get("units", {})}
                outcomes[spelling] = Outcome(files.clips, "current", found.get("unscored", 0), facts)
    todo = {spelling: scorer for spelling, scorer in scorers.items() if spelling not in outcomes}
    if todo:
        for spelling in todo:  # an unwritable place shows before the work, not after
            outputs[spelling].clips.parent.mkdir(parents=True, exist_ok=True)
        embedded = read_embeddings(embeddings)
        ids = embedded.column("clip_id")
        several = bool((embedded.window > 0).any())
        everything: dict[str, str] = {}
        for one in dict.fromkeys(of[spelling] for spelling in todo):
            methods = {spelling: method for spelling, method in todo.items() if of[spelling] is one}
            plans, unscored, warnings = plan_units(embedded, one)
            if not plans:
                raise BadData(
                    f"{embeddings} holds no training clips to compare with",
                    "embed the train split too, or check the column split of an imported table",
                )
            for sentence in warnings:
                progress.warn(sentence)
            windows, diagnostics = _score(embedded, plans, methods, seed=seed, progress=progress)
            for sentence in told(_rules(diagnostics)):
                progress.warn(sentence)
            planned = np.concatenate([plan.scored for plan in plans])
            for spelling in methods:
                scores = embedded.mean(windows[spelling])
                alone = planned[~np.isfinite(scores[planned])]
                without = unscored | dict.fromkeys(ids[alone], _ALONE)
                everything |= without
                facts = {"units": diagnostics[spelling], "unscored": len(without), "windows": several}
                files = outputs[spelling]
                if several:
                    made = header(artifacts.WINDOW_SCORES, spelling)
                    table = _table(_of_windows(embedded), spelling, windows[spelling], scores[embedded.clip])
                    artifacts.write_table(files.windows, artifacts.WINDOW_SCORES, table, made)
                else:
                    files.windows.unlink(missing_ok=True)
                table = _table(embedded.clips, spelling, scores, scores)
                made = header(artifacts.SCORES, spelling, facts)
                made = artifacts.write_table(files.clips, artifacts.SCORES, table, made)
                facts = {"clips": len(table), **_alpha_fact(diagnostics[spelling]), "units": made.diagnostics["units"]}
                outcomes[spelling] = Outcome(files.clips, "done", len(without), facts)
        _report_unscored(errors, everything, upstream, dataset, progress)
    return {spelling: outcomes[spelling] for spelling in outputs}


def _score(
    embedded: Embedded, plans: Sequence[UnitPlan], methods: Mapping[str, Scorer], *, seed: int, progress: Progress
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, dict[str, Any]]]]:
    """spelling -> (n_windows,) scores, NaN where a clip has none; spelling -> unit -> diagnostics."""
    scores = {spelling: np.full(len(embedded.clip), np.nan) for spelling in methods}
    diagnostics: dict[str, dict[str, dict[str, Any]]] = {spelling: {} for spelling in methods}
    for plan in progress.track(plans, total=len(plans), label="score", unit="units"):
        unit, of_train, of_test = plan.vectors(embedded, seed=seed)
        scored = np.isin(embedded.clip, plan.scored)
        for spelling, method in methods.items():
            fitted = method.fit(unit)
            windows = np.full(len(embedded.clip), np.nan)
            windows[of_train] = fitted.score(unit.train)
            windows[of_test] = fitted.score(unit.test)
            scores[spelling][scored] = windows[scored]
            diagnostics[spelling][plan.name] = dict(fitted.diagnostics)
            broken = np.flatnonzero(scored & np.isnan(windows))
            if len(broken):
                first = embedded.column("clip_id")[embedded.clip[broken[0]]]
                raise BadData(f"{spelling}: the score of {first} is not a number", "check the embeddings for extremes")
    return scores, diagnostics


def _of_windows(embedded: Embedded) -> pa.Table:
    """The label columns of every window."""
    labels = embedded.clips.take(pa.array(embedded.clip))
    return labels.add_column(1, "window", pa.array(embedded.window, pa.int32()))


def _table(labels: pa.Table, spelling: str, scores: np.ndarray, of_clip: np.ndarray) -> pa.Table:
    """`labels` with their scores, without the rows whose clip has none."""
    return score_table(labels, spelling, scores).filter(pa.array(np.isfinite(of_clip)))


def _rules(diagnostics: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Sequence[str]]]:
    return {m: {unit: found.get("rules", ()) for unit, found in units.items()} for m, units in diagnostics.items()}


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
