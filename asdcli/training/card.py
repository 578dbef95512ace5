"""What a model's card may hold: the fields that readers of the weights rely on, by type and range."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_Count = Annotated[int, Field(gt=0, le=10**8)]


class Card(BaseModel):
    """The known fields of all recipes' cards; a recipe has some of them, and may have others that only it reads."""

    model_config = ConfigDict(extra="allow", strict=True)

    spec: str = ""
    network: str = ""
    networks: dict[str, str] = {}
    encoder: dict[str, Any] = {}
    machine_types: list[str] = []
    held_out: list[str] = []
    products: dict[str, list[Any]] = {}
    profile: str = ""
    backbone: str = ""
    machine_head: str = ""
    n_samples: _Count = 1
    sample_rate: _Count = 1
    n_mels: _Count = 1
    n_dims: _Count = 1
    hop_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


def fault(card: object) -> str | None:
    """The first thing that is wrong with a card's fields, None where nothing is."""
    try:
        Card.model_validate(card)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc']) or 'the card'}: {first['msg']}"
    return None
