"""The Makefile's edition targets: which commands come out, that those commands exist, and the chain for real."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asdcli import catalogue
from asdcli.plots import PLOTS
from tests.helpers.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("download", "extract-features", "train", "embed", "score", "evaluate")
EDITIONS = ["synthetic", *(name for name in catalogue.names() if catalogue.load(name).records)]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def make(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run make on the Makefile with this very interpreter's `asd`, without making a .venv."""
    asd = f"{sys.executable} -m asdcli"
    command = ["make", "-f", str(ROOT / "Makefile"), "--no-print-directory", "READY=", f"ASD={asd}", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S)


def typed(*arguments: str) -> list[list[str]]:
    """The words after `asd` of every command that `make -n` shows."""
    done = make("-n", *arguments)
    assert done.returncode == 0, done.stderr
    lines = [shlex.split(line) for line in done.stdout.splitlines()]
    return [words[3 : words.index("||") if "||" in words else None] for words in lines]


def test_the_editions_of_the_makefile_are_those_of_the_catalogue() -> None:
    for edition in EDITIONS:
        assert [words[0] for words in typed(edition)] == list(STAGES)


def test_an_edition_runs_from_download_to_evaluate_with_what_was_overridden() -> None:
    settings = ["METHODS=nn varmin:k=16,val=test-all", "SEED=7", "DEVICE=cuda", "EPOCHS=3", "RUN=/tmp/my run"]
    where = ["--dataset", "dcase2023", "--run", "/tmp/my run"]
    assert typed("dcase2023", *settings, "SUBSETS=dev eval") == [
        ["download", "dcase2023", "--subset", "dev", "--subset", "eval"],
        ["extract-features", *where],
        ["train", *where, "--seed", "7", "--device", "cuda", "--epochs", "3"],
        ["embed", *where, "--device", "cuda"],
        ["score", *where, "--seed", "7", "--method", "nn", "--method", "varmin:k=16,val=test-all"],
        ["evaluate", *where],
    ]


def test_each_stage_has_a_target_of_its_own_that_takes_further_options() -> None:
    for stage in STAGES:
        ((command, *options),) = typed(f"dcase2021-{stage}", "ARGS=--json --quiet")
        assert command == stage
        assert options[-2:] == ["--json", "--quiet"]
    assert typed("dcase2023-score", "METHODS=nn varmin")[0][-4:] == ["--method", "nn", "--method", "varmin"]


def test_a_channel_is_typed_only_where_it_is_asked_for() -> None:
    assert typed("dcase2026-extract-features", "CHANNEL=far")[0][-2:] == ["--channel", "far"]
    assert "--channel" not in typed("dcase2026-extract-features")[0]


def test_an_edition_of_ones_own_has_its_targets(tmp_path: Path) -> None:
    (tmp_path / "plant7.toml").touch()
    assert typed("plant7-score", f"ASD_EDITIONS=/nowhere:{tmp_path}")[0][:3] == ["score", "--dataset", "plant7"]


def test_the_epochs_of_the_smoothing_demo_are_those_of_the_embedding() -> None:
    of = {words[2].partition(":")[0]: words for words in typed("dns-demo", "EPOCHS=40") if words[0] == "train"}
    assert "--epochs" not in of["autoencoder"]
    assert of["serial-oe"][of["serial-oe"].index("--epochs") + 1] == "40"


def test_the_papers_take_both_parts_of_their_editions_or_a_stand_in() -> None:
    lines = typed("paper-varmin")
    assert [words[1:] for words in lines if words[0] == "download"] == [
        [f"dcase{year}", "--subset", "dev", "--subset", "eval"] for year in (2021, 2022, 2023, 2024)
    ]
    assert lines[4][:2] == ["sweep", "varmin-tables"]
    part, stand_in = typed("paper-varmin", "DATASETS=dcase2024"), typed("paper-dns", "DATASETS=synthetic")
    assert part[1][:4] == ["sweep", "varmin-tables", "--only", "dcase2024"]
    assert stand_in[0] == ["download", "synthetic", "--size", "dcase2021"]
    assert stand_in[1][:2] == ["sweep", "dns-stand-in"]
    for words in (*lines, *part, *stand_in):
        if words[0] == "plot":
            assert PLOTS.build(words[1])


def test_every_option_that_the_targets_type_exists() -> None:
    from typer.main import get_command

    from asdcli.cli import build

    commands = get_command(build()).commands  # type: ignore[attr-defined]
    lines = [*typed("synthetic", "EPOCHS=1", "RUN=r", "CHANNEL=0"), *typed("dcase2023", "SUBSETS=dev eval")]
    lines += [*typed("demo"), *typed("dns-demo"), *typed("dcase2021-dns", "DEVICE=cuda")]
    lines += [*typed("paper-varmin"), *typed("paper-dns", "ENGINE=ray"), *typed("paper-varmin", "DATASETS=synthetic")]
    for command, *words in lines:
        known = {name for parameter in commands[command].params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, command


def test_help_names_editions_and_stages() -> None:
    told = make("help").stdout
    for word in (*EDITIONS, *STAGES, "METHODS", "SEED", "DEVICE", "demo", "clean"):
        assert word in told


def test_a_stage_restarts_where_it_stopped_and_data_goes_where_it_was_told(tmp_path: Path) -> None:
    settings = ("synthetic-download", "SIZE=tiny", f"DATA={tmp_path / 'sounds'}", "ARGS=--machine-type fan")
    first, second = make(*settings, cwd=tmp_path), make(*settings, cwd=tmp_path)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "wrote" in first.stderr and "up to date" in second.stderr
    assert (tmp_path / "sounds" / "synthetic" / "clips.parquet").exists()


def test_a_stage_that_skipped_clips_does_not_stop_the_others_and_one_that_failed_does(tmp_path: Path) -> None:
    for code, expected in ((3, len(STAGES)), (1, 1)):
        fake, log = tmp_path / f"asd{code}", tmp_path / f"log{code}"
        fake.write_text(f"#!/bin/sh\necho $1 >> {log}\nexit {code}\n")
        fake.chmod(0o755)
        done = make("dcase2020", f"ASD={fake}", cwd=tmp_path)
        assert len(log.read_text().split()) == expected
        assert (done.returncode == 0) == (code == 3)


@pytest.mark.slow
def test_the_whole_chain_on_the_synthetic_dataset_ends_with_an_official_score(tmp_path: Path) -> None:
    settings = ("synthetic", "SIZE=tiny", "EPOCHS=1", "METHODS=nn varmin", f"DATA={tmp_path / 'data'}")
    first = make(*settings, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    line = "synthetic|dev|machines:2|embedder:discriminative:centers=fixed,epochs=1|method:nn|seed:0|made:"
    assert line in first.stdout
    assert (tmp_path / "runs" / "synthetic" / "results.parquet").exists()
    model = tmp_path / "runs" / "synthetic" / "model" / "weights.safetensors"
    before = model.stat().st_mtime_ns
    again = make(*settings, cwd=tmp_path)
    assert again.returncode == 0
    assert again.stderr.count("up to date") >= 5
    assert model.stat().st_mtime_ns == before
