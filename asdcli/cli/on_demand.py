"""Commands that are loaded when they are typed: `asd --help` tells of all of them and loads none."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

Targets = Mapping[str, Mapping[str, str]]
"""Group -> command name -> `module:function`."""


class Commands(Mapping[str, Any]):
    """The commands by name, in their order; a module is imported when its command is asked for."""

    def __init__(self, targets: Targets) -> None:
        self._found = {name: (group, target) for group, own in targets.items() for name, target in own.items()}
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            group, target = self._found[name]
            module, _, function = target.partition(":")
            command = getattr(importlib.import_module(module), function)
            app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
            app.command(name, help=paragraphs(command), rich_help_panel=group)(command)
            self._loaded[name] = typer.main.get_command(app)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def told(self, name: str) -> TyperCommand:
        """What a list of commands says of one: its group and its help, without its options."""
        group, target = self._found[name]
        return TyperCommand(name, help=paragraphs(_unloaded(target)), rich_help_panel=group, rich_markup_mode="rich")


def group_of(targets: Targets) -> type[TyperGroup]:
    """The class of a group of these commands, for `typer.Typer(cls=...)`."""

    class OnDemand(TyperGroup):
        """Lists its commands by `get_command`, and runs what `resolve_command` gives."""

        def __init__(self, **how: Any) -> None:
            super().__init__(**how)
            self.commands: Any = Commands(targets)

        def list_commands(self, _: Any) -> list[str]:
            return list(self.commands)

        def get_command(self, _: Any, cmd_name: str) -> Any:
            return self.commands.told(cmd_name) if cmd_name in self.commands else None

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            name, told, rest = super().resolve_command(ctx, args)
            return name, told and self.commands[told.name], rest

    return OnDemand


def paragraphs(command: Callable[..., object]) -> str:
    """The docstring with each paragraph on one line, so that help breaks lines where the terminal ends."""
    return "\n\n".join(" ".join(p.split()) for p in (inspect.getdoc(command) or "").split("\n\n"))


def _unloaded(target: str) -> Callable[..., object]:
    """A function as the compiled code of its module has it, of use for its docstring only: nothing is imported."""
    module, _, name = target.partition(":")
    spec: Any = importlib.util.find_spec(module)
    found = (part for part in spec.loader.get_code(module).co_consts if isinstance(part, CodeType))
    return FunctionType(next(code for code in found if code.co_name == name), {})
