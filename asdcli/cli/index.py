"""`asd index`: your own recordings into a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli.options import SeedOption
from asdcli.cli.shared import Place, on_the_data
from asdcli.cli.talk import Talk

if TYPE_CHECKING:
    from asdcli.cli.console import Terminal


@on_the_data(force=True)
def index(
    recordings: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of wav or flac files; it is only read.")],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Name of the dataset. Default: the folder's.", show_default=False),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            metavar="FILE",
            help="CSV or Parquet that lists the recordings: path, and any of machine_type, section, subset, split, "
            "domain, condition (or label), attributes.",
            show_default=False,
        ),
    ] = None,
    machine: Annotated[
        str | None,
        typer.Option(
            "--machine",
            metavar="NAME",
            help="All recordings are of this one machine. Default: folders say, else the dataset's name.",
            show_default=False,
        ),
    ] = None,
    test_fraction: Annotated[
        float,
        typer.Option(
            "--test-fraction",
            metavar="F",
            help="Share of normal clips held out for testing where there are anomalies, but no train and test.",
        ),
    ] = 0.2,
    seed: SeedOption = 0,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Make a dataset of your own recordings, which stay where they are: clips.parquet, and a link to them.

    Understands folders such as fan/train, fan/test/normal, fan/test/abnormal, or normal and abnormal alone; DCASE names
    in any layout; MIMII's id_00/normal; or a --manifest. Labels, domains, sections and attributes are all optional.

    Prints what was found, and what was left out and why. Exits with 3 when clips had to be left out.
    """
    from asdcli.pipeline.steps import index as step

    outcome = step.run(
        place.root,
        recordings,
        name=name,
        manifest=manifest,
        machine=machine,
        test_fraction=test_fraction,
        seed=seed,
        force=force,
        progress=talk.progress,
    )
    if talk.shows_tables:
        _show(outcome.facts, talk.progress)
    code = talk.report("clips", outcome)
    if not talk.json and "next" in outcome.facts:
        talk.progress.note(f"next: {' '.join(outcome.facts['next'])}")
    return code


def _show(facts: dict[str, Any], progress: Terminal) -> None:
    """A table of what was found on stdout; what was left out, and advice, on stderr."""
    from asdcli.cli.tables import Grid, GridColumn

    if "found" not in facts:  # an edition in place: its own report was made already
        return
    labels = [c for c in ("subset", "domain", "condition") if len({row[c] for row in facts["found"]}) > 1]
    labels = ["machine_type", "split", *labels]  # a column that always says the same says nothing
    figures = (GridColumn(heading, number=True) for heading in ("clips", "seconds", "Hz", "channels"))
    grid = Grid(None, [*(name.replace("_", " ") for name in labels), *figures], keys=len(labels), box=None)
    for row in facts["found"]:
        low, high = row["seconds"]
        seconds = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        rates, channels = (", ".join(map(str, row[c])) for c in ("sample_rates", "channels"))
        grid.add(*(row[c] for c in labels), row["clips"], seconds, rates, channels)
    grid.show()
    for row in facts["left_out"]:
        more = ", …" if row["files"] > len(row["examples"]) else ""
        say = progress.warn if row["loss"] else progress.note
        say(f"left out {row['files']} ({row['reason']}): {', '.join(row['examples'])}{more}")
    for note in facts["notes"]:
        progress.note(note)
