"""`asd models`: what is trained and what it is made of, with parameters, defaults, meanings and sources."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from asdcli.cli import completion
from asdcli.cli.shared import on_nothing
from asdcli.cli.talk import Talk

if TYPE_CHECKING:
    from asdcli.spec import Registry


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
    own: discriminative:network=dual-branch,loss=scac,centers=trainable.
    """
    from asdcli.cli.console import stdout
    from asdcli.cli.described import described, named, show, show_list

    known = registries()
    if model is None:
        found = {title: described(registry, talk) for title, registry in known.items()}
        if talk.shows_tables:
            for title, of in found.items():
                show_list(title, of, {})
                stdout().print()
            stdout().print("One in full: asd models NAME")
        return talk.answer(facts={title: [asdict(d) for d in of] for title, of in found.items()})
    of_name = named(list(known.values()), model, "model, network, loss, embedder, pooling or kind of features")
    if talk.shows_tables:
        for d in of_name:
            show(d, {})
            for part in d.parts:
                stdout().print(f"\nand of its {part.kind}:\n")
                show(part, {})
            stdout().print()
    return talk.answer(facts={"described": [asdict(d) for d in of_name]})


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
