"""The shards of one step, made where an engine works, and put together: what the step makes alone, byte for byte."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asdcli.errors import AsdError
from asdcli.outcome import Outcome
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.sweep.engines import Engine
from asdcli.sweep.notes import CellReport
from asdcli.sweep.work import Begin, Site
from asdcli.views.shards import Shard
from asdcli.wording import counted, listed

_STEPS = {name: f"asdcli.pipeline.steps.{name.replace('-', '_')}" for name in ("extract-features", "embed")}
"""Steps that take shards."""
_PATHS = ("clips", "features_from", "output")
"""Options that are paths, which JSON hands on as texts."""


@dataclass(frozen=True)
class ShardWork:
    """One shard of a step on a run. The stage itself is alone with it, and leaves it alone where it is there.

    Attributes:
        step: a key of `_STEPS`.
        dataset: of the run.
        shard: `2/4`.
        options: of the step, as JSON has them; `None` is left out.
        selects: as a workspace's.
    """

    step: str
    dataset: str
    shard: str
    options: Mapping[str, Any]
    selects: bool = True
    waits = False

    @property
    def name(self) -> str:
        return f"shard {self.shard}"

    def noted_in(self, site: Site) -> Path | None:  # noqa: ARG002 - as a cell's
        """None: the run is that of all shards at once."""
        return None

    def is_done(self, site: Site) -> bool:  # noqa: ARG002 - as a cell's
        """Never: the stage finds out, and says so."""
        return False

    def take(self, site: Site, begin: Begin, progress: Progress) -> bool:
        """Make it unless it is there. Raises what the step raises."""
        begin(self.step)
        space = Workspace(Path(site.data), Path(site.runs), self.dataset, selects=self.selects)
        options = {name: Path(value) if name in _PATHS else value for name, value in self.options.items()}
        outcome = _step(self.step)(space, shard=self.shard, force=site.force, progress=progress, **options)
        return bool(outcome.status == "done")


@dataclass(frozen=True)
class ShardedFacts:
    """How many shards there were, and what was counted when they were put together."""

    shards: int
    together: Mapping[str, Any]

    def plain(self) -> dict[str, Any]:
        return {"shards": self.shards, **self.together}


def run(
    step: str,
    space: Workspace,
    n: int,
    engine: Engine,
    *,
    retry: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
    **options: Any,
) -> Outcome[Any]:
    """Have all `n` shards of a step made, and put them together.

    Args:
        step: `extract-features` or `embed`.
        space: the run that it works on; every worker sees it, and the data, under these paths.
        n: shards.
        engine: makes them.
        retry: how often a shard that failed is tried again.
        force: make all of it again even if it is up to date.
        progress: is told how far it is, and what the shards warn of.
        options: of the step.

    Raises:
        AsdError: shards failed; the others stay, and nothing is put together. And what the step raises.
    """
    given = {name: value for name, value in options.items() if value is not None}
    handed = {name: str(value) if name in _PATHS else value for name, value in given.items()}
    works = [ShardWork(step, space.dataset, str(Shard(i + 1, n)), handed, space.selects) for i in range(n)]
    site = Site(space.dataset, str(space.data), str(space.run), os.getcwd(), force=force, command=step)  # noqa: PTH109
    reports: list[CellReport] = []
    with closing(engine.run([works], site, retry=retry)) as made:
        for report in progress.track(made, total=n, label=step, unit="shards"):
            known = {warning for one in reports for warning in one.warnings}
            for warning in report.warnings:
                if warning not in known:  # what is wrong with all is not said n times
                    progress.warn(warning)
            reports.append(report)
    _require_all(reports, n)
    outcome = _step(step)(space, force=force, shards_are_new=True, progress=progress, **given)
    if outcome.status == "current" and not any(report.state == "done" for report in reports):
        return outcome
    return replace(outcome, status="done", facts=ShardedFacts(n, outcome.plain()))


def _require_all(reports: list[CellReport], n: int) -> None:
    """Raises AsdError where shards failed, or are somebody else's."""
    left = sorted((r for r in reports if r.state in ("failed", "busy")), key=lambda r: Shard.of(r.name.split()[1]).i)
    if not left:
        return
    why: dict[str, list[str]] = {}
    for report in left:
        why.setdefault(report.error.message if report.error else "no reason was given", []).append(
            report.name.split()[1]
        )
    told = [f"{listed(names)}: {message}" for message, names in why.items()]
    hints = [report.error.hint for report in left if report.error and report.error.hint]
    again = "run the same command again: it makes these alone, and puts all together (--retry N tries them N times)"
    raise AsdError(
        f"{len(left)} of {counted(n, 'shard')} {'is' if len(left) == 1 else 'are'} not made, so nothing was put "
        f"together: {'; '.join(told)}",
        f"{hints[0]}; then {again}" if hints else again,
    )


def _step(name: str) -> Any:
    return importlib.import_module(_STEPS[name]).run
