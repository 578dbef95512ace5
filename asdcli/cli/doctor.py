"""`asd doctor`: what is installed, what is there, what is stale, and the command that helps."""

from __future__ import annotations

from collections.abc import Iterable

from asdcli.cli.shared import Place, on_a_run
from asdcli.cli.talk import Talk

_MARKS = {"ok": "[green]ok[/green]", "note": "[cyan]note[/cyan]", "problem": "[bold red]problem[/bold red]"}


@on_a_run(output=False)
def doctor(
    *,
    place: Place,
    talk: Talk,
) -> int:
    """Check versions, devices, disk, datasets and a run: what is missing or stale, and the exact command to type.

    Changes nothing. Exits with 1 when there is a problem; what is merely not fetched or not made yet is a note.
    """
    from dataclasses import asdict

    from asdcli.pipeline import doctor as stage

    findings = stage.run(data=place.data, run=place.run, dataset=place.dataset)
    if talk.json:
        listed = [{**asdict(f), "state": str(f.state)} for f in findings]
        problems = sum(f["state"] == "problem" for f in listed)
        return talk.answer(facts={"problems": problems, "findings": listed}, bad=problems > 0)
    return talk.answer(bad=_show(findings, quiet=talk.quiet) > 0)


def _show(findings: Iterable, *, quiet: bool) -> int:
    """Print findings as they come (`quiet`: problems only); returns the number of problems."""
    from rich.markup import escape

    from asdcli.cli.console import stdout

    console = stdout()
    area, problems = "", 0
    for finding in findings:
        state = str(finding.state)
        problems += state == "problem"
        if quiet and state != "problem":
            continue
        if finding.area != area:
            console.print(f"[bold]{finding.area}[/bold]")
            area = finding.area
        console.print(f"  {_MARKS[state]} {escape(finding.name)}: {escape(finding.text)}")
        if finding.fix and state != "ok":
            console.print(f"    [dim]->[/dim] {escape(finding.fix)}")
    if not quiet or problems:
        console.print(f"{problems} problems" if problems != 1 else "1 problem")
    return problems
