"""Choices and defaults in the help come from what they are choices and defaults of: nobody types them again."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from asdcli import catalogue, scorers, training, vocabulary
from asdcli.cli import COMMANDS
from asdcli.cli.embed import EmbeddingsFormat
from asdcli.cli.extract_features import OnError
from asdcli.cli.models import registries
from asdcli.features.kinds import FEATURES
from asdcli.metrics.specs import SPECS
from asdcli.metrics.threshold_rules import RULES
from asdcli.models import losses
from asdcli.scorers import SCORERS, smooth
from asdcli.spec import Registry
from asdcli.sweep.engines import ENGINES
from asdcli.synthesis.sizes import SIZES

CLI = Path(importlib.import_module("asdcli.cli").__file__ or "").parent
REGISTRIES: list[Registry] = [SCORERS, RULES, FEATURES, ENGINES, *registries().values()]
PROSE = {
    "all",
    "auto",
    "autoencoder",
    "clip",
    "default",
    "dev",
    "embeddings",
    "fan",
    "full",
    "gamma",
    "group",
    "in",
    "keep",
}
PROSE |= {"machine", "noise", "normal", "out", "paper", "residuals", "section", "smooth", "source", "supplemental"}
PROSE |= {"target", "test", "train", "use", "window"}
"""Choices that are also words that a sentence may need; two of them in a row are a list all the same."""


def _choices() -> set[str]:
    """Every word that an option takes: names of registries and tables, members of Literals and of Enums."""
    words = {name for registry in REGISTRIES for name in registry.entries}
    words |= {*SPECS, *SIZES, *catalogue.names(), *vocabulary.DEVICES, *vocabulary.PRECISIONS}
    for module in (vocabulary, smooth, training, losses, scorers):
        for value in vars(module).values():
            if typing.get_origin(value) is typing.Literal:
                words |= set(typing.get_args(value))
            if isinstance(value, type) and issubclass(value, Enum) and value is not vocabulary.ConditionFrom:
                words |= {str(member.value) for member in value}
    return words


CHOICES = _choices()


def _typed(keyword: str) -> Iterator[tuple[str, str]]:
    """(where, text) of every piece of text that a source file of the command line types as `help=` or `metavar=`."""
    for file in sorted(CLI.glob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                for given in call.keywords:
                    if given.arg == keyword and not isinstance(given.value, ast.Call):
                        for piece in ast.walk(given.value):
                            if isinstance(piece, ast.Constant) and isinstance(piece.value, str):
                                yield f"{file.name}:{piece.lineno}", piece.value


def _signatures(name: str) -> Iterator[inspect.Signature]:
    """Those of a command's step and stage."""
    for package in ("asdcli.pipeline.steps", "asdcli.stages"):
        full = f"{package}.{name.replace('-', '_')}"
        module = importlib.import_module(full) if importlib.util.find_spec(full) else None  # some are of other stages
        yield from (inspect.signature(getattr(module, f)) for f in ("run", "Options") if hasattr(module, f))


def test_no_help_types_a_choice_by_hand() -> None:
    found = [
        (where, word)
        for where, text in _typed("help")
        for word in re.findall(r"(?<![\w/.-])[a-z][\w-]*\w(?![\w/])", re.sub(r"asd [a-z-]+", "", text))
        if word in CHOICES - PROSE
    ]
    found += [
        (where, f"{one}{between}{other}")
        for where, text in _typed("help")
        for one, between, other in re.findall(r"(?<![\w-])([\w-]+)(, | or |\|)(?=([\w-]+))", text)
        if {one, other} <= CHOICES
    ]
    assert not found


def test_no_help_types_a_default_by_hand() -> None:
    found = [
        (where, said)
        for where, text in _typed("help")
        for said in re.findall(r"[Dd]efault:? ([\w.,-]*\w)(?=[.,;]|$)", text)
        if said in CHOICES or said[0].isdigit()
    ]
    assert not found


def test_no_list_of_words_is_typed_by_hand() -> None:
    for where, text in _typed("metavar"):
        assert set(re.findall(r"[a-z][\w-]*", text)) <= {"all", "none"}, f"{where}: {text!r}: take it from `one_of`"


def test_the_search_for_words_typed_by_hand_sees_the_texts() -> None:
    assert len(list(_typed("help"))) > 100
    assert len(list(_typed("metavar"))) > 40
    assert {"nn", "serial-oe", "logmel", "dcase2022", "euclidean", "bf16", "train-cluster", "dcase-baseline"} <= CHOICES


@pytest.mark.parametrize(
    ("command", "option", "names"),
    [
        ("score", "method", SCORERS.entries),
        ("train", "model", training.MODELS.entries),
        ("embed", "embedder", registries()["embedders"].entries),
        ("extract-features", "features", FEATURES.entries),
        ("threshold", "rule", RULES.entries),
        ("evaluate", "metric", SPECS),
        ("download", "size", SIZES),
        ("sweep", "engine", ENGINES.entries),
    ],
)
def test_an_option_lists_everything_that_it_takes(command: str, option: str, names: typing.Iterable[str]) -> None:
    _, info = typing.get_args(inspect.signature(_command(command)).parameters[option].annotation)
    told = re.findall(r"[\w-]+", f"{info.metavar} {info.help}")
    assert set(names) <= set(told)


WITHOUT_A_STEP = {"datasets", "methods", "models", "doctor", "show", "run", "sweep", "bench"}


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - WITHOUT_A_STEP))
def test_a_default_of_the_command_line_is_that_of_the_step_and_of_the_stage(name: str) -> None:
    mine = {p: value.default for p, value in inspect.signature(_command(name)).parameters.items()}
    for signature in _signatures(name):
        for p, there in signature.parameters.items():
            if mine.get(p) not in (None, False) and there.default not in (None, inspect.Parameter.empty):
                is_list = isinstance(mine[p], str) and isinstance(there.default, tuple)
                typed = tuple(mine[p].split(",")) if is_list else getattr(mine[p], "value", mine[p])
                assert typed == there.default, (name, p)


def test_the_words_of_an_enum_are_those_of_its_stage() -> None:
    for enum, stage, parameter in ((OnError, "extract_features", "on_error"), (EmbeddingsFormat, "embed", "format")):
        hints = typing.get_type_hints(importlib.import_module(f"asdcli.stages.{stage}").run)
        assert tuple(member.value for member in enum) == typing.get_args(hints[parameter])


def _command(name: str) -> Callable[..., Any]:
    module, _, function = COMMANDS[name].partition(":")
    return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]
