"""`asd datasets`: what the catalogue knows of the editions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli import completion
from asdcli.cli.shared import on_nothing
from asdcli.cli.talk import Talk

if TYPE_CHECKING:
    from asdcli.catalogue.edition import Edition


@on_nothing
def datasets(
    edition: Annotated[
        str | None,
        typer.Argument(
            metavar="[EDITION]",
            help="Show this one in full.",
            show_default=False,
            autocompletion=completion.editions,
        ),
    ] = None,
    *,
    talk: Talk,
) -> int:
    """List the editions that `asd download` knows, or show one: archives, sections, lengths, licence, citation."""
    from asdcli import catalogue

    if edition is None:
        known = [catalogue.load(name) for name in catalogue.names()]
        if talk.shows_tables:
            _list(known)
        return talk.answer(facts={"editions": [_facts(e) for e in known]})
    one = catalogue.load(edition)
    if talk.shows_tables:
        _show(one)
    return talk.answer(facts=_facts(one))


def _facts(edition: Edition) -> dict[str, Any]:
    return edition.model_dump(mode="json")


def _list(editions: list[Edition]) -> None:
    from asdcli.cli.console import stdout
    from asdcli.cli.tables import Grid, GridColumn

    figures = (GridColumn("dev", number=True), GridColumn("eval", number=True))
    grid = Grid(None, ["edition", *figures, "sections", "channels", "score", GridColumn("task", rank=2)], box=None)
    for e in editions:
        grid.add(
            e.name,
            str(len(e.dev.machine_types)),
            str(len(e.eval.machine_types)) if e.eval else "",
            ", ".join(_sections(e)),
            "+".join(e.channels),
            e.metric,
            e.title.partition(": ")[2] or e.title,
        )
    grid.show()
    stdout().print("dev and eval: number of machine types. One in full: asd datasets EDITION")


def _sections(edition: Edition) -> list[str]:
    parts = [p for p in (edition.dev, edition.eval) if p]
    return sorted({f"{p.sections[0]}-{p.sections[-1]}" if len(p.sections) > 1 else p.sections[0] for p in parts})


def _show(e: Edition) -> None:
    from rich.text import Text

    from asdcli.cli.console import stdout
    from asdcli.cli.tables import Grid, GridColumn

    console = stdout()
    console.print(Text.assemble((e.name, "bold"), f"  {e.title}"))
    for label, value in (
        ("web", e.url),
        (
            "audio",
            f"{e.sample_rate} Hz, {len(e.channels)} channel{'s' * (len(e.channels) > 1)} ({', '.join(e.channels)})",
        ),
        ("score", f"the rule of {e.metric}"),
        (
            "training",
            f"clips tiled or cut to {e.clip_length_s:g} s" if e.clip_length_s else "length of the longest clip",
        ),
        ("licence", e.licence),
    ):
        if value:
            console.print(f"  {label:9} {value}")
    for label, lines in (("cite", e.citation), ("note", e.notes)):
        for line in lines:
            console.print(f"  {label:9} {line}")
    for subset in e.subsets:
        part = e.part(subset)
        lengths = e.clip_lengths_s.get(subset, {})
        counts = ", ".join(f"{n} {split}" for split, n in part.clips.items()) if part else ""
        console.print(Text.assemble("\n", (subset, "bold"), f"  {counts} clips a section" if counts else ""))
        records = [r for r in e.records if r.subset == subset]
        columns = [f"{r.part}, record {r.record}" for r in records]
        grid = Grid(None, ["machine type", "sections", GridColumn("seconds", number=True), *columns], box=None)
        for m in part.machine_types if part else ():
            seconds = f"{lengths[m]:g}" if m in lengths else ""
            zips = [r.zip_name(m) + ("" if m in r.md5 else " *") for r in records]
            grid.add(m, " ".join(part.sections_for(m)) if part else "", seconds, *zips)
        grid.show(console)
    if any(len(r.md5) < len(part.machine_types) for r in e.records if (part := e.part(r.subset))):
        console.print("\n* no checksum in the catalogue: the record's own list gives it at download time")
    if e.records:
        console.print(f"sizes: asd download {e.name} {' '.join(f'--subset {s}' for s in e.subsets)} --dry-run")
