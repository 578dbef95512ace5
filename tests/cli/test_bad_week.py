"""What goes wrong around learn and check: a dead microphone learned, another version of asd, a check amid learning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.pipeline.learning import learning
from asdcli.pipeline.workspace import Workspace
from asdcli.progress import SILENT
from tests.helpers.machines import RATE, healthy, sound, write
from tests.helpers.typed import copied, typed

Asd = Callable[..., int]
RUN = Path("runs/fan-3")


@pytest.fixture(scope="module")
def learned_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a fan was learned, and a recording of this week lies."""
    place = tmp_path_factory.mktemp("learned")
    healthy(place / "fan 3", 12)
    write(place / "week.wav", sound(np.random.default_rng(9)))
    return typed(place, ["learn", "fan 3"])


@pytest.fixture
def learned(learned_once: Path, asd: Asd, tmp_path: Path) -> Workspace:
    """A copy of it, the working folder."""
    copied(learned_once, tmp_path)
    return Workspace(Path("data"), RUN, "fan-3")


def test_what_a_dead_microphone_recorded_is_not_learned_as_normal(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(3):
        write(tmp_path / "fan 3" / f"{i}.wav", np.zeros(RATE // 4, np.int16))
    healthy(tmp_path / "pump 2", 4)
    assert asd("learn", "fan 3", "pump 2", "--embedder", "logmel", "--run", "runs/both") == 1
    assert "not one recording of fan 3 has any sound: the microphone was dead" in capsys.readouterr().err
    assert asd("check", "pump 2", "--run", "runs/both") == 1
    assert "nothing was learned there" in capsys.readouterr().err
    assert asd("learn", "pump 2") == 0


def test_what_another_version_learned_is_told_of_once(
    asd: Asd, learned: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = learned.detector("nn")
    arrays, header = artifacts.read_arrays(path, artifacts.DETECTOR)
    artifacts.write_arrays(path, arrays, replace(header, asdcli="0.0.9"))
    for command in ("check", "explain"):
        assert asd(command, "week.wav") == 0
        said = capsys.readouterr().err
        assert said.count("was made by asdcli 0.0.9, and this is") == 1 and "(--force)" in said
    artifacts.write_arrays(path, arrays, replace(header, version=99, asdcli="9.0"))
    assert asd("check", "week.wav") == 1
    assert "reads up to 1" in capsys.readouterr().err


def test_amid_learning_a_check_sees_what_is_whole_or_is_told_to_come_back(
    asd: Asd, learned: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with learning(learned, SILENT):
        assert asd("check", "week.wav") == 0  # what was learned before
        scores, header = artifacts.read_table(learned.scores("nn"), artifacts.SCORES)
        louder = scores.set_column(
            scores.column_names.index("anomaly_score"), "anomaly_score", [scores["anomaly_score"].to_numpy() * 2]
        )
        artifacts.write_table(learned.scores("nn"), artifacts.SCORES, louder, header)  # thresholds are of the old ones
        for command in ("check", "explain"):
            capsys.readouterr()
            assert asd(command, "week.wav") == 1
            told = capsys.readouterr().err
            assert "runs/fan-3 is being learned by" in told and "hint: type it again when that has ended" in told
        assert asd("learn", "fan 3") == 1
        assert "is being written by" in capsys.readouterr().err
    assert asd("check", "week.wav") == 1
    assert "is of other scores than" in capsys.readouterr().err
    assert asd("learn", "fan 3", "-q", "--force") == 0
    assert asd("check", "week.wav") == 0
    assert not list(RUN.glob(".learn*"))


def test_where_names_say_an_anomaly_the_word_is_shown_with_the_option_that_takes_it_back(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    healthy(tmp_path / "faulty line", 4)  # well, and of a line that is called so
    assert asd("learn", "faulty line", "--machine", "fan") == 1
    told = capsys.readouterr().err
    assert "4 its name says an anomaly" in told
    assert "its name says an anomaly: 'faulty'" in told and "--condition-word faulty=none" in told
    assert asd("learn", "faulty line", "--machine", "fan", "--condition-word", "faulty=none", "-q") == 0


def test_a_page_stands_where_the_history_is_damaged_and_no_folder_is_taken_for_a_page(
    asd: Asd, learned: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    learned.history.write_bytes(b"what was a history once")
    assert asd("check", "week.wav", "--html", "week.html") == 0
    said = capsys.readouterr().err
    assert "what operators said is not on the page: " in said and "history.db is damaged" in said
    assert "hint: move it aside" in said or "(move it aside, and a new one is begun: mv " in said
    assert "what operators said is not on the page" in Path("week.html").read_text(encoding="utf-8")
    for force in ([], ["--force"]):
        assert asd("check", "week.wav", "--html", "fan 3", *force) == 1
        assert "error: fan 3 is a folder" in capsys.readouterr().err
