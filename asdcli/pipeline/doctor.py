"""doctor: look at software, machine, datasets and a run, and say what is wrong and which command helps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asdcli.errors import AsdError, MissingArtifact, UsageError
from asdcli.pipeline import workspace
from asdcli.pipeline.diagnosis import Finding, State, datasets, machine, past, run_files, software
from asdcli.progress import SILENT, Progress

_ORDER = (State.PROBLEM, State.NOTE, State.OK)


def run(
    *,
    data: Path | None = None,
    run: Path | None = None,
    dataset: str | None = None,
    verify: bool = False,
    progress: Progress = SILENT,
) -> list[Finding]:
    """Every finding, what is wrong first and each kind in the order of the work; nothing is changed.

    Args:
        data: as `workspace.resolve` has it.
        run: the same.
        dataset: the same.
        verify: read every file of the run to its last byte.
        progress: is told how far that is.

    Raises:
        UsageError: the run belongs to another dataset than the one named.
    """
    return sorted(
        _look(data, run, dataset, progress if verify else None), key=lambda finding: _ORDER.index(finding.state)
    )


def _look(data: Path | None, run: Path | None, dataset: str | None, verifying: Progress | None) -> Iterator[Finding]:
    root = data or workspace.DATA_ROOT
    given = _given(data=data, run=run, dataset=dataset)
    yield from software.look()
    yield from machine.look(root, run)
    yield from datasets.look(root, _given(data=data))
    if data is not None and not data.is_dir():
        yield Finding("data", str(data), State.PROBLEM, "there is no such folder", "choose another --data")
    if run is not None and not run.is_dir():
        yield Finding("run", str(run), State.PROBLEM, "there is no such folder", "choose another --run")
        return
    try:
        space = workspace.resolve(data=data, run=run, dataset=dataset, begins=data is not None and not data.is_dir())
    except MissingArtifact as error:
        yield Finding("run", "none", State.PROBLEM if dataset else State.NOTE, error.message, error.hint)
        return
    except UsageError as error:
        if run or dataset:
            raise
        yield Finding("run", "none", State.NOTE, error.message, error.hint)
        return
    except AsdError as error:
        yield Finding("run", str(run), State.PROBLEM, error.message, error.hint)
        return
    yield from run_files.look(space, given, verifying)
    yield from past.look(space)


def _given(**options: object) -> list[str]:
    """The user's own options, which the commands that we advise need too."""
    return [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
