"""One method joined with the truth and measured, subset by subset, with the line that each number needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from asdcli.errors import UsageError
from asdcli.metrics import bootstrap, roc
from asdcli.metrics.decisions import Confusion, decide
from asdcli.metrics.official import SectionScores, Value, measure, official
from asdcli.metrics.specs import MetricSpec, spec_named
from asdcli.progress import Progress
from asdcli.views import making
from asdcli.views.coverage import coverage
from asdcli.views.editions import rule_of
from asdcli.views.making import Making
from asdcli.views.results import Decided, Evaluation
from asdcli.views.scores import Scored, by_section, join_truth
from asdcli.views.signature import line
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Domain
from asdcli.wording import listed


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


class Sentences:
    """Sentences about methods, said once where they hold for all of them."""

    def __init__(self, methods: list[str]) -> None:
        self._methods = set(methods)
        self._said: dict[str, set[str]] = {}
        self._losses: set[str] = set()

    def add(self, method: Scored, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self._said.setdefault(sentence, set()).add(method.method)

    def lose(self, method: Scored, sentences: Sequence[str]) -> None:
        """The same, of what is left out of a number."""
        self.add(method, sentences)
        self._losses.update(sentences)

    def say(self, sentence: str) -> None:
        """Of no single method."""
        self._said[sentence] = self._methods

    def sentences(self) -> list[str]:
        return [self._whole(sentence) for sentence in self._said]

    def tell(self, progress: Progress) -> None:
        """All of them."""
        for sentence in self._said:
            (progress.left_out if sentence in self._losses else progress.warn)(self._whole(sentence))

    def _whole(self, sentence: str) -> str:
        who = self._said[sentence]
        return sentence if who == self._methods else f"{', '.join(sorted(who))}: {sentence}"


@dataclass(frozen=True)
class Method:
    """A method joined with the truth.

    Attributes:
        missing: test clips of known condition that have no score, by subset; None where no table of clips tells.
        apart: `embeddings` and `autoencoder`, where other methods of the dataset have others -> what tells its own.
    """

    scored: Scored
    making: Making
    missing: Mapping[str, int] | None
    apart: Mapping[str, str]


def prepare(methods: Sequence[Scored], truth: pa.Table | None, warnings: Sentences) -> list[Method]:
    """Join every method with the truth and see what it lacks, and in what it differs from the others."""
    makings = {one.method: Making.of(one.header) for one in methods}
    apart: dict[str, dict[str, str]] = {name: {} for name in makings}
    for dataset in dict.fromkeys(one.header.dataset for one in methods):  # a table each
        own = {one.method: makings[one.method] for one in methods if one.header.dataset == dataset}
        for kind, calls in making.differing(own).items():
            warnings.say(making.said(kind, own))
            for name, call in calls.items():
                apart[name][kind] = call
    prepared = []
    for one in methods:
        missing = None
        if truth is not None:
            one, sentences = join_truth(one, truth)
            covered = coverage(one, truth)
            missing = covered.missing
            warnings.lose(one, [*sentences, *covered.sentences])
        prepared.append(Method(one, makings[one.method], missing, apart[one.method]))
    return prepared


def evaluate(method: Method, limits: Thresholds | None, options: Options, warnings: Sentences) -> Iterator[Evaluation]:
    """One evaluation a subset.

    Raises:
        BadData: no test clip has a known condition.
    """
    scored = method.scored
    subsets, sentences = by_section(scored)
    warnings.lose(scored, sentences)
    if limits and limits.has(scored) and not limits.fitted_on(scored):
        warnings.add(scored, ["thresholds were fitted on other scores and are left out; fit them again: asd threshold"])
        limits = None
    for subset, sections in subsets.items():
        spec = rule(scored, sections, options)
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
            method=scored.method,
            dataset=scored.header.dataset,
            subset=subset,
            spec=spec,
            values=values,
            official=score,
            by_machine_type={m: official(spec, [v for v in values if v.machine_type == m]) for m in machine_types},
            signature="",
            interval=interval,
            decided=tuple(_decide(scored, sections, spec, limits)),
            n_clips=sum(len(s.scores) for s in sections),
            n_missing=None if method.missing is None else method.missing.get(subset, 0),
            making=method.making,
            apart=method.apart,
            stale=scored.stale,
        )
        evaluation = replace(evaluation, signature=_signature(scored, evaluation, options))
        if evaluation.undefined:
            warnings.lose(scored, [f"{subset}: left out of the means: {_named(evaluation.undefined)}"])
        yield evaluation


def rule(scored: Scored, sections: list[SectionScores], options: Options) -> MetricSpec:
    """The rule asked for, else that of the edition the scores come from, else the one that fits the labels."""
    if options.metric:
        return spec_named(options.metric)
    return rule_of(scored.header, sections)


def _decide(
    method: Scored, sections: list[SectionScores], spec: MetricSpec, limits: Thresholds | None
) -> Iterator[Decided]:
    """Decisions that came with the scores, else those of the thresholds, against the truth."""
    for section in sections:
        decisions, promise = section.decisions, None
        if decisions is None:
            promise = limits.promise(method, section.machine_type) if limits else None
            threshold = limits.of(method, section.machine_type) if limits else None
            if threshold is None:
                continue
            decisions = decide(section.scores, threshold)
        domains: list[Domain | None] = [d for d in Domain if spec.uses_domains and (section.domain == str(d)).any()]
        for domain in domains or [None]:
            # as the evaluators count: normal and anomalous clips of that one domain
            own = section.domain == str(domain) if domain else np.ones(len(decisions), dtype=bool)
            counts = Confusion.of(decisions[own], section.anomalous[own])
            yield Decided(section.machine_type, section.section, domain, counts, promise)


def _signature(scored: Scored, e: Evaluation, options: Options) -> str:
    """The line that says how the number was made; only what departs from the edition's rule is said of the rule."""
    own = [v for v in e.values if v.term in {t.name for t in e.spec.terms}]
    return line(
        f"{e.dataset or scored.path.stem}|{e.subset}",
        e.making,
        scored.spelling,
        e.official,
        counts={"machines": len(e.by_machine_type), "clips": e.coverage},
        apart=e.apart,
        rest={
            "stale": ",".join(e.stale) or None,
            "metric": options.metric,
            "max-fpr": options.max_fpr if options.max_fpr != roc.MAX_FPR else None,
            "undefined": f"{len(e.undefined)}/{len(own)}" if e.undefined else None,
        },
    )


def _named(values: Sequence[Value]) -> str:
    def place(value: Value) -> str:
        return value.machine_type + (f" section {value.section}" if value.section else "")

    return listed([f"{v.term} of {place(v)} ({v.why_undefined})" for v in values], most=4)
