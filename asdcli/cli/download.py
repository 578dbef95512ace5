"""`asd download`: an edition of the challenge, or the synthetic dataset, into the data root."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli import completion
from asdcli.cli.options import MachineTypeOption, one_of
from asdcli.cli.shared import Place, on_the_data
from asdcli.cli.talk import Talk
from asdcli.synthesis.sizes import DEFAULT, SIZES
from asdcli.vocabulary import SYNTHETIC, Subset

if TYPE_CHECKING:
    from asdcli.cli.console import Terminal
    from asdcli.editions.request import Request
    from asdcli.stages.download import Plan

_Row = tuple[str, str, int | None, str]
"""Archive, part, bytes and state."""
_MIRROR, _RENDERED = "Where from", "Synthetic dataset only"
_SEED = 0


@on_the_data(force=True)
def download(
    edition: Annotated[
        str,
        typer.Argument(
            metavar=one_of(("EDITION",), SYNTHETIC),
            help=f"One of asd datasets, or {SYNTHETIC}.",
            autocompletion=completion.editions,
        ),
    ],
    subset: Annotated[
        list[Subset] | None,
        typer.Option("--subset", help=f"Part of the edition (repeatable). Default: {Subset.DEV}.", show_default=False),
    ] = None,
    machine_type: MachineTypeOption = None,
    released_attributes: Annotated[
        bool, typer.Option("--released-attributes", help="Use attributes published after the challenge, too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be fetched, with sizes.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Fetch nothing; check every file that is there.")] = False,
    keep_archives: Annotated[bool, typer.Option("--keep-archives", help="Keep the zips after unpacking.")] = False,
    connections: Annotated[
        int, typer.Option("--connections", min=1, max=4, help="Transfers at a time; Zenodo blocks more than a few.")
    ] = 2,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            metavar="URL",
            help="A mirror in place of https://zenodo.org: URL/records/<record>/files/<zip>, or plainly URL/<zip>. "
            "A md5sums.txt beside its zips replaces the official checksums.",
            rich_help_panel=_MIRROR,
            show_default=False,
        ),
    ] = None,
    from_dir: Annotated[
        Path | None,
        typer.Option(
            "--from-dir",
            metavar="DIR",
            help="Take the zips (and truth tables) from a folder that holds them; nobody else is asked.",
            rich_help_panel=_MIRROR,
            show_default=False,
        ),
    ] = None,
    truth_url: Annotated[
        str | None,
        typer.Option(
            "--truth-url",
            metavar="URL",
            help="A mirror of the ground truth in place of the organisers' hosts.",
            rich_help_panel=_MIRROR,
            show_default=False,
        ),
    ] = None,
    no_truth: Annotated[
        bool,
        typer.Option(
            "--no-truth",
            help="Ask nobody for ground truth; tables that lie in --from-dir are taken.",
            rich_help_panel=_MIRROR,
        ),
    ] = False,
    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            metavar=one_of(SIZES),
            help=f"How much is rendered. Default: {DEFAULT}.",
            rich_help_panel=_RENDERED,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help=f"Default: {_SEED}.", rich_help_panel=_RENDERED, show_default=False),
    ] = None,
    *,
    place: Place,
    talk: Talk,
    force: bool,
) -> int:
    """Fetch an edition of DCASE Task 2 from Zenodo, or render the synthetic dataset.

    The clips go to <data>/<edition>/, with clips.parquet, the table that all later commands read. What is there already
    is skipped; a broken or killed download goes on where it stopped. The default is the development part; with --subset
    eval come the additional training clips, the evaluation test clips, and their ground truth from the organisers'
    public repositories.
    """
    from asdcli.errors import UsageError
    from asdcli.pipeline.steps import download as step

    if edition == SYNTHETIC:
        fetched_only: dict[str, object] = {
            "--subset": subset,
            "--base-url": base_url,
            "--from-dir": from_dir,
            "--truth-url": truth_url,
            "--no-truth": no_truth,
            "--dry-run": dry_run,
            "--verify": verify,
            "--keep-archives": keep_archives,
            "--released-attributes": released_attributes,
        }
        _refuse(fetched_only, "the synthetic dataset is rendered, not fetched")
        outcome = step.render(
            place.root,
            size=size or DEFAULT,
            seed=_SEED if seed is None else seed,
            machine_types=machine_type,
            force=force,
            progress=talk.progress,
        )
        return talk.report("clips", outcome)
    _refuse({"--size": size, "--seed": seed}, "only the synthetic dataset has sizes and seeds")
    if dry_run and verify:
        raise UsageError("--dry-run and --verify exclude each other")
    request = step.Request(
        edition=edition,
        subsets=tuple(subset or [Subset.DEV]),
        machine_types=tuple(machine_type) if machine_type else None,
        base_url=base_url,
        from_dir=from_dir,
        truth_url=truth_url,
        truth=not no_truth,
        released_attributes=released_attributes,
        keep_archives=keep_archives,
        connections=connections,
        force=force,
    )
    if dry_run:
        return _plan(request, place.root / edition, talk)
    if verify:
        return _verify(request, place.root / edition, talk)
    outcome = step.run(place.root, request, progress=talk.progress)
    if outcome.status == "done":
        _tell(request, talk.progress)
    return talk.report("clips", outcome)


def _refuse(options: dict[str, object], why: str) -> None:
    from asdcli.errors import UsageError

    given = [name for name, value in options.items() if value not in (None, False)]
    if given:
        raise UsageError(f"{', '.join(given)}: {why}", "leave it out")


def _tell(request: Request, progress: Terminal) -> None:
    edition = request.known()
    progress.note(f"licence: {edition.licence}; how to cite: asd datasets {edition.name}")
    if Subset.EVAL not in request.subsets and edition.eval:
        progress.note(f"the evaluation part: asd download {edition.name} --subset eval")


def _verify(request: Request, root: Path, talk: Talk) -> int:
    from asdcli.stages import verify

    outcome = verify.run(request, root, progress=talk.progress)
    if not talk.json:
        talk.progress.note(f"{root} is complete: {outcome.facts.files} files of {outcome.facts.archives} archives")
    return talk.answer(facts=outcome.plain())


def _plan(request: Request, root: Path, talk: Talk) -> int:
    """Print what would be fetched: one line an archive, then the sums."""
    from asdcli.stages import download as stage

    plan = stage.plan(request, root, progress=talk.progress)

    rows: list[_Row] = [(p.zip_name, p.record.part, None, "there") for p in plan.there]
    for offer in plan.offers:
        state = "missing" if offer.problem else "to fetch" if offer.source.md5 else "to fetch (no checksum known)"
        rows.append((offer.part.zip_name, offer.part.record.part, offer.size, state))
        if offer.problem:
            talk.progress.left_out(f"{offer.part.zip_name} cannot be had: {offer.problem.message}")
    asked = request.tables() if request.asks_for_truth else []
    tables = [t.url for t in asked if not (root / t.path).exists()]
    if talk.shows_tables:
        _show_plan(plan, rows, len(tables), root)
    archives = [dict(zip(("archive", "part", "bytes", "state"), row, strict=True)) for row in rows]
    return talk.answer(facts={"archives": archives, "bytes": plan.size, "truth_tables": tables})


def _show_plan(plan: Plan, rows: Sequence[_Row], n_tables: int, root: Path) -> None:
    from asdcli.cli.console import stdout
    from asdcli.cli.tables import Grid, GridColumn
    from asdcli.fetch import megabytes

    grid = Grid(None, ["archive", GridColumn("part", rank=2), GridColumn("size", number=True), "state"], box=None)
    for name, part, size, state in rows:
        grid.add(name, part, "" if size is None else megabytes(size), state)
    console = stdout()
    grid.show(console)
    fetched = [o for o in plan.offers if o.problem is None]
    console.print(
        f"{len(fetched)} archives to fetch"
        + (f", {megabytes(plan.size)}" if plan.size is not None else "")
        + (f", and {n_tables} tables of ground truth" if n_tables else "")
        + f" into {root}; {megabytes(_free(root))} are free there"
    )


def _free(root: Path) -> int:
    import shutil

    place = root.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
