"""`curves`: the training of the run's models, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from asdcli import __version__, artifacts
from asdcli.errors import BadArtifact, MissingArtifact
from asdcli.filenames import natural
from asdcli.files import FOLDS, METRICS, is_model
from asdcli.plots import PLOTS, Material, Numbers, Source, page
from asdcli.plots.style import FAINT, INK
from asdcli.progress import Progress
from asdcli.views.epochs import read_epochs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("model", "fold", "metric")),
        ("epoch", pa.int64()),
        ("value", pa.float64()),
        ("signature", pa.string()),
    ]
)
"""A row an epoch and metric; `fold` names a model that was trained without one fold, null of the model itself."""

_SPEED = {"epoch", "clips_per_s", "windows_per_s", "step_ms", "seconds"}
"""What metrics.jsonl says beside what is learnt."""
_SHARES = {"accuracy"}


@dataclass(frozen=True)
class Curves:
    """What `metrics.jsonl` says of the training: loss, and accuracy where something is classified, by epoch.

    A block a model (the one that embeds, and the autoencoder), a panel a metric. Models that were cross-fitted are
    thin lines. These are numbers of the training clips: how well a model tells anomalies they do not say.

    Attributes:
        log: losses on a logarithmic axis.
    """

    reads: ClassVar[tuple[Source, ...]] = ("model", "autoencoder")

    log: bool = False

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row an epoch and metric, as SCHEMA says.

        Raises:
            MissingArtifact: there is no trained model. BadArtifact: a metrics.jsonl that cannot be read.
        """
        folders = [material.files[name] for name in ("model", "autoencoder") if name in material.files]
        folders = [folder for folder in folders if is_model(folder)]
        if not folders:
            raise MissingArtifact("there is no trained model in this run", "train one: asd train")
        rows, signatures = [], []
        for folder in folders:
            header = artifacts.read_header(folder, artifacts.MODEL)
            stale = ",".join(material.stale.get(folder / "card.json", material.stale.get(folder, ()))) or None
            signatures.append(_signature(header, stale, PLOTS.spell(self)))
            folds = sorted(filter(is_model, folder.glob(FOLDS)), key=lambda path: natural(path.name))
            for one in (folder, *folds):
                alike = {
                    "model": str(header.params.get("model", folder.name)),
                    "fold": None if one is folder else one.name,
                    "signature": signatures[-1],
                }
                for epoch in read_epochs(one / METRICS, progress):
                    values = {k: v for k, v in epoch.items() if k not in _SPEED and isinstance(v, (int, float))}
                    rows += [
                        {**alike, "epoch": epoch["epoch"], "metric": name, "value": float(value)}
                        for name, value in values.items()
                    ]
        if not rows:
            raise BadArtifact(f"{folders[0] / METRICS} says nothing of an epoch", "train again: asd train --force")
        table = pa.Table.from_pylist(rows, SCHEMA)
        return Numbers(table, "training curves", self._caption(table), signatures, list(_facts(table)))

    def draw(self, numbers: Numbers) -> Figure:
        """A block a model, a panel a metric."""
        cells = _cells(numbers.table)
        figure, blocks = page.laid_out(
            {name: len(panels) for name, panels in cells.items()},
            above=page.above(0),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(columns=3, ratio=0.65, gap=0.5),
        )
        for places, panels in zip(blocks, cells.values(), strict=True):
            for panel, (metric, lines) in zip(places, panels.items(), strict=True):
                ax, scale = panel.axes, 100 if metric in _SHARES else 1
                for fold, (epochs, values) in sorted(lines.items(), key=lambda line: line[0] is None):
                    how: dict[str, Any] = {"color": INK} if fold is None else {"color": FAINT, "lw": 0.6}
                    single: dict[str, Any] = {"marker": "o", "ms": 3} if len(epochs) == 1 else {}
                    ax.plot(epochs, scale * values, **how, **single)
                if self.log and metric not in _SHARES and all((v > 0).all() for _, v in lines.values()):
                    ax.set_yscale("log")
                else:
                    ax.locator_params(axis="y", nbins=5)
                ax.locator_params(axis="x", nbins=6, integer=True)
                ax.set_xlabel("epoch", labelpad=1)
                ax.set_ylabel(f"{metric} (%)" if metric in _SHARES else metric, labelpad=2)
                page.write_above(panel, metric)
        return figure

    def _caption(self, table: pa.Table) -> list[str]:
        said = "Means over the training clips of an epoch, as the training saw them; losses have no unit."
        folds = len(set(table["fold"].to_pylist()) - {None})
        return [said + (f" Thin: {folds} models that were each trained without one fold." if folds else "")]


def _signature(header: artifacts.Header, stale: str | None, figure: str) -> str:
    """The line of a model: what it was trained on, how, and by which seed."""
    fields = {
        "model": header.params.get("model"),
        "seed": header.seed,
        "content": header.content[:6] or None,
        "stale": stale,
        "figure": figure,
        "asd": __version__,
    }
    return "|".join([header.dataset, *(f"{name}:{value}" for name, value in fields.items() if value is not None)])


Line = tuple[np.ndarray, np.ndarray]
"""Epochs and values, (n_epochs,) each."""


def _cells(table: pa.Table) -> dict[str, dict[str, dict[str | None, Line]]]:
    """Model -> metric -> fold -> line."""
    found: dict[str, dict[str, dict[str | None, list[tuple[int, float]]]]] = {}
    for row in table.to_pylist():
        of = found.setdefault(row["model"], {}).setdefault(row["metric"], {}).setdefault(row["fold"], [])
        of.append((row["epoch"], row["value"]))
    return {
        model: {
            metric: {
                fold: (np.array([e for e, _ in own]), np.array([v for _, v in own])) for fold, own in lines.items()
            }
            for metric, lines in panels.items()
        }
        for model, panels in found.items()
    }


def _facts(table: pa.Table) -> Iterator[Mapping[str, Any]]:
    for model, panels in _cells(table).items():
        for metric, lines in panels.items():
            for fold, (epochs, values) in lines.items():
                yield {
                    "model": model,
                    "fold": fold,
                    "metric": metric,
                    "epochs": len(epochs),
                    "first": float(values[0]),
                    "last": float(values[-1]),
                }
