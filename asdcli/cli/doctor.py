"""`asd doctor`: what is installed, what is there, what is stale, and the command that helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk

if TYPE_CHECKING:
    from asdcli.pipeline.diagnosis import Finding

_STYLES = {"ok": "green", "note": "cyan", "problem": "bold red"}


@on_a_run(output=False)
def doctor(
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read every file of the run to its last byte, and compare it with its digest."),
    ] = False,
    *,
    place: Place,
    talk: Talk,
) -> int:
    """Check versions, devices, disk, datasets and a run: what is missing or stale, and the exact command to type.

    Begins with what is wrong. Changes nothing. Exits with 1 when there is a problem; what is merely not fetched or not
    made yet is a note. Archives of an edition are read whole by asd download --verify.
    """
    from dataclasses import asdict

    from asdcli.pipeline import doctor as stage

    findings = stage.run(data=place.data, run=place.run, dataset=place.dataset, verify=verify, progress=talk.progress)
    if talk.json:
        listed = [{**asdict(f), "state": str(f.state)} for f in findings]
        problems = sum(f["state"] == "problem" for f in listed)
        return talk.answer(facts={"problems": problems, "findings": listed}, bad=problems > 0)
    return talk.answer(bad=_show(findings, quiet=talk.quiet) > 0)


def _show(findings: Sequence[Finding], *, quiet: bool) -> int:
    """Print one line a finding (`quiet`: problems only); returns the number of problems."""
    from rich.text import Text

    from asdcli.cli.console import stdout

    console = stdout()
    problems = sum(str(finding.state) == "problem" for finding in findings)
    for finding in findings:
        state = str(finding.state)
        if quiet and state != "problem":
            continue
        line = Text.assemble((state, _STYLES[state]), f" {finding.area} {finding.name}: {finding.text}")
        if finding.fix and state != "ok":
            line.append_text(Text.assemble("  ", ("->", "dim"), f" {finding.fix}"))
        console.print(line)
    if not quiet:
        console.print(f"{problems} problems" if problems != 1 else "1 problem")
    return problems
