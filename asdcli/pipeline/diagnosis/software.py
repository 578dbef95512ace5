"""Python, asdcli and the libraries it asks for: which are installed, and whether in a version that fits."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata

from asdcli import __version__
from asdcli.pipeline.diagnosis.finding import Finding, State

_AREA = "software"
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[[^]]*])?\s*\(?(?P<versions>[^;)]*)\)?\s*(?:;(?P<when>.*))?"
)
_WITHOUT = {"torchaudio": "features are made without it; only the tests of asdcli are held against it"}
"""What nothing needs, and people look for."""
_BOUND = re.compile(r"(>=|<=|<|>|==|!=)\s*([\d.]+)")


def look(requirements: list[str] | None = None) -> Iterator[Finding]:
    """One finding for Python, asdcli and each required library. `requirements` are asdcli's own by default."""
    yield Finding(_AREA, "python", State.OK, f"{platform.python_version()} ({sys.executable})")
    yield Finding(_AREA, "asdcli", State.OK, __version__)
    for requirement in metadata.requires("asdcli") or [] if requirements is None else requirements:
        match = _REQUIREMENT.fullmatch(requirement.strip())
        if match and _applies(match["when"]) and match["name"] not in _WITHOUT:
            yield _library(match["name"], match["versions"].strip())
    yield from (_not_needed(name, why) for name, why in _WITHOUT.items())


def _library(name: str, versions: str) -> Finding:
    fix = f"{sys.executable} -m pip install '{name}{versions}'"
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(_AREA, name, State.PROBLEM, f"not installed; asdcli needs {versions or 'any version'}", fix)
    if not fits(installed, versions):
        return Finding(_AREA, name, State.PROBLEM, f"{installed}, but asdcli needs {versions}", fix)
    return Finding(_AREA, name, State.OK, installed)


def _not_needed(name: str, why: str) -> Finding:
    try:
        return Finding(_AREA, name, State.OK, f"{metadata.version(name)}: {why}")
    except metadata.PackageNotFoundError:
        return Finding(_AREA, name, State.NOTE, f"not installed: {why}")


def fits(installed: str, versions: str) -> bool:
    """Whether a version lies within bounds such as `>=2.11,<2.12`; local parts (`+cpu`) and pre-releases count not."""
    have = _numbers(installed.partition("+")[0])
    checks = {
        ">=": have.__ge__,
        "<=": have.__le__,
        "<": have.__lt__,
        ">": have.__gt__,
        "==": have.__eq__,
        "!=": have.__ne__,
    }
    return all(checks[sign](_numbers(bound)) for sign, bound in _BOUND.findall(versions))


def _numbers(version: str) -> tuple[int, ...]:
    """`2.11.0rc1` -> (2, 11): trailing zeros say nothing."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(n) for n in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _applies(when: str | None) -> bool:
    """Whether a requirement with this marker is ours: none of an extra, and only those of this Python."""
    if when is None:
        return True
    if "extra" in when:
        return False
    python = re.search(r"python_version\s*(\S+)\s*['\"]([\d.]+)['\"]", when)
    return python is None or fits(f"{sys.version_info.major}.{sys.version_info.minor}", f"{python[1]}{python[2]}")
