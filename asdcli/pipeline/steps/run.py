"""run: the stages of a run one after the other, each as its own step, with what they need of one another."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import unknown_name
from asdcli.outcome import Outcome
from asdcli.pipeline.chain import CHAIN
from asdcli.pipeline.steps.embed import before
from asdcli.pipeline.steps.score import spellings
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT, Progress
from asdcli.spec import parse
from asdcli.stages.evaluate import Report
from asdcli.views.clips import machine_types_of, training_clips
from asdcli.vocabulary import Condition, Split

STAGES = tuple(stage.name for stage in CHAIN if stage.always)
"""In the order in which they run."""

WITHOUT_TRAINING = "logmel"
"""The embedder of recordings that leave nothing to be told apart in training."""

Options = Mapping[str, Mapping[str, Any]]
"""Stage -> options of its step."""


@dataclass(frozen=True)
class Taken:
    """A step that was taken: one outcome, one a method where there are several, or a report."""

    stage: str
    outcomes: Mapping[str | None, Outcome]
    report: Report | None = None


def run(
    space: Workspace,
    stages: Sequence[str] = (),
    *,
    download: bool = False,
    options: Options | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Iterator[Taken]:
    """Take the steps of `stages` and give each as soon as it is taken; what is up to date is left alone.

    Args:
        space: its dataset is the edition that is downloaded.
        stages: in any order; they run in the order of `STAGES`. None means all but `download`, without those that have
            nothing to do: see `fitting`, which says so.
        download: begin with that.
        options: stage -> options of its step.
        force: do everything again.
        progress: is told how far it is, and of what looks wrong.

    Raises:
        UsageError: unknown stage, method, model or embedder. What a stage raises, which ends the run.
    """
    wanted = sorted({*(stages or STAGES[1:])} - {"download"}, key=_place)
    asked = {stage: dict((options or {}).get(stage, {})) for stage in STAGES}
    _refuse_unknown(asked)
    if download or "download" in stages:
        yield _take("download", space, asked, force, progress)
    if not stages:
        wanted = fitting(space, wanted, asked, progress)
    for kind in _kinds(wanted, asked) if "extract-features" in wanted else ():
        yield _take("extract-features", space, {"extract-features": asked["extract-features"] | kind}, force, progress)
    for stage in wanted:
        if stage != "extract-features":
            yield _take(stage, space, asked, force, progress)


def fitting(space: Workspace, stages: Sequence[str], asked: dict[str, dict[str, Any]], progress: Progress) -> list[str]:
    """The stages without those that have nothing to do; what takes their place goes into `asked`.

    * Where all training clips are of one class, and neither model nor embedder was asked for, an embedder that needs
      no training is taken instead of training one.
    * Where neither was asked for, a run without a model goes on with the embedder of its embeddings.
    * A run that reads another run's packs makes none.
    * An embedder that needs no training needs no training; methods of an autoencoder need no embeddings.
    * Where no test clip is known to be an anomaly there is nothing to evaluate.
    """
    train, embed, score = (asked[stage] for stage in ("train", "embed", "score"))
    if parse(train.get("model") or "")[0] == "autoencoder" and not score.get("methods"):
        score["methods"] = ["mse"]
    table, _ = artifacts.read_table(space.clips, artifacts.CLIPS)
    machine_types = machine_types_of(table, train.get("machine_types"), space.clips)
    if not train.get("model") and not embed.get("embedder"):
        embed["embedder"] = before(space, progress)
    if not train.get("model") and not embed.get("embedder") and is_one_class(table, machine_types):
        progress.note(
            "all training clips are of one class, so there is nothing to tell apart in training: "
            f"embedding with {WITHOUT_TRAINING}, which needs none"
        )
        embed["embedder"] = WITHOUT_TRAINING
    without = []
    if space.features != space.own_features:
        progress.note(f"the features are those of {space.features.parent}")
        without.append("extract-features")
    if embed.get("embedder") and not train.get("model") and not embedder_of(embed["embedder"]).trained:
        without.append("train")
    if not spellings(score.get("methods") or ())[0]:
        without.append("embed")
    test = table.filter(pc.equal(table["split"], str(Split.TEST)))
    if str(Condition.ANOMALY) not in test["condition"].to_pylist():
        progress.note("no test clip is labelled as an anomaly: there is nothing to evaluate (asd threshold says more)")
        without.append("evaluate")
    return [stage for stage in stages if stage not in without]


def _place(stage: str) -> int:
    if stage not in STAGES:
        raise unknown_name("stage", stage, STAGES)
    return STAGES.index(stage)


def _refuse_unknown(asked: Options) -> None:
    """A word that is no method, model or embedder is refused before hours of work, not after."""
    from asdcli.training import MODELS

    score = asked["score"]
    spellings(score.get("methods") or (), val=score.get("val"), k=score.get("k"))
    if asked["train"].get("model"):
        MODELS.build(asked["train"]["model"])
    if asked["embed"].get("embedder"):
        embedder_of(asked["embed"]["embedder"])


def is_one_class(table: Any, machine_types: Sequence[str]) -> bool:
    """Whether a network would find nothing to tell apart among the training clips."""
    from asdcli.training.classes import classes

    return len(classes(training_clips(table, machine_types))[0]) == 1


def embedder_of(spelling: str) -> Any:
    """The class of an embedder. Raises UsageError for what is none."""
    from asdcli.embedders import EMBEDDERS

    return EMBEDDERS.load(parse(spelling)[0])


def _kinds(stages: Sequence[str], asked: Options) -> list[dict[str, str]]:
    """The kinds of features that the stages read, as options; none: the default."""
    from asdcli.training import MODELS

    kinds = []
    if asked["embed"].get("embedder") and "embed" in stages:
        kinds.append(embedder_of(asked["embed"]["embedder"]).features)
    if asked["train"].get("model") and "train" in stages:
        recipe: Any = MODELS.load(parse(asked["train"]["model"])[0])
        kinds.append(recipe.features)
    return [{"features": kind} for kind in dict.fromkeys(kinds)] or [{}]


def _take(stage: str, space: Workspace, asked: Options, force: bool, progress: Progress) -> Taken:
    options = {name: value for name, value in asked[stage].items() if value is not None}
    step = importlib.import_module(f"asdcli.pipeline.steps.{stage.replace('-', '_')}")
    if stage == "download":
        outcome = step.bring(space.data, space.dataset, force=force, progress=progress, **options)
        return Taken(stage, {None: outcome})
    if stage == "evaluate":
        report = step.run(space, progress=progress, **options)
        return Taken(stage, {None: report.outcome}, report)
    done = step.run(space, force=force, progress=progress, **options)
    return Taken(stage, done if isinstance(done, dict) else {None: done})
