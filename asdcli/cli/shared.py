"""The trailing options that commands share, added by a decorator and handed on as one `Place` and one `Talk`.

A command names what it wants after its own options, as keywords: `place`, `talk`, `force`. The decorator says which
options stand for them, and takes care of their order.
"""

from __future__ import annotations

import functools
import inspect
import os
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asdcli.cli.hints import led
from asdcli.cli.options import (
    DataOption,
    DatasetOption,
    ForceOption,
    JsonOption,
    OutputOption,
    QuietOption,
    RunOption,
    VerboseOption,
)
from asdcli.cli.talk import Talk
from asdcli.cli.without_pandas import look_in_vain
from asdcli.errors import AsdError, MissingArtifact, UsageError

if TYPE_CHECKING:
    from asdcli.pipeline.workspace import Workspace

Command = Callable[..., int]

_OPTIONS: dict[str, Any] = {  # in the order of help: parameter -> option
    "output": OutputOption,
    "run": RunOption,
    "data": DataOption,
    "dataset": DatasetOption,
    "force": ForceOption,
    "verbose": VerboseOption,
    "json": JsonOption,
    "quiet": QuietOption,
}
_PLACE, _TALK = ("data", "run", "dataset", "output"), ("json", "quiet", "verbose")
_FLAGS = ("force", "verbose", "json", "quiet")


@dataclass(frozen=True)
class Place:
    """Where a command works, as it was typed; None where nothing was said.

    Attributes:
        data: data root.
        run: run folder.
        dataset: name of a dataset below the root.
        output: what to write to instead of a path of the run.
        talk: hears which dataset and run are meant where neither was typed.
    """

    data: Path | None = None
    run: Path | None = None
    dataset: str | None = None
    output: Path | None = None
    talk: Talk = field(default_factory=Talk, compare=False)

    @property
    def root(self) -> Path:
        """The data root."""
        from asdcli.pipeline import workspace

        return self.data or workspace.DATA_ROOT

    def space(self, *, otherwise: str | None = None, begins: bool = False, said: bool = False) -> Workspace:
        """The dataset and the run that are meant; `otherwise` and `begins` as `workspace.resolve` has them.

        Args:
            otherwise: see there.
            begins: see there.
            said: they are said even where they were named: something slow is loaded next, and nobody should wait for
                a first word.

        Raises:
            UsageError, MissingArtifact: none can be told, as `workspace.resolve` says.
        """
        from asdcli.pipeline import workspace

        space = workspace.resolve(
            data=self.data, run=self.run, dataset=self.dataset, otherwise=otherwise, begins=begins
        )
        if (said or space.assumed) and not begins:  # what begins something says itself what it is
            self.talk.progress.note(f"dataset {space.dataset}, run {space.run}")
        return space

    def space_if_any(self) -> Workspace | None:
        """The same for commands that explicit paths serve as well: None where nothing was named and nothing is found.

        Raises:
            UsageError, MissingArtifact: what was named cannot be had.
        """
        try:
            return self.space()
        except AsdError:
            if self._is_named():
                raise
            return None

    def space_if_named(self) -> Workspace | None:
        """The run or dataset that was named, for commands that explicit paths serve alone.

        Raises:
            UsageError, MissingArtifact: what was named cannot be had.
        """
        return self.space() if self._is_named() else None

    def learned(self) -> Workspace:
        """The same for commands on what was learned, which say how to learn where there is nothing.

        Raises:
            UsageError, MissingArtifact: none can be told, as `workspace.resolve` says.
        """
        try:
            return self.space()
        except MissingArtifact as error:
            from asdcli.pipeline.steps.check import LEARN

            error.answer(LEARN)
            raise

    def at(self, run: Path | None) -> Place:
        """The same at a run that was named as an argument, which wins over ASD_RUN.

        Raises:
            UsageError: --run names another.
        """
        if run is None:
            return self
        if self.run is not None and self.run != run and str(self.run) != os.environ.get("ASD_RUN"):
            raise UsageError(f"two runs are named: {run} and {self.run}", "name one")
        return replace(self, run=run)

    def _is_named(self) -> bool:
        """Whether a run or a dataset was named; a data root that is not there is refused, one that is says no more."""
        return bool(self.run or self.dataset or (self.data and not self.data.is_dir()))


def on_a_run(*, output: bool = True, force: bool = False, verbose: bool = False) -> Callable[[Command], Command]:
    """A command on a run: --run, --data, --dataset, --json and --quiet, and what else it asks for."""
    wanted = {"output": output, "force": force, "verbose": verbose}
    return _adds([name for name in _OPTIONS if wanted.get(name, True)])


def on_the_data(*, force: bool = False) -> Callable[[Command], Command]:
    """A command on the data root, which makes a dataset: --data, --json and --quiet."""
    return _adds(["data", *(["force"] if force else []), "json", "quiet"])


def on_many_runs(command: Command) -> Command:
    """A command on runs that are its arguments: --output, --data, --force, --json and --quiet."""
    return _adds(["output", "data", "force", "json", "quiet"])(command)


def on_nothing(command: Command) -> Command:
    """A command that tells what is known without any file: --json."""
    return _adds(["json"])(command)


def _adds(names: Sequence[str]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        hints = typing.get_type_hints(command, include_extras=True)
        own = inspect.signature(command).parameters
        handed = own.keys() & {"place", "talk", "force"}
        parameters = [p.replace(annotation=hints[name]) for name, p in own.items() if name not in handed]
        parameters += [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=False if name in _FLAGS else None,
                annotation=_OPTIONS[name],
            )
            for name in names
        ]

        @functools.wraps(command)
        def typed(**given: Any) -> int:
            shared = {name: given.pop(name) for name in names}
            if "data" in shared:
                look_in_vain()
            talk = Talk(command.__name__.replace("_", "-"), **{name: shared.get(name, False) for name in _TALK})
            place = Place(**{name: shared.get(name) for name in _PLACE}, talk=talk)
            whole = {
                "place": place,
                "talk": talk,
                "force": shared.get("force"),
            }
            try:
                return command(**given, **{name: whole[name] for name in handed})
            except AsdError as error:
                error.answer(led(error.hint, place) if error.hint else None)
                raise

        typed.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
        typed.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": int}
        return typed

    return decorate
