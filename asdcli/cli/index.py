"""`asd index`: your own recordings into a dataset."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asdcli.cli.options import ConditionWordOption, SeedOption, machine_option, one_of
from asdcli.cli.shared import Place, on_the_data
from asdcli.cli.talk import Talk
from asdcli.vocabulary import GROUPINGS, Unlabelled

if TYPE_CHECKING:
    from asdcli.stages.index_report import IndexFacts


@on_the_data(force=True)
def index(
    recordings: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of audio files; it is only read.")],
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
        machine_option(help="All recordings are of this one machine. Default: folders say, else the dataset's name."),
    ] = None,
    unlabelled: Annotated[
        Unlabelled | None,
        typer.Option(
            "--unlabelled",
            metavar=one_of(Unlabelled),
            help="Where recordings go of which nothing is said; those that train are taken as normal. Without this "
            "they test, but where nothing of their machine type is labelled all train.",
            show_default=False,
        ),
    ] = None,
    condition_word: ConditionWordOption = None,
    test_fraction: Annotated[
        float,
        typer.Option(
            "--test-fraction",
            metavar="F",
            help="Share of normal clips held out for testing where there are anomalies, but no train and test.",
        ),
    ] = 0.2,
    group_by: Annotated[
        str | None,
        typer.Option(
            "--group-by",
            metavar="|".join(GROUPINGS),
            help="What tells training clips that belong together, and are held out together: COLUMN is one of the "
            "manifest, or the key of an attribute. Default: a manifest's column group, else the first that tells.",
            show_default=False,
        ),
    ] = None,
    seed: SeedOption = 0,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Make a dataset of your own recordings, which stay where they are: clips.parquet, and a link to them.

    Understands folders such as fan/train, fan/test/normal, fan/test/abnormal, or normal and abnormal alone; DCASE names
    in any layout; MIMII's id_00/normal; or a --manifest. Labels, domains, sections and attributes are all optional.
    Words inside names are read where it is safe (0_normal, engine2_broken beside engine2_ok). A recording never trains
    as normal while a name on its path may say an anomaly: that is refused, with what to type.

    Prints what was found, and what was left out and why. Exits with 3 when clips had to be left out.
    """
    from asdcli.pipeline.steps import index as step

    outcome = step.run(
        place.root,
        recordings,
        name=name,
        manifest=manifest,
        machine=machine,
        unlabelled=unlabelled,
        condition_words=condition_word or (),
        test_fraction=test_fraction,
        group_by=group_by,
        seed=seed,
        force=force,
        progress=talk.progress,
    )
    facts = outcome.facts if isinstance(outcome.facts, step.IndexFacts) else None
    if facts:  # else an edition in place: its own report was made already
        if talk.shows_tables:
            _show_found(facts.found)
        _say(facts, talk)
    code = talk.report("clips", outcome)
    if facts and not talk.json:
        talk.progress.note(f"next: {shlex.join(facts.next)}")
    return code


def _show_found(found: list[dict[str, Any]]) -> None:
    """A table of what was found on stdout."""
    from asdcli.cli.tables import Grid, GridColumn

    labels = [c for c in ("subset", "domain", "condition") if len({row[c] for row in found}) > 1]
    labels = ["machine_type", "split", *labels]  # a column that always says the same says nothing
    figures = (GridColumn(heading, number=True) for heading in ("clips", "seconds", "Hz", "channels"))
    grid = Grid(None, [*(name.replace("_", " ") for name in labels), *figures], keys=len(labels), box=None)
    for row in found:
        low, high = row["seconds"]
        seconds = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        rates, channels = (", ".join(map(str, row[c])) for c in ("sample_rates", "channels"))
        grid.add(*(row[c] for c in labels), row["clips"], seconds, rates, channels)
    grid.show()


def _say(facts: IndexFacts, talk: Talk) -> None:
    """What was left out, warnings and advice on stderr; `--quiet` keeps losses."""
    progress = talk.progress
    for row in facts.left_out:
        more = ", …" if row["files"] > len(row["examples"]) else ""
        told = f"left out {row['files']} ({row['reason']}): {', '.join(row['examples'])}{more}"
        if row["loss"]:
            progress.left_out(told)
        elif not talk.json:
            progress.note(told)
    for warning in facts.warnings:
        progress.warn(warning)
    for note in [] if talk.json else facts.notes:
        progress.note(note)
