"""What a run has made of its dataset made again, as it was made: features, vectors, scores, thresholds.

How each was made stands in its header. What was read is not read again, and no model is trained.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import ArtifactError, BadData
from asdcli.outcome import Outcome
from asdcli.pipeline.options import by_rule
from asdcli.pipeline.plainly import Plainly
from asdcli.pipeline.steps import embed, extract_features, score, threshold
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.scorers import SCORERS, takes
from asdcli.views.reading import Reading
from asdcli.vocabulary import FP32, Unit


@dataclass(frozen=True)
class Again:
    """What became of the files of a run, by stage, and whether a model listens."""

    outcomes: dict[str, Outcome]
    by_model: bool


def run(space: Workspace, *, device: str = "auto", progress: Progress = SILENT) -> Again:
    """Make what the run has of its dataset again, as far as it is not up to date.

    Recordings whose features are there are neither read nor looked at; those that cannot be used are left out.

    Raises:
        MissingArtifact: nothing was learned. BadData: what the run has was not made by asd learn's stages.
    """
    made = artifacts.read_header(space.embeddings, artifacts.EMBEDDINGS)
    if not any(role.startswith("features/") for role in made.inputs):
        raise BadData(f"the vectors in {space.embeddings} came from elsewhere", "nothing can be made of new recordings")
    by_model = "model" in made.inputs
    outcomes: dict[str, Outcome] = {}
    progress = Plainly(progress)
    for how in _readings(made):
        outcomes["extract-features"] = extract_features.run(space, **how, on_error="skip", keep=True, progress=progress)
    embedder = None if by_model else str(made.params["embedder"])
    precision = str(made.params.get("precision", FP32))
    outcomes["embed"] = embed.run(space, embedder=embedder, precision=precision, device=device, progress=SILENT)
    for (seed, unit), methods in _methods(space).items():
        done = score.run(space, methods, seed=seed, unit=Unit(unit), device=device, progress=progress)
        outcomes["score"] = next(iter(done.values()))
    for rule, from_training, methods in _rules(space):
        paths = [space.scores(method) for method in methods]
        outcomes["threshold"] = threshold.run(space, paths, rule=rule, from_training=from_training, progress=SILENT)
    return Again(outcomes, by_model)


def _readings(made: Header) -> Iterator[dict[str, Any]]:
    """How recordings are read, as options of the step: once for machines that are read alike."""
    names = {field.name for field in fields(Reading)} - {"gain"}
    told: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for role in made.inputs:
        if role.startswith("features/"):
            machine = role.split("/", 2)[2]
            entry = next(e for e in made.history if e["content"] == made.inputs[role])
            how = {name: value for name, value in entry["params"].items() if name in names}
            how["channel"] = None if how.get("channel") is None else str(how["channel"])
            told.setdefault(repr(sorted(how.items(), key=str)), (how, []))[1].append(machine)
    for how, machines in told.values():
        yield how if len(told) == 1 else {**how, "machine_types": machines}


def _methods(space: Workspace) -> dict[tuple[int, str], list[str]]:
    """Seed and unit -> the methods that scored the run's vectors with them."""
    found: dict[tuple[int, str], list[str]] = defaultdict(list)
    for path in sorted(space.scores_dir.glob("*.parquet")):
        try:
            header = artifacts.read_header(path, artifacts.SCORES)
            if "embeddings" in header.inputs and takes(SCORERS.build(header.params["method"])) == "embeddings":
                found[header.seed or 0, str(header.params["unit"])].append(str(header.params["method"]))
        except (ArtifactError, KeyError, ValueError):
            continue
    return found


def _rules(space: Workspace) -> Iterator[tuple[str, bool, list[str]]]:
    """The rules by which the run's thresholds were set, and the methods of each."""
    header = artifacts.read_header(space.thresholds, artifacts.THRESHOLDS)
    for part in by_rule(header):
        methods = [method for method in part.inputs if space.scores(method).exists()]
        if methods:
            yield str(part.params["rule"]), bool(part.params.get("from_training")), methods
