"""What stands on a page: plain figures and words, which the scripts of the page only draw."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

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
class ClipList:
    """The clips of a machine, (n,) each; None where nothing is known.

    Attributes:
        name: clip_id, or what a recording goes by.
        section, domain, condition, attributes: as clips.parquet has them.
        verdict: on a checked recording.
        said: what else is to be said of it.
        when: it was recorded.
        events: of a long one: from and to in seconds, and what is said of each.
    """

    name: Sequence[str]
    section: Sequence[str | None] = ()
    domain: Sequence[str | None] = ()
    condition: Sequence[str | None] = ()
    attributes: Sequence[str | None] = ()
    verdict: Sequence[str | None] = ()
    said: Sequence[str | None] = ()
    when: Sequence[str | None] = ()
    events: Sequence[Sequence[tuple[float, float, str]]] = ()


@dataclass(frozen=True)
class Heap:
    """How the scores of like clips are spread.

    Attributes:
        label: which clips.
        condition: of them; `learned` of those that were learned from.
        counts: (n_bins,) clips a bin.
        beyond: clips above the last bin.
    """

    label: str
    condition: str | None
    counts: Sequence[int]
    beyond: int = 0


@dataclass(frozen=True)
class Curve:
    """A ROC curve, as `views.roc_curves` has it."""

    section: str
    domain: str | None
    x: Sequence[float]
    y: Sequence[float]
    auc: float
    pauc: float | None
    n_normal: int
    n_anomalous: int


@dataclass(frozen=True)
class Weights:
    """The official score by VarMin's weight, of one unit.

    Attributes:
        unit: what it is called besides its machine.
        alpha, official: (n,) weights, and what each is worth.
        chosen: validation set -> alpha*, and what that is worth.
        used: the validation set of the method.
    """

    unit: str
    alpha: Sequence[float]
    official: Sequence[float | None]
    chosen: Mapping[str, tuple[float, float | None]]
    used: str


@dataclass(frozen=True)
class SeriesPart:
    """What one method says of the clips of a machine; (n,) as in `ClipList` where not said otherwise.

    Attributes:
        score: larger is more anomalous; None where it has none.
        p, p_group: conformal.
        side: how far on the wrong side, as `metrics.cuts.wrong_side`; of clips of unknown condition the share that
            score lower.
        rank: 1 is the largest score.
        threshold, rule, promised: None where there is no threshold, or none of this.
        edges: of the bins of `heaps`, the first and the last.
        heaps: how scores are spread.
        cuts: as `metrics.cuts.Cuts`.
        curves: none without labels.
        weights: of VarMin; none of other methods.
        nearest: the normal recording that each is nearest to.
    """

    score: Sequence[float | None]
    p: Sequence[float | None]
    p_group: Sequence[float | None]
    side: Sequence[float | None]
    rank: Sequence[int | None]
    threshold: float | None
    rule: str | None
    promised: float | None
    edges: tuple[float, float]
    heaps: Sequence[Heap]
    cuts: Mapping[str, Sequence[float | None]]
    curves: Sequence[Curve] = ()
    weights: Sequence[Weights] = ()
    nearest: Sequence[str | None] = ()


@dataclass(frozen=True)
class MapPart:
    """The vectors of a machine on a plane.

    Attributes:
        axes: what they are.
        x, y: (n,) places.
        clip: (n,) which clip of the list each is of, -1 of those that were learned from.
        label: (n,) which of `labels` each is.
        labels: of clips that are alike.
        name: (n,) of clips that stand in no list; empty of the others.
    """

    axes: tuple[str, str]
    x: Sequence[float]
    y: Sequence[float]
    clip: Sequence[int]
    label: Sequence[int]
    labels: Sequence[str]
    name: Sequence[str]


@dataclass(frozen=True)
class MachinePart:
    """One machine type.

    Attributes:
        name: of it.
        said: in words.
        clips: of the list.
        series: one a method, as in `PageContent.series`; None of those that say nothing of this machine.
        maps: run -> map.
        ticks: of spectrograms: share of the height, and frequency in words.
    """

    name: str
    said: Sequence[str]
    clips: ClipList
    series: Sequence[SeriesPart | None]
    maps: Mapping[int, MapPart] = field(default_factory=dict)
    ticks: Sequence[tuple[float, str]] = ()


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
