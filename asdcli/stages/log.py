"""log: runs -> a tracker that somebody else wrote. The run's own files stay the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asdcli.errors import BadData, MissingArtifact
from asdcli.files import FOLDS
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.tracking import Tracked, Tracker, require
from asdcli.views import records
from asdcli.writing.locks import alone_with

METRICS, RESULTS = "metrics.jsonl", "results.parquet"
MODELS = ("model", "autoencoder")


@dataclass(frozen=True)
class LogFacts:
    """How many runs were exported, and how many were there as they are now."""

    exported: int
    up_to_date: int


@alone_with(lambda given: given["place"].with_name(f"{given['place'].name}.log"))
def run(
    name: str,
    tracker: Tracker,
    runs: Sequence[Path],
    place: Path,
    *,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome[LogFacts]:
    """Export runs; one that the tracker has as it is now stays, one that has changed is replaced.

    Args:
        name: of the tracker.
        tracker: itself.
        runs: folders of runs; what they are called is what the tracker calls them.
        place: folder or file of the tracker.
        force: export again what is up to date.
        progress: is told how far it is, and what is left out.

    Raises:
        AsdError: the tracker is not installed.
        MissingArtifact: a run that is not there, or has neither a training nor results.
        BadData: two runs of one name, or a file in them that is damaged.
    """
    require(name, tracker)
    named = {path.resolve().name: path for path in runs}
    if len(named) < len({path.resolve() for path in runs}):
        raise BadData("two of these runs are called alike", "export them apart, each with an -o of its own")
    made = [record_of(path, progress) for path in named.values()]  # all are read before one is written
    exported = 0
    for record in progress.track(made, label=f"log {name}", unit="runs"):
        if not force and tracker.held(record.name, place) == record.digest:
            continue
        tracker.write(record, place, force=force)
        exported += 1
    return Outcome(place, "done" if exported else "current", facts=LogFacts(exported, len(made) - exported))


def record_of(run: Path, progress: Progress = SILENT) -> Tracked:
    """What of a run is exported: its trainings, those of folds too, and its official scores. Errors as `run`."""
    if not run.is_dir():
        raise MissingArtifact(f"there is no run {run}", "name the folder of one, such as runs/synthetic")
    params: records.Params = {}
    curves: records.Curves = {}
    for model in (folder for of in MODELS for folder in (run / of, *sorted((run / of).glob(FOLDS)))):
        if (model / METRICS).exists():
            prefix = model.relative_to(run).as_posix()
            curves |= records.curves(model / METRICS, prefix, progress)
            params |= records.params(model, prefix)
    summary = records.official(run / RESULTS) if (run / RESULTS).exists() else {}
    if not curves and not summary:
        raise MissingArtifact(f"{run} has neither a training nor results", "make some: asd train, asd evaluate")
    return Tracked(run.resolve().name, params, curves, summary)
