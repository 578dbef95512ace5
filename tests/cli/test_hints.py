"""Hints are true: what they name to type exists, is not what was just typed, and leads on."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import asdcli
from asdcli.cli import COMMANDS, _ClickException, build
from asdcli.cli.hints import COMMAND, led
from asdcli.cli.shared import Place
from tests.helpers.loopback import held, wav
from tests.helpers.typed import typed

Asd = Callable[..., int]
PACKAGE = Path(asdcli.__file__).parent
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]+|-[a-z])(?![\w-])")


def commands() -> dict[str, Any]:
    from typer.main import get_command

    return dict(get_command(build()).commands)  # type: ignore[attr-defined]


def options_of(name: str) -> set[str]:
    return {option for parameter in commands()[name].params for option in parameter.opts} | {"--help"}


def parse(line: str) -> None:
    """Read a command line as the command itself does, without running it: unknown or missing words are an error."""
    program, name, *words = shlex.split(line)
    assert program == "asd"
    if words != ["--help"]:
        commands()[name].make_context(name, words)


# --- what stands in the code ---------------------------------------------------------------------------------------

TALK = {"did", "wrote", "has"}
"""What may stand behind `asd` at the beginning of a sentence: there it is the program that is spoken of."""
TABLES = {"pipeline/chain.py", "artifacts/kinds.py"}
"""Where commands stand without what they cannot do without: hints take them from there with it."""
VALUES = {"subset": "dev", "split": "dev", "number": "1"}
"""What is computed in a text stands for these, by a word in it; for nothing where it has options, else for a name."""


def filled(node: ast.AST) -> str | None:
    """A text in the code, with plausible words in place of what it computes."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = (
            ast.unparse(v) if isinstance(v, ast.FormattedValue) else str(getattr(v, "value", "")) for v in node.values
        )
        kinds = (isinstance(v, ast.FormattedValue) for v in node.values)
        return "".join(
            ("" if "--" in p else next((v for word, v in VALUES.items() if word in p.lower()), "X")) if computed else p
            for p, computed in zip(parts, kinds, strict=True)
        )
    return None


def texts() -> Iterator[tuple[str, str, bool]]:
    """Where a text of the package stands, the text, and whether it is a docstring."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
        docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        place = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(tree):
            if id(node) not in inside and (text := filled(node)) and "asd " in text:
                yield f"{place}:{getattr(node, 'lineno', 0)}", " ".join(text.split()), id(node) in docs


def test_every_option_behind_a_command_in_any_text_is_one_of_that_command() -> None:
    wrong, n = [], 0
    for where, text, _ in texts():
        for found in re.finditer(r"\basd ([a-z][a-z-]*)((?:(?!\basd |, )[^.;:)`])*)", text):
            if found[1] in COMMANDS:
                n += 1
                wrong += [
                    f"{where}: asd {found[1]} {o}" for o in OPTION.findall(found[2]) if o not in options_of(found[1])
                ]
    assert not wrong and n > 100


def test_every_command_that_a_text_names_to_be_typed_can_be_typed() -> None:
    lines = [
        (where, line)
        for where, text, is_doc in texts()
        if not is_doc and where.partition(":")[0] not in TABLES
        for line in COMMAND.findall(text)
        if line.split()[1] not in TALK
    ]
    wrong = [f"{where}: {line}: {why}" for where, line in lines if (why := fault(line))]
    assert not wrong and len(lines) > 40


def fault(line: str) -> str | None:
    """Why a command line cannot be typed."""
    try:
        parse(line)
    except (KeyError, _ClickException) as error:
        return str(error)
    return None


def test_a_hint_gets_the_options_of_place_that_were_typed_and_that_its_commands_take() -> None:
    place = Place(data=Path("my data"), run=Path("r"), dataset="fans")
    assert led("make it first: asd embed", place) == "make it first: asd embed --data 'my data' --run r --dataset fans"
    assert led("start with: asd download synthetic", place).endswith("asd download synthetic --data 'my data'")
    assert led("asd embed && asd score; or see asd models", Place(run=Path("r"))) == (
        "asd embed --run r && asd score --run r; or see asd models"
    )
    assert led("asd score --run other", place) == "asd score --run other --data 'my data'"
    assert led("see: asd methods", place) == "see: asd methods"
    assert led("name one with --run", place) == "name one with --run"


# --- what is said at the front door --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refused:
    """A line that is refused in the folder of `finished`, once files of the run (or of DATA) are `gone` or `bad`.

    `leads_on`: its hint's commands, typed, end well, and so does the line then.
    """

    line: str
    gone: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    leads_on: bool = False


WAVES, CLIPS = "features/waveform/fan.npz", "DATA/synthetic/clips.parquet"
NN, SMOOTHED = "RUN/scores/nn.parquet", "RUN/scores/nn+smooth.k=2,data=all,level=clip.parquet"
SUBMIT = f"submit {NN} --label Doe_Lab --edition dcase2023"
TUNE = "tune -m nn -k 1,2 --choose 00 --report 00 --clusters none"

OF_FILES = [
    Refused("train --epochs 1 --force", gone=(WAVES,), leads_on=True),
    Refused("embed --force", gone=(WAVES,), leads_on=True),
    Refused("embed --force", bad=(WAVES,), leads_on=True),
    Refused("embed --embedder logmel", gone=("features/logmel",), leads_on=True),
    Refused("extract-features", bad=(WAVES,)),
    Refused("embed --force", bad=("model/weights.safetensors",), leads_on=True),
    Refused("embed --force", bad=("model/card.json",), leads_on=True),
    Refused("embed", gone=("model",)),
    Refused("train --epochs 1", bad=("model/card.json",)),
    Refused("score -m mse", gone=("autoencoder",)),
    Refused("score -m nn --force", gone=("embeddings.parquet",), leads_on=True),
    Refused("score -m nn --force", bad=("embeddings.parquet",), leads_on=True),
    Refused("score -m nn", bad=("detectors/nn.npz",)),
    Refused("evaluate", gone=("scores",), leads_on=True),
    Refused("evaluate", bad=("scores/nn.parquet",), leads_on=True),
    Refused("evaluate", bad=("thresholds.parquet",), leads_on=True),
    Refused("evaluate", bad=("results.parquet",)),
    Refused("threshold", gone=("scores",), leads_on=True),
    Refused("threshold --force", bad=("scores/nn.parquet",), leads_on=True),
    Refused("threshold", bad=("thresholds.parquet",)),
    Refused("smooth -k 3", gone=("scores",), leads_on=True),
    Refused("smooth -m nn -k 3", gone=("scores",), leads_on=True),
    Refused("smooth -m nn -k 3", gone=("embeddings.parquet",), leads_on=True),
    Refused("smooth -m nn -k 3 --neighbours source --level window"),
    Refused(TUNE + " --force", bad=("scores/nn.parquet",), leads_on=True),
    Refused(f"{SUBMIT} --subset dev", gone=("thresholds.parquet",)),
    Refused(f"{SUBMIT} --subset dev", bad=("thresholds.parquet",)),
    Refused(f"{SUBMIT} --subset eval"),
    Refused(f"submit {SMOOTHED} --label Doe_Lab --edition dcase2023 --subset dev"),
    Refused("extract-features --force", bad=(CLIPS,), leads_on=True),
    Refused("extract-features --force", gone=(CLIPS,), leads_on=True),
    Refused("evaluate", bad=(CLIPS,), leads_on=True),
    Refused("score -m nn --embeddings no.parquet", leads_on=True),
    Refused("score -m nn --embeddings junk.parquet"),
    Refused("score -m mse --model no"),
    Refused("evaluate no.parquet", leads_on=True),
    Refused("evaluate junk.parquet"),
    Refused("evaluate --clips no.parquet"),
    Refused("evaluate --clips junk.parquet"),
    Refused("evaluate --thresholds no.parquet", leads_on=True),
    Refused("evaluate --submission own"),
    Refused("threshold no.parquet", leads_on=True),
    Refused(f"threshold {SMOOTHED}"),
    Refused("threshold --thresholds no.parquet --decisions d.csv", leads_on=True),
    Refused("plot p-values"),
    Refused("plot p-values", gone=("scores",)),
    Refused("plot p-values", bad=("scores/nn.parquet",)),
    Refused("plot p-values", bad=("thresholds.parquet",)),
    Refused("plot distributions", gone=("scores",)),
    Refused("plot alpha", gone=("embeddings.parquet",)),
    Refused("plot curves", gone=("model", "autoencoder")),
    Refused("plot fractions"),
    Refused("extract-features --clips no.parquet"),
    Refused("smooth -k 3 --scores own"),
    Refused("smooth -k 3 --scores no.parquet", leads_on=True),
    Refused("smooth -m nn -k 3 --embeddings no.parquet", leads_on=True),
    Refused("score --from no.csv"),
    Refused("embed --from no.csv"),
    Refused(f"embed --from {NN} --labels no.csv"),
    Refused("submit --check no --edition dcase2023"),
    Refused("submit --check junk.zip --edition dcase2023"),
    Refused("show no"),
    Refused("show junk.parquet"),
    Refused("show RUN"),
]

OF_WORDS = """
    score -m vramin | score -m nn:q=1 | score -m nn -k x | score -m all -k 3 | score --name x
    score -m nn -m kmeans -o x | score --from RUN/scores/nn.parquet | score --from RUN/scores/nn.parquet --name -nn
    train --model dual | train --lr 0 | score --from RUN/scores/nn.parquet --name .tuned/a
    train --model discriminative:network=x | train --weights x | train --model serial-oe
    train --clip-length 0.01 --epochs 1 --force | train --device cpux | embed --embedder x
    embed --embedder trained:x=1 | embed --embedder serial-oe | embed --labels x | embed --batch-size 0
    smooth -k 3 -m nope | smooth -k 2 -k 3 --append | smooth --append --fraction 1 | smooth --fraction x -m nn
    threshold --rule x | threshold --quantile 2 | threshold --per-day 1 | threshold --per-day 100 --clips-per-day 24
    threshold --thresholds RUN/thresholds.parquet | threshold --thresholds RUN/thresholds.parquet --rule gamma
    evaluate --metric x | evaluate --compare nn x | evaluate --compare nn nn | evaluate --max-fpr 2
    tune -m nn -k 0 | tune -m nn --choose 09 | tune -m nn --neighbours x | submit
    tune -m nn -m mse | tune -m nn --pseudo shuffled | tune --objective label-free --choose 00
    tune --objective label-free -m varmin:val=test-all | tune --objective label-free -m mse
    tune --objective label-free -m kmeans -k 1,2 | tune --objective label-free --pseudo x
    tune --objective label-free --pseudo section | tune --objective label-free --embeddings no.parquet
    fuse nn | fuse nn nope | fuse nn kmeans | fuse nn RUN:nope | fuse nn nn --tune x | fuse nn nn --by x
    fuse nn nn --weights 1,x | fuse nn nn --weights 1,1 --tune dev | fuse nn nn --by min --weights 1,2
    fuse nn no.parquet | fuse nn nn --name a/b
    submit --label x --edition dcase2023 | submit RUN/scores/nn.parquet --label Doe_Lab
    submit --label Doe_Lab --edition x | extract-features --features x | extract-features --machine-type x
    extract-features --channel 7 --force | extract-features --channel x --force | extract-features --scale x
    extract-features --sample-rate 8000 | run download | run x | run --model dual
    run extract-features --sample-rate 8000 | run extract-features --channel 7
    run --edition dcase2023 --dataset synthetic | run --edition dcase2032 | run score --method vramin
    download dcase2032 | download dcase2023 --size tiny | download synthetic --subset dev
    download synthetic --size huge | download synthetic2021 | download dcase2023 --from-dir no
    download dcase2023 --from-dir own | download dcase2022 --verify --subset eval
    download dcase2022 --verify --machine-type fan --from-dir own
    download dcase2023 --from-dir own --base-url http://x | download dcase2023 --dry-run --verify | download
    index no | index empty | index junk.parquet | index DATA/synthetic | index own --name synthetic
    index own --name a,b | index own --manifest no.csv | index own --test-fraction 2 | index own --condition-word x
    index own --machine a/b | methods x | models x | datasets x | show | doctor --run no
    download synthetic --size small | plot p-valeus | plot p-values:p=x | plot p-values --p x | plot p-values -m nope
    plot p-values --format bmp | plot p-values -o p.txt | plot p-values -o p.png --format svg | plot
    plot p-values -o p.png --numbers p.png | plot alpha -m nn | plot alpha:k=0 | plot scale:val=held-out | plot map:of=x
    plot map:section=x | plot spectrogram | plot spectrogram:clip=x | plot distributions:bins=1 | plot roc:max_fpr=0
    sweep | sweep varmin | sweep no.toml | sweep varmin-tables | sweep --init varmim | sweep varmin-tables --init dns
    sweep varmin-tables --only dcase2023/fixd | sweep varmin-tables --engine nowhere
    train --seeds 9-1 | train --seeds 0-1 --seed 3 | train --features-from nowhere | train --seeds x
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every stage has run, with files beside it that are none of asd's."""
    place = tmp_path_factory.mktemp("finished")
    (place / "own").mkdir()
    (place / "empty").mkdir()
    (place / "own" / "a.wav").write_bytes(wav())
    (place / "junk.zip").write_bytes(b"no zip")
    (place / "junk.parquet").write_bytes(b"no table")
    return typed(
        place,
        "download synthetic --size tiny --machine-type fan",
        *("extract-features", "extract-features --features logmel"),
        *("train --epochs 1", "train --model autoencoder --epochs 1"),
        *("embed", "score -m nn", "threshold", "evaluate", "smooth -m nn -k 2", TUNE),
    )


Answer = tuple[int, str | None]
"""Exit code, and the hint."""


@pytest.fixture
def answer(asd: Asd, capsys: pytest.CaptureFixture[str]) -> Callable[[Sequence[str]], Answer]:
    def answer(words: Sequence[str]) -> Answer:
        capsys.readouterr()
        code = asd(*words, "--json")
        told = json.loads(capsys.readouterr().out)
        return code, told.get("error", {}).get("hint")

    return answer


@pytest.fixture(params=["here", "led"])
def words(request: pytest.FixtureRequest, finished: Path, tmp_path: Path) -> Callable[[str], list[str]]:
    """The words of a line in a copy of `finished`: where everything lies as usual, or is led to by options."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    run, data = "runs/synthetic", "data"
    if request.param == "led":
        run, data = "my run", "my data"
        (tmp_path / "runs/synthetic").rename(tmp_path / run)
        (tmp_path / "data").rename(tmp_path / data)

    def words(line: str) -> list[str]:
        found = [word.replace("RUN", run).replace("DATA", data) for word in line.split()]
        given = {"--run": run, "--data": data} if request.param == "led" else {}
        takes = options_of(found[0]) if found[0] in COMMANDS else set()
        return found + [
            w for name, value in given.items() if name in takes and name not in found for w in (name, value)
        ]

    return words


def check(words: Sequence[str], hint: str | None) -> None:
    """A hint is not what was typed, and what it names exists."""
    said = COMMAND.findall(hint or "")
    for line in said:
        assert fault(line) is None, line
        assert sorted(shlex.split(line)[1:]) != sorted(words), line
    known = options_of(words[0]).union(*(options_of(line.split()[1]) for line in said))
    assert set(OPTION.findall(re.sub(r"(kill|rm|sox|pip)[^;,]*", "", hint or ""))) <= known, hint


@pytest.mark.parametrize("refused", OF_FILES, ids=lambda r: f"{r.line}-{'-'.join((*r.gone, *r.bad))}")
def test_what_is_said_of_files_that_are_gone_or_damaged_is_true(
    refused: Refused, words: Callable[[str], list[str]], answer: Callable[[Sequence[str]], Answer]
) -> None:
    spoil(words, refused)
    typed_words = words(refused.line)
    code, hint = answer(typed_words)
    assert code == 1 and hint, hint
    check(typed_words, hint)
    if refused.leads_on:
        for line in hint.partition(": ")[2].split(" && "):
            if line.startswith("rm "):
                Path(shlex.split(line)[1]).unlink()
            else:
                assert answer(shlex.split(line)[1:])[0] == 0, line
        assert answer(typed_words) == (0, None), hint


def spoil(words: Callable[[str], list[str]], refused: Refused) -> None:
    for name in (*refused.gone, *refused.bad):
        place = Path(" ".join(words("show " + (name if name.startswith("DATA") else f"RUN/{name}"))[1:2]))
        if name in refused.bad:
            place.write_bytes(b"damaged")
        elif place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()


@pytest.mark.parametrize("words", ["led"], indirect=True)
@pytest.mark.parametrize("line", [line.strip() for line in re.split(r"[|\n]", OF_WORDS) if line.strip()])
def test_what_is_said_of_words_is_true(
    line: str, words: Callable[[str], list[str]], answer: Callable[[Sequence[str]], Answer]
) -> None:
    code, hint = answer(words(line))
    assert code in (1, 2)
    check(words(line), hint)


@pytest.mark.parametrize("data", [None, "other"])
@pytest.mark.parametrize("command", ["extract-features", "train", "embed", "score", "evaluate", "threshold", "run"])
def test_where_there_is_no_dataset_the_hint_makes_one_that_is_found(
    command: str, data: str | None, answer: Callable[[Sequence[str]], Answer], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    given = ["--data", data] if data else []
    code, hint = answer([command, *given])
    assert (code, hint) == (1, " ".join(["start with: asd download synthetic", *given]))
    assert answer(["download", "synthetic", "--size", "tiny", "--machine-type", "fan", *given])[0] == 0
    if command != "run":
        assert answer([command, *given])[1] != hint


def test_a_dataset_that_is_an_edition_is_fetched_and_one_of_ones_own_is_indexed(
    asd: Asd, answer: Callable[[Sequence[str]], Answer], tmp_path: Path
) -> None:
    assert answer(["train", "--dataset", "dcase2023"]) == (1, "fetch it: asd download dcase2023")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "current").write_text("fans\n")
    assert answer(["extract-features"]) == (1, "make it first: asd index DIR --name fans")
    (tmp_path / "data" / "current").write_text("dcase2023\n")
    assert answer(["extract-features"]) == (1, "make it first: asd download dcase2023")


def test_the_command_that_comes_next_can_be_typed_whatever_the_folders_are_called(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.wav").write_bytes(wav(seconds=0.5))
    assert asd("index", "own", "--machine", "fan", "--data", "my data") == 0
    line = capsys.readouterr().err.rpartition("next: ")[2].strip()
    parse(line)
    assert asd(*shlex.split(line)[1:], "-q") == 0


def test_where_no_domain_is_known_all_clips_are_neighbours(
    asd: Asd, answer: Callable[[Sequence[str]], Answer], tmp_path: Path
) -> None:
    n = 8
    labels = {
        "clip_id": [f"c{i}" for i in range(n)],
        "split": ["train"] * 4 + ["test"] * 4,
        "machine_type": ["fan"] * n,
    }
    np.savez(tmp_path / "v.npz", vectors=np.random.default_rng(0).normal(size=(n, 3)), **labels)
    assert asd("embed", "--from", "v.npz", "-q") == 0 and asd("score", "-m", "nn", "-q") == 0
    assert answer(["smooth", "-k", "2", "--neighbours", "source"]) == (1, "smooth among all: --neighbours all")
    assert answer(["smooth", "-k", "2", "--neighbours", "all"]) == (0, None)


def test_a_download_that_is_not_complete_is_repaired_as_it_was_asked_for(
    asd: Asd, answer: Callable[[Sequence[str]], Answer], tmp_path: Path
) -> None:
    held(tmp_path / "held")
    typed_words = ["download", "dcase2022", "--from-dir", "held", "--machine-type", "fan", "--data", "my data"]
    assert asd(*typed_words, "--no-truth", "-q") == 0
    for spoilt in ("fan/train/section_00_source_train_normal_0000_vel_0.wav", "fan"):
        place = tmp_path / "my data/dcase2022/dev_data/raw" / spoilt
        shutil.rmtree(place) if place.is_dir() else place.write_bytes(b"damaged")
        code, hint = answer([*typed_words, "--verify"])
        assert code == 1 and hint
        check([*typed_words, "--verify"], hint)
        assert asd(*shlex.split(hint.removeprefix("repair it: "))[1:], "-q") == 0
        assert answer([*typed_words, "--verify"]) == (0, None)
