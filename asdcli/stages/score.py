"""score: embeddings in, one table of anomaly scores a method out, and what the method has learnt: a detector.

Where clips have several windows, there is a table of theirs too. All methods read the same distances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.scorers import SCORERS, Scorer, leverage, own_unit, scorers_of
from asdcli.scorers.rules import told
from asdcli.views.blocks import Blocks, with_blocks
from asdcli.views.detector_file import UnitState, is_current_detector, write_detector
from asdcli.views.embeddings import STANDARDISED, Embedded, read_embeddings
from asdcli.views.errors_table import ErrorRow, naming, read_errors, write_errors
from asdcli.views.fitting import Fitting
from asdcli.views.fold_embeddings import header_beside, read_fold_embeddings
from asdcli.views.scores import ScoreFacts, ScoreFiles
from asdcli.views.units import UnitPlan, plan_units
from asdcli.views.unseen import scored_as
from asdcli.views.windows import says_of_windows, score_table
from asdcli.vocabulary import OfWindows, Unit
from asdcli.writing.locks import alone_with

_AT_ONCE = 2  # methods whose files are written: while one waits for the disk, the other is digested
_FOLDS = "fold-embeddings"
_ALONE = "it is the only training clip of its unit: nothing is left to compare it with"


@alone_with(lambda given: [files.clips for files in given["outputs"].values()])
def run(
    embeddings: Path,
    outputs: Mapping[str, ScoreFiles],
    *,
    errors: Path,
    unit: Unit | None = None,
    of_windows: OfWindows | None = None,
    seed: int = 0,
    dataset: str = "",
    device: str = "auto",
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome[ScoreFacts]]:
    """Score all training and test clips of `embeddings` with every method of `outputs`.

    Test clips are compared with the unit's training clips, training clips with all but themselves; those that no model
    was trained on with all but their group, by a scorer that was fitted without it (`scored_as` says which). Where the
    model was cross-fitted, they are scored in the space of the model that has not seen them. A clip of
    several windows gets the mean of their scores, or the highest. Methods whose files are up to date are left alone;
    where one file is missing, the others are made again too.

    Args:
        embeddings: table of embeddings.
        outputs: spelling of a method -> its files. The table of windows is written where clips have several.
        errors: table of the clips that could not be scored; removed when there are none.
        unit: the clips that share one reference set and one alpha; None means each method's own.
        of_windows: what a clip has of its windows' scores; None means what `views.windows.says_of_windows` says.
        seed: of everything random; each unit draws from a seed of its own.
        dataset: name for the header where the embeddings have none.
        device: where neighbours are looked for: speed, not results. `auto` is the CPU, without a wait for torch.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Returns:
        canonical spelling -> outcome; `facts.units` holds the diagnostics of every unit.

    Raises:
        UsageError: unknown method or parameter, or no such device.
        MissingArtifact, BadArtifact, BadData: no embeddings, not embeddings, or none that can be scored.
    """
    outputs = {SCORERS.canonical(spelling): files for spelling, files in outputs.items()}
    scorers = scorers_of(outputs, "embeddings")
    upstream = artifacts.read_table_header(embeddings, artifacts.EMBEDDINGS, headerless=True)
    of = {spelling: unit or own_unit(scorer) for spelling, scorer in scorers.items()}
    folded = header_beside(embeddings, upstream)
    headers = _Headers(upstream, folded, upstream.dataset or dataset, seed, of, of_windows or says_of_windows(upstream))
    current = {} if force else {m: _current(files, m, headers, errors) for m, files in outputs.items()}
    outcomes = {spelling: outcome for spelling, outcome in current.items() if outcome}
    lacking = any(outcome.skipped for outcome in outcomes.values())
    everything = {clip_id: why for clip_id, _, why in read_errors(errors)} if lacking else {}
    where = _device(device)
    todo = {spelling: scorer for spelling, scorer in scorers.items() if spelling not in outcomes}
    if todo:
        artifacts.claim(errors, artifacts.ERRORS, force=force)
        for spelling in todo:  # an unwritable place shows before the work, not after
            outputs[spelling].claim(force=force)
            outputs[spelling].clips.parent.mkdir(parents=True, exist_ok=True)
        embedded, blocks = with_blocks(read_embeddings(embeddings))
        in_folds = read_fold_embeddings(embeddings, embedded) if folded else []
        _tell(blocks, progress)
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
            results = _score(embedded, in_folds, plans, methods, seed=seed, device=where, progress=progress)
            told_as = pa.array(scored_as(embedded, plans, in_folds).tolist(), pa.string())
            labelled = replace(embedded, clips=embedded.clips.append_column("scored_as", told_as))
            for sentence in told({spelling: result.rules for spelling, result in results.items()}):
                progress.warn(sentence)
            for sentence in leverage.told({spelling: result.diagnostics for spelling, result in results.items()}):
                progress.warn(sentence)
            left_out = {spelling: unscored | _alone(embedded, plans, result) for spelling, result in results.items()}
            with ThreadPoolExecutor(_AT_ONCE) as threads:
                jobs = (
                    (m, outputs[m], result, labelled, {"unscored": len(left_out[m]), **_sizes(blocks)}, headers)
                    for m, result in results.items()
                )
                outcomes |= zip(results, threads.map(lambda job: _write(*job), jobs), strict=True)
            for without in left_out.values():
                everything |= without
        header = Header.make(artifacts.ERRORS, dataset=upstream.dataset or dataset, inputs={"embeddings": upstream})
        write_errors(errors, _rows(everything), header)
    if everything:
        progress.left_out(naming(_rows(everything), "not scored", errors))
    return {spelling: outcomes[spelling] for spelling in outputs}


@dataclass(frozen=True)
class _Headers:
    """The headers of all files that are made of the same embeddings."""

    upstream: Header
    folded: Header | None
    dataset: str
    seed: int
    units: Mapping[str, Unit]
    of_windows: OfWindows

    def of(self, kind: artifacts.Kind, spelling: str, diagnostics: Mapping[str, Any] | None = None) -> Header:
        return Header.make(
            kind,
            dataset=self.dataset,
            seed=self.seed,
            params={"method": spelling, "unit": self.units[spelling], **self._said},
            inputs={**({_FOLDS: self.folded} if self.folded else {}), "embeddings": self.upstream},
            diagnostics=diagnostics or {},
        )

    @property
    def _said(self) -> dict[str, Any]:
        said: dict[str, Any] = {} if self.of_windows == "mean" else {"of_windows": self.of_windows}
        return said | ({STANDARDISED: True} if self.upstream.diagnostics.get(STANDARDISED) else {})


def _current(files: ScoreFiles, spelling: str, headers: _Headers, errors: Path) -> Outcome[ScoreFacts] | None:
    """What is to be said of a method whose files are all there and up to date, `errors` too if clips have no score."""
    if not artifacts.is_current(files.clips, artifacts.SCORES, headers.of(artifacts.SCORES, spelling)):
        return None
    found = artifacts.read_header(files.clips, artifacts.SCORES).diagnostics
    if found.get("unscored") and not errors.exists():
        return None
    of_windows = headers.of(artifacts.WINDOW_SCORES, spelling)
    if found.get("windows") and not artifacts.is_current(files.windows, artifacts.WINDOW_SCORES, of_windows):
        return None
    if not is_current_detector(files.detector, headers.of(artifacts.DETECTOR, spelling)):
        return None
    return Outcome(files.clips, "current", found.get("unscored", 0), ScoreFacts(units=found.get("units", {})))


@dataclass
class _Result:
    """What one method made: (n_windows,) scores, NaN where a clip has none; of each unit what was found and learnt."""

    windows: np.ndarray
    diagnostics: dict[str, dict[str, Any]] = field(default_factory=dict)
    learnt: list[UnitState] = field(default_factory=list)

    @property
    def rules(self) -> dict[str, Sequence[str]]:
        return {unit: found.get("rules", ()) for unit, found in self.diagnostics.items()}


def _score(
    embedded: Embedded,
    in_folds: Sequence[Embedded],
    plans: Sequence[UnitPlan],
    methods: Mapping[str, Scorer],
    *,
    seed: int,
    device: str,
    progress: Progress,
) -> dict[str, _Result]:
    """Spelling -> what the method made of all units."""
    results = {spelling: _Result(np.full(len(embedded.clip), np.nan)) for spelling in methods}
    for plan in progress.track(plans, total=len(plans), label="score", unit="units"):
        fitting = Fitting.of(embedded, in_folds, plan, seed=seed, device=device)
        scored = np.isin(embedded.clip, plan.scored)
        for spelling, result in results.items():
            fitted, windows = fitting.scores(methods[spelling], len(embedded.clip))
            broken = np.flatnonzero(scored & np.isnan(windows))
            if len(broken):
                first = embedded.column("clip_id")[embedded.clip[broken[0]]]
                raise BadData(f"{spelling}: the score of {first} is not a number", "check the embeddings for extremes")
            result.windows[scored] = windows[scored]
            result.diagnostics[plan.name] = dict(fitted.diagnostics)
            result.learnt.append(UnitState.of(fitted, plan.machine_type, plan.section, fitting.of_train))
    return results


def _device(name: str) -> str:
    """Where neighbours are looked for; raises UsageError where there is no such device."""
    if name in ("auto", "cpu"):
        return "cpu"
    from asdcli.training.devices import pick_device

    return str(pick_device(name))


def _alone(embedded: Embedded, plans: Sequence[UnitPlan], result: _Result) -> dict[str, str]:
    """The clips that there was nothing to compare with, and that this is why they have no score."""
    scores = embedded.of_clips(result.windows)
    planned = np.concatenate([plan.scored for plan in plans])
    return dict.fromkeys(embedded.column("clip_id")[planned[~np.isfinite(scores[planned])]], _ALONE)


def _write(
    spelling: str,
    files: ScoreFiles,
    result: _Result,
    embedded: Embedded,
    found: Mapping[str, Any],
    headers: _Headers,
) -> Outcome:
    """Write the files of one method; the header of its scores says what was `found` of the clips, too."""
    write_detector(files.detector, result.learnt, embedded, headers.of(artifacts.DETECTOR, spelling))
    scores = embedded.of_clips(result.windows, headers.of_windows)
    several = bool((embedded.window > 0).any())
    if several:
        table = _table(_of_windows(embedded), spelling, result.windows, scores[embedded.clip])
        artifacts.write_table(
            files.windows, artifacts.WINDOW_SCORES, table, headers.of(artifacts.WINDOW_SCORES, spelling)
        )
    else:
        files.windows.unlink(missing_ok=True)
    table = _table(embedded.clips, spelling, scores, scores)
    told = {"units": result.diagnostics, "windows": several, **found}
    made = artifacts.write_table(files.clips, artifacts.SCORES, table, headers.of(artifacts.SCORES, spelling, told))
    facts = ScoreFacts(len(table), alpha=_alphas(result.diagnostics), units=made.diagnostics["units"])
    return Outcome(files.clips, "done", int(found["unscored"]), facts)


def _tell(blocks: Sequence[Blocks], progress: Progress) -> None:
    """The blocks of consecutive clips that were made longer or shorter, and those that cannot be any more."""
    for one in blocks:
        if one.doubt:
            progress.warn(one.doubt)
        if not one.asked and one.size != one.before:
            progress.note(str(one))


def _sizes(blocks: Sequence[Blocks]) -> dict[str, Any]:
    of = {one.machine_type: one.size for one in blocks if not one.asked}
    return {"blocks": of} if of else {}


def _of_windows(embedded: Embedded) -> pa.Table:
    """The label columns of every window."""
    labels = embedded.clips.take(pa.array(embedded.clip))
    return labels.add_column(1, "window", pa.array(embedded.window, pa.int32()))


def _table(labels: pa.Table, spelling: str, scores: np.ndarray, of_clip: np.ndarray) -> pa.Table:
    """`labels` with their scores, without the rows whose clip has none."""
    return score_table(labels, spelling, scores).filter(pa.array(np.isfinite(of_clip)))


def _alphas(of_units: Mapping[str, Mapping[str, Any]]) -> str | None:
    alphas = [found["alpha"] for found in of_units.values() if "alpha" in found]
    return f"{min(alphas):.3g} to {max(alphas):.3g}" if alphas else None


def _rows(unscored: Mapping[str, str]) -> list[ErrorRow]:
    return [(clip_id, clip_id, why) for clip_id, why in unscored.items()]
