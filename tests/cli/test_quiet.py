"""`--quiet` prints errors and what was left out, by name and with the reason; nothing else, in every command."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from asdcli.cli import build, call
from tests.cli.test_front_door import CHAIN, LEARNED, PLAIN, REPORTS
from tests.helpers.loopback import held, wav
from tests.helpers.sweeps import HERE
from tests.helpers.typed import typed

Asd = Callable[..., int]
Answer = tuple[int, str, str]
"""Exit code, stdout and stderr."""

ODD = "anomaly_fan_day.wav"  # no grammar knows such a name
BROKEN = "section_00_source_test_anomaly"  # the beginning of the name of the clip that is cut short
BOTH = ("runs/synthetic/scores/nn.parquet", "--run", "runs/synthetic")
PUMPS = """
datasets = ["synthetic"]
machine_types = ["pump"]
methods = ["nn"]
[models]
logmel = { embed = "logmel" }
"""
MIXED = ("-m", "nn", "--scores", "runs/brought", "--embeddings", "fan.parquet")

LOSSES: list[tuple[tuple[str, ...], int, tuple[str, ...]]] = [
    # a command line, each in the folder that the ones before it leave; its exit code, and what must be said
    (
        ("download", "dcase2022", "--from-dir", "held", "--machine-type", "fan", "--no-truth"),
        3,
        (ODD, "fits no file name"),
    ),
    (("download", "dcase2022", "--from-dir", "held", "--machine-type", "valve", "--dry-run"), 0, ("dev_valve.zip",)),
    (("index", "mine", "--machine", "fan"), 3, ("cut.wav", "truncated")),
    (("extract-features", "--dataset", "synthetic", "--on-error", "skip"), 3, (BROKEN, "truncated", "errors-extract")),
    (("run", "extract-features", "--on-error", "skip", "--force"), 3, (BROKEN, "truncated", "errors-extract")),
    (("train", "--epochs", "1", "--force"), 0, ("no waveform features of valve: left out",)),
    (("embed", "--force"), 0, ("no waveform features of valve: left out", BROKEN, "extract-features left them out")),
    (("score", "--method", "nn", "--run", "runs/brought"), 3, ("fan-odd", "condition anomaly", "errors-score")),
    (("score", "--method", "nn", "--run", "runs/brought"), 3, ("fan-odd", "condition anomaly", "errors-score")),
    (("score", "--method", "nn", "--dataset", "synthetic"), 0, ()),
    (("train", "--model", "autoencoder", "--epochs", "1"), 0, ("no waveform features of valve: left out",)),
    (("score", "--method", "mse"), 0, ("features of valve: left out", BROKEN, "not scored: extract-features left")),
    (("score", "--from", "far.csv", "--run", "runs/synthetic"), 3, ("nobodys", "not in clips.parquet", "errors")),
    (("score", "--from", "far.csv", "--run", "runs/synthetic"), 3, ("nobodys", "not in clips.parquet", "errors")),
    (
        ("fuse", "nn", "nn+smooth:k=2,data=all,level=clip", "--by=mean", "--run=runs/other", "-o", "fused.parquet"),
        0,
        ("training clips are left out", "scores of test clips alone"),
    ),
    (("smooth", "-k", "2", *MIXED, "--run", "runs/mixed"), 0, ("no embeddings of pump: left out",)),
    (
        ("tune", "-k", "1,2", "--clusters", "none", "--choose", "00", "--report", "00", *MIXED, "--run", "runs/mixed"),
        0,
        ("no embeddings of pump: left out",),
    ),
    (("threshold", "runs/brought/scores/nn.parquet", "-o", "limits.parquet"), 0, ()),
    (
        ("threshold", "runs/other/scores/nn.parquet", "--thresholds", "limits.parquet", "--decisions", "d.csv"),
        0,
        ("no threshold for gearbox (nn): no decision there",),
    ),
    (
        ("plot", "p-values", "--run", "runs/other"),
        0,
        ("no p-values of nn+smooth:k=2,data=all,level=clip, fan", "no scores of training clips"),
    ),
    (("evaluate", *BOTH), 3, (BROKEN, "not scored", "no scores for valve")),
    (("threshold", *BOTH), 0, ()),
    (
        ("evaluate", "runs/synthetic/scores/far.parquet", *BOTH, "--compare", "nn", "far"),
        3,
        (BROKEN, "is scored by only one of nn and far and left out"),
    ),
    (
        ("submit", "--label", "Doe_Lab", "--edition", "dcase2023", "--subset", "dev", "-o", "package", *BOTH),
        3,
        ("anomaly_score_ToyCar_section_00_test.csv is missing",),
    ),
    (("submit", "--check", "package/dev", "--edition", "dcase2023", "--subset", "dev"), 1, ("ToyCar", "is missing")),
    (("evaluate", "--run", "runs/synthetic"), 3, (BROKEN, "not scored")),
    (("learn", "healthy", "--machine", "press", "--run", "runs/press"), 3, ("cut.wav", "truncated")),
    (("check", "healthy", "--run", "runs/press"), 3, ("cut.wav", "truncated")),
    (("reference", "add", "healthy", "--run", "runs/press"), 3, ("cut.wav", "truncated")),
    (("log", "runs/synthetic"), 0, ("the last line of", "is not whole, and left out")),
    (("sweep", "pumps.toml", "--engine", HERE), 3, ("synthetic/logmel/seed-0 failed", "unknown machine type 'pump'")),
    (
        ("bench", "trained", "-m", "nn", "--editions", "2020,synthetic", "--bootstrap", "10", "--engine", HERE),
        3,
        ("not there: dcase2020 dev and eval: asd download dcase2020 --subset dev --subset eval",),
    ),
    (("table", "varmin"), 0, ("runs/other is left out: it was not evaluated: asd evaluate --run runs/other",)),
    (
        ("explain", "source_test_normal_0001_spd_1320_bkg_B", "-m", "nn", "--run", "runs/synthetic", "--no-occlude"),
        0,
        ("shorter than a log-mel frame",),
    ),
    (("report", "-m", "nn", "--run", "runs/synthetic", "--audio", "none"), 0, (BROKEN, "not scored")),
]
SILENT_READERS = {"doctor", "drift", "history", "show"}
"""Commands that leave nothing out, because they make nothing."""
WHOLE = {"confirm", "fuse"}
"""Commands that do all of what is asked, or nothing."""


def quiet(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> Answer:
    capsys.readouterr()
    code = call([*words, "-q"])
    return code, *capsys.readouterr()


def commands() -> set[str]:
    """Those that have --quiet."""
    from typer.main import get_command

    found = get_command(build()).commands  # type: ignore[attr-defined]
    return {name for name, command in found.items() if any("--quiet" in p.opts for p in command.params)}


# --- nothing to say ------------------------------------------------------------------------------------------------

HEALTHY = {n: line for n, line in REPORTS.items() if n not in ("submit", "bench")}  # which lack what was not made
HEALTHY_TOO = {
    "download --verify": ("download", "dcase2022", "--verify", "--machine-type", "fan"),
    "download --dry-run": ("download", "dcase2022", "--dry-run", "--from-dir", "held", "--machine-type", "fan"),
    "threshold --decisions": ("threshold", "--decisions", "d.csv", "--force"),
    "evaluate --verbose": ("evaluate", "-v", "--csv", "r.csv", "--bootstrap", "10"),
    "score --verbose": ("score", "-v", "-m", "kmeans", "-o", "kmeans.parquet"),
    "smooth --fraction": (*REPORTS["smooth"], "--fraction", "0.5:1:0.5", "--repeats", "1"),
    "doctor --verify": ("doctor", "--verify"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole chain has run, with an edition beside it."""
    place = tmp_path_factory.mktemp("finished")
    held(place / "held")
    return typed(
        place, "download dcase2022 --from-dir held --machine-type fan --no-truth", *CHAIN.values(), *PLAIN, *LEARNED
    )


@pytest.mark.parametrize("what", [*(name for name in HEALTHY if name in commands()), *HEALTHY_TOO])
def test_a_command_that_leaves_nothing_out_prints_nothing(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    monkeypatch.chdir(finished)
    assert quiet((HEALTHY | HEALTHY_TOO)[what], capsys) == (0, "", "")


def test_errors_are_printed_with_their_hints(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = quiet(["download", "dcase2032"], capsys)
    assert code == 2 and out == ""
    assert [line.partition(":")[0] for line in err.splitlines()] == ["error", "hint"]


def test_warnings_of_other_things_are_kept_for_json_alone(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    for i in range(3):
        (tmp_path / "mine" / f"{i}.wav").write_bytes(wav(seed=i))
    assert quiet(["index", "mine", "--machine", "fan", "--json"], capsys)[0] == 0
    code, out, err = quiet(["index", "mine", "--machine", "fan", "--json", "--force"], capsys)
    assert (code, err) == (0, "")
    assert any("NOT LABELLED" in sentence for sentence in json.loads(out)["warnings"])
    assert asd("index", "mine", "--machine", "fan", "--force") == 0
    assert "warning: NOT LABELLED" in capsys.readouterr().err


def test_doctor_names_problems_alone(
    finished: Path, asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished / "runs", tmp_path / "runs")
    shutil.copytree(finished / "data", tmp_path / "data")
    (tmp_path / "runs/synthetic/embeddings.parquet").write_bytes(b"no table")
    code, out, err = quiet(["doctor", "--run", "runs/synthetic"], capsys)
    assert (code, err) == (1, "") and out
    assert {line.partition(" ")[0] for line in out.splitlines()} == {"problem"}


# --- what was left out ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[Answer]:
    """What every line of LOSSES answers, one after the other."""
    place = tmp_path_factory.mktemp("losses")
    held(place / "held", {f"fan/test/{ODD}": wav()})
    (place / "mine").mkdir()
    (place / "mine" / "whole.wav").write_bytes(wav())
    (place / "mine" / "cut.wav").write_bytes(wav()[:20])
    (place / "healthy").mkdir()
    for seed in range(4):
        (place / "healthy" / f"{seed}.wav").write_bytes(wav(1.0, seed=seed))
    (place / "healthy" / "cut.wav").write_bytes(wav()[:20])
    typed(place, "download synthetic --size tiny --machine-type fan --machine-type valve")
    broken = next((place / "data/synthetic").rglob(f"fan/test/{BROKEN}*.wav"))
    broken.write_bytes(broken.read_bytes()[:2000])
    brought(place, "brought.npz", ("fan", "pump"), odd="fan")
    brought(place, "fan.npz", ("fan",))
    brought(place, "gearbox.npz", ("fan", "gearbox"))
    typed(
        place,
        "embed --from brought.npz --run runs/brought",
        "embed --from brought.npz --run runs/mixed",
        "embed --from fan.npz -o fan.parquet --run runs/alone",
        "embed --from gearbox.npz --run runs/other",
        "score --method nn --run runs/other",
        "smooth -m nn -k 2 --level clip --run runs/other",
    )
    return [answer(place, line) for line, _, _ in LOSSES]


def brought(place: Path, name: str, machine_types: Sequence[str], *, odd: str | None = None) -> None:
    """Vectors of a few clips a machine type; of `odd` there is an anomalous training clip too."""
    rng = np.random.default_rng(0)
    labels: dict[str, list[str]] = {n: [] for n in ("clip_id", "machine_type", "section", "split", "condition")}
    for m in machine_types:
        clips = [
            (f"{m}-{i}", m, "00", "train" if i < 8 else "test", "anomaly" if i > 11 else "normal") for i in range(16)
        ]
        clips += [(f"{m}-odd", m, "00", "train", "anomaly")] if m == odd else []
        for clip in clips:
            for column, value in zip(labels.values(), clip, strict=True):
                column.append(value)
    np.savez(place / name, vectors=rng.normal(size=(len(labels["clip_id"]), 4)), **labels)


def answer(place: Path, line: Sequence[str]) -> Answer:
    """What a line answers; what it is to find lacking is taken away before."""
    if line[0] == "train":  # of the features of both, one goes
        (place / "runs/synthetic/features/waveform/valve.npz").unlink(missing_ok=True)
    if line[0] == "explain":  # of what is nearest, some
        for path in sorted((place / "data/synthetic").rglob("fan/train/*.wav"))[:20]:
            path.write_bytes(wav())
    if "far.csv" in line:
        clips = sorted(p.relative_to(place / "data/synthetic") for p in (place / "data/synthetic").rglob("fan/*/*.wav"))
        with (place / "far.csv").open("w", newline="") as file:
            rows = [["clip_id", "anomaly_score"], ["nobodys", 1.0]]
            csv.writer(file).writerows([*rows, *([p.with_suffix("").as_posix(), 0.5] for p in clips)])
    if line[0] == "log":
        with (place / "runs/synthetic/model/metrics.jsonl").open("a") as file:
            file.write('{"epoch": 2, "lo')
    if line[0] == "sweep":
        (place / line[1]).write_text(PUMPS)
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(place)
        return call([*line, "-q"]), out.getvalue(), err.getvalue()


@pytest.mark.parametrize("i", range(len(LOSSES)), ids=[f"{i}-{line[0]}" for i, (line, _, _) in enumerate(LOSSES)])
def test_what_is_left_out_is_named_with_the_reason_and_nothing_else_is_said(said: list[Answer], i: int) -> None:
    line, code, named = LOSSES[i]
    got, out, err = said[i]
    assert got == code, (line, out, err)
    assert "--check" in line or out == ""
    for word in named:
        assert word in err + out, (line, word)
    assert bool(err + out) == bool(named)
    assert {text.partition(":")[0] for text in err.splitlines()} <= {"warning"}


def test_every_command_that_has_the_option_is_tried() -> None:
    tried = {line[0] for line, _, named in LOSSES if named}
    assert tried | SILENT_READERS | WHOLE == commands() == {*REPORTS} & commands()
