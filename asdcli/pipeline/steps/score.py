"""score: the run's embeddings, or an autoencoder's residuals, into scores; each method by the stage that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdcli.errors import UsageError
from asdcli.filenames import stem
from asdcli.files import FOLDS
from asdcli.outcome import Outcome
from asdcli.pipeline import lent
from asdcli.pipeline.answers import answered
from asdcli.pipeline.staleness import warn_of_stale
from asdcli.pipeline.workspace import Workspace, needed
from asdcli.progress import SILENT, Progress
from asdcli.scorers import DEFAULT, MORE, PAPER, SCORERS, takes
from asdcli.views import packs
from asdcli.views.fold_embeddings import beside
from asdcli.views.scores import ScoreFiles
from asdcli.vocabulary import OfWindows, Unit

SETS = {"all": PAPER, "all+": MORE}
"""What stands for several methods."""


@answered
def run(
    space: Workspace | None,
    methods: Sequence[str] = (),
    *,
    val: str | None = None,
    k: int | None = None,
    unit: Unit | None = None,
    of_windows: OfWindows | None = None,
    seed: int = 0,
    embeddings: Path | None = None,
    model: Path | None = None,
    device: str = "auto",
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome]:
    """Score all clips with every method: `scores/<method>.parquet`, and `window-scores/` where clips have windows.

    What a method has learnt on the way goes to `detectors/<method>.npz`.

    Args:
        space: the run; None where `needs_run` says that none is needed.
        methods: spellings, or `all`; none means the default.
        val: validation set, over that of the one method.
        k: number of neighbours, over that of the one method.
        unit: the clips that share one reference set; None means each method's own.
        of_windows: what a clip has of the scores of its windows, of methods on embeddings; None means the highest where
            extract-features cut them, else the mean.
        seed: of everything random.
        embeddings: a table instead of the run's.
        model: folder of an autoencoder instead of the run's.
        device: where the autoencoder runs, and neighbours among thousands of embeddings are looked for: speed, not
            results. Neighbours are looked for on the CPU unless a device is named.
        output: file instead of the run's, of one method.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Returns:
        canonical spelling -> outcome, those of residuals first.

    Raises:
        UsageError: unknown method or parameter; one `output` and several methods.
    """
    of_vectors, of_residuals = spellings(methods, val=val, k=k)
    everything = [*of_vectors, *of_residuals]
    if output is not None and len(everything) > 1:
        raise UsageError(
            f"-o names one file, and there are {len(everything)} methods", "name one --method, or use --run"
        )
    outputs = {spelling: _files(space, spelling, output) for spelling in everything}
    outcomes: dict[str, Outcome] = {}
    if of_residuals:
        if of_windows not in (None, "mean"):
            raise UsageError(f"--of-windows {of_windows} is of methods that look at embeddings", "leave it out")
        from asdcli.stages import reconstruct

        network = model or needed(space).autoencoder
        reads = [
            *packs.paths(needed(space).features, reconstruct.FEATURES, None),
            network,
            *sorted(network.glob(FOLDS)),
        ]
        warn_of_stale(space, reads, progress)
        outcomes |= reconstruct.run(
            needed(space).clips,
            needed(space).features,
            {spelling: outputs[spelling] for spelling in of_residuals},
            model=network,
            device=device,
            force=force,
            progress=progress,
        )
    if of_vectors:
        from asdcli.stages import score

        source = embeddings or needed(space).embeddings
        warn_of_stale(space, [source, beside(source)], progress)
        outcomes |= score.run(
            source,
            {spelling: outputs[spelling] for spelling in of_vectors},
            errors=_errors(space, output),
            unit=unit,
            of_windows=of_windows,
            seed=seed,
            dataset=space.dataset if space else "",
            device=device,
            force=force,
            progress=progress,
        )
    made = [file for files in outputs.values() for file in (files.clips, files.windows, files.detector)]
    lent.note(space, made, [embeddings, model])
    return outcomes


@answered
def bring(
    space: Workspace,
    source: Path,
    *,
    name: str | None = None,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Outcome]:
    """Take the scores of a CSV, npz or Parquet file for those of the method `name`: `scores/<name>.parquet`.

    Labels are those of the dataset where there is one, else the file's own.

    Args:
        space: the run that it works on.
        source: the file that holds them.
        name: None means the file's name.
        output: file instead of the run's.
        force: do it again even if it is up to date.
        progress: is told how far it is, and of what looks wrong.

    Returns:
        name -> outcome.
    """
    from asdcli.stages import import_scores

    name = import_scores.method_name(source.stem if name is None else name)
    space.remember()
    target = output or space.scores(name)
    outcome = import_scores.run(
        source,
        target,
        clips=space.clips if space.clips.exists() else None,
        errors=space.errors(f"score-from-{stem(name)}") if not output else output.with_name(f"errors-{output.name}"),
        name=name,
        dataset=space.dataset,
        force=force,
        progress=progress,
    )
    lent.note(space, [target], [source])
    return {name: outcome}


def needs_run(methods: Sequence[str], *, embeddings: Path | None, output: Path | None) -> bool:
    """Whether `run` needs a workspace: not for the vectors of one named file into another."""
    return not (embeddings and output) or bool(spellings(methods)[1])


def spellings(asked: Sequence[str], *, val: str | None = None, k: int | None = None) -> tuple[list[str], list[str]]:
    """Canonical spellings without repetition, of methods on embeddings and of methods on residuals.

    Raises:
        UsageError: what no method can be.
    """
    if set(SETS) & set(asked) and (val is not None or k is not None):
        raise UsageError("--val and -k belong to one method, not to all", "leave them out, or name the method")
    wanted = [s for name in asked or [DEFAULT] for s in SETS.get(name, (name,))]
    found: tuple[dict[str, None], dict[str, None]] = ({}, {})
    for spelling in wanted:
        scorer = SCORERS.build(spelling, val=val, k=k)
        found[takes(scorer) == "residuals"][SCORERS.spell(scorer)] = None
    return list(found[0]), list(found[1])


def _files(space: Workspace | None, spelling: str, output: Path | None) -> ScoreFiles:
    if output:
        return ScoreFiles.beside(output)
    space = needed(space)
    return ScoreFiles(space.scores(spelling), space.window_scores(spelling), space.detector(spelling))


def _errors(space: Workspace | None, output: Path | None) -> Path:
    return output.parent / "errors-score.parquet" if output else needed(space).errors("score")
