"""The meta files of a submission: what asd knows of each system, put into what its authors filled in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asdcli import artifacts
from asdcli.artifacts import own
from asdcli.catalogue.edition import Edition
from asdcli.errors import BadData
from asdcli.files import read_json
from asdcli.metrics.official import measure
from asdcli.metrics.specs import spec_named
from asdcli.models.costs import Cost
from asdcli.progress import Progress
from asdcli.submission import meta, meta_text
from asdcli.submission.package import TASK
from asdcli.views.results import Evaluation
from asdcli.views.scores import Scored, by_section
from asdcli.views.thresholds import Thresholds
from asdcli.vocabulary import Subset

NOTE = ".asd-meta.json"
"""In the folder of the package: system -> the facts that asd wrote into its meta file last."""


@dataclass
class Metas:
    """The meta files of one package.

    Attributes:
        base: folder of the package.
        force: as `submit.run` has it.
        theirs: those of the files, below `base`, that their authors have written into.
        facts: system -> what asd wrote into its meta file.
    """

    base: Path
    edition: Edition
    limits: Thresholds | None
    force: bool = False
    theirs: set[str] = field(default_factory=set)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, method: Scored, name: str, finished: Path | None, cost: Cost | None, progress: Progress) -> bytes:
        """The meta file of the system called `name`: a finished one as it is, else the one that is there, filled in.

        Raises:
            BadData: the one that is there is no YAML.
        """
        if finished:
            return finished.read_bytes()
        place = f"{TASK}/{name}/{name}.meta.yaml"
        before, facts = _noted(self.base).get(name, {}), self._facts(method, name, cost)
        self.facts[name] = facts
        if not (self.base / place).exists():
            return meta.new(facts).encode()
        try:
            there = (self.base / place).read_bytes().decode("utf-8")
            filled = meta_text.filled(there, facts, before)
        except (BadData, UnicodeDecodeError) as error:
            if self.force:
                return meta.new(facts).encode()
            raise own.foreign(self.base / place, str(error)) from None
        for where, fact in filled.kept.items():
            progress.warn(f"{name}.meta.yaml: {where} stays as it was filled in; asd has {fact!r}")
        if not own.is_own(self.base / place, self.base):
            self.theirs.add(place)
        return filled.text.encode()

    def remember(self) -> None:
        """Note the facts that were written: where the file says something else next time, its authors wrote it."""
        before = _noted(self.base)
        if (now := before | self.facts) != before:
            with artifacts.atomic(self.base / NOTE) as temporary:
                temporary.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")

    def _facts(self, method: Scored, name: str, cost: Cost | None) -> dict[str, Any]:
        described = {
            "input_sampling_rate": f"{self.edition.sample_rate / 1000:g}kHz",
            "front_end_system": "+".join(_embedders(method)) or None,
            "machine_learning_method": method.spelling,
            "decision_making": self.limits.rules_of(method) if self.limits else None,
            "ensemble_method_subsystem_count": len(method.header.params.get("of", ())) or 1,
        }
        return {
            "submission.label": name,
            **{f"system.description.{field_name}": value for field_name, value in described.items()},
            "system.complexity.total_parameters": cost.parameters if cost else None,
            "system.complexity.MACS": cost.macs if cost else None,
            "results.development_dataset": self._development(method) or None,
        }

    def _development(self, method: Scored) -> dict[str, dict[str, float]]:
        """Machine type -> term -> mean on the development set in percent; nothing where its truth is not known."""
        spec = spec_named(self.edition.metric)
        try:
            sections = by_section(method)[0].get(str(Subset.DEV), [])
        except BadData:
            return {}
        values = tuple(measure(spec, sections)) if sections else ()
        evaluation = Evaluation(method.method, str(Subset.DEV), spec, values, None, {}, "")
        found = {}
        for machine_type in dict.fromkeys(v.machine_type for v in values):
            means = {t.name: evaluation.mean(t.name, machine_type=machine_type) for t in spec.terms}
            found[machine_type] = {term: round(100 * mean, 4) for term, mean in means.items() if mean is not None}
        return found


def _embedders(method: Scored) -> list[str]:
    """Those that the scores come from, each once; of fused scores those of all parts."""
    stages = (*method.header.history, method.header.entry())
    return list(dict.fromkeys(str(named) for entry in stages if (named := entry["params"].get("embedder"))))


def _noted(base: Path) -> dict[str, dict[str, Any]]:
    """What `remember` noted; nothing where there is no note, or one that cannot be read."""
    try:
        noted = read_json(base / NOTE)
        return {str(name): dict(facts) for name, facts in noted.items()}
    except (OSError, ValueError, BadData, AttributeError, TypeError):
        return {}
