"""`asd methods`: the methods of scoring, with their parameters, defaults, meanings and sources."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli import completion
from asdcli.cli.shared import on_nothing
from asdcli.cli.talk import Talk

if TYPE_CHECKING:
    from asdcli.spec import Described


@on_nothing
def methods(
    method: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Show this one in full. Also module:Class.",
            show_default=False,
            autocompletion=completion.scorers,
        ),
    ] = None,
    *,
    talk: Talk,
) -> int:
    """List the methods of asd score, those of other packages too, or show one: parameters, defaults, source."""
    from asdcli.cli.console import stdout
    from asdcli.cli.described import described, named, show, show_list
    from asdcli.scorers import SCORERS

    if method is None:
        found = described(SCORERS, talk)
        if talk.shows_tables:
            show_list(None, found, {"takes": lambda d: _facts(d)["takes"]})
            stdout().print("\nOne in full: asd methods NAME")
        return talk.answer(facts={"methods": [{**asdict(d), **_facts(d)} for d in found]})
    (one,) = named([SCORERS], method, "method")
    if talk.shows_tables:
        show(one, _facts(one))
    return talk.answer(facts={**asdict(one), **_facts(one)})


def _facts(one: Described) -> dict[str, Any]:
    """What the method looks at, and what shares a reference set by default."""
    from asdcli.scorers import SCORERS

    cls: Any = SCORERS.load(one.name)
    return {"takes": str(getattr(cls, "takes", "embeddings")), "unit": str(getattr(cls, "unit", "machine-type"))}
