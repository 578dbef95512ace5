"""Classes of other packages: those that they offer as entry points, and those that somebody names as module:Class."""

from __future__ import annotations

import functools
import importlib
import sys
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from asdcli.errors import PluginError, UsageError


@dataclass(frozen=True)
class Plugin:
    """What another package offers.

    Attributes:
        name: under which it is offered.
        path: `module:Class`.
        package: the distribution and its version.
    """

    name: str
    path: str
    package: str


def offered(group: str) -> tuple[Plugin, ...]:
    """What installed packages offer in an entry point group, by name and then by package.

    Costs some hundredths of a second once a process: registries ask only for names that are not built in.
    """
    return _offered(group, tuple(sys.path))


@functools.lru_cache(maxsize=32)
def _offered(group: str, _path: tuple[str, ...]) -> tuple[Plugin, ...]:
    from importlib.metadata import entry_points

    found = set()
    for point in entry_points(group=group):
        package = f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown package"
        found.add(Plugin(point.name, point.value.split("[")[0].replace(" ", ""), package))
    return tuple(sorted(found, key=attrgetter("name", "package", "path")))


def load(path: str, kind: str, package: str | None = None) -> type:
    """The class at `module:Class`.

    Args:
        path: `module:Class`.
        kind: what it is asked for as.
        package: whose plug-in it is, None where somebody typed the path.

    Raises:
        PluginError: the module is there and cannot be imported, or a package promises what it does not have.
        UsageError: what was typed does not exist, or is no class.
    """
    module, _, attribute = path.partition(":")
    whose = f"{kind} {path} of {package}" if package else f"{kind} {path}"
    wrong = PluginError if package else UsageError
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not package and error.name and f"{module}.".startswith(f"{error.name}."):
            raise UsageError(f"cannot load {whose}: there is no module {error.name!r}", _hint(module)) from None
        raise _broken(whose, error, package) from None
    except (Exception, SystemExit) as error:  # whatever somebody's module does while it is imported
        raise _broken(whose, error, package) from None
    try:
        found = attrgetter(attribute)(found)
    except AttributeError:
        raise wrong(f"cannot load {whose}: {module} has no {attribute!r}", _advice(package)) from None
    if not isinstance(found, type):
        raise wrong(f"{whose} is a {type(found).__name__}, not a class", _advice(package))
    return found


def loaded(path: str) -> Any:
    """What lies at `module:Class` in a module that is imported already, None where there is none."""
    module, _, attribute = path.partition(":")
    try:
        return attrgetter(attribute)(sys.modules[module])
    except (KeyError, AttributeError):
        return None


def _broken(whose: str, error: BaseException, package: str | None) -> PluginError:
    reason = (str(error).strip().splitlines() or [""])[0]
    return PluginError(f"{whose} cannot be imported: {type(error).__name__}: {reason}", _advice(package))


def _advice(package: str | None) -> str:
    if package is None:
        return "write module:Class, as Python imports it"
    name = package.split()[0]
    return f"bring that package up to date or remove it: pip install --upgrade {name}, pip uninstall {name}"


def _hint(module: str) -> str:
    root = module.partition(".")[0]
    if Path(f"{root}.py").exists() or Path(root).is_dir():
        return f"{root} lies in this folder: put PYTHONPATH=. before the command"
    return "install its package into this Python, or put its folder on PYTHONPATH"
