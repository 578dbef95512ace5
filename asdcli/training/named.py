"""Named recipes: spellings of models with the figures that the toolkit they reproduce has printed for them.

They stand in `catalogue/published/recipes.toml`: a further one is a table there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from asdcli import catalogue
from asdcli.errors import unknown_name

_FILE = Path(catalogue.__file__).parent / "published" / "recipes.toml"


@dataclass(frozen=True)
class Score:
    """Official score of one part of an edition in percent: mean and standard deviation over trials."""

    mean: float
    std: float


@dataclass(frozen=True)
class NamedRecipe:
    """A model with a name.

    Attributes:
        name: of it.
        model: its spelling, as `asd train --model` takes it.
        printed: what the source calls it.
        method: the back-end that its figures were made with, as `asd score -m` takes it.
        trials: how many seeds are behind a figure.
        source: where the figures stand.
        weights: of others that it goes on from; "" where it begins anew.
        scores: (edition, subset) -> the official score there.
    """

    name: str
    model: str
    printed: str
    method: str
    trials: int
    source: str
    weights: str
    scores: Mapping[tuple[str, str], Score]

    def published(self) -> str:
        """All scores on one line, as printed: `2020 dev 89.24 ± 0.79, eval …; 2021 …`."""
        editions = dict.fromkeys(edition for edition, _ in self.scores)
        return "; ".join(
            f"{edition.removeprefix('dcase')} "
            + ", ".join(f"{part} {s.mean:.2f} ± {s.std:.2f}" for (e, part), s in self.scores.items() if e == edition)
            for edition in editions
        )

    def plain(self) -> dict[str, Any]:
        """As JSON: scores are {edition: {subset: [mean, std]}}."""
        scores: dict[str, dict[str, list[float]]] = {}
        for (edition, part), score in self.scores.items():
            scores.setdefault(edition, {})[part] = [score.mean, score.std]
        return {**{f.name: getattr(self, f.name) for f in fields(self)}, "scores": scores}


@cache
def recipes() -> dict[str, NamedRecipe]:
    """All of them by name."""
    content = catalogue.read_toml(_FILE)
    common = {key: content[key] for key in ("method", "trials", "source")}
    return {name: _recipe(name, table, common) for name, table in content["recipes"].items()}


def recipe(name: str) -> NamedRecipe:
    """The one of that name. Raises UsageError where there is none ("did you mean")."""
    if name not in recipes():
        raise unknown_name("recipe", name, list(recipes()))
    return recipes()[name]


def _recipe(name: str, table: dict[str, Any], common: dict[str, Any]) -> NamedRecipe:
    scores = {}
    for edition, figures in table.items():
        if isinstance(figures, list):
            scores[edition, "dev"], scores[edition, "eval"] = Score(*figures[:2]), Score(*figures[2:])
    own = {"model": table["model"], "printed": table["printed"], "weights": table.get("weights", "")}
    return NamedRecipe(name=name, scores=scores, **own, **common)
