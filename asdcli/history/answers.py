"""What operators said of checked recordings: `normal` or `fault`, when, and with which note. Nothing said is lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

from asdcli.history.database import reading, writing

Said = Literal["normal", "fault", "none"]
"""What may be said; `none` takes back what was said before."""


@dataclass(frozen=True)
class Confirmed:
    """An answer.

    Attributes:
        digest: of the recording's bytes.
        answer: what it is.
        at: when that was said, as `database.now` has it.
        note: why, in words.
    """

    digest: str
    answer: Said
    at: str
    note: str | None = None


def confirm(path: Path, answers: Iterable[Confirmed]) -> None:
    """Add answers to the history at `path`; of a recording the last one counts. Raises as `database.writing`."""
    with writing(path) as connection:
        for one in answers:
            connection.execute("INSERT INTO confirmed (digest, answer, at, note) VALUES (?, ?, ?, ?)", astuple(one))


def answers(path: Path) -> list[Confirmed]:
    """Every answer in the history at `path`, the earlier ones first. Raises as `database.reading`."""
    with reading(path) as connection:
        found = connection.execute("SELECT digest, answer, at, note FROM confirmed ORDER BY id")
        return [Confirmed(*row) for row in found]


def confirmed(path: Path) -> dict[str, Confirmed]:
    """Digest of each recording of which anything was said -> the answer that counts; what was taken back is none.

    Raises:
        As `database.reading`.
    """
    last = {one.digest: one for one in answers(path)}
    return {digest: one for digest, one in last.items() if one.answer != "none"}
