"""Runs as they are typed: folders, or plans of `asd sweep`, which stand for the folders of their runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asdcli.sweep import shipped

if TYPE_CHECKING:
    from asdcli.cli.shared import Place
    from asdcli.cli.talk import Talk


def folders_of(runs: Sequence[Path] | None, place: Place, talk: Talk) -> list[Path]:
    """The folders that are meant.

    Raises:
        MissingArtifact: none of the runs of a plan is there.
    """
    return [_of_plan(str(run), place, talk) if _is_plan(run) else run for run in runs or ()]


def _is_plan(run: Path) -> bool:
    return run.suffix == ".toml" or (str(run) in shipped() and not run.exists())


def _of_plan(name: str, place: Place, talk: Talk) -> Path:
    """The folder of a plan's runs, with a word about those that are not done.

    Raises:
        MissingArtifact: none of them is there.
    """
    from asdcli.errors import MissingArtifact
    from asdcli.sweep import plan as plans
    from asdcli.sweep import status
    from asdcli.sweep.sweep import RUNS
    from asdcli.sweep.work import Site
    from asdcli.wording import counted

    file = plans.find(name)
    where = RUNS / file.stem
    if not where.is_dir():
        raise MissingArtifact(f"no run of the plan {name} is there: no folder {where}", f"asd sweep {name}")
    cells = plans.read(file)
    found = status.look(cells, Site(file.stem, str(place.root), str(where), str(Path.cwd())))
    if undone := len(cells) - found.count("done"):
        talk.progress.left_out(f"{counted(undone, 'run')} of {len(cells)} of {name} not done: asd sweep {name}")
    return where
