"""The embeddings of a run as figures take them: cut into units as `asd score` does, with today's labels beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.plots import PLOTS, Material, Plot
from asdcli.progress import Progress
from asdcli.scorers.unit import UnitVectors
from asdcli.views.blocks import with_blocks
from asdcli.views.embeddings import Embedded, read_embeddings
from asdcli.views.fold_embeddings import header_beside, read_fold_embeddings
from asdcli.views.making import Making
from asdcli.views.scores import TRUTH, read_labels
from asdcli.views.signature import many
from asdcli.views.units import UnitPlan, plan_units
from asdcli.views.unseen import cross_fitted, left_out
from asdcli.vocabulary import Unit
from asdcli.wording import they_are

Loo = Literal["strict", "loose"]
"""What leaving a training clip out means, as of `varmin`."""


@dataclass(frozen=True, eq=False)
class RunVectors:
    """Embeddings and what is known of their clips.

    Attributes:
        embedded: the embeddings, with the labels that they were made with: those that `asd score` goes by.
        in_folds: the same by models that were cross-fitted, where there are any.
        truth: a row a clip of `embedded`, its labels as they are known today.
    """

    embedded: Embedded
    in_folds: tuple[Embedded, ...]
    truth: pa.Table

    @staticmethod
    def read(material: Material, progress: Progress) -> RunVectors:
        """Raises MissingArtifact or BadArtifact where there are no embeddings."""
        path = material.files["embeddings"]
        embedded, _ = with_blocks(read_embeddings(path))
        folded = header_beside(path, embedded.header)
        truth = embedded.clips.select(("clip_id", *TRUTH))
        if "clips" in material.files:
            labels, _ = read_labels(material.files["clips"])
            place = pc.index_in(truth["clip_id"], value_set=labels["clip_id"])
            strangers = truth.filter(pc.is_null(place))["clip_id"].to_pylist()
            if strangers:
                progress.warn(f"{they_are(strangers, 'clip')} not in clips.parquet and stay labelled as embedded")
            for name in TRUTH:
                known = pc.coalesce(labels[name].take(place), truth[name])
                truth = truth.set_column(truth.column_names.index(name), name, known)
        return RunVectors(embedded, tuple(read_fold_embeddings(path, embedded) if folded else ()), truth)

    def plans(self, unit: Unit, progress: Progress) -> list[UnitPlan]:
        """The units; what is said of how they were cut is told."""
        plans, _, warnings = plan_units(self.embedded, unit)
        for sentence in warnings:
            progress.warn(sentence)
        return plans

    def unit(self, plan: UnitPlan, seed: int) -> UnitVectors:
        """A unit as scorers see it, with the training windows that no model has seen."""
        unit, _, _ = plan.vectors(self.embedded, seed=seed)
        unseen = [*left_out(self.embedded, plan, seed=seed), *cross_fitted(self.in_folds, plan, seed=seed)]
        return replace(unit, left_out=tuple(one for _, one in unseen))

    def signature(self, plot: Plot, method: str | None, subsets: set[str], machines: int, material: Material) -> str:
        """The line of what a figure shows of these embeddings, by `method` where one has a part in it."""
        header = self.embedded.header
        stale = material.stale.get(material.files["embeddings"], ())
        return many(
            f"{header.dataset or material.files['embeddings'].stem}|{'+'.join(sorted(subsets))}",
            Making.of(header),
            method,
            counts={"machines": machines},
            rest={"stale": ",".join(stale) or None, "figure": PLOTS.spell(plot)},
        )

    def column(self, name: str) -> np.ndarray:
        """(n_clips,) objects of a label as it is known today."""
        values: list[Any] = self.truth[name].to_pylist()
        return np.fromiter(values, object, len(values))
