"""What a method is fitted to in a unit, and the scores of its clips: of new ones, and of training clips as if new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from asdcli.scorers import Fitted, Scorer
from asdcli.scorers.reference import Vectors
from asdcli.scorers.unit import UnitVectors
from asdcli.views.embeddings import Embedded
from asdcli.views.units import UnitPlan
from asdcli.views.unseen import cross_fitted, left_out


@dataclass(frozen=True, eq=False)
class Fitting:
    """A unit as scorers see it, whole and without each fold of what no model has seen.

    Attributes:
        unit: the whole.
        test: windows of its test clips, which a scorer need not have seen.
        of_train, of_test: rows of `Embedded.vectors` that its windows are.
        folds: rows of unseen training windows, the unit without their groups, and these windows.
    """

    unit: UnitVectors
    test: Vectors
    of_train: np.ndarray
    of_test: np.ndarray
    folds: Sequence[tuple[np.ndarray, UnitVectors, Vectors]] = ()

    @staticmethod
    def of(
        embedded: Embedded, in_folds: Sequence[Embedded], plan: UnitPlan, *, seed: int, device: str = "cpu"
    ) -> Fitting:
        """The unit that is planned; `in_folds` are the same windows by models that were cross-fitted."""
        unit, of_train, of_test = plan.vectors(embedded, seed=seed)
        folds = [*left_out(embedded, plan, seed=seed), *cross_fitted(in_folds, plan, seed=seed)]
        unseen = [(rows, replace(one, unit=replace(one.unit, device=device))) for rows, one in folds]
        unit = replace(unit, left_out=tuple(one for _, one in unseen), device=device)
        without = [(rows, replace(one.unit, left_out=unit.left_out), one.windows) for rows, one in unseen]
        return Fitting(unit, unit.test, of_train, of_test, without)

    def without_test(self) -> Fitting:
        """The same for scorers that are not to see a test clip before they score it."""
        unit = blind(self.unit)
        folds = [(rows, replace(one, test=unit.test, left_out=unit.left_out), own) for rows, one, own in self.folds]
        return replace(self, unit=unit, folds=folds)

    def scores(self, scorer: Scorer, n_windows: int) -> tuple[Fitted, np.ndarray]:
        """What the scorer has learnt of the whole unit, and (n_windows,) scores, NaN of windows that are not its own.

        Test windows are compared with the training windows, these with all but their own clip; those that no model has
        seen with all but their group, by a scorer that was fitted without it.
        """
        fitted = scorer.fit(self.unit)
        windows = np.full(n_windows, np.nan)
        windows[self.of_train] = fitted.score(self.unit.train)
        windows[self.of_test] = fitted.score(self.test)
        for of_fold, others, own in self.folds:
            windows[of_fold] = scorer.fit(others).score(own)
        return fitted, windows


def blind(unit: UnitVectors) -> UnitVectors:
    """The unit without its test windows, wherever it has them."""
    left_out = tuple(replace(one, unit=blind(one.unit)) for one in unit.left_out)
    return replace(unit, test=unit.test.take(np.empty(0, np.int64)), left_out=left_out)
