"""What is to be fused, by the words that name it: methods of the run, score tables, runs, folders above runs."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Sequence
from pathlib import Path

from asdcli import artifacts
from asdcli.errors import AsdError, MissingArtifact, UsageError, unknown_name
from asdcli.filenames import stem
from asdcli.pipeline import many_runs
from asdcli.pipeline.workspace import Workspace
from asdcli.scorers import SCORERS
from asdcli.scorers.fuse import FUSED
from asdcli.views.samples import SMOOTHED
from asdcli.views.scores import Scored, read_scores


def find_parts(space: Workspace | None, words: Sequence[str], methods: Sequence[str] = ()) -> list[Scored]:
    """The scores that words name, each once and by a name of its own, in the order of the words.

    Args:
        space: the run whose methods are named by their spellings; None where there is none.
        words: a method of the run, a table, a run or folder above runs, or RUN:METHOD.
        methods: of runs that are named without one; none means the only one that is not made of others.

    Raises:
        UsageError: a word that is none of these, an unknown method, several to choose from, methods where no word takes
            them, or fewer than two parts.
        MissingArtifact, BadArtifact: no scores, or none that can be read.
    """
    if methods and not any(_is_folder(space, word) for word in words):
        raise UsageError(
            "--method says which method of a run that is named without one, and none is",
            f"leave it out, or fuse it too: {shlex.join(['asd', 'fuse', *words, *methods])}",
        )
    paths: dict[Path, Path] = {}
    for word in words:
        for path in _tables(space, word, methods):
            paths.setdefault(path.resolve(), path)
    found = read_scores(paths.values())
    if len(found) < 2:
        what = f"{found[0].method} alone is" if found else "there is"
        raise UsageError(f"{what} nothing to fuse", "name other methods of the run, or other runs, beside it")
    return found


def _tables(space: Workspace | None, word: str, methods: Sequence[str]) -> list[Path]:
    if space is not None and (own := _scored(space.run, word)):
        return [own]
    place = Path(word)
    if _is_folder(space, word):
        runs = many_runs.below([place])
        taken = [run for run in runs if len(runs) == 1 or not _is_fused(run)]  # what was fused of them lies beside them
        return [path for run in taken for path in _of_run(run, methods)]
    if place.exists() or place.suffix == ".parquet":
        return [place]
    run, colon, method = word.partition(":")
    if colon and Path(run).is_dir():
        return _of_run(Path(run), [method])
    raise _unknown(space, word)


def _is_folder(space: Workspace | None, word: str) -> bool:
    """Whether a word names a run or a folder above runs: a method of the run comes first."""
    return Path(word).is_dir() and (space is None or not _scored(space.run, word))


def _scored(run: Path, method: str) -> Path | None:
    """Where the scores of a method lie in a run, by its spelling or a shorter one; None where there are none."""
    tried = [method]
    with contextlib.suppress(AsdError):  # no method of its own: scores that were smoothed, brought or fused
        tried.append(SCORERS.canonical(method))
    paths = (run / "scores" / f"{stem(spelling)}.parquet" for spelling in tried)
    return next((path for path in paths if path.exists()), None)


def _is_fused(run: Path) -> bool:
    """Whether a run holds fused scores and what was made of these, and no others."""
    there = _methods(run)
    return bool(there) and all(FUSED in method for method in there)


def _of_run(run: Path, methods: Sequence[str]) -> list[Path]:
    """The tables of the methods that are asked for, or of the only one."""
    there = _methods(run)
    if not there:
        again = shlex.join(["asd", "score", "--run", str(run)])
        raise MissingArtifact(f"no scores in {run}", f"make them first: {again}")
    if methods:
        found = [(method, _scored(run, method) or there.get(method)) for method in methods]
        if lacking := [method for method, path in found if path is None]:
            error = unknown_name("method", lacking[0], there)
            raise UsageError(f"{run}: {error.message}", error.hint)
        return [path for _, path in found if path is not None]
    plain = [method for method in there if SMOOTHED not in method and FUSED not in method]
    if len(plain) != 1:
        raise UsageError(f"{run} holds several methods: {', '.join(plain or there)}", "choose one with --method")
    return [there[plain[0]]]


def _methods(run: Path) -> dict[str, Path]:
    """Spelling -> table of everything that a run has scores of."""
    headers = {path: artifacts.read_header(path, artifacts.SCORES) for path in sorted(run.glob("scores/*.parquet"))}
    return {str(header.params.get("method", path.stem)): path for path, header in headers.items()}


def _unknown(space: Workspace | None, word: str) -> AsdError:
    known = [] if space is None else list(_methods(space.run))
    try:
        spelling = SCORERS.canonical(word)
    except AsdError:
        error = unknown_name("method or run", word, known)
        return UsageError(
            error.message, f"{error.hint}; a run is named by its folder, RUN:METHOD is one of its methods"
        )
    if space is None:
        return UsageError(f"there is no run whose {spelling} could be fused", "name it: --run DIR, or DIR:METHOD")
    return MissingArtifact(
        f"no scores of {spelling} in {space.run}", "make them first: " + shlex.join(["asd", "score", "-m", spelling])
    )


def of_run(space: Workspace | None, parts: Sequence[Scored]) -> bool:
    """Whether all parts are scores of this run."""
    own = None if space is None else space.scores_dir.resolve()
    return all(one.path.resolve().parent == own for one in parts)
