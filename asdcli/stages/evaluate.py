"""scores/*.parquet -> official scores: every section, every machine type, the whole, with intervals and comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import __version__, artifacts
from asdcli.artifacts import Header
from asdcli.errors import UsageError, unknown_name
from asdcli.metrics import bootstrap, roc
from asdcli.metrics.bootstrap import Comparison
from asdcli.metrics.decisions import Confusion, decide
from asdcli.metrics.official import SectionScores, Value, measure, official
from asdcli.metrics.specs import MetricSpec, spec_named, spec_without_edition
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.views.editions import edition_of
from asdcli.views.results import Decided, Evaluation, table
from asdcli.views.scores import Scored, by_section, join_truth, read_labels, shared_clips, unscored_machine_types
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Domain

N_RESAMPLES = 1000
"""Resamples of a comparison when no other number is asked for."""


@dataclass(frozen=True)
class Options:
    """The rule (None: the edition's own), pAUC's upper end in (0, 1], bootstrap resamples (0: none) and their seed."""

    metric: str | None = None
    max_fpr: float = roc.MAX_FPR
    n_resamples: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.metric is not None:
            spec_named(self.metric)
        if not 0 < self.max_fpr <= 1:
            raise UsageError(f"--max-fpr must lie in (0, 1], got {self.max_fpr:g}")


@dataclass(frozen=True, repr=False)
class Report:
    """All evaluations of one call; `comparisons` maps a subset to the comparison of the two methods in `compared`."""

    evaluations: list[Evaluation]
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    compared: tuple[str, str] | None = None
    warnings: list[str] = field(default_factory=list)
    outcome: Outcome | None = None

    def __repr__(self) -> str:
        """One line a number, which says how it was made."""
        return "\n".join(e.signature for e in self.evaluations)


def run(
    methods: Sequence[Scored],
    output: Path | None,
    *,
    clips: Path | None = None,
    thresholds: Path | None = None,
    compare: tuple[str, str] | None = None,
    options: Options | None = None,
    progress: Progress = SILENT,
) -> Report:
    """Evaluate methods and write their results to `output` (None: nowhere).

    Args:
        methods: scores as `views.scores` or `views.submissions` give them.
        output: results.parquet.
        clips: table whose labels win over those in the scores, for truth that came later.
        thresholds: thresholds.parquet; methods in it get precision, recall and F1 a domain.
        compare: names of two of the methods, for a paired bootstrap of A minus B.
        options: metric, intervals and the like; None means the defaults.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact, BadArtifact: `clips` or `thresholds` are not what they should be.
        BadData: no test clip of a method has a known condition.
        UsageError: an unknown method in `compare`.
    """
    options = options or Options()
    truth = read_labels(clips) if clips else None
    limits = Thresholds.read(thresholds) if thresholds else None
    warnings = _Warnings([m.method for m in methods])
    joined = [_join(m, truth, warnings) for m in methods]
    pair = (_find(compare[0], joined), _find(compare[1], joined)) if compare else None
    evaluations = [
        evaluation
        for method in progress.track(joined, label="evaluate", unit="methods")
        for evaluation in _evaluate(method, limits, options, warnings)
    ]
    comparisons = _compare(*pair, options, warnings) if pair else {}
    for sentence in warnings.sentences():
        progress.warn(sentence)
    report = Report(evaluations, comparisons, (pair[0].method, pair[1].method) if pair else None, warnings.sentences())
    if output is None:
        return report
    header = Header.make(
        artifacts.RESULTS,
        dataset=joined[0].header.dataset,
        seed=options.seed if options.n_resamples else None,
        params={"metric": options.metric, "max_fpr": options.max_fpr, "n_resamples": options.n_resamples},
        inputs={m.method: m.header for m in joined},
        diagnostics={
            "signatures": [e.signature for e in evaluations],
            "intervals": [
                {"method": e.method, "subset": e.subset, "interval": e.interval} for e in evaluations if e.interval
            ],
            "warnings": report.warnings,
        },
    )
    artifacts.write_table(output, artifacts.RESULTS, table(evaluations), header)
    outcome = Outcome(output, facts={"methods": len(joined), "evaluations": len(evaluations)})
    return Report(evaluations, comparisons, report.compared, report.warnings, outcome)


def _join(method: Scored, truth: pa.Table | None, warnings: _Warnings) -> Scored:
    if truth is None:
        return method
    joined, sentences = join_truth(method, truth)
    warnings.add(method, sentences)
    for subset, lost in unscored_machine_types(joined, truth).items():
        warnings.add(method, [f"{subset}: no scores for {', '.join(lost)}; the score is over the other machine types"])
    return joined


def _evaluate(method: Scored, limits: Thresholds | None, options: Options, warnings: _Warnings) -> Iterator[Evaluation]:
    """One evaluation a subset."""
    subsets, sentences = by_section(method)
    warnings.add(method, sentences)
    if limits and limits.has(method) and not limits.fitted_on(method):
        warnings.add(method, ["thresholds were fitted on other scores and are left out; fit them again: asd threshold"])
        limits = None
    for subset, sections in subsets.items():
        spec = _rule(method, sections, options)
        values = tuple(measure(spec, sections, max_fpr=options.max_fpr))
        score = official(spec, values)
        interval = None
        if options.n_resamples and score is not None:
            samples = bootstrap.resampled_scores(
                spec, sections, n_resamples=options.n_resamples, seed=options.seed, max_fpr=options.max_fpr
            )
            interval = bootstrap.interval(samples)
        machine_types = dict.fromkeys(s.machine_type for s in sections)
        evaluation = Evaluation(
            method=method.method,
            subset=subset,
            spec=spec,
            values=values,
            official=score,
            by_machine_type={m: official(spec, [v for v in values if v.machine_type == m]) for m in machine_types},
            signature=_signature(method, subset, spec, values, score, options),
            interval=interval,
            decided=tuple(_decide(method, sections, spec, limits)),
        )
        if evaluation.undefined:
            warnings.add(method, [f"{subset}: left out of the means: {_named(evaluation.undefined)}"])
        yield evaluation


def _rule(method: Scored, sections: list[SectionScores], options: Options) -> MetricSpec:
    """The rule asked for, else that of the edition the scores come from, else the one that fits the labels."""
    if options.metric:
        return spec_named(options.metric)
    if edition := edition_of(method.header):
        return spec_named(edition.metric)
    return spec_without_edition(domains=any((s.domain != "").any() for s in sections))


def _decide(
    method: Scored, sections: list[SectionScores], spec: MetricSpec, limits: Thresholds | None
) -> Iterator[Decided]:
    """Decisions that came with the scores, else those of the thresholds, against the truth."""
    for section in sections:
        decisions = section.decisions
        if decisions is None:
            threshold = limits.of(method, section.machine_type) if limits else None
            if threshold is None:
                continue
            decisions = decide(section.scores, threshold)
        domains: list[Domain | None] = [d for d in Domain if spec.uses_domains and (section.domain == str(d)).any()]
        for domain in domains or [None]:
            # as the evaluators count: normal and anomalous clips of that one domain
            own = section.domain == str(domain) if domain else np.ones(len(decisions), dtype=bool)
            counts = Confusion.of(decisions[own], section.anomalous[own])
            yield Decided(section.machine_type, section.section, domain, counts)


def _compare(a: Scored, b: Scored, options: Options, warnings: _Warnings) -> dict[str, Comparison]:
    a, b, sentences = shared_clips(a, b)
    warnings.add(a, sentences)
    (first, _), (second, _) = by_section(a), by_section(b)
    found = {}
    for subset, sections in first.items():
        spec = _rule(a, sections, options)
        scores = [official(spec, measure(spec, s, max_fpr=options.max_fpr)) for s in (sections, second[subset])]
        if scores[0] is None or scores[1] is None:
            continue  # its undefined terms have been named
        found[subset] = bootstrap.compare(
            spec,
            sections,
            second[subset],
            scores[0] - scores[1],
            n_resamples=options.n_resamples or N_RESAMPLES,
            seed=options.seed,
            max_fpr=options.max_fpr,
        )
    return found


def _signature(
    method: Scored, subset: str, spec: MetricSpec, values: Sequence[Value], score: float | None, options: Options
) -> str:
    """The line that says how the number was made; only what departs from the edition's rule is said of the rule."""
    header = method.header
    trained = header.stage(artifacts.MODEL)
    seed = trained["seed"] if trained else header.seed
    own = [v for v in values if v.term in {t.name for t in spec.terms}]
    undefined = sum(v.value is None for v in own)
    fields = {
        "machines": len({v.machine_type for v in values}),
        "embedder": header.recall("embedder"),
        "method": method.spelling,
        "seed": seed,
        "metric": options.metric,
        "max-fpr": options.max_fpr if options.max_fpr != roc.MAX_FPR else None,
        "undefined": f"{undefined}/{len(own)}" if undefined else None,
        "asd": __version__,
    }
    said = "|".join(f"{name}:{value}" for name, value in fields.items() if value is not None)
    number = "undefined" if score is None else f"{score:.4f}"
    return f"{header.dataset or method.path.stem}|{subset}|{said} = {number}"


def _find(name: str, methods: Sequence[Scored]) -> Scored:
    for method in methods:
        if name in (method.method, method.path.stem, str(method.path)):
            return method
    raise unknown_name("method", name, [m.method for m in methods])


def _named(values: Sequence[Value]) -> str:
    def place(value: Value) -> str:
        return value.machine_type + (f" section {value.section}" if value.section else "")

    more = f" and {len(values) - 4} more" if len(values) > 4 else ""
    return ", ".join(f"{v.term} of {place(v)} ({v.why_undefined})" for v in values[:4]) + more


class _Warnings:
    """Sentences about methods, said once where they hold for all of them."""

    def __init__(self, methods: list[str]) -> None:
        self._methods = set(methods)
        self._said: dict[str, set[str]] = {}

    def add(self, method: Scored, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self._said.setdefault(sentence, set()).add(method.method)

    def sentences(self) -> list[str]:
        return [s if who == self._methods else f"{', '.join(sorted(who))}: {s}" for s, who in self._said.items()]
