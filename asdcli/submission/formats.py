"""How each edition names its CSVs, and how any such name is read back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from asdcli import catalogue
from asdcli.catalogue.edition import Edition
from asdcli.errors import BadData, UsageError
from asdcli.filenames import fault

SCORE, DECISION = "anomaly_score", "decision_result"


@dataclass(frozen=True)
class SubmissionFormat:
    """How one edition names its CSVs: the word for a section, whether domains lie apart, whether decisions are due."""

    section: str = "section"
    by_domain: bool = False
    decisions: bool = True

    @property
    def kinds(self) -> tuple[str, ...]:
        return (SCORE, DECISION) if self.decisions else (SCORE,)

    def file_name(self, kind: str, part: CsvPart) -> str:
        """`anomaly_score_fan_section_00_test.csv` and its kin."""
        domain = f"_{part.domain}" if self.by_domain else ""
        name = f"{kind}_{part.machine_type}_{self.section}_{part.section}{domain}_test.csv"
        if why := fault(name):
            raise BadData(
                f"{name!r} cannot be the name of a file: {why}", "call that machine type or section otherwise"
            )
        return name


@dataclass(frozen=True)
class CsvPart:
    """What one CSV covers; `domain` is None where one file holds both."""

    machine_type: str
    section: str
    domain: str | None = None


def format_of(edition: Edition) -> SubmissionFormat:
    """The format of an edition. Raises UsageError where no challenge takes anything of it."""
    if edition.submission is None:
        taken = ", ".join(name for name in catalogue.names() if catalogue.load(name).submission)
        raise UsageError(f"nothing is submitted for {edition.name}: it is no challenge", f"--edition takes: {taken}")
    return SubmissionFormat(**edition.submission.model_dump())


_NAME = re.compile(
    rf"(?P<kind>{SCORE}|{DECISION})_"
    r"(?:DCASE\d{4}T2)?(?P<machine_type>.+?)_"  # the baseline puts the edition before the machine type ...
    r"(?:id|section)_(?P<section>\d\d)"
    r"(?:_(?P<domain>source|target))?"
    r"(?:_test)?(?:_seed.*)?\.csv"  # ... and its seed and tag at the end
)


def parse_file_name(name: str) -> tuple[str, CsvPart] | None:
    """(SCORE or DECISION, part) of a CSV named in any edition's or in the baseline's style, else None."""
    found = _NAME.fullmatch(name)
    return (found["kind"], CsvPart(found["machine_type"], found["section"], found["domain"])) if found else None
