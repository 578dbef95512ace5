"""Spellings whose values are themselves chosen from a registry, with parameters of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.errors import UsageError
from asdcli.spec import ALWAYS_SPELLED, Registry, describe, part


class Plain:
    def __init__(self, size: int, *, width: int = 8, shape: Literal["round", "square"] = "round") -> None:
        self.size, self.width, self.shape = size, width, shape


class Wide:
    def __init__(self, size: int, *, width: int = 64, depth: int = 2) -> None:
        self.size, self.width, self.depth = size, width, depth


class Cosine:
    def __init__(self, *, centers: Annotated[Literal["fixed", "free"], ALWAYS_SPELLED] = "fixed") -> None: ...


class Margin:
    def __init__(self, *, margin: float = 0.5, width: int = 1, epochs: int = 1) -> None: ...


NETS = Registry("net", {"plain": f"{__name__}:Plain", "wide": f"{__name__}:Wide"})
LOSSES = Registry("loss", {"cosine": f"{__name__}:Cosine", "margin": f"{__name__}:Margin"})


@dataclass(frozen=True)
class Recipe:
    net: str = part(NETS, "plain")
    loss: str = part(LOSSES, "cosine")
    epochs: int = 16

    def __post_init__(self) -> None:
        for key, registry in (("net", NETS), ("loss", LOSSES)):
            object.__setattr__(self, key, registry.canonical(getattr(self, key)))


RECIPES = Registry("recipe", {"recipe": f"{__name__}:Recipe"})


@pytest.mark.parametrize(
    ("spelling", "canonical", "net", "loss"),
    [
        ("recipe", "recipe:centers=fixed", "plain", "cosine:centers=fixed"),
        ("recipe:centers=free", "recipe:centers=free", "plain", "cosine:centers=free"),
        ("recipe:loss.centers=free", "recipe:centers=free", "plain", "cosine:centers=free"),
        ("recipe:width=4,epochs=3", "recipe:width=4,centers=fixed,epochs=3", "plain:width=4", "cosine:centers=fixed"),
        ("recipe:net=wide", "recipe:net=wide,centers=fixed", "wide", "cosine:centers=fixed"),
        ("recipe:net=wide:depth=5", "recipe:net=wide,depth=5,centers=fixed", "wide:depth=5", "cosine:centers=fixed"),
        ("recipe:loss=margin,margin=1", "recipe:loss=margin,margin=1.0", "plain", "margin:margin=1.0"),
        ("recipe:loss=margin,net.width=3", "recipe:net.width=3,loss=margin", "plain:width=3", "margin"),
        ("recipe:loss=margin,loss.epochs=3", "recipe:loss=margin,loss.epochs=3", "plain", "margin:epochs=3"),
        ("recipe:loss=margin,epochs=3", "recipe:loss=margin,epochs=3", "plain", "margin"),
        (
            f"recipe:net={__name__}:Wide,depth=1",
            "recipe:net=wide,depth=1,centers=fixed",
            "wide:depth=1",
            "cosine:centers=fixed",
        ),
    ],
)
def test_a_part_brings_its_own_parameters_along(spelling: str, canonical: str, net: str, loss: str) -> None:
    recipe = RECIPES.build(spelling)
    assert (recipe.net, recipe.loss) == (net, loss)
    assert RECIPES.spell(recipe) == RECIPES.canonical(spelling) == canonical
    assert RECIPES.build(canonical) == recipe


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("recipe:centers=none", "unknown recipe:centers 'none'"),
        ("recipe:loss=margin,centers=free", "recipe 'recipe' has no parameter 'centers'"),
        ("recipe:loss=margin,width=3", "recipe 'recipe' has no parameter 'width'"),  # the net's or the loss's?
        ("recipe:loss=margine", "unknown loss 'margine'"),
        ("recipe:net.depth=3", "recipe 'recipe' has no parameter 'net.depth'"),
        ("recipe:width=3,net.width=3", "parameter 'width' of the net stands twice"),
        ("recipe:net=plain:width=3,width=3", "parameter 'width' of the net stands twice"),
        ("recipe:width=many", "recipe:width must be a whole number, got 'many'"),
    ],
)
def test_a_wrong_parameter_of_a_part_is_refused_by_name(spelling: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        RECIPES.build(spelling)


def test_whoever_builds_a_part_gives_what_it_takes_by_position() -> None:
    net = NETS.build("plain:shape=square", 12)
    assert (net.size, net.width, net.shape) == (12, 8, "square")


@settings(max_examples=100)
@given(st.data())
def test_every_choice_of_parts_survives_its_spelling(data: st.DataObject) -> None:
    widths, small = st.integers(1, 99), st.integers(1, 9)
    net = data.draw(
        st.one_of(
            st.builds("plain:width={},shape={}".format, widths, st.sampled_from(["round", "square"])),
            st.builds("wide:width={},depth={}".format, widths, small),
        )
    )
    loss = data.draw(
        st.one_of(
            st.builds("cosine:centers={}".format, st.sampled_from(["fixed", "free"])),
            st.builds("margin:margin={!r},width={},epochs={}".format, st.floats(0, 9), small, small),
        )
    )
    recipe = Recipe(net, loss, data.draw(widths))
    spelling = RECIPES.spell(recipe)
    assert RECIPES.build(spelling) == recipe
    assert RECIPES.canonical(spelling) == spelling


# ---------------------------------------------------------------------------------------------------------------------
# Names that are short for a spelling, and values that stand first without their name


@dataclass(frozen=True)
class Fed:
    net: str = part(NETS, "wide:depth=3", spelled=True)
    epochs: int = 16


SHORT = Registry(
    "recipe",
    {"recipe": f"{__name__}:Recipe", "fed": f"{__name__}:Fed"},
    short={"quick": "recipe:epochs=1,width=2"},
    leading={"fed": "net"},
)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("quick", "recipe:width=2,centers=fixed,epochs=1"),
        ("quick:epochs=3", "recipe:width=2,centers=fixed,epochs=3"),
        ("quick:centers=free", "recipe:width=2,centers=free,epochs=1"),
        ("fed:plain", "fed:net=plain"),
        ("fed:plain,width=3,epochs=2", "fed:net=plain,width=3,epochs=2"),
        ("fed:plain:width=3", "fed:net=plain,width=3"),
        ("fed:net=wide,depth=5", "fed:net=wide,depth=5"),
        ("fed:wide,depth=5", "fed:net=wide,depth=5"),
        ("fed", "fed:net=wide,depth=3"),
        ("fed:depth=7", "fed:net=wide,depth=7"),
    ],
)
def test_what_is_short_is_written_out(typed: str, canonical: str) -> None:
    assert SHORT.canonical(typed) == canonical == SHORT.canonical(canonical)
    assert SHORT.spell(SHORT.build(typed)) == canonical


def test_what_is_short_is_a_name_like_any_other() -> None:
    assert SHORT.names() == ["recipe", "fed", "quick"]
    assert SHORT.load("quick") is Recipe
    told = describe(SHORT, "quick")
    assert (told.name, told.package, told.summary) == ("quick", None, "short for recipe:epochs=1,width=2.")
    assert {p.name: p.default for p in told.parameters}["epochs"] == "1"
    assert describe(SHORT, "fed:plain").name == "fed"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("quik", "did you mean 'quick'"),
        ("quick:epoch=3", "has no parameter 'epoch'"),
        ("fed:plain,net=wide", "parameter 'net' stands twice in 'fed:plain,net=wide'"),
        ("fed:plane", "did you mean 'plain'"),
        ("recipe:plain", "cannot read 'plain'"),
        ("fed:wide:depth=5,depth=6", "stands twice"),
    ],
)
def test_what_is_wrongly_short_is_refused(typed: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        SHORT.build(typed)
    assert words in f"{caught.value.message} {caught.value.hint}"
