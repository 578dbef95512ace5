"""Leave-one-out scores of normal training clips -> thresholds.parquet -> decisions, without scoring anything again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts, catalogue
from asdcli.artifacts import Header
from asdcli.artifacts.for_people import write_rows
from asdcli.errors import BadArtifact, BadData, UsageError
from asdcli.metrics.decisions import decide
from asdcli.metrics.threshold_rules import EDITION_RULE, OWN_RULE, RULES, Rule, set_threshold
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.spec import parse
from asdcli.stages.threshold_report import ThresholdRow, sentences
from asdcli.views.arrivals import clips_per_day
from asdcli.views.calibration import HOLD_OUT, SEEN_ALL, calibrations
from asdcli.views.p_values import p_values_of
from asdcli.views.scores import Scored, read_scores
from asdcli.views.thresholds import SCHEMA, OtherMethods, Thresholds
from asdcli.vocabulary import Condition, Split
from asdcli.wording import listed
from asdcli.writing.locks import alone_with

_DECIDED = [
    *("method", "clip_id", "machine_type", "anomaly_score", "threshold", "decision"),
    *("p_value", "p_value_group"),
]


@dataclass(frozen=True)
class ThresholdFacts:
    """How many methods got thresholds, how many thresholds, and the rule asked for."""

    methods: int
    thresholds: int
    rule: str


@dataclass(frozen=True)
class DecisionFacts:
    """How many test clips were decided on, and how many of them are anomalies by that."""

    clips: int
    alarms: int


@alone_with("output")
def run(
    scores: Sequence[Path],
    output: Path,
    *,
    rule: str | None = None,
    parameters: Mapping[str, float | None] | None = None,
    from_training: bool = False,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Set one threshold a method and machine type by `rule` (see `metrics.threshold_rules`) and write them to `output`.

    A threshold stands on the scores that tell most about new clips: of held-out clips, or of clips left out with their
    groups. Where the model was trained on all clips there is none, because such scores promise nothing. Thresholds of
    other methods of the same dataset that `output` holds already stay in it.

    Args:
        scores: tables of clip scores.
        output: thresholds.parquet.
        rule: a spelling; None is that of `false-alarms` where `parameters` hold `per_day`, else EDITION_RULE for scores
            of an edition of the catalogue and OWN_RULE for others.
        parameters: of the rule; they win over its spelling, and those that are None are not given.
        from_training: take the scores of all training clips, also of those that the model was trained on.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        UsageError: unknown rule, a parameter out of range, or false alarms a day of an unknown number of clips.
        BadData: a method has no scored training clips, or none that the model has not seen; or no gamma distribution
            fits them and nothing else may be used; or what lies at `output` is not as asd wrote it, and no `force`.
    """
    artifacts.claim(output, artifacts.THRESHOLDS, force=force)
    methods = _with_training_scores(read_scores(scores), progress)
    asked = _rule(rule, parameters or {}, methods[0].header)
    spelling = RULES.spell(asked)
    everything = from_training or getattr(asked, "all_training", False)
    others = _others(output, methods, progress)
    header = others.header(methods, spelling, from_training=from_training)
    if not force and artifacts.is_current(output, artifacts.THRESHOLDS, header):
        return Outcome(output, "current")
    found: list[ThresholdRow] = []
    refused: list[str] = []
    for method in progress.track(methods, label="threshold", unit="methods"):
        for machine_type, own in calibrations(method, everything=everything):
            if own.is_seen and not everything:
                refused.append(f"{method.method}, {machine_type}")
                continue
            arrivals = _arrivals(method, machine_type)
            acting, clips = _with_arrivals(asked, arrivals, machine_type)
            try:
                threshold = set_threshold(acting, own.scores)
            except ValueError as error:
                raise BadData(f"{method.method}, {machine_type}: {error}", f"try --rule {OWN_RULE}") from None
            found.append(ThresholdRow(method.method, machine_type, threshold, acting, clips, own))
    if refused:
        hint = f"{HOLD_OUT}; or take them all: --from-training"
        if not found:
            raise BadData(f"{SEEN_ALL}: {listed(refused, between='; ')}", hint)
        progress.left_out(f"no threshold of {listed(refused, between='; ')}, because {SEEN_ALL} ({hint})")
    for sentence in sentences(spelling, found):
        progress.warn(sentence)
    table = pa.Table.from_pylist([s.row(spelling) for s in found], SCHEMA)
    artifacts.write_table(output, artifacts.THRESHOLDS, pa.concat_tables([others.rows, table]), header)
    return Outcome(output, facts=ThresholdFacts(len(methods), len(found), spelling))


@alone_with("output")
def apply(
    scores: Sequence[Path],
    thresholds: Path,
    output: Path,
    *,
    plain_cells: bool = False,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Write a decision for every test clip to `output` (.parquet, otherwise CSV), by thresholds fitted before.

    Columns: method, clip_id, machine_type, anomaly_score, threshold, decision (normal or anomaly), and two conformal
    p-values: `p_value` as if every normal clip were like any other, `p_value_group` as if it were of a new group. They
    stand on the clips of the same domain where that is known, and are null where no clip tells. Texts that begin like
    formulas are written into a CSV as they are where `plain_cells`.

    Raises:
        MissingArtifact, BadArtifact: no scores or no thresholds.
        BadData: there are test clips, and not one has a threshold, or `output` is not asd's (`force` overwrites it).
    """
    artifacts.own.check(output, force=force)
    limits = Thresholds.read(thresholds)
    parts, n_test = [], 0
    for method in read_scores(scores):
        test = method.split(Split.TEST).table
        n_test += len(test)
        machine_types = test["machine_type"].to_pylist()
        known = {m: limits.of(method, m) for m in dict.fromkeys(machine_types)}
        without = [m for m, threshold in known.items() if threshold is None]
        if without:
            progress.left_out(f"no threshold for {', '.join(without)} ({method.method}): no decision there")
        test = test.append_column("threshold", pa.array([known[m] for m in machine_types], pa.float64()))
        for name, values in p_values_of(method, test).items():
            test = test.append_column(name, pa.array(values, pa.float64(), from_pandas=True))
        test = test.filter(pc.is_valid(test["threshold"]))
        above = decide(test["anomaly_score"].to_numpy(), test["threshold"].to_numpy())
        words = pa.array(np.where(above, str(Condition.ANOMALY), str(Condition.NORMAL)), pa.string())
        test = test.append_column("decision", words).append_column(
            "method", pa.array([method.method] * len(test), pa.string())
        )
        parts.append(test.select(_DECIDED))
    decisions = pa.concat_tables(parts)
    if not n_test:
        progress.warn(
            "there is no test clip to decide on: put new recordings into a folder test/ beside train/, or give them "
            "split test in the manifest, then: asd index DIR && asd run"
        )
    elif not len(decisions):
        held = sorted({f"{machine_type} ({method})" for method, machine_type in limits.values})
        raise BadData(
            f"no test clip of {', '.join(map(str, scores))} has a threshold in {thresholds}",
            f"it holds thresholds of {', '.join(held)}",
        )
    alarms = pc.sum(pc.equal(decisions["decision"], str(Condition.ANOMALY)), min_count=0).as_py()
    write_rows(decisions, output, plain_cells=plain_cells, force=force, progress=progress)
    return Outcome(output, facts=DecisionFacts(len(decisions), alarms))


def rows(thresholds: Path) -> list[dict[str, Any]]:
    """The rows of a thresholds table, ready to be shown."""
    found: list[dict[str, Any]] = artifacts.read_table(thresholds, artifacts.THRESHOLDS)[0].to_pylist()
    return found


def _rule(spelling: str | None, parameters: Mapping[str, float | None], header: Header) -> Rule:
    """The rule asked for, or the one that fits where the scores come from."""
    known = catalogue.names()
    default = EDITION_RULE if header.dataset in known or header.recall("edition") in known else OWN_RULE
    name = spelling or ("false-alarms" if parameters.get("per_day") is not None else default)
    takes = RULES.parameters(parse(name)[0])  # beside a rule without clips a day they only scale what is shown
    rule: Rule = RULES.build(name, **{k: v for k, v in parameters.items() if k != "clips_per_day" or k in takes})
    return rule


def _with_arrivals(rule: Rule, arrivals: float | None, machine_type: str) -> tuple[Rule, float | None]:
    """The rule with the clips a day that the names of a machine type's clips tell, where it lacks them; and these."""
    if not hasattr(rule, "clips_per_day"):
        return rule, arrivals
    if rule.clips_per_day is not None:
        return rule, rule.clips_per_day
    if arrivals is None:
        raise UsageError(
            f"false alarms a day of how many clips? The names of {machine_type}'s clips do not tell",
            "say it: --clips-per-day 24 for one an hour, 8640 for ten-second clips back to back",
        )
    return dataclasses.replace(rule, clips_per_day=arrivals), arrivals  # type: ignore[type-var]


def _arrivals(method: Scored, machine_type: str) -> float | None:
    own = method.table.filter(pc.equal(method.table["machine_type"], machine_type))
    return clips_per_day(own["clip_id"].to_pylist())


def _others(output: Path, methods: Sequence[Scored], progress: Progress) -> OtherMethods:
    """What stays of the table that is there: nothing of one that cannot be read, which only who insists overwrites."""
    try:
        return OtherMethods.at(output, methods)
    except BadArtifact as error:
        progress.warn(f"{error.message}: thresholds of other methods in it are gone")
        return OtherMethods.none(methods)


def _with_training_scores(methods: Sequence[Scored], progress: Progress) -> list[Scored]:
    """The methods that scored training clips: smoothed scores, for one, are of test clips only."""
    with_training = [m for m in methods if len(m.split(Split.TRAIN).table)]
    if not with_training:
        raise BadData(
            f"{methods[0].path} holds no scores of training clips, and thresholds are fitted on those",
            "name scores of methods that are not smoothed, and that training clips have too: those of asd score do",
        )
    without = ", ".join(m.method for m in methods if m not in with_training)
    if without:
        progress.left_out(f"no threshold for {without}: no training clips among these scores")
    return with_training
