"""`asd models`: what is trained and what it is made of, with parameters, defaults, meanings and sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli import completion
from asdcli.cli.shared import on_nothing
from asdcli.cli.talk import Talk

if TYPE_CHECKING:
    from asdcli.spec import Described, Registry
    from asdcli.training.named import NamedRecipe


@on_nothing
def models(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Show this one in full: whatever goes by that name. Also module:Class.",
            show_default=False,
            autocompletion=completion.parts,
        ),
    ] = None,
    *,
    talk: Talk,
) -> int:
    """List models and their parts, embedders, poolings and kinds of features, of other packages too, or show one.

    A model is what asd train trains. Networks and losses are parts of a model, and their parameters stand beside its
    own: discriminative:network=dual-branch,loss=scac,centers=trainable. A named recipe is short for such a spelling;
    beside it stand the official scores, in percent, that are published of it.
    """
    from asdcli.cli.console import stdout
    from asdcli.cli.described import described, named, show, show_list
    from asdcli.training import MODELS
    from asdcli.training.named import recipes

    known, published = registries(), recipes()
    if model is None:
        found = {title: described(registry, talk) for title, registry in known.items()}
        if talk.shows_tables:
            for title, of in found.items():
                show_list(title, of, _published(published) if title == "models" else {})
                stdout().print()
            stdout().print("One in full: asd models NAME")
        facts: dict[str, object] = {title: [asdict(d) for d in of] for title, of in found.items()}
        return talk.answer(facts={**facts, "recipes": [recipe.plain() for recipe in published.values()]})
    of_name = named(list(known.values()), model, "model, network, loss, embedder, pooling or kind of features")
    if talk.shows_tables:
        for d in of_name:
            show(d, _facts(published.get(d.name) if d.kind == MODELS.kind else None))
            for part in d.parts:
                stdout().print(f"\nand of its {part.kind}:\n")
                show(part, {})
            stdout().print()
    return talk.answer(facts={"described": [asdict(d) for d in of_name]})


def _published(recipes: Mapping[str, NamedRecipe]) -> dict[str, Callable[[Described], str]]:
    """Columns for the last two editions that the recipes have scores of."""

    def column(edition: str) -> Callable[[Described], str]:
        def cell(d: Described) -> str:
            scores = recipes[d.name].scores if d.name in recipes else {}
            return ", ".join(f"{s.mean:.2f}" for (of, _), s in scores.items() if of == edition)

        return cell

    editions = sorted({edition for recipe in recipes.values() for edition, _ in recipe.scores})[-2:]
    return {f"{edition} dev, eval": column(edition) for edition in editions}


def _facts(recipe: NamedRecipe | None) -> dict[str, str]:
    """What is published of a recipe, for `show`."""
    if recipe is None:
        return {}
    how = f"mean and deviation of {recipe.trials} trials, of asd score -m {recipe.method}"
    where = f"{recipe.source}: {recipe.printed}"
    return {"weights": recipe.weights, "published": recipe.published(), "how": how, "where": where}


def registries() -> dict[str, Registry]:
    """By what their members are called; what needs most first, so that a class is taken for no less than it is."""
    from asdcli.embedders import EMBEDDERS
    from asdcli.features.kinds import FEATURES
    from asdcli.models.losses import LOSSES
    from asdcli.models.networks import NETWORKS
    from asdcli.models.poolings import POOLINGS
    from asdcli.training import MODELS

    return {
        "models": MODELS,
        "embedders": EMBEDDERS,
        "features": FEATURES,
        "networks": NETWORKS,
        "losses": LOSSES,
        "poolings": POOLINGS,
    }
