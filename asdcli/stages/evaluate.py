"""scores/*.parquet -> official scores: every section, every machine type, the whole, with intervals and comparisons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.metrics import bootstrap
from asdcli.metrics.bootstrap import Comparison
from asdcli.metrics.official import measure, official
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.stages.evaluate_method import Options, Sentences, evaluate, prepare, rule
from asdcli.views.named import pair
from asdcli.views.results import Evaluation, table
from asdcli.views.scores import Scored, by_section, read_labels, shared_clips
from asdcli.views.thresholds import Thresholds
from asdcli.writing.locks import alone_with

N_RESAMPLES = 1000
"""Resamples of a comparison when no other number is asked for."""


@dataclass(frozen=True)
class EvaluationFacts:
    """How many methods were evaluated, and how often: a subset each."""

    methods: int
    evaluations: int


@dataclass(frozen=True, repr=False)
class Report:
    """All evaluations of one call; `comparisons` maps a subset to the comparison of the two methods in `compared`."""

    evaluations: list[Evaluation]
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    compared: tuple[str, str] | None = None
    warnings: list[str] = field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def missing(self) -> int:
        """Test clips of known condition without a score, of the method that lacks most."""
        of_method: Counter[str] = Counter()
        for e in self.evaluations:
            of_method[e.method] += e.n_missing or 0
        return max(of_method.values(), default=0)

    def __repr__(self) -> str:
        """One line a number, which says how it was made."""
        return "\n".join(e.signature for e in self.evaluations)


@alone_with("output")
def run(
    methods: Sequence[Scored],
    output: Path | None,
    *,
    clips: Path | None = None,
    thresholds: Path | None = None,
    compare: tuple[str, str] | None = None,
    options: Options | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Evaluate methods and write their results to `output` (None: nowhere).

    Args:
        methods: scores as `views.scores` or `views.submissions` give them.
        output: results.parquet.
        clips: table whose labels win over those in the scores, for truth that came later.
        thresholds: thresholds.parquet; methods in it get precision, recall and F1 a domain.
        compare: names of two of the methods, for a paired bootstrap of A minus B; `views.named.pair` says how it finds
            them.
        options: metric, intervals and the like; None means the defaults.
        force: overwrite an `output` that asd did not write, or that was changed since.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        MissingArtifact, BadArtifact: `clips` or `thresholds` are not what they should be.
        BadData: no test clip of a method has a known condition, or `output` is not asd's.
        UsageError: an unknown or ambiguous method in `compare`.
    """
    options = options or Options()
    if output is not None:
        artifacts.claim(output, artifacts.RESULTS, force=force)
    truth, of_truth = read_labels(clips) if clips else (None, None)
    limits = Thresholds.read(thresholds) if thresholds else None
    compared = pair(*compare, methods) if compare else None
    warnings = Sentences([one.method for one in methods])
    prepared = prepare(methods, truth, warnings)
    evaluations = [
        evaluation
        for method in progress.track(prepared, label="evaluate", unit="methods")
        for evaluation in evaluate(method, limits, options, warnings)
    ]
    scored = {one.scored.method: one.scored for one in prepared}
    comparisons = _compare(scored[compared[0]], scored[compared[1]], options, warnings) if compared else {}
    warnings.tell(progress)
    report = Report(evaluations, comparisons, compared, warnings.sentences())
    if output is None:
        return report
    header = Header.make(
        artifacts.RESULTS,
        dataset=methods[0].header.dataset,
        seed=options.seed if options.n_resamples else None,
        params={"metric": options.metric, "max_fpr": options.max_fpr, "n_resamples": options.n_resamples},
        inputs=_read(of_truth, limits) | {one.method: one.header for one in methods},
        diagnostics={
            "signatures": [e.signature for e in evaluations],
            "intervals": [
                {"method": e.method, "subset": e.subset, "interval": e.interval} for e in evaluations if e.interval
            ],
            "warnings": report.warnings,
        },
    )
    artifacts.write_table(output, artifacts.RESULTS, table(evaluations), header)
    facts = EvaluationFacts(len(methods), len(evaluations))
    return replace(report, outcome=Outcome(output, skipped=report.missing, facts=facts))


def _read(truth: Header | None, limits: Thresholds | None) -> dict[str, Header]:
    """What was read beside the scores, by the names that it has in a run."""
    found = {"clips": truth, "thresholds": limits.header if limits else None}
    return {name: header for name, header in found.items() if header}


def _compare(a: Scored, b: Scored, options: Options, warnings: Sentences) -> dict[str, Comparison]:
    a, b, sentences = shared_clips(a, b)
    warnings.lose(a, sentences)
    (first, _), (second, _) = by_section(a), by_section(b)
    found = {}
    for subset, sections in first.items():
        spec = rule(a, sections, options)
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
