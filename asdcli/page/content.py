"""What stands on a page: plain figures and words, which the scripts of the page only draw."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from asdcli.page.parts import MachinePart
from asdcli.visible import visible

Kind = Literal["tested", "learned", "checked"]
"""Of what a page is: of test clips, of learned recordings, or of checked ones."""


@dataclass(frozen=True)
class TextTable:
    """A table as it is read.

    Attributes:
        title: above it.
        columns: their names.
        rows: cells, written out.
        note: below it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class LookHere:
    """A clip that is worth a look before others.

    Attributes:
        clip_id: of it.
        machine: it is of.
        why: in words.
    """

    clip_id: str
    machine: str
    why: str


@dataclass(frozen=True)
class Named:
    """One method of one run.

    Attributes:
        name: that tells it from the others of the page.
        run: which run it is of, counted from 0.
        signature: how its numbers were made.
    """

    name: str
    run: int
    signature: str


@dataclass(frozen=True)
class Playable:
    """A recording that the page can play and show.

    Attributes:
        audio: its address.
        picture: that of its spectrogram.
        begins_s: where in the recording it begins.
        lasts_s: how long it is.
        of_s: how long the recording is.
    """

    audio: str
    picture: str
    begins_s: float
    lasts_s: float
    of_s: float


@dataclass(frozen=True)
class Reason:
    """Why a clip has its score.

    Attributes:
        words: what differs.
        notes: what must be known about them.
        nearest: normal recordings, with distances, the nearest first.
        regions: left, right, bottom, top (shares of the picture) and words of what differs.
        difference: address of the picture of robust z-scores.
        bands: dB above the median of normal recordings, a band.
    """

    words: Sequence[str]
    notes: Sequence[str] = ()
    nearest: Sequence[tuple[str, float]] = ()
    regions: Sequence[tuple[float, float, float, float, str]] = ()
    difference: str | None = None
    bands: Sequence[float] = ()


@dataclass(frozen=True)
class PageContent:
    """All of a page.

    Attributes:
        kind: of what: of test clips, of learned recordings, or of checked ones.
        title: of it.
        facts: what this is: label and words.
        said: what is to be said of all of it, the verdicts first.
        warnings: what must be known before anything is believed.
        tables: results.
        look: what to look at first.
        series: the methods.
        runs: what they are called.
        machines: one after the other.
        sounds: name of a recording -> what can be heard.
        reasons: name of a recording -> why.
        sounds_said: which recordings can be heard, in words.
        every_s: seconds from one recording to the next, for rates of false alarms a day.
        max_fpr: up to here pAUC is taken.
        history: what the runs were made of: a table each.
        signatures: how the numbers were made.
    """

    kind: Kind
    title: str
    facts: Sequence[tuple[str, str]]
    said: Sequence[str]
    warnings: Sequence[str]
    tables: Sequence[TextTable]
    look: Sequence[LookHere]
    series: Sequence[Named]
    runs: Sequence[str]
    machines: Sequence[MachinePart]
    sounds: Mapping[str, Playable] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    sounds_said: str = ""
    every_s: float = 600.0
    max_fpr: float = 0.1
    history: Sequence[TextTable] = ()
    signatures: Sequence[str] = ()

    def payload(self) -> dict[str, Any]:
        """What the scripts take, JSON-ready; numbers that are none are None, names are written as they are shown."""
        taken = ("kind", "series", "runs", "machines", "sounds", "reasons", "every_s", "max_fpr")
        return {name: _plain(getattr(self, name)) for name in taken}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, Mapping):
        return {visible(str(name)): _plain(of) for name, of in value.items()}
    if dataclasses.is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return [_plain(one) for one in value]
