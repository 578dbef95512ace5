"""The promises of the command line, kept by every command: help, usage errors, --json, interruption, and full disks."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asdcli import artifacts
from asdcli.cli import COMMANDS, GROUPS, build
from asdcli.cli import call as asd_run
from asdcli.cli.console import Terminal
from asdcli.pipeline.chain import STAGES
from asdcli.pipeline.workspace import Workspace
from tests.helpers.sweeps import HERE
from tests.helpers.typed import typed
from tests.helpers.waiting import PATIENCE_S, wait_until

Asd = Callable[..., int]

CHAIN: dict[str, tuple[str, ...]] = {  # a stage -> its command line on a tiny dataset
    "download": ("download", "synthetic", "--size", "tiny", "--machine-type", "fan"),
    "extract-features": ("extract-features",),
    "train": ("train", "--epochs", "2"),
    "embed": ("embed",),
    "score": ("score", "--method", "nn"),
    "threshold": ("threshold",),
    "evaluate": ("evaluate",),
}
PLAIN = tuple(
    f"{line} --run runs/plain"
    for line in (
        *("extract-features --features logmel", "embed --embedder logmel", "score -m nn", "threshold"),
        "check data/synthetic/dev_data/raw/fan/train",
    )
)
"""A run beside it in which no model has seen a clip."""
RAW = "data/synthetic/dev_data/raw/fan"
OWN = ("--run", "runs/learned", "--data", "own")
LEARNED = (["learn", f"{RAW}/train", *OWN], ["check", f"{RAW}/test", "--why", "0", *OWN])
"""A run of a data root of its own that was learned, and in which recordings were checked."""
LONG = ("download", "index", "extract-features", "train", "embed", "score")


def commands() -> dict[str, Any]:
    from typer.main import get_command

    return dict(get_command(build()).commands)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder in which every stage of the chain has run."""
    return typed(tmp_path_factory.mktemp("finished"), *CHAIN.values(), *PLAIN, *LEARNED)


def before(stage: str, finished: Path, here: Path) -> None:
    """Put into `here` what `stage` reads, and no more of what the stages before it made."""
    if stage == "download":
        return
    shutil.copytree(finished / "data" / "synthetic", here / "data" / "synthetic")
    space = Workspace(finished / "data", finished / "runs" / "synthetic", "synthetic")
    for source in (path for files in STAGES[stage].reads for path in files.find(space)):
        target = here / source.relative_to(finished)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


def line_of(stage: str) -> tuple[str, ...]:
    return CHAIN.get(stage, ("index", "data/synthetic/dev_data", "--name", "mine"))


def temporaries(place: Path) -> list[str]:
    """Files that only an unfinished write leaves behind."""
    return [p.name for p in place.rglob("*") if p.name.endswith((".tmp", ".part")) and p.is_file()]


def check_whole(place: Path) -> None:
    """Every artifact that is there can be read to its end."""
    kinds = {
        "clips": artifacts.CLIPS,
        "embeddings": artifacts.EMBEDDINGS,
        "results": artifacts.RESULTS,
        "thresholds": artifacts.THRESHOLDS,
        "errors-index": artifacts.ERRORS,
    }
    for path in place.rglob("*.parquet"):
        kind = artifacts.SCORES if path.parent.name == "scores" else kinds[path.stem]
        artifacts.read_table(path, kind)
    for path in place.rglob("features/*/*.npz"):
        artifacts.read_arrays(path, artifacts.FEATURES)
    if (place / "runs" / "synthetic" / "model" / "card.json").exists():
        from asdcli.training.model_files import read_model

        read_model(place / "runs" / "synthetic" / "model")


# --- help and usage ------------------------------------------------------------------------------------------------


def test_every_command_has_help_and_so_has_each_of_its_options() -> None:
    found = commands()
    assert list(found) == list(COMMANDS)
    silent = [f"{name} {p.opts[0]}" for name, c in found.items() for p in c.params if not getattr(p, "help", None)]
    assert not silent
    for name, command in found.items():
        first = (command.help or "").split("\n\n")[0]
        assert len(first) > 20 and first.rstrip().endswith((".", ":")), name


def test_help_lists_every_command_once_under_what_people_come_for(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    assert asd("--help") == 0
    told = capsys.readouterr().out
    listed: dict[str, list[str]] = {}
    for line in told.splitlines():
        words = line.strip("│ ").split()
        if line.startswith("╭"):
            listed[line.strip("╭─╮ ")] = panel = []
        elif listed and words and words[0] in COMMANDS:
            panel.append(words[0])
    assert {group: names for group, names in listed.items() if names} == {g: list(of) for g, of in GROUPS.items()}
    assert sorted(COMMANDS) == sorted(name for of in GROUPS.values() for name in of)


def test_an_option_means_the_same_in_every_command() -> None:
    meanings: dict[str, dict[str, list[str]]] = {}
    shared = {"--run", "--data", "--dataset", "--force", "--json", "--quiet", "--machine-type", "--device", "--output"}
    for name, command in commands().items():
        for parameter in command.params:
            for option in shared & set(parameter.opts):
                meanings.setdefault(option, {}).setdefault(parameter.help, []).append(name)
    assert {option: said for option, said in meanings.items() if len(said) > 1} == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_a_usage_error_that_points_at_the_help(
    asd: Asd, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert asd(command, "--no-such-option") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: No such option")
    assert f"hint: see: asd {command} --help" in told.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_is_printed_to_stdout(asd: Asd, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert asd(command, "--help") == 0
    told = capsys.readouterr()
    assert f"asd {command}" in told.out and told.err == ""


def test_an_unknown_command_is_a_usage_error(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    assert asd("scroe") == 2
    told = capsys.readouterr().err
    assert told.startswith("error: No such command 'scroe'") and "hint:" in told


# --- results to stdout, talk to stderr -----------------------------------------------------------------------------

ELSEWHERE = ("--scores", "runs/synthetic", "--embeddings", "runs/synthetic/embeddings.parquet", "--run", "runs/other")
REPORTS: dict[str, tuple[str, ...]] = {
    **CHAIN,
    "index": ("index", "data/synthetic/dev_data", "--name", "mine", "--data", "other"),
    "learn": ("learn", "data/synthetic/dev_data/raw/fan/train", "--run", "runs/learnt", "--data", "other"),
    "check": ("check", "data/synthetic/dev_data/raw/fan/train", "--run", "runs/plain", "--csv", "checks.csv"),
    "confirm": ("confirm", f"{RAW}/test/section_00_source_test_normal_0000_spd_1320_bkg_A.wav", "normal", *OWN),
    "reference": ("reference", "list", *OWN),
    "history": ("history", "runs/plain"),
    "drift": ("drift", "runs/plain"),
    "run": ("run", "embed", "score", "evaluate", "--method", "nn"),
    "datasets": ("datasets",),
    "methods": ("methods", "varmin"),
    "models": ("models",),
    "doctor": ("doctor",),
    "show": ("show", "runs/synthetic/scores/nn.parquet"),
    "smooth": ("smooth", "-k", "2", *ELSEWHERE),
    "tune": ("tune", "-k", "1,2", "--clusters", "none", "--choose", "00", "--report", "00", *ELSEWHERE),
    "fuse": ("fuse", "runs/synthetic:nn", "runs/plain", "--run", "runs/fused"),
    "plot": ("plot", "p-values", "--run", "runs/plain", "--numbers", "p-values.csv"),
    "table": ("table", "varmin", "runs/synthetic", "-o", "table.csv"),
    "bench": ("bench", "logmel", "-m", "nn", "--bootstrap", "10", "--engine", HERE, "-o", "bench.csv"),
    "sweep": ("sweep", "--init", "varmin", "--force"),
    "log": ("log", "runs/synthetic", "--to", "tensorboard"),
    "explain": ("explain", "source_test_normal_0001_spd_1320_bkg_B", "--run", "runs/plain", "-o", "why.svg"),
    "report": ("report", "runs/plain", "--audio", "none"),
    "submit": ("submit", "--label", "Doe_Lab", "--edition", "dcase2023", "--subset", "dev", "-o", "package"),
}
TELL = ("datasets", "methods", "models")
"""Commands that tell what is known, and touch no file."""
LISTERS = ("doctor", "drift", "history", "reference", "show")
"""Commands that list what is there, and write nothing."""
UNWANTED: dict[str, tuple[str, ...]] = {  # a command -> what it refuses, where a wrong device is not that
    "download": ("download", "dcase2032"),
    "index": ("index", "nowhere"),
    "learn": ("learn", "nowhere"),
    "check": ("check", "nowhere"),
    "confirm": ("confirm", "0071.wav", *OWN),
    "reference": ("reference", "add", *OWN),
    "history": ("history", "runs/none"),
    "drift": ("drift", "runs/none"),
    "datasets": ("datasets", "dcase2032"),
    "methods": ("methods", "vramin"),
    "models": ("models", "dual-brunch"),
    "doctor": ("doctor", "--run", "runs/synthetic", "--dataset", "other"),
    "show": ("show", "runs/synthetic/run.json"),
    "fuse": ("fuse", "nn"),
    "plot": ("plot", "p-valeus"),
    "table": ("table", "vramin"),
    "bench": ("bench", "logmle"),
    "sweep": ("sweep", "varmin-tabels"),
    "log": ("log", "--to", "tensorbord"),
    "explain": ("explain", "nobody", "--run", "runs/plain"),
    "report": ("report", "--audio", "loud"),
}


SHAPE = {
    "schema": str,
    "command": str,
    "status": str,
    "outputs": list,
    "facts": dict,
    "warnings": list,
    "exit_code": int,
}
OUTPUT = {"path": str, "kind": str, "status": str, "skipped": int, "method": (str, type(None))}


def check_shape(told: dict[str, Any], shape: dict[str, Any]) -> None:
    assert list(told) == list(shape)
    for name, kind in shape.items():
        assert isinstance(told[name], kind), name


def test_every_command_is_tried_with_json() -> None:
    assert set(REPORTS) == set(COMMANDS)


@pytest.mark.parametrize("command", REPORTS)
def test_json_is_exactly_one_object_of_one_shape_on_stdout_and_quiet_means_silence_on_stderr(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(finished)
    quiet = [] if command in TELL else ["--quiet"]
    force = ["--force"] if command in ("score", "threshold", "embed") else []
    code = asd_run([*REPORTS[command], *force, "--json", *quiet])
    said = capsys.readouterr()
    told = json.loads(said.out)
    check_shape(told, SHAPE)
    assert (told["schema"], told["command"], told["exit_code"]) == ("asd/1", command, code)
    assert code == (3 if command == "submit" else 0)  # which lacks the machine types that were not made
    for output in told["outputs"]:
        check_shape(output, OUTPUT)
        assert output["status"] in ("done", "current") and Path(output["path"]).exists()
    assert told["status"] == ("current" if {o["status"] for o in told["outputs"]} == {"current"} else "done")
    assert bool(told["outputs"]) == (command not in (*TELL, *LISTERS))
    heard = [line.removeprefix("warning: ") for line in said.err.splitlines()]
    assert set(heard) <= set(told["warnings"])
    assert bool(heard) == (code == 3)  # what was left out is named


@pytest.mark.parametrize("command", REPORTS)
def test_an_error_is_a_json_object_too(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(finished)
    code = asd_run([*UNWANTED.get(command, (command, "--run", "runs/none", "--dataset", "none")), "--json"])
    said = capsys.readouterr()
    told = json.loads(said.out)
    check_shape(told, {"schema": str, "command": str, "status": str, "error": dict, "exit_code": int})
    assert (told["schema"], told["command"], told["status"]) == ("asd/1", command, "error")
    assert told["exit_code"] == code and code in (1, 2)
    assert list(told["error"]) == ["kind", "message", "hint"]
    assert f"error: {told['error']['message']}" in said.err


def test_what_no_command_understands_is_a_json_object_too(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    assert asd("scroe", "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["command"], told["error"]["kind"], told["exit_code"]) == (None, "usage", 2)
    assert asd("train", "--epochs", "two", "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["command"], told["error"]["hint"]) == ("train", "see: asd train --help")


@pytest.mark.parametrize(
    "command",
    [
        c
        for c in REPORTS
        if c not in (*TELL, *LISTERS, "run", "evaluate", "index", "learn", "check", "confirm", "submit")
    ],
)
def test_without_json_a_stage_keeps_stdout_clean(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(finished)
    assert asd_run([*REPORTS[command]]) == 0
    told = capsys.readouterr()
    assert told.out == "" or command in ("threshold", "tune", "explain")  # which show a table
    assert "up to date" in told.err or "wrote" in told.err


def test_a_second_run_of_every_stage_finds_nothing_to_do(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished)
    for stage, line in CHAIN.items():
        if stage == "evaluate":  # which always measures
            continue
        capsys.readouterr()
        assert asd_run([*line, "--json", "--quiet"]) == 0
        assert json.loads(capsys.readouterr().out)["status"] == "current", stage


def test_every_stage_without_its_input_names_the_command_that_makes_it(
    asd: Asd, capsys: pytest.CaptureFixture[str], tmp_path: Path, finished: Path
) -> None:
    shutil.copytree(finished / "data", tmp_path / "data")
    for stage, needed in (
        ("train", "asd extract-features"),
        ("embed", "asd train"),
        ("score", "asd embed"),
        ("evaluate", "asd score"),
        ("threshold", "asd score"),
    ):
        assert asd(*CHAIN[stage]) == 1, stage
        told = capsys.readouterr().err
        assert "error:" in told and needed in told, stage
    assert not list((tmp_path / "runs").rglob("*.parquet"))


# --- interruption --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("stage", LONG)
def test_an_interrupted_stage_leaves_only_whole_files_and_the_next_call_finishes(
    finished: Path,
    tmp_path: Path,
    asd: Asd,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    number: signal.Signals,
    code: int,
) -> None:
    """A real signal to this very process, sent while the stage is amid its work: at the first step it counts."""
    before(stage, finished, tmp_path)
    original = Terminal.track
    sent: list[int] = []

    def track(self: Terminal, items: Any, **options: Any) -> Iterator[Any]:
        for item in original(self, items, **options):
            yield item
            if not sent:
                sent.append(number)
                os.kill(os.getpid(), number)

    handlers = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        with monkeypatch.context() as patch:
            patch.setattr(Terminal, "track", track)
            assert asd(*line_of(stage)) == code
        assert sent == [number]
        told = capsys.readouterr().err
        assert "run the same command again to go on from here" in told and "Traceback" not in told
        assert temporaries(tmp_path) == []
        check_whole(tmp_path)
        assert asd(*line_of(stage), "--quiet") == 0
        assert temporaries(tmp_path) == []
        check_whole(tmp_path)
    finally:
        for s, handler in handlers.items():
            signal.signal(s, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_program_ends_with_the_exit_code_of_its_signal(tmp_path: Path, number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-m", "asdcli", "download", "synthetic", "--size", "full"]
    program = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: any(tmp_path.rglob("*.wav")), program)
        program.send_signal(number)
        _, told = program.communicate(timeout=PATIENCE_S)
    finally:
        program.kill()
    assert program.returncode == code, told
    assert "go on from here" in told and "Traceback" not in told
    assert temporaries(tmp_path) == []


# --- places that cannot be written ---------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [s for s in CHAIN if s != "download"])
def test_a_run_below_a_file_is_an_error_in_words(
    finished: Path, tmp_path: Path, asd: Asd, capsys: pytest.CaptureFixture[str], stage: str
) -> None:
    before(stage, finished, tmp_path)
    (tmp_path / "file").touch()
    inputs = {
        "train": ["-o", "file/model"],
        "embed": ["-o", "file/e.parquet"],
        "score": ["-o", "file/s.parquet"],
        "threshold": ["-o", "file/t.parquet"],
        "evaluate": ["-o", "file/r.parquet"],
    }
    assert asd(*CHAIN[stage], *inputs.get(stage, ["--run", "file/run"])) == 1
    told = capsys.readouterr().err
    assert "error:" in told and "file" in told and "Traceback" not in told


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A file system of so many KiB (a real one: only root may mount it)."""
    mounted: list[Path] = []

    def mount(kib: int) -> Path:
        place = tmp_path / "disk"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", str(place)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"needs the right to mount a small disk: {done.stderr.strip()}")
        mounted.append(place)
        return place

    if shutil.which("mount") is None or not hasattr(os, "getuid") or os.getuid() != 0:
        pytest.skip("needs the right to mount a small disk")
    yield mount
    for place in mounted:
        with contextlib.suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("stage", LONG)
def test_a_full_disk_is_an_error_in_words_that_keeps_what_was_made(
    finished: Path,
    tmp_path: Path,
    asd: Asd,
    capsys: pytest.CaptureFixture[str],
    small_disk: Callable[[int], Path],
    stage: str,
) -> None:
    before(stage, finished, tmp_path)
    disk = small_disk(8 if stage in ("index", "score") else 64)
    kept = disk / "kept"
    kept.write_bytes(bytes(4096))
    where = ["--data", str(disk)] if stage in ("download", "index") else ["-o", str(disk / "out")]
    assert asd(*line_of(stage), *where) == 1
    told = capsys.readouterr().err
    assert "error:" in told and "Traceback" not in told
    assert "No space left on device" in told or "full" in told or "free" in told
    assert "hint:" in told
    assert kept.read_bytes() == bytes(4096)
    assert temporaries(disk) == []


def test_want_of_memory_is_an_error_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    from asdcli.cli.boundary import guarded

    def greedy() -> None:
        torch.empty(1 << 55)

    assert guarded(greedy) == 1
    assert "error: out of memory" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="shapes"):
        guarded(lambda: torch.ones(2, 3) @ torch.ones(2, 3))  # a bug keeps its traceback


@pytest.mark.parametrize("command", ["train", "embed", "score"])
def test_a_word_that_is_no_device_is_refused_even_where_there_is_nothing_to_do(
    command: str, finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished)
    assert asd_run([command, "--device", "cudda"]) == 2
    assert "did you mean 'cuda'" in capsys.readouterr().err
