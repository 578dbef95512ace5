"""The chain as data, against all who tell of it: kinds, README, Makefile, and the commands and their files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.cli import build
from asdcli.pipeline import mending, options, places, workspace
from asdcli.pipeline.chain import CHAIN, STAGES
from asdcli.pipeline.freshness import Freshness
from tests.helpers.whole_run import FILES, LINES, OF_FOLDS

ROOT = Path(__file__).resolve().parents[2]


def commands() -> dict[str, Any]:
    return dict(get_command(build()).commands)  # type: ignore[attr-defined]


def parse(line: str) -> dict[str, Any]:
    """The parameters that a command line sets, as the command itself reads them."""
    program, name, *words = shlex.split(line)
    assert program == "asd"
    return dict(commands()[name].make_context(name, words).params)


def test_every_kind_is_written_by_a_stage_and_says_its_command() -> None:
    first = {f.kind.name: s.command for s in reversed(CHAIN) for f in s.writes if s.name != "index"}
    assert first == {kind.name: kind.made_by for kind in artifacts.KINDS.values()}


def test_a_stage_reads_only_what_a_stage_before_it_writes() -> None:
    there: set[tuple[str, str]] = set()
    for stage in CHAIN:
        there |= {(f.kind.name, f.pattern) for f in stage.writes}
        assert {(f.kind.name, f.pattern) for f in stage.reads} <= there, stage.name


def test_every_stage_is_typed_as_a_command_with_options_that_exist() -> None:
    for stage in CHAIN:
        _, name, *words = stage.command.split()
        assert {w for w in words if w.startswith("--")} <= {o for p in commands()[name].params for o in p.opts}
        if stage.repeats:
            (option,) = (p for p in commands()[name].params if stage.repeats in p.opts)
            assert option.multiple


def test_the_stages_of_the_makefile_are_those_that_every_run_takes() -> None:
    listed = re.search(r"^STAGES\s*:=\s*(.*)$", (ROOT / "Makefile").read_text(), flags=re.M)
    assert listed and listed[1].split() == [stage.name for stage in CHAIN if stage.always]


def test_the_table_of_stages_in_the_readme_is_the_chain() -> None:
    rows = re.findall(r"^\| `(asd [a-z -]+)` \| (.*?) \| (.*?) \|$", (ROOT / "README.md").read_text(), flags=re.M)
    assert [command for command, _, _ in rows] == [s.command for s in CHAIN if s.name != "index"]
    for command, reads, writes in rows:
        stage = next(s for s in CHAIN if s.command == command)
        for told, files in ((reads, stage.reads), (writes, stage.writes)):
            kinds = [f for f in files if f.kind is not artifacts.ERRORS]
            missing = [f.pattern for f in kinds if f.pattern.partition("/")[0].removesuffix(".parquet") not in told]
            assert not missing, (command, missing)


@pytest.mark.parametrize(("run", "files"), [("whole_run", FILES), ("folded_run", FILES | OF_FOLDS)])
def test_every_file_that_the_commands_make_has_one_stage_and_one_name(
    run: str, files: set[str], request: pytest.FixtureRequest
) -> None:
    whole_run: Path = request.getfixturevalue(run)
    space = workspace.Workspace(whole_run.parents[1] / "data", whole_run, "synthetic")
    found = {p for stage in CHAIN for files in stage.writes if not files.of_dataset for p in files.find(space)}
    fresh = Freshness(space)
    looks = [fresh.look(path) for path in found]
    assert {look.name for look in looks if look} == files
    inside = {p for p in whole_run.rglob("*") if p.is_file() and p.suffix in (".parquet", ".npz")}
    assert inside == {p for p in found if p.is_file()}


def test_the_command_that_a_header_gives_is_the_one_that_was_typed(whole_run: Path) -> None:
    space = workspace.Workspace(whole_run.parents[1] / "data", whole_run, "synthetic")
    fresh = Freshness(space)
    typed = [parse(f"asd {line}") for line in LINES]
    told = {f.name: f for stage in CHAIN for files in stage.writes for f in fresh.looks(files.find(space))}
    for name, line, unlike in (
        ("features/waveform/fan", 1, {"machine_type"}),
        ("model", 2, {"epochs", "model"}),
        ("autoencoder", 3, {"epochs", "model"}),
        ("embeddings", 4, {"embedder"}),
        ("scores/nn", 5, {"method"}),
        ("scores/mse+smooth.k=3,data=source,level=clip", 6, {"k"}),
        ("pools/mse+smooth.k=4,data=all,level=clip", 7, set()),
        ("fractions", 8, {"fraction"}),
        ("tuning", 9, {"ks"}),
        ("thresholds", 10, set()),
        ("results", 11, set()),
    ):
        words = parse(mending.command(told[name], space, ()))
        expected = {k: v for k, v in typed[line].items() if k not in unlike}
        assert {k: v for k, v in words.items() if k not in unlike} == expected, name
    assert mending.command(told["model"], space, ()).startswith("asd train --model discriminative:")
    assert "epochs=1" in mending.command(told["model"], space, ())
    assert "--fraction 0.5:1.0:0.25" in mending.command(told["fractions"], space, ())


def test_options_that_are_left_out_are_the_defaults_of_their_commands() -> None:
    for name in ("extract-features", "train", "smooth", "tune", "evaluate"):
        for parameter in commands()[name].params:
            for option in set(parameter.opts) & set(options.DEFAULTS):
                assert parameter.default in (None, options.DEFAULTS[option]), (name, option)
    typed = {option for c in commands().values() for p in c.params for option in p.opts}
    assert set(options.DEFAULTS) <= typed


@pytest.mark.parametrize(
    ("kind", "name", "command"),
    [
        (artifacts.SCORES, "scores/varmin.k=16,val=test-all", "asd score --method varmin:k=16,val=test-all"),
        (artifacts.SCORES, "scores/mse+smooth.k=2,data=source", "asd smooth --method mse -k 2 --neighbours source"),
        (artifacts.SCORES, "scores/gmm.tuned", "asd tune"),
        (artifacts.POOL, "pools/mse+smooth.k=2,data=all", "asd smooth --append --method mse -k 2"),
        (artifacts.FRACTIONS, "fractions", "asd smooth --fraction"),
        (artifacts.FEATURES, "features/logmel/fan", "asd extract-features --machine-type fan --features logmel"),
    ],
)
def test_an_unreadable_file_is_known_by_its_place(kind: artifacts.Kind, name: str, command: str) -> None:
    suffix = ".npz" if kind is artifacts.FEATURES else ".parquet"
    header = places.guess(kind, name)
    stage = places.maker(kind, name + suffix, header)
    assert " ".join([*stage.command.split(), *stage.options_of(header)]).startswith(command)


def test_a_header_of_another_package_s_method_still_gives_its_command() -> None:
    header = Header("scores", 1, seed=0, params={"method": "nobodys.package:LOF,k=8", "unit": "section"})
    assert STAGES["score"].options_of(header) == ["--method", "nobodys.package:LOF,k=8", "--unit", "section"]


@pytest.mark.parametrize("stage", CHAIN, ids=lambda stage: stage.name)
def test_the_command_for_a_file_that_never_was_has_no_empty_word(stage: Any) -> None:
    for file in stage.writes:
        words = stage.options_of(places.guess(file.kind, file.pattern))
        assert "" not in words, f"{stage.command} {shlex.join(words)}"
