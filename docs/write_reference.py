"""Write the reference pages of docs/reference/ from the code: `make docs-reference`. A test says when a page is old."""

from __future__ import annotations

import enum
import importlib
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "reference"
_NOTE = "<!-- Written by docs/write_reference.py from the code: change that, then `make docs-reference`. -->"


def command_line() -> str:
    """Every command with its arguments and options, in the groups of `asd --help`."""
    from asdcli.cli import GROUPS

    lines = ["# Command line", "", _NOTE, ""]
    lines += [
        "`asd COMMAND --help` says the same in the terminal. [Exit codes](../basics.md) are alike everywhere.",
        "",
    ]
    for group, commands in GROUPS.items():
        lines += [f"## {group}", ""]
        for name, target in commands.items():
            module, _, function = target.partition(":")
            lines += _command(name, getattr(importlib.import_module(module), function))
    return "\n".join(lines).rstrip() + "\n"


def _command(name: str, command: Callable[..., object]) -> Iterator[str]:
    import typer.models

    rows, usage = [], []
    for p in inspect.signature(command).parameters.values():
        kind, info, *_ = typing.get_args(p.annotation) or (None, None)  # the context is nobody's option
        if info is None or info.hidden:
            continue
        takes = info.metavar or _choices(kind)
        if isinstance(info, typer.models.ArgumentInfo):
            usage.append(takes)
            spelled = f"`{takes}`"
        else:
            first = [info.default] if isinstance(info.default, str) and info.default.startswith("-") else []
            decls = [*first, *(info.param_decls or ())] or [f"--{p.name.replace('_', '-')}"]
            spelled = ", ".join(f"`{d}`" for d in decls) + ("" if kind is bool else f" `{takes}`".replace("|", "\\|"))
        default = getattr(p.default, "value", p.default)
        shown = "" if default in (None, False, inspect.Parameter.empty) else f"`{default}`"
        rows.append(f"| {spelled} | {_cell(info.help or '')} | {shown} |")
    yield from (f"### asd {name}", "", f"`{' '.join(['asd', name, *usage, '[OPTIONS]'])}`", "")
    for paragraph in (inspect.getdoc(command) or "").split("\n\n"):
        yield from (_prose(paragraph), "")
    yield from ("| | | default |", "|---|---|---|", *rows, "")


def _choices(kind: Any) -> str:
    """What a value may be: the members of an Enum, else the name of its type."""
    for part in (kind, *typing.get_args(kind), *(x for a in typing.get_args(kind) for x in typing.get_args(a))):
        if isinstance(part, type) and issubclass(part, enum.Enum):
            return "|".join(str(m.value) for m in part)
    names = [a.__name__ for a in (typing.get_args(kind) or (kind,)) if isinstance(a, type) and a is not type(None)]
    return {"int": "N", "float": "X", "str": "TEXT", "Path": "PATH"}.get(names[0] if names else "", "TEXT")


def methods_and_models() -> str:
    """Every built-in class that has a name on the command line, from its docstring."""
    from asdcli.cli.models import registries
    from asdcli.scorers import SCORERS
    from asdcli.spec import describe

    lines = ["# Methods and models", "", _NOTE, ""]
    lines += ["`asd methods NAME` and `asd models NAME` say the same, of other packages' classes too.", ""]
    for title, registry in {"Methods": SCORERS, **registries()}.items():
        lines += [f"## {title}", ""]
        for name in registry.entries:
            lines += _described(describe(registry, name))
        for name, meant in registry.short.items():
            lines += [f"`{name}` is short for `{meant}`.", ""]
    return "\n".join(lines).rstrip() + "\n"


def figures() -> str:
    """Every figure that `asd plot` draws, from its docstring."""
    from asdcli.plots import PLOTS
    from asdcli.spec import describe

    lines = ["# Figures and their parameters", "", _NOTE, ""]
    lines += ["`asd plot FIGURE:parameter=value,…`; [Figures](../figures.md) says what each is for.", ""]
    for name in PLOTS.entries:
        lines += _described(describe(PLOTS, name))
    return "\n".join(lines).rstrip() + "\n"


def _described(d: Any) -> Iterator[str]:
    yield from (f"### {d.name}", "", _prose(d.summary), "")
    for paragraph in d.text:
        yield from (_prose(paragraph), "")
    if d.source:
        yield from (f"Source: {_prose(d.source)}", "")
    if d.parameters:
        yield from ("| parameter | | default | |", "|---|---|---|---|")
        for p in d.parameters:
            kind = ", ".join(f"`{c}`" for c in p.choices) or p.type
            default = "" if p.default is None else f"`{p.default}`"
            yield f"| `{p.name}` | {_cell(kind)} | {_cell(default)} | {_cell(p.meaning)} |"
        yield ""


def artifacts() -> str:
    """Every kind of file, its columns and the command that makes it."""
    from asdcli.artifacts import kinds

    found = [k for k in vars(kinds).values() if isinstance(k, kinds.Kind)]
    lines = ["# Artifacts", "", _NOTE, ""]
    lines += [
        "The files that stages exchange. A table is Parquet with the header as JSON under the metadata key `asd`;",
        "arrays are npz with the same JSON as the entry `asd`; a model is a folder with safetensors and `card.json`.",
        "A nullable column may be missing in a file of somebody else's; further columns are kept.",
        "",
    ]
    for kind in found:
        key = f", one row a ({', '.join(kind.key)})" if kind.key else ""
        lines += [f"## {kind.name}", "", f"Version {kind.version}, made by `{kind.made_by}`{key}.", ""]
        if kind.columns:
            lines += ["| column | type | |", "|---|---|---|"]
            lines += [
                f"| `{c.name}` | {c.type or 'list of numbers'} | {'nullable' if c.nullable else ''} |"
                for c in kind.columns
            ]
            lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def editions() -> str:
    """What the catalogue knows."""
    from asdcli import catalogue

    lines = ["# Editions", "", _NOTE, "", "`asd datasets EDITION` says the same, with the archives' names."]
    for name in catalogue.names():
        e = catalogue.load(name)
        lines += [
            "",
            f"## {name}",
            "",
            f"{e.title}. {e.sample_rate} Hz, {', '.join(e.channels)}; official score by the rule `{e.metric}`.",
        ]
        if e.licence:
            lines += [f"Licence: {e.licence}."]
        lines += ["", "| part | machine types | sections | records |", "|---|---|---|---|"]
        for subset in e.subsets:
            part = e.part(subset)
            if part is None:
                continue
            records = ", ".join(r.record for r in e.records if r.subset == subset)
            lines += [f"| {subset} | {' '.join(part.machine_types)} | {' '.join(part.sections)} | {records} |"]
        lines += [f"\n{note}" for note in (*e.notes, *(f"Cite: {c}" for c in e.citation))]
    return "\n".join(lines).rstrip() + "\n"


def _prose(text: str) -> str:
    """One line, with what Markdown would take for a tag escaped."""
    return " ".join(text.split()).replace("<", "&lt;").replace(">", "&gt;")


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {
    "command-line.md": command_line,
    "methods-and-models.md": methods_and_models,
    "figures.md": figures,
    "artifacts.md": artifacts,
    "editions.md": editions,
}
"""Name of a page -> what writes it."""


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        print(f"wrote {FOLDER / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
