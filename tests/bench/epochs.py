"""What fewer epochs of an autoencoder cost: `python -m tests.bench.epochs DATASET[:EPOCHS] ...`, AUC by epochs.

Trains once on the recordings of each dataset, as `asd train --model autoencoder` would, and scores the test clips on
the way, as `asd score --method mse` would. The learning rate is constant, and the batches of an epoch depend on nothing
but its number and the seed: a model of few epochs is what one of many was after those. Prints a table in Markdown and
writes the chart. Nothing is chosen by these numbers, which are of test labels: they tell what epochs are worth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from asdcli import __version__, artifacts
from asdcli.embedders.residuals import Reconstruction
from asdcli.metrics.roc import auc
from asdcli.plots import Material, Numbers, Source, drawing, format_of, page
from asdcli.plots.style import SERIES
from asdcli.progress import SILENT, Progress
from asdcli.scorers.reconstruction import MeanSquaredError
from asdcli.training import Setting, TrainingData
from asdcli.training.devices import pick_device
from asdcli.training.recipes.autoencoder import Autoencoder
from asdcli.views import packs
from asdcli.views.clips import rows_of, training_clips
from asdcli.vocabulary import Condition, Split
from tests.helpers.environment import forget_asd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKS = [m * 10**p for p in range(5) for m in (1, 2, 5)] + [1500]
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("dataset", "machine_type", "domain")),
        *((name, pa.int64()) for name in ("epochs", "windows", "normal", "anomalous")),
        ("auc", pa.float64()),
        ("signature", pa.string()),
    ]
)
"""A row a dataset, machine type, domain (null: not known, or all) and number of epochs; `windows` is what an epoch has
of the machine type, `normal` and `anomalous` are test clips."""


@dataclass(frozen=True)
class ByEpochs:
    """AUC of the mean squared error by epochs: a panel a machine type, a line a domain."""

    reads: ClassVar[tuple[Source, ...]] = ()

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        raise NotImplementedError("the numbers are those of `measured`")

    def draw(self, numbers: Numbers) -> Figure:
        cells = _cells(numbers.table)
        domains = list(dict.fromkeys(d for panels in cells.values() for lines in panels.values() for d in lines))
        strokes = {domain: SERIES[i % len(SERIES)] for i, domain in enumerate(domains)}
        figure, blocks = page.laid_out(
            {name: len(panels) for name, panels in cells.items()},
            above=page.above(0),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(columns=3, ratio=0.65, gap=0.5),
            key=[page.Sample(domain, strokes[domain].line) for domain in domains],
        )
        for places, panels in zip(blocks, cells.values(), strict=True):
            for panel, (machine_type, lines) in zip(places, panels.items(), strict=True):
                for domain, (epochs, values) in lines.items():
                    panel.axes.plot(epochs, 100 * values, **strokes[domain].line, marker=strokes[domain].marker, ms=2.5)
                panel.axes.set_xscale("log")
                panel.axes.minorticks_off()
                tens = [10**p for p in range(5) if 10**p <= max(numbers.table["epochs"].to_pylist())]
                panel.axes.set_xticks(tens, [f"{ten:,}" for ten in tens])
                panel.axes.set_ylim(0, 100)
                panel.axes.set_xlabel("epochs", labelpad=1)
                panel.axes.set_ylabel("AUC (%)", labelpad=2)
                page.write_above(panel, machine_type)
        return figure


@dataclass(frozen=True)
class Recordings:
    """What is trained on and scored: clips.parquet, and the packs of a run."""

    clips: Path
    features: Path
    setting: Setting

    def measured(self, epochs: int) -> Iterator[dict[str, Any]]:
        """Train, and give the rows of SCHEMA (but for the signature) at each of MARKS."""
        table, upstream = artifacts.read_table(self.clips, artifacts.CLIPS)
        found = packs.find(self.features, "waveform", table, None, self.setting.progress)
        loaded = {m: found.load(m, rows_of(table, m)) for m in found.machine_types}
        data = TrainingData(training_clips(table, found.machine_types), found.machine_types, loaded.__getitem__)
        task = Autoencoder(epochs=epochs).task(data, self.setting)
        windows = {m: len(kept) for m, kept in zip(task.machine_types, task.kept, strict=True)}
        for epoch in range(epochs):
            task.module.train()
            for _ in task.steps(epoch):
                pass
            if epoch + 1 in MARKS or epoch + 1 == epochs:
                networks = dict(zip(task.machine_types, task.module.eval(), strict=True))
                trained = Reconstruction(networks, task.front, self.setting.device)
                for machine_type, pack in loaded.items():
                    for row in _aucs(trained, machine_type, pack, rows_of(table, machine_type)):
                        row |= {"epochs": epoch + 1, "windows": windows[machine_type]}
                        yield {"dataset": upstream.dataset, **row}


def _aucs(trained: Reconstruction, machine_type: str, pack: Any, rows: pa.Table) -> Iterator[dict[str, Any]]:
    """The AUC of a machine type's test clips: of all, and of each domain where there are two."""
    method, of_clip = MeanSquaredError(), {row["clip_id"]: row for row in rows.to_pylist()}
    found = [(i, of_clip[clip_id]) for i, clip_id in enumerate(pack.clip_ids.tolist())]
    test = [(i, r) for i, r in found if r["split"] == str(Split.TEST) and r["condition"] is not None]
    windows = trained.windows(machine_type, pack, [i for i, _ in test])
    scores = np.array([method.score({}, of).mean() for of in windows])
    domain, anomalous = (np.array([r[name] for _, r in test]) for name in ("domain", "condition"))
    anomalous = anomalous == str(Condition.ANOMALY)
    domains = sorted({d for d in domain.tolist() if d is not None})
    for one in [None, *(domains if len(domains) > 1 else [])]:
        own = np.full(len(test), True) if one is None else domain == one
        normal, faulty = scores[own & ~anomalous], scores[own & anomalous]
        counts = {"normal": len(normal), "anomalous": len(faulty)}
        yield {"machine_type": machine_type, "domain": one, "auc": auc(normal, faulty), **counts}


def _cells(table: pa.Table) -> dict[str, dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]]:
    """Dataset -> machine type -> domain in words -> epochs and AUC, (n_marks,) each."""
    found: dict[str, dict[str, dict[str, list[tuple[int, float]]]]] = {}
    for row in table.to_pylist():
        lines = found.setdefault(row["dataset"], {}).setdefault(row["machine_type"], {})
        lines.setdefault(row["domain"] or "all test clips", []).append((row["epochs"], row["auc"]))
    return {
        dataset: {
            m: {d: (np.array([e for e, _ in own]), np.array([v for _, v in own])) for d, own in lines.items()}
            for m, lines in panels.items()
        }
        for dataset, panels in found.items()
    }


def in_markdown(table: pa.Table) -> Iterator[str]:
    """A table a dataset: a line a machine type and domain, a column a number of epochs."""
    rows = table.to_pylist()
    for dataset, panels in _cells(table).items():
        epochs = sorted({row["epochs"] for row in rows if row["dataset"] == dataset})
        yield f"\n| {dataset} | windows an epoch | test clips | {' | '.join(f'{e:,}' for e in epochs)} |"
        yield "|" + "---|" * (3 + len(epochs))
        for machine_type, lines in panels.items():
            for domain, (_, values) in lines.items():
                same = (dataset, machine_type, None if domain == "all test clips" else domain)
                row = next(r for r in rows if (r["dataset"], r["machine_type"], r["domain"]) == same)
                sizes = f"{row['windows']} | {row['normal']} + {row['anomalous']}"
                name = machine_type if same[2] is None else f"{machine_type}, {domain}"
                yield f"| {name} | {sizes} | {' | '.join(f'{100 * v:.1f}' for v in values)} |"


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.epochs", description=__doc__)
    parser.add_argument("datasets", nargs="+", metavar="DATASET[:EPOCHS]", help="of the data root; 200 epochs else")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the data root")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="holds DATASET/features, as asd extracts them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("-o", dest="output", type=Path, default=Path("epochs.svg"), help="the chart")
    given = parser.parse_args(words)
    setting = Setting(given.seed, pick_device(given.device))
    forget_asd()
    rows: list[dict[str, Any]] = []
    for word in given.datasets:
        name, _, epochs = word.partition(":")
        here = Recordings(given.data / name / "clips.parquet", given.runs / name / "features", setting)
        for row in here.measured(int(epochs or 200)):
            rows.append(row)
            print(*row.values(), file=sys.stderr, flush=True)
    table = signed(rows, given.seed)
    draw(table, given.output)
    print("\n".join(in_markdown(table)))
    return 0


def signed(rows: Sequence[Mapping[str, Any]], seed: int) -> pa.Table:
    """The rows of `measured` with the line that says how they were made."""
    how = f"embedder:none|method:mse|model:autoencoder|seed:{seed}|figure:epochs|asd:{__version__}"
    return pa.Table.from_pylist([{**row, "signature": f"{row['dataset']}|{how}"} for row in rows], SCHEMA)


def draw(table: pa.Table, output: Path) -> None:
    caption = ["AUC of test clips by the mean squared error of an autoencoder, after so many epochs of one training."]
    signatures = list(dict.fromkeys(table["signature"].to_pylist()))
    numbers = Numbers(table, "AUC by epochs", caption, signatures, [])
    drawing.save(ByEpochs(), numbers, output, format_of(output, None), progress=SILENT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
