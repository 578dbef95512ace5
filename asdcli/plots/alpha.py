"""`alpha`: the official score against VarMin's weight, and the weights that its validation sets choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from asdcli.errors import BadData, UsageError
from asdcli.metrics.official import measure, official
from asdcli.metrics.specs import MetricSpec
from asdcli.plots import Material, Numbers, Source, page
from asdcli.plots.embedded import Loo, RunVectors
from asdcli.plots.scored import Part, called, fewer
from asdcli.plots.style import FAINT, INK, VALIDATION
from asdcli.progress import Progress
from asdcli.scorers.checks import at_least_one
from asdcli.scorers.rules import told
from asdcli.scorers.slopes import Slope
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.varmin import Space as Transform
from asdcli.scorers.varmin import VarMin, alpha_sweep
from asdcli.views.editions import rule_of
from asdcli.views.labelled import Judged, judged
from asdcli.views.units import UnitPlan
from asdcli.views.windows import mean_of_windows
from asdcli.vocabulary import Unit, ValidationSet
from asdcli.wording import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("subset", "machine_type", "section", "chosen_by")),
        *((name, pa.float64()) for name in ("alpha", "official")),
        ("n_clips", pa.int64()),
        ("metric", pa.string()),
        ("signature", pa.string()),
    ]
)
"""A row a weight: the official score of `metric` over the `n_clips` labelled test clips of a unit. `chosen_by` is the
validation set whose alpha* it is, null of the weights in between. `section` is null where units are machine types."""

_FURTHEST = (-1.0, 3.0)  # up to here the axis is made longer for what was chosen


@dataclass(frozen=True)
class Alpha:
    """The official score for every weight alpha of VarMin, and where each validation set puts it.

    One computation of distances serves all weights. At alpha = 0 stands plain nearest neighbour. No validation set
    sees a label of a test clip; the curve does, and is no way to choose.

    Source: Matsumoto et al. 2025, Fig. 2.

    Attributes:
        k: neighbours averaged in b.
        loo: of alpha*, as of `varmin`.
        space: of the scores, as of `varmin`.
        slope: of alpha*, as of `varmin`.
        unit: the clips that share one reference set and one alpha.
        low: smallest weight of the axis, which is made longer where a chosen one lies beyond (to -1 and 3 at most).
        high: largest weight.
        steps: weights in between.
        seed: of the clips that are drawn at random.
    """

    reads: ClassVar[tuple[Source, ...]] = ("embeddings", "clips")

    k: int = 16
    loo: Loo = "strict"
    space: Transform = "id"
    slope: Slope = "ols"
    unit: Unit = Unit.MACHINE_TYPE
    low: float = 0.0
    high: float = 1.0
    steps: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        at_least_one(alpha_k=self.k)
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise UsageError(f"alpha:low must be below alpha:high, got {self.low:g} and {self.high:g}")
        if not 2 <= self.steps <= 10_000:
            raise UsageError(f"alpha:steps must lie in 2 to 10000, got {self.steps}")

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row a unit and weight, as SCHEMA says.

        Raises:
            MissingArtifact: no embeddings. BadData: no test clip of a unit with training clips has a known condition.
        """
        space = RunVectors.read(material, progress)
        plans = self._plans(space, progress)
        subsets = {subset for _, by_subset in plans for subset in by_subset}
        machines = len({plan.machine_type for plan, _ in plans})
        signed = space.signature(self, f"varmin:k={self.k}", subsets, machines, material)
        rows: list[dict[str, Any]] = []
        rules: dict[str, dict[str, Sequence[str]]] = {}
        for plan, by_subset in progress.track(plans, total=len(plans), label="alpha", unit="units"):
            unit = space.unit(plan, self.seed)
            chosen = self._chosen(unit, rules)
            alphas = self._alphas(chosen)
            scores = self._swept(space, unit, alphas)
            names = [None] * (len(alphas) - len(chosen)) + list(chosen)
            for subset, (spec, sections) in by_subset.items():
                worth = [official(spec, measure(spec, [s.scores(of) for s in sections])) for of in scores]
                alike = {
                    "subset": subset,
                    "machine_type": plan.machine_type,
                    "section": plan.section,
                    "n_clips": sum(len(s.rows) for s in sections),
                    "metric": spec.name,
                    "signature": signed,
                }
                own = zip(names, alphas.tolist(), worth, strict=True)
                rows += [{**alike, "chosen_by": name, "alpha": a, "official": value} for name, a, value in own]
        for sentence in told(rules):
            progress.warn(sentence)
        table = pa.Table.from_pylist(rows, SCHEMA).sort_by(
            [(name, "ascending") for name in ("subset", "machine_type", "section", "chosen_by", "alpha")]
        )
        title = "official score by VarMin's weight"
        return Numbers(table, title, self._caption(table), [signed], list(_facts(table)))

    def draw(self, numbers: Numbers) -> Figure:
        """A block a subset, a panel a unit."""
        cells = _cells(numbers.table)
        blocks = {subset: len(panels) for subset, panels in cells.items()}
        most = max(len(curve["chosen"]) for panels in cells.values() for curve in panels.values())
        figure, places = page.laid_out(
            blocks if len(blocks) > 1 else {"": sum(blocks.values())},
            above=page.above(most),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(ratio=0.8, gap=0.4),
        )
        for row, panels in zip(places, cells.values(), strict=True):
            for panel, (part, curve) in zip(row, panels.items(), strict=True):
                _draw(panel.axes, curve, left=panel.first)
                lines = [(_said(name, one, curve), _mark(name)) for name, one in curve["chosen"].items()]
                page.write_above(panel, called(part), lines)
        return figure

    def _plans(
        self, space: RunVectors, progress: Progress
    ) -> list[tuple[UnitPlan, dict[str, tuple[MetricSpec, list[Judged]]]]]:
        """The units whose test clips are labelled, and by subset the rule and the labelled clips of their sections."""
        split, condition, subsets = (space.column(name) for name in ("split", "condition", "subset"))
        labelled = (split == "test") & np.array([c is not None for c in condition])
        if not labelled.any():
            raise BadData(
                "no test clip has a known condition: no score is worth more than another",
                "label the clips (asd download EDITION, asd index DIR)",
            )
        found, without = [], []
        for plan in space.plans(self.unit, progress):
            own = np.zeros(len(labelled), dtype=bool)
            own[np.intersect1d(plan.scored, plan.test)] = True
            by_subset = {}
            for subset in sorted(set(subsets[own & labelled])):
                keep = own & labelled & (subsets == subset)
                sections = [s.only(keep) for s in judged(space.truth, None)]
                sections = [s for s in sections if len(s.rows) and 0 < s.anomalous.sum() < len(s.rows)]
                if sections:
                    by_subset[subset] = (replace(rule_of(space.embedded.header, sections), also=()), sections)
            if by_subset:
                found.append((plan, by_subset))
            else:
                without.append(plan.name)
        if not found:
            raise BadData("no unit has normal and anomalous test clips", "label the clips, or embed their test split")
        if without:
            progress.left_out(f"without normal and anomalous test clips, and not drawn: {listed(without)}")
        parts: list[Part] = [(plan.machine_type, plan.section) for plan, _ in found]
        return found[: len(fewer(parts, 1, progress))]

    def _chosen(self, unit: UnitVectors, rules: dict[str, dict[str, Sequence[str]]]) -> dict[str, float]:
        """Validation set -> its alpha*; those of which there are no clips are left out."""
        found = {}
        for val in get_args(ValidationSet):
            varmin = VarMin(self.k, val, loo=self.loo, space=self.space, slope=self.slope)
            diagnostics = varmin.fit(unit).diagnostics
            fired = list(diagnostics["rules"])
            if "none-held-out" in fired:
                continue
            rules.setdefault(f"varmin:k={self.k},val={val}", {})[unit.name] = fired
            found[val] = float(diagnostics["alpha"])
        return found

    def _alphas(self, chosen: Mapping[str, float]) -> npt.NDArray[np.float64]:
        """The weights of the axis, and after them the chosen ones."""
        low = max(min(self.low, *chosen.values()), min(self.low, _FURTHEST[0]))
        high = min(max(self.high, *chosen.values()), max(self.high, _FURTHEST[1]))
        return np.append(np.linspace(low, high, self.steps), list(chosen.values()))

    def _swept(self, space: RunVectors, unit: UnitVectors, alphas: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(n_alphas, n_clips) scores of the unit's test clips, NaN of others."""
        of_windows = alpha_sweep(unit.reference, unit.test, alphas, k=self.k, space=self.space)
        clips, first = np.unique(unit.test.clip, return_index=True)  # windows of a clip lie together
        scores = np.full((len(alphas), len(space.embedded.clips)), np.nan)
        scores[:, clips] = of_windows if len(first) == len(unit.test) else mean_of_windows(of_windows.T, first).T
        return scores

    def _caption(self, table: pa.Table) -> list[str]:
        metrics = listed(list(dict.fromkeys(table["metric"].to_pylist())))
        return [
            f"Official score (rule {metrics}) of each unit's labelled test clips by the weight alpha of VarMin (k = "
            f"{self.k}); at alpha = 0 it is plain nearest neighbour (thin line). Marks: alpha* of each validation set. "
            "None of them sees a label of a test clip, the curve does: it is no way to choose. "
            + ("held-out is not of the paper." if "held-out" in table["chosen_by"].to_pylist() else ""),
        ]


Curve = Mapping[str, Any]
"""What is drawn of one unit: `alpha` and `official` are (n,) in ascending order, `chosen` is by validation set."""


def _cells(table: pa.Table) -> dict[str, dict[Part, Curve]]:
    """Subset -> unit -> curve."""
    found: dict[str, dict[Part, dict[str, Any]]] = {}
    for row in table.to_pylist():
        part = row["machine_type"], row["section"]
        curve = found.setdefault(row["subset"], {}).setdefault(
            part, {"alpha": [], "official": [], "chosen": {}, "n": row["n_clips"]}
        )
        if row["chosen_by"] is None:
            curve["alpha"].append(row["alpha"])
            curve["official"].append(np.nan if row["official"] is None else row["official"])
        else:
            curve["chosen"][row["chosen_by"]] = (row["alpha"], row["official"])
    for panels in found.values():
        for curve in panels.values():
            curve["chosen"] = {v: curve["chosen"][v] for v in get_args(ValidationSet) if v in curve["chosen"]}
    return found  # type: ignore[return-value]


def _facts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for subset, panels in _cells(table).items():
        for (machine_type, section), curve in panels.items():
            yield {
                "subset": subset,
                "machine_type": machine_type,
                "section": section,
                "clips": curve["n"],
                "alpha": {name: alpha for name, (alpha, _) in curve["chosen"].items()},
                "official": {name: value for name, (_, value) in curve["chosen"].items()},
            }


def _said(name: str, one: tuple[float, float | None], curve: Curve) -> str:
    alpha, value = one
    beyond = "" if curve["alpha"][0] <= alpha <= curve["alpha"][-1] else " (beyond the axis)"
    return f"{name}: {alpha:.3f}, {'undefined' if value is None else f'{100 * value:.1f} %'}{beyond}"


def _mark(name: str) -> dict[str, Any]:
    return {**VALIDATION[name].mark, "ls": "none", "ms": 4.5}


def _draw(ax: Axes, curve: Curve, *, left: bool) -> None:
    alpha, official = np.array(curve["alpha"]), 100 * np.array(curve["official"], dtype=float)
    if alpha[0] <= 0 <= alpha[-1]:
        ax.axhline(np.interp(0, alpha, official), color=FAINT, lw=0.6, zorder=1)
    ax.plot(alpha, official, color=INK, lw=1.0, zorder=2)
    for name, (at, value) in curve["chosen"].items():
        if value is not None and alpha[0] <= at <= alpha[-1]:
            ax.plot(at, 100 * value, zorder=3, clip_on=False, **_mark(name))
    ax.set_xlim(alpha[0], alpha[-1])
    ax.locator_params(axis="both", nbins=5)
    ax.set_xlabel("alpha", labelpad=1)
    if left:
        ax.set_ylabel("official score (%)", labelpad=2)
