"""`map`: training and test embeddings on a plane, by domain, split and condition, or by anomaly score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from asdcli.errors import BadData, UsageError, unknown_name
from asdcli.plots import Material, Numbers, Source, page
from asdcli.plots.embedded import RunVectors
from asdcli.plots.map_marks import Cell, draw_domains, draw_scores, key, splits, tally
from asdcli.plots.projection import Plane, Projector, project, require
from asdcli.plots.scored import Part, called, drawn, fewer, methods_of, signature
from asdcli.progress import Progress
from asdcli.scorers.vectors import unit_norm
from asdcli.views.samples import SMOOTHED
from asdcli.views.scores import Scored
from asdcli.views.windows import first_of_each, mean_of_windows
from asdcli.vocabulary import Split
from asdcli.wording import counted, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("machine_type", "section", "method", "clip_id")),
        *((name, pa.string()) for name in ("split", "domain", "condition")),
        *((name, pa.float64()) for name in ("x", "y", "explained_x", "explained_y", "anomaly_score")),
        ("signature", pa.string()),
    ]
)
"""A row a clip and panel. `section` is that of the test clips of the panel, null where clips have none; training clips
are of all sections of the machine type. `split` is `supplemental machine` or `supplemental noise` of clips that are
neither. `explained` are shares of variance along the axes, null but for principal components; `method` and
`anomaly_score` are null where colours are domains, the score of training clips always."""

_AT_ONCE = {"pca": 64, "tsne": 4, "umap": 4}  # machine types, where nobody says which
_DRAWN = {"domain": 1.0, "score": 0.3}
_AXES = {"pca": "PC", "tsne": "t-SNE axis", "umap": "UMAP axis"}
_FINE = 3000  # with more points on the page they are one image in an SVG or PDF


@dataclass(frozen=True)
class Map:
    """Embeddings of training and test clips on a plane: one plane a machine type, one panel a section of it.

    Supplemental clips stand on it where they were embedded and colours are domains. Clips of several windows are the
    mean of these. Directions and neighbourhoods are meant; distances on the plane are
    not those that scores are made of, least of all by t-SNE and UMAP.

    Source: Matsumoto et al. 2025, Fig. 3 (by domain); Fujimura et al. 2024, Fig. 3 and 4 (by score).

    Attributes:
        by: principal components, t-SNE, or UMAP (umap-learn).
        colour: `domain` shows domain, split and condition; `score` the anomaly score of test clips, a panel a method:
            by default one before and after smoothing, where one was smoothed.
        of: the only machine type that is wanted.
        section: the only section that is wanted.
        share: of the clips that are drawn; by default all, and three in ten where colours are scores.
        seed: of the plane, and of the clips that are drawn.
    """

    by: Projector = "pca"
    colour: Literal["domain", "score"] = "domain"
    of: str | None = None
    section: str | None = None
    share: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.share is not None and not 0 < self.share <= 1:
            raise UsageError(f"map:share must lie in (0, 1], got {self.share:g}")

    @property
    def reads(self) -> tuple[Source, ...]:
        return ("embeddings", "clips", "scores") if self.colour == "score" else ("embeddings", "clips")

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row a clip and panel, as SCHEMA says.

        Raises:
            AsdError: umap-learn is not installed. MissingArtifact: no embeddings, or no scores.
            BadData: no clip of the section. UsageError: an unknown machine type or method.
        """
        require(self.by)
        space = RunVectors.read(material, progress)
        methods = self._methods(material, progress) if self.colour == "score" else []
        parts = self._parts(space, max(1, len(methods)), progress)
        machines = list(dict.fromkeys(machine_type for machine_type, _ in parts))
        planes = {
            name: self._plane(space, name)
            for name in progress.track(machines, total=len(machines), label=self.by, unit="machine types")
        }
        subsets = set(space.column("subset"))
        signed = space.signature(self, None, subsets, len(machines), material)
        signatures = [signed, *(signature(self, method, method.table, material) for method in methods)]
        of_method = (
            [(None, None, signed)]
            if not methods
            else [
                (m, dict(zip(m.table["clip_id"].to_pylist(), m.table["anomaly_score"].to_pylist(), strict=True)), line)
                for m, line in zip(methods, signatures[1:], strict=True)
            ]
        )
        tables = []
        for part in parts:
            rows, plane = planes[part[0]]
            shown = self._shown(space, rows, part)
            for method, scores, line in of_method:
                tables.append(self._table(space, rows, plane, shown, part, method, scores, line))
        table = pa.concat_tables(tables)
        if not len(table):
            raise BadData("no clip of the map has a score", "score the clips that were embedded: asd score")
        return Numbers(table, "map of embeddings", self._caption(), signatures, list(_facts(table)))

    def draw(self, numbers: Numbers) -> Figure:
        """A panel a section, or where colours are scores a panel a section and method."""
        cells = _cells(numbers.table)
        n = max(1, len({method for _, method in cells}))
        coloured = self.colour == "score"
        columns = n * max(1, 4 // n) if n <= 4 else 8
        figure, [panels] = page.laid_out(
            {"": len(cells)},
            above=page.above(1),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(columns, gap=0.75, right=0.65) if coloured else page.Shape(columns, gap=0.5),
            key=key(numbers.table, coloured=coloured),
        )
        for panel, ((part, method), cell) in zip(panels, cells.items(), strict=True):
            if coloured:
                draw_scores(panel, cell, fine=len(numbers.table) <= _FINE)
            else:
                draw_domains(panel.axes, cell, fine=len(numbers.table) <= _FINE)
            self._axes(panel.axes, cell, left=panel.first)
            page.write_above(panel, called(part), [(method or _counts(cell), None)])
        return figure

    def _methods(self, material: Material, progress: Progress) -> list[Scored]:
        """Those that are wanted, else one that was smoothed and what became of it, else the first few."""
        methods = methods_of(material, progress)
        if material.methods:
            return methods
        names = {method.method: method for method in methods}
        for name, method in names.items():
            before = names.get(name.partition(SMOOTHED)[0])
            if SMOOTHED in name and before is not None:
                return [before, method]
        return methods[: drawn([method.method for method in methods], material, progress)]

    def _parts(self, space: RunVectors, panels_each: int, progress: Progress) -> list[Part]:
        """The machine types and sections that test clips are of, or, where there are none, training clips."""
        machine_type, section, split = (space.column(name) for name in ("machine_type", "section", "split"))
        known = sorted(set(machine_type))
        if self.of is not None and self.of not in known:
            raise unknown_name("machine type", self.of, known)
        wanted = np.ones(len(split), dtype=bool)
        if self.of is not None:
            wanted &= machine_type == self.of
        if self.section is not None:
            wanted &= section == self.section
        keys = set(zip(machine_type[wanted], section[wanted], split[wanted], strict=True))
        tested = {(m, s) for m, s, of in keys if of == str(Split.TEST)}
        parts = sorted(tested or {(m, s) for m, s, _ in keys}, key=lambda part: (part[0], part[1] or ""))
        if not parts:
            sections = sorted({str(s) for s in section[machine_type == self.of]} if self.of else set(map(str, section)))
            raise BadData(f"no clip is of section {self.section}", f"sections there are: {', '.join(sections)}")
        machines = list(dict.fromkeys(part[0] for part in parts))
        most = _AT_ONCE[self.by]
        if len(machines) > most:
            progress.left_out(
                f"{most} machine types of {len(machines)} are drawn by {self.by}; one of the others by map:of=NAME: "
                f"{listed(machines[most:], 8)}"
            )
        return fewer([part for part in parts if part[0] in machines[:most]], panels_each, progress)

    def _plane(self, space: RunVectors, machine_type: str) -> tuple[np.ndarray, Plane]:
        """The clips of a machine type (rows of `space`), and where they lie."""
        embedded = space.embedded
        wanted = space.column("machine_type") == machine_type
        if self.colour == "score":
            wanted = wanted & (space.column("split") != str(Split.SUPPLEMENTAL))
        rows = np.flatnonzero(wanted)
        windows = np.flatnonzero(np.isin(embedded.clip, rows))
        of_clips = mean_of_windows(unit_norm(embedded.vectors[windows]), first_of_each(embedded.clip[windows]))
        return rows, project(of_clips, self.by, seed=self.seed)

    def _shown(self, space: RunVectors, rows: np.ndarray, part: Part) -> np.ndarray:
        """(n_rows,) bool, the training clips and the other clips of the section that are drawn."""
        split, section = space.column("split")[rows], space.column("section")[rows]
        shown = (split == str(Split.TRAIN)) | np.array([s == part[1] for s in section])
        share = _DRAWN[self.colour] if self.share is None else self.share
        if share < 1:
            rng = np.random.default_rng(self.seed)
            drawn = rng.permutation(np.flatnonzero(shown))
            shown = np.isin(np.arange(len(rows)), drawn[: max(1, round(share * len(drawn)))])
        return shown

    def _table(
        self,
        space: RunVectors,
        rows: np.ndarray,
        plane: Plane,
        shown: np.ndarray,
        part: Part,
        method: Scored | None,
        scores: Mapping[str, float] | None,
        signed: str,
    ) -> pa.Table:
        labels = {name: space.column(name)[rows] for name in ("clip_id", "domain", "condition")}
        labels["split"] = splits(space.column("split")[rows], space.embedded.column("attributes")[rows])
        of_clips: list[float | None] = [None] * len(rows)
        if scores is not None:
            train = labels["split"] == str(Split.TRAIN)
            of_clips = [None if t else scores.get(c) for c, t in zip(labels["clip_id"], train, strict=True)]
            shown = shown & (train | np.array([s is not None for s in of_clips]))
        keep = np.flatnonzero(shown)
        x, y = plane.explained or (None, None)
        columns: dict[str, Any] = {
            "machine_type": [part[0]] * len(keep),
            "section": [part[1]] * len(keep),
            "method": [method.method if method else None] * len(keep),
            **{name: values[keep].tolist() for name, values in labels.items()},
            "x": plane.places[keep, 0],
            "y": plane.places[keep, 1],
            "explained_x": [x] * len(keep),
            "explained_y": [y] * len(keep),
            "anomaly_score": [of_clips[i] for i in keep],
            "signature": [signed] * len(keep),
        }
        return pa.table(columns, SCHEMA)

    def _axes(self, ax: Axes, cell: Mapping[str, Any], *, left: bool) -> None:
        name, explained = _AXES[self.by], cell["explained"]
        told = [f" ({100 * share:.0f} % of variance)" if share is not None else "" for share in explained]
        ax.set_xlabel(f"{name} 1{told[0]}", labelpad=1)
        if left or (any(told) and self.colour == "domain"):
            ax.set_ylabel(f"{name} 2{told[1]}", labelpad=1)
        ax.locator_params(axis="both", nbins=4)
        if self.by != "pca":  # these places have no unit
            ax.set_xticks([])
            ax.set_yticks([])

    def _caption(self) -> list[str]:
        ways = {"pca": "principal components (PC)", "tsne": "t-SNE", "umap": "UMAP"}
        share = _DRAWN[self.colour] if self.share is None else self.share
        said = (
            f"Embeddings of a machine type's training and test clips on a plane: {ways[self.by]} of their directions, "
            "all clips at once; a panel shows the test clips of one section."
        )
        if self.by != "pca":
            said += " Neighbourhoods are meant, distances are not: axes have no unit."
        if self.colour == "score":
            said += " Colours are anomaly scores, from the 2nd to the 98th percentile of a panel."
        return [said] + (
            [f"{100 * share:g} % of the clips are drawn, the same in all panels of a section."] * (share < 1)
        )


def _cells(table: pa.Table) -> dict[tuple[Part, str | None], Cell]:
    keys = list(zip(*(table[c].to_pylist() for c in ("machine_type", "section", "method")), strict=True))
    found: dict[tuple[Part, str | None], Cell] = {}
    for machine_type, section, method in dict.fromkeys(keys):
        own = table.filter(pa.array([key == (machine_type, section, method) for key in keys]))
        labels = {c: np.array(own[c].to_pylist(), dtype=object) for c in ("split", "domain", "condition")}
        found[(machine_type, section), method] = {
            **labels,
            "xy": np.column_stack([own["x"].to_numpy(), own["y"].to_numpy()]),
            "score": np.array([np.nan if s is None else s for s in own["anomaly_score"].to_pylist()]),
            "explained": (own["explained_x"][0].as_py(), own["explained_y"][0].as_py()),
        }
    return found


def _facts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for ((machine_type, section), method), cell in _cells(table).items():
        yield {
            "machine_type": machine_type,
            "section": section,
            "method": method,
            **tally(cell["split"]),
            "explained": [share for share in cell["explained"] if share is not None],
        }


def _counts(cell: Cell) -> str:
    n = tally(cell["split"])
    besides = f", {n['supplemental']} supplemental" if "supplemental" in n else ""
    return f"{n['train']:,} training and {counted(n['test'], 'test clip')}{besides}"
