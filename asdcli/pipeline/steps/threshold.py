"""threshold: where normal ends, from the run's scores or named tables; and the decisions that follow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdcli.metrics import DEFAULT_RULE, RULES
from asdcli.outcome import Outcome
from asdcli.pipeline.workspace import Workspace, needed
from asdcli.progress import SILENT, Progress
from asdcli.spec import parse
from asdcli.stages import threshold


def run(
    space: Workspace | None,
    scores: Sequence[Path] = (),
    *,
    rule: str = DEFAULT_RULE,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Fit a threshold a method and machine type: `thresholds.parquet`.

    Args:
        space: the run; None will do where `scores` and `output` say everything.
        scores: tables or folders of them; none means the run's.
        rule: a spelling; see `rule_of`.
    """
    return threshold.run(
        _tables(space, scores), output or needed(space).thresholds, rule=rule, force=force, progress=progress
    )


def decide(
    space: Workspace | None,
    output: Path,
    scores: Sequence[Path] = (),
    *,
    thresholds: Path | None = None,
    progress: Progress = SILENT,
) -> Outcome:
    """A decision for every test clip, into `output`, by `thresholds` (None: the run's)."""
    return threshold.apply(_tables(space, scores), thresholds or needed(space).thresholds, output, progress=progress)


def rule_of(
    rule: str | None, *, quantile: float | None = None, per_day: float | None = None, clips_per_day: float | None = None
) -> str:
    """The spelling of a rule with the parameters that have options of their own; they choose it where none is named."""
    spelling = rule or ("false-alarms" if per_day is not None else DEFAULT_RULE)
    overrides = {"quantile": quantile, "per_day": per_day}
    if "clips_per_day" in RULES.parameters(parse(spelling)[0]):  # elsewhere it only scales what is shown
        overrides["clips_per_day"] = clips_per_day
    return RULES.spell(RULES.build(spelling, **overrides))


def _tables(space: Workspace | None, scores: Sequence[Path]) -> Sequence[Path]:
    return scores or [needed(space).scores_dir]
