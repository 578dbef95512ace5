"""Trained networks from a model's card and its weights.

A card names its one `network`, or `networks` by machine type, in their spellings. Weights of the one begin with
`network.`, those of several with their number in the card's `machine_types`. Networks see `n_samples` samples of a clip
at `sample_rate` Hz: its beginning, or windows every `hop_s` seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from asdcli.errors import BadArtifact
from asdcli.features.ears import EARS
from asdcli.features.windows import HOP_S, WINDOW_S
from asdcli.files import CARD
from asdcli.models.encoders.architectures import ARCHITECTURES
from asdcli.models.encoders.start import Start
from asdcli.models.networks import NETWORKS
from asdcli.spec import parse


def rebuilt(
    card: Mapping[str, Any], weights: Mapping[str, torch.Tensor]
) -> tuple[dict[str | None, torch.nn.Module], float | None]:
    """The networks by machine type (None: of all of them) on the CPU, and the seconds between their windows.

    Raises:
        BadArtifact: the card names no network, or one that the weights do not fit.
        UsageError, PluginError: a network of another package that cannot be used here.
    """
    spellings: dict[str | None, tuple[str, str]] = {}
    try:
        card = _today(card)
        if "network" in card:
            spellings[None] = "network.", card["network"]
        else:
            spellings |= {m: (f"{i}.", card["networks"][m]) for i, m in enumerate(card["machine_types"])}
        given = card["n_samples"], card["sample_rate"]
    except KeyError as error:
        raise BadArtifact(f"the model's {CARD} has no {error.args[0]!r}", "train again: asd train --force") from None
    networks: dict[str | None, torch.nn.Module] = {}
    for machine_type, (prefix, spelling) in spellings.items():
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        try:
            start = [_start(card["encoder"], own, given[1])] if "encoder" in card else []
            network: torch.nn.Module = NETWORKS.build(spelling, *given, *start)
            network.load_state_dict(own)
        except (RuntimeError, BadArtifact) as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise BadArtifact(
                f"the model's weights do not fit its network {spelling}: {reason}", "train again: asd train --force"
            ) from None
        networks[machine_type] = network
    return networks, card.get("hop_s")


def _start(facts: Mapping[str, Any], weights: Mapping[str, torch.Tensor], sample_rate: int) -> Start:
    """The encoder in a network, which went on from a checkpoint and does not need it any more.

    Args:
        facts: what the card says of it.
        weights: of the network.
        sample_rate: of the clips.

    Raises:
        BadArtifact: the card does not say enough, or the weights are of another encoder.
    """
    try:
        name, settings, preprocessor = facts["model"], facts["settings"], facts["preprocessor"]
        architecture, ear = ARCHITECTURES[name], EARS[name]
        own = {k.removeprefix("encoder."): v for k, v in weights.items() if k.startswith("encoder.")}
        front = ear.front(settings, preprocessor, sample_rate)
        return Start(architecture.load(settings, own), front, facts, is_tuned=True)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadArtifact(f"its {CARD} does not say what its encoder is: {error}", None) from None


def _today(card: Mapping[str, Any]) -> Mapping[str, Any]:
    """A card as it is written today: the first ones named no network, because each recipe had but one."""
    if "network" in card or "networks" in card:
        return card
    recipe, _ = parse(str(card["spec"]))
    if recipe == "discriminative":
        return {**card, "network": "dual-branch"}
    if recipe == "serial-oe":
        how = f"backbone={card['backbone']},machine_head={card['machine_head']}"
        networks = {m: f"serial-oe:n_products={len(of)},{how}" for m, of in card["products"].items()}
        return {**card, "networks": networks, "n_samples": round(WINDOW_S * card["sample_rate"]), "hop_s": HOP_S}
    raise BadArtifact(
        f"the model is of the recipe {recipe}, which has no network that embeds",
        "train one that has: asd train; or take an embedder that needs none: asd embed --embedder logmel",
    )
