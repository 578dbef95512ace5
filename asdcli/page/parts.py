"""What a page says of one machine: its clips, what each method makes of them, and where they lie on a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


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
class RocPart:
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
    curves: Sequence[RocPart] = ()
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
