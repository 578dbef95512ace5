"""`asd show`: where a file comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli import completion
from asdcli.cli.shared import Place, on_the_data
from asdcli.cli.talk import Talk

if TYPE_CHECKING:
    from rich.tree import Tree

    from asdcli.pipeline.ancestry import Ancestor

_STYLES = {"as it was": "green", "changed since": "bold red", "gone": "yellow", "cannot be told": "yellow"}


@on_the_data()
def show(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A table, a pack, a detector, or the folder of a model.",
            autocompletion=completion.artifact_files,
        ),
    ],
    *,
    place: Place,
    talk: Talk,
) -> int:
    """Show the whole history of a file: what it was made of, by which commands, and what became of that since.

    Everything is read from the headers of files. An input is as it was, changed since, or gone; of what is gone the
    history of later files still tells how it was made.
    """
    from asdcli.pipeline.ancestry import ancestry

    found = ancestry(file, data=place.data)
    if talk.shows_tables:
        _draw(found.root)
    if found.reasons and not talk.json:
        talk.progress.warn(f"stale ({found.reasons}); bring up to date: {' && '.join(found.mend)}")
    facts = {**_plain(found.root), "stale": found.reasons or None, "mend": list(found.mend)}
    return talk.answer(facts=facts)


def _draw(root: Ancestor) -> None:
    from rich.tree import Tree

    from asdcli.cli.console import stdout

    tree = Tree(_label(root), highlight=False, guide_style="dim")
    _grow(tree, root)
    stdout().print(tree, soft_wrap=False)


def _grow(tree: Tree, of: Ancestor) -> None:
    for one in of.made_of:
        _grow(tree.add(_label(one)), one)


def _label(one: Ancestor) -> Any:
    """Name and state; then how it was made."""
    from rich.text import Text

    said = Text(one.role or str(one.path), style="bold")
    if one.state is not None:
        said.append(" ").append(str(one.state), _STYLES[str(one.state)] + " not bold")
        if one.path is not None:
            said.append(f"  {one.path}", "dim not bold")
    header = one.header
    if header is None:
        return said.append(f"\nof which nothing is known but its digest {one.content[:12]}", "not bold")
    if one.told_above:
        return said.append("\nas told above", "dim not bold")
    by = f"{header.kind} of {header.dataset}" if header.dataset else header.kind
    by += f", asd {header.asdcli}, digest {one.content[:12]}"
    plain = {**({"seed": header.seed} if header.seed is not None else {}), **header.params}
    told = ", ".join(f"{name} {value}" for name, value in plain.items() if value not in (None, False))
    lines = [by, one.command or "", told]
    return said.append("".join(f"\n{line}" for line in lines if line), "not bold")


def _plain(one: Ancestor) -> dict[str, Any]:
    header = one.header
    known = ("kind", "asdcli", "dataset", "seed", "params", "diagnostics")
    return {
        "role": one.role or None,
        "path": one.path and str(one.path),
        "state": None if one.state is None else str(one.state),
        "content": one.content,
        **{name: getattr(header, name) if header else None for name in known},
        "command": one.command,
        "made_of": [_plain(input) for input in one.made_of],
    }
