"""What plans say: cells in order, canonical spellings, and all that is wrong told at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdcli.errors import BadData, UsageError
from asdcli.scorers import PAPER
from asdcli.spec.numbers import numbers
from asdcli.sweep import STARTS, plan
from asdcli.sweep.cells import Cell


def cells(tmp_path: Path, text: str) -> list[Cell]:
    file = tmp_path / "p.toml"
    file.write_text(text)
    return plan.read(file)


def fault(tmp_path: Path, text: str) -> str:
    with pytest.raises(BadData) as error:
        cells(tmp_path, text)
    assert (error.value.hint or "").endswith(": asd sweep --init explained.toml")
    return error.value.message


LEAST = 'datasets = ["d"]\n[models]\nm = "discriminative"\n'


def test_the_plan_of_the_varmin_tables_is_that_of_the_paper() -> None:
    found = plan.read(plan.find("varmin-tables"))
    editions = [f"dcase{year}" for year in (2021, 2022, 2023, 2024)]
    assert [c.name for c in found] == [
        f"{e}/{label}/seed-{n}" for e in editions for label in ("fixed", "trainable") for n in range(10)
    ]
    assert all(c.methods == PAPER and len(c.methods) == 13 and c.units == () and c.tune is None for c in found)
    assert {(c.label, c.trains) for c in found} == {
        (label, (f"discriminative:centers={label}",)) for label in ("fixed", "trainable")
    }


def test_the_plan_of_the_dns_tables_is_what_the_make_target_types() -> None:
    (cell,) = plan.read(plan.find("dns-tables"))
    assert cell.name == "dcase2021/proposed/seed-0"
    assert cell.trains == ("autoencoder:profile=paper,epochs=1500,batch_size=16", "serial-oe")
    assert (cell.methods, cell.tune, cell.kinds) == (("mse",), "mse", ("waveform",))


@pytest.mark.parametrize("what", [*STARTS, "mine.toml"])
def test_a_plan_to_begin_with_can_be_read(what: str, tmp_path: Path) -> None:
    file, text = plan.start(what)
    assert file.suffix == ".toml" and text.startswith("#")
    assert cells(tmp_path, text)


def test_what_a_plan_says_of_one_dataset_holds_there_alone(tmp_path: Path) -> None:
    a, b0, b1 = cells(
        tmp_path,
        'datasets = ["a", "b"]\nseeds = 3\nmethods = ["nn"]\nprecision = "fp32"\n'
        '[models]\nm = "discriminative:centers=fixed"\n'
        '[overrides.b]\nseeds = "0-1"\nmethods = ["kmeans", "nn"]\nunits = ["section"]\nhold_out = 0.2\n'
        'models.m = "discriminative:epochs=2"\nmachine_types = ["fan"]\nchannel = "1"\n',
    )
    assert (a.seed, a.methods, a.units, a.hold_out, a.machine_types, a.channel) == (3, ("nn",), (), None, (), None)
    assert a.trains == ("discriminative:centers=fixed",) and a.precision == b0.precision == "fp32"
    assert (b0.seed, b1.seed) == (0, 1) and b0.methods == ("kmeans", "nn") and b0.units == ("section",)
    assert b0.trains == ("discriminative:centers=fixed,epochs=2",) and b0.hold_out == 0.2
    assert (b0.machine_types, b0.channel) == (("fan",), "1")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    told = fault(
        tmp_path,
        'datasets = ["a"]\nsedes = "0"\n[models]\nm = "discriminatif"\nn = {trian = "x"}\nshared = "discriminative"\n'
        '[overrides.aa]\nmethod = "nn"\n',
    )
    for said in (
        "unknown key sedes: did you mean 'seeds'?",
        "unknown key models.n.trian: did you mean 'train'?",
        "unknown key overrides.aa.method: did you mean 'methods'?",
        "overrides.aa: did you mean 'a'?",
        "models.m: unknown model 'discriminatif' (did you mean 'discriminative'?",
        "models.shared: a label is a folder's name",
    ):
        assert said in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("datasets = [", "is no TOML"),
        (LEAST.replace('["d"]', "[]"), "datasets: tuple should have at least 1 item"),
        (LEAST.replace('"d"', '"a/b"'), "'a/b' cannot be a dataset's name: it holds '/'"),
        ('seeds = "9-1"\n' + LEAST, "cannot read seeds '9-1'"),
        ('precision = "fp8"\n' + LEAST, "unknown precision 'fp8'"),
        ('units = ["secton"]\n' + LEAST, "units.0: input should be 'machine-type' or 'section'"),
        ('methods = ["nnn"]\n' + LEAST, "models.m: unknown method 'nnn'"),
        ('methods = ["mse"]\n' + LEAST, "models.m: mse needs an autoencoder"),
        ('methods = ["nn+mse+fuse:by=z"]\n' + LEAST, "models.m: mse needs an autoencoder"),
        ('methods = ["nn+kmeans+fuse:by=x"]\n' + LEAST, "unknown fuse:by 'x'"),
        (LEAST + 'a = {embed = "logmle"}\n', "models.a: unknown embedder 'logmle'"),
        (LEAST + 'a = {embed = "trained"}\n', "models.a: embedder trained needs a model"),
        (LEAST + 'a = "autoencoder"\n', "models.a: varmin:k=16,val=train-all needs embeddings"),
        (LEAST + 'a = ["discriminative"]\n', "models.a"),
        (LEAST + 'a = {train = ["discriminative", "serial-oe"]}\n', "one model that embeds and one autoencoder"),
        (
            LEAST + 'a = {train = "discriminative", tune = "mahalanobis"}\n',
            "'mahalanobis:data=all' is none of the methods",
        ),
        (LEAST + 'M = "discriminative"\n', "models.m and models.M are one folder on some systems"),
        (LEAST + '"a:b" = "discriminative"\n', "models.a:b: a label is a folder's name"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str, tmp_path: Path) -> None:
    if 'a = "autoencoder"' in text:
        text = 'methods = ["varmin"]\n' + text
    assert said in fault(tmp_path, text)


def test_a_plan_that_is_not_there_is_named_with_what_writes_it() -> None:
    with pytest.raises(UsageError, match=r"there is no plan nowhere\.toml") as error:
        plan.find("nowhere.toml")
    assert error.value.hint == "write one: asd sweep --init nowhere.toml"
    for name in ("varmin-tabels", "own"):
        with pytest.raises(UsageError, match="unknown plan") as error:
            plan.find(name)
        assert "varmin-tables" in (error.value.hint or "")


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 9)), min_size=1, max_size=5))
def test_a_list_of_numbers_is_read_as_it_would_be_counted(ranges: list[tuple[int, int]]) -> None:
    text = ",".join(f"{first}-{first + more}" if more else str(first) for first, more in ranges)
    counted = [n for first, more in ranges for n in range(first, first + more + 1)]
    assert list(numbers(text, what="seeds")) == list(dict.fromkeys(counted))


@pytest.mark.parametrize("text", ["", "a", "-1", "1-", "3-1", "1,,2", "0-99999999", "1.5"])
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read seeds"):
        numbers(text, what="seeds")
