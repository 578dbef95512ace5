"""`asd doctor`: every trouble is found, named, and answered with a command that ends it."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil
import sys
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asdcli import artifacts
from asdcli.pipeline.diagnosis import State, datasets, machine, software
from asdcli.views.errors_table import write_errors
from tests.helpers.typed import typed
from tests.helpers.whole_run import FILES as EVERYTHING

Asd = Callable[..., int]
Findings = dict[str, dict[str, Any]]


@pytest.fixture
def doctor(asd: Asd, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Findings]:
    """Run `asd doctor --json` and give its findings by name; asking torch for devices is tested on its own."""
    monkeypatch.setattr(machine, "_devices", lambda: iter(()))

    def call(*arguments: object) -> Findings:
        capsys.readouterr()
        code = asd("doctor", "--json", *arguments)
        told = json.loads(capsys.readouterr().out)["facts"]
        problems = [f for f in told["findings"] if f["state"] == "problem"]
        assert told["problems"] == len(problems)
        assert code == (1 if problems else 0)
        return {f["name"]: f for f in told["findings"]}

    return call


def troubles(findings: Findings) -> dict[str, str]:
    return {name: f["text"] for name, f in findings.items() if f["state"] == "problem"}


def wav(path: Path, n: int = 160) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(2 * n))


def noise(path: Path, *, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).normal(0, 3000, 16_000).astype(np.int16), 16_000)


# --- a run ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a tiny dataset and a run of all stages."""
    return typed(
        tmp_path_factory.mktemp("finished"),
        "download synthetic --size tiny --machine-type fan",
        "extract-features",
        "train --epochs 1",
        "embed",
        "score --method nn --seed 3",
        "threshold",
        "evaluate",
    )


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run in the test's own working folder."""
    for name in ("data", "runs"):
        shutil.copytree(finished / name, tmp_path / name)
    return tmp_path / "runs" / "synthetic"


FILES = ("features/waveform/fan", "model", "embeddings", "scores/nn", "detectors/nn", "thresholds", "results")


def type_until_well(doctor: Callable[..., Findings], asd: Asd) -> list[str]:
    """Type what doctor advises for the first problem, again and again; the commands typed."""
    typed: list[str] = []
    while problems := [f for f in doctor().values() if f["state"] == "problem"]:
        assert len(typed) < 12, problems
        typed.append(problems[0]["fix"])
        program, *words = shlex.split(typed[-1])
        assert program == "asd"
        assert asd(*words, "--quiet", *(["--epochs", "1"] if words[0] == "train" else [])) == 0
    return typed


def test_a_finished_run_is_up_to_date_in_every_file(run: Path, doctor: Callable[..., Findings]) -> None:
    found = doctor()
    assert {name: found[name]["text"] for name in FILES} == dict.fromkeys(FILES, "up to date")
    assert not troubles(found)


def test_a_changed_table_of_clips_makes_stale_what_saw_the_change_and_all_after_it(
    run: Path, doctor: Callable[..., Findings], asd: Asd
) -> None:
    path = run.parents[1] / "data" / "synthetic" / "clips.parquet"
    table, header = artifacts.read_table(path, artifacts.CLIPS)
    artifacts.write_table(path, artifacts.CLIPS, table.slice(0, len(table) - 1), header)
    found = troubles(doctor())
    assert found["features/waveform/fan"] == "stale: clips changed"
    # the clip that went was a training clip: the rows are sorted, train after test
    assert found["model"] == "stale: clips changed"
    assert found["scores/nn"] == "stale: embeddings is stale"
    assert found.keys() == set(FILES)


def test_every_stale_file_of_a_run_is_made_again_by_the_commands_that_are_advised(
    run: Path, doctor: Callable[..., Findings], asd: Asd
) -> None:
    assert asd("train", "--epochs", 1, "--seed", 5, "--quiet") == 0
    found = troubles(doctor())
    assert found["embeddings"] == "stale: model changed"
    assert found.keys() == set(FILES[2:])
    typed = type_until_well(doctor, asd)
    assert typed == [
        "asd embed --embedder discriminative",
        "asd score --method nn --seed 3",
        "asd threshold --rule dcase-baseline:quantile=0.9",
        "asd evaluate",
    ]


def test_other_labels_of_test_clips_leave_features_and_model_alone(run: Path, doctor: Callable[..., Findings]) -> None:
    path = run.parents[1] / "data" / "synthetic" / "clips.parquet"
    table, header = artifacts.read_table(path, artifacts.CLIPS)
    words = table["condition"].to_pylist()
    first = next(i for i, split in enumerate(table["split"].to_pylist()) if split == "test")
    words[first] = "anomaly" if words[first] == "normal" else "normal"
    artifacts.write_table(
        path, artifacts.CLIPS, table.set_column(table.column_names.index("condition"), "condition", [words]), header
    )
    assert "features/waveform/fan" not in troubles(doctor())
    assert "model" not in troubles(doctor())
    assert troubles(doctor())["embeddings"] == "stale: clips changed"


def test_what_is_gone_is_a_note_with_the_command_that_made_it_and_what_was_not_made_yet_another(
    run: Path, doctor: Callable[..., Findings]
) -> None:
    shutil.rmtree(run / "model")
    (run / "results.parquet").unlink()
    found = doctor()
    assert not troubles(found)
    assert found["embeddings"]["text"] == "model is gone: this cannot be made again as it is"
    assert found["embeddings"]["fix"].startswith("asd train --model discriminative:")
    assert found["scores/nn"]["text"] == "up to date"
    assert (found["results"]["state"], found["results"]["fix"]) == ("note", "asd evaluate")


def test_damaged_and_newer_files_are_told_apart(run: Path, doctor: Callable[..., Findings]) -> None:
    (run / "embeddings.parquet").write_bytes(b"PAR1 no more")
    path = run / "scores" / "nn.parquet"
    table, header = artifacts.read_table(path, artifacts.SCORES)
    artifacts.write_table(path, artifacts.SCORES, table, dataclasses.replace(header, version=99, asdcli="9.9"))
    found = doctor()
    assert "is not a Parquet file" in found["embeddings"]["text"]
    assert found["embeddings"]["fix"] == "asd embed --embedder discriminative --force"
    assert "is scores version 99; this asdcli reads up to 1" in found["scores/nn"]["text"]
    assert found["scores/nn"]["fix"] == "upgrade asdcli"


def test_a_method_scored_since_the_evaluation_is_pointed_out(
    run: Path, doctor: Callable[..., Findings], asd: Asd
) -> None:
    assert asd("score", "--method", "kmeans:clusters=2", "--quiet") == 0
    found = doctor()["results"]
    assert (found["state"], found["text"]) == ("note", "without kmeans:clusters=2, scored since")


def test_features_of_a_machine_type_that_is_no_more_are_to_be_removed(
    run: Path, doctor: Callable[..., Findings]
) -> None:
    pack = run / "features" / "waveform"
    shutil.copy(pack / "fan.npz", pack / "old pump.npz")
    found = doctor()["features/waveform/old pump"]
    assert found["text"] == "clips.parquet has no machine type old pump any more"
    assert found["fix"].startswith("rm '") and found["fix"].endswith("old pump.npz'")


def test_the_users_own_options_come_back_in_every_command(run: Path, doctor: Callable[..., Findings]) -> None:
    run.rename(run.parents[1] / "my run")
    (run.parents[1] / "my run" / "embeddings.parquet").write_bytes(b"no more")
    found = doctor("--run", "my run", "--data", "data")
    assert found["embeddings"]["fix"] == "asd embed --embedder discriminative --force --data data --run 'my run'"
    assert found["not here"]["fix"] == "asd download EDITION --data data"


def test_a_run_that_is_not_there_is_a_problem_only_if_it_was_named(
    asd: Asd, doctor: Callable[..., Findings], tmp_path: Path
) -> None:
    wav(tmp_path / "mine" / "a.wav")
    assert asd("index", "mine") == 0
    found = doctor()["runs/mine"]
    assert (found["state"], found["text"], found["fix"]) == ("note", "nothing made yet", "asd extract-features")
    assert troubles(doctor("--run", "nowhere")) == {"nowhere": "there is no such folder"}


def test_nothing_at_all_is_no_problem_but_a_first_command(doctor: Callable[..., Findings]) -> None:
    found = doctor()
    assert (found["none"]["text"], found["none"]["fix"]) == (
        "no dataset under data",
        "start with: asd download synthetic",
    )
    assert not troubles(found)


# --- datasets ------------------------------------------------------------------------------------------------------


@pytest.fixture
def edition(asd: Asd, tmp_path: Path) -> Path:
    """dcase2022 with the archive of one machine type, unpacked by asd download."""
    name = "section_00_source_{}_normal_000{}_vel_1.wav"
    (tmp_path / "zips").mkdir()
    with zipfile.ZipFile(tmp_path / "zips" / "dev_fan.zip", "w") as archive:
        for split in ("train", "test"):
            for i in range(2):
                wav(tmp_path / "x.wav")
                archive.write(tmp_path / "x.wav", f"fan/{split}/{name.format(split, i)}")
    assert asd("download", "dcase2022", "--from-dir", "zips", "--machine-type", "fan", "--quiet") == 0
    return tmp_path / "data" / "dcase2022"


def test_missing_archives_are_named_with_the_command_that_fetches_just_them(
    edition: Path, doctor: Callable[..., Findings]
) -> None:
    found = doctor()
    assert found["dcase2022"]["text"] == "4 clips of 1 machine types, all there"
    dev = found["dcase2022 dev"]
    assert dev["state"] == "note"
    assert dev["text"].startswith(
        "1 of 7 archives are there; missing: dev_bearing.zip, dev_gearbox.zip, dev_slider.zip"
    )
    assert dev["fix"] == (
        "asd download dcase2022 --subset dev --machine-type bearing --machine-type gearbox --machine-type slider "
        "--machine-type valve --machine-type ToyCar --machine-type ToyTrain"
    )
    assert found["dcase2022 eval"]["fix"] == "asd download dcase2022 --subset eval"
    assert "dcase2022" not in found["not here"]["text"] and "dcase2023" in found["not here"]["text"]


def test_lost_and_cut_recordings_of_an_archive_are_problems_and_the_advice_repairs_them(
    edition: Path, doctor: Callable[..., Findings], asd: Asd
) -> None:
    clips = sorted(edition.rglob("*.wav"))
    clips[0].unlink()
    clips[1].write_bytes(clips[1].read_bytes()[:100])
    found = doctor()
    assert found["dcase2022"]["text"].startswith("1 of 4 recordings are missing, the first: dev_data/raw/fan/")
    assert (
        found["dev_fan.zip"]["text"]
        == f"2 of 4 files are missing or cut, the first: {clips[0].relative_to(Path.cwd())}"
    )
    _asd, *words = shlex.split(found["dev_fan.zip"]["fix"])
    assert asd(*words, "--from-dir", "zips", "--quiet") == 0
    assert not troubles(doctor())


def test_missing_tables_of_truth_are_named_with_their_command(tmp_path: Path, doctor: Callable[..., Findings]) -> None:
    folder = tmp_path / "data" / "dcase2023" / "eval_data" / "raw" / "Vacuum"
    wav(folder / "test" / "section_00_0000.wav")
    listed = [f for f in datasets.look(tmp_path / "data") if f.name == "dcase2023 eval"]
    assert [f.state for f in listed] == [State.NOTE, State.NOTE]
    archives, truth = listed
    assert archives.text.startswith("1 of 14 archives are there, 1 of them unpacked by hand")
    assert "eval_data_Vacuum_train.zip" in archives.text and "eval_data_Vacuum_test.zip" not in archives.text
    assert re.match(r"2 of 2 tables of ground truth are missing, the first: ground_truth/\w+/eval/Vacuum/", truth.text)
    assert truth.fix == "asd download dcase2023 --subset eval"
    assert troubles(doctor())["dcase2023"].startswith("no clips at data/dcase2023/clips.parquet")


def test_moved_recordings_of_ones_own_are_a_problem_that_a_new_index_ends(
    asd: Asd, doctor: Callable[..., Findings], tmp_path: Path
) -> None:
    wav(tmp_path / "mine" / "a.wav")
    assert asd("index", "mine") == 0
    assert doctor()["mine"]["text"] == "1 clips of 1 machine types, all there"
    (tmp_path / "mine").rename(tmp_path / "new")
    found = doctor()["mine"]
    assert found["text"] == f"its recordings were at {tmp_path / 'mine'} and are gone"
    assert found["fix"] == "asd index NEW_PLACE --name mine"
    assert asd("index", "new", "--name", "mine") == 0
    assert not troubles(doctor())


# --- software and machine ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("installed", "versions", "expected"),
    [
        ("2.11.0", ">=2.11,<2.12", True),
        ("2.11.0+cpu", ">=2.11,<2.12", True),
        ("2.12.0", ">=2.11,<2.12", False),
        ("2.9.1", ">=2.11,<2.12", False),
        ("0.10.2.post1", ">=0.10.2", True),
        ("15", ">=15.0", True),
        ("1.0", "!=1.0", False),
        ("1.0", "", True),
    ],
)
def test_versions_are_compared_as_numbers(installed: str, versions: str, expected: bool) -> None:
    assert software.fits(installed, versions) is expected


def test_missing_and_ill_fitting_libraries_are_problems_with_the_command_that_installs_them() -> None:
    found = {
        f.name: f for f in software.look(["numpy>=99", "no-such-library>=1", "pytest>=1 ; extra == 'dev'", "rich"])
    }
    assert found["numpy"].state is State.PROBLEM and "but asdcli needs >=99" in found["numpy"].text
    assert found["no-such-library"].text == "not installed; asdcli needs >=1"
    assert found["no-such-library"].fix == f"{sys.executable} -m pip install 'no-such-library>=1'"
    assert found["rich"].state is State.OK
    assert "pytest" not in found


def test_the_libraries_that_pyproject_asks_for_are_looked_at() -> None:
    assert {"torch", "torchaudio", "numpy", "soundfile", "typer"} <= {f.name for f in software.look()}


def test_places_that_cannot_be_written_are_problems(tmp_path: Path, doctor: Callable[..., Findings]) -> None:
    (tmp_path / "file").touch()
    found = doctor("--data", "file/data")["data root"]
    assert (found["state"], found["text"]) == ("problem", f"{tmp_path / 'file'} is a file, not a folder")


def test_devices_are_asked_of_torch_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(machine._devices())
    assert found[0].name == "cpu" and "torch uses" in found[0].text
    monkeypatch.setattr(machine, "_PROBE", "raise ImportError('libcudart.so.13: cannot open shared object file')")
    (broken,) = machine._devices()
    assert broken.state is State.PROBLEM
    assert broken.text == "cannot be imported: ImportError: libcudart.so.13: cannot open shared object file"


def test_the_report_for_people_begins_with_what_is_wrong_and_has_a_line_for_each(
    run: Path, asd: Asd, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_devices", lambda: iter(()))
    (run / "embeddings.parquet").write_bytes(b"no more")
    assert asd("doctor") == 1
    *lines, verdict = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("problem run embeddings: ") and lines[0].endswith(
        "-> asd embed --embedder discriminative --force"
    )
    states = [line.partition(" ")[0] for line in lines]
    assert states == sorted(states, key=["problem", "note", "ok"].index)
    assert "ok run features/waveform/fan: up to date" in lines
    assert verdict == "1 problem"
    assert asd("doctor", "--quiet") == 1
    assert capsys.readouterr().out.splitlines() == [lines[0]]


# --- a run with every kind of file ---------------------------------------------------------------------------------


def test_every_kind_of_file_is_looked_at(whole_run: Path, doctor: Callable[..., Findings]) -> None:
    found = doctor()
    assert {name: found[name]["text"] for name in EVERYTHING} == dict.fromkeys(EVERYTHING, "up to date")
    assert not troubles(found)


def test_another_model_makes_stale_all_that_was_smoothed_tuned_or_pooled_with_it_and_advice_mends_it(
    whole_run: Path, doctor: Callable[..., Findings], asd: Asd
) -> None:
    assert asd("train", "--epochs", 1, "--seed", 5, "--quiet") == 0
    found = troubles(doctor())
    untouched = {"features/waveform/fan", "features/waveform/valve", "model", "autoencoder"}
    assert found.keys() == EVERYTHING - untouched - {"scores/mse", "window-scores/mse", "detectors/mse"}
    assert found["tuning"] == found["pools/mse+smooth.k=4,data=all,level=clip"] == "stale: embeddings is stale"
    assert found["fractions"] == "stale: embeddings is stale, scores/nn is stale"
    typed = type_until_well(doctor, asd)
    assert typed[:2] == ["asd embed --embedder discriminative", "asd score --method nn --seed 3"]
    assert typed[4] == "asd smooth --append --method mse -k 4 --level clip --force"
    assert len(typed) == 9


def test_unreadable_smoothed_and_tuned_scores_are_answered_with_their_own_command(
    whole_run: Path, doctor: Callable[..., Findings], asd: Asd
) -> None:
    for name in ("scores/mse+smooth.k=2,data=source,level=clip", "scores/gmm.tuned", "window-scores/mse"):
        (whole_run / f"{name}.parquet").write_bytes(b"no more")
    found = doctor()
    assert found["scores/gmm.tuned"]["fix"] == (
        "asd tune --method mse -k 1 -k 2 --clusters 1 --choose 00 --report 01 --level clip --force"
    )
    assert found["window-scores/mse"]["fix"] == "asd score --method mse --force"
    fix = found["scores/mse+smooth.k=2,data=source,level=clip"]["fix"]
    assert fix == "asd smooth --method mse -k 2 --neighbours source --level clip --force"
    for line in (found["window-scores/mse"]["fix"], fix):
        assert asd(*line.split()[1:], "--quiet") == 0
    assert doctor()["scores/mse+smooth.k=2,data=source,level=clip"]["text"] == "up to date"


def test_clips_that_were_left_out_are_a_note(asd: Asd, doctor: Callable[..., Findings], tmp_path: Path) -> None:
    for i in range(3):
        wav(tmp_path / "mine" / f"{i}.wav")
    (tmp_path / "mine" / "cut.wav").write_bytes(b"RIFF")
    assert asd("index", "mine", "--quiet") == 3
    (tmp_path / "mine" / "0.wav").write_bytes(b"RIFF")
    assert asd("extract-features", "--on-error", "skip", "--quiet") == 3
    found = doctor()
    assert found["mine/errors-index"]["text"].startswith("1 clip left out, the first: ")
    note = found["errors-extract-features"]
    assert note["state"] == "note" and note["text"].startswith("1 clip left out, the first: ")


def test_a_smoothed_method_is_not_missed_among_thresholds(whole_run: Path, doctor: Callable[..., Findings]) -> None:
    assert doctor()["thresholds"]["text"] == "up to date"


# --- what was lent, pooled, or made by several commands --------------------------------------------------------------


@pytest.fixture
def other(run: Path, asd: Asd) -> Path:
    """A second run of the same dataset, with embeddings of its own."""
    path = run.parent / "other"
    shutil.copytree(run, path)
    assert asd("train", "--epochs", 1, "--seed", 7, "--quiet", "--run", "runs/other") == 0
    assert asd("embed", "--quiet", "--run", "runs/other") == 0
    return path


@pytest.mark.parametrize(
    "line",
    [
        "score --method nn --embeddings runs/other/embeddings.parquet",
        "smooth --method nn -k 2 --level clip --embeddings runs/other/embeddings.parquet",
        "smooth --method nn -k 2 --level clip --embeddings runs/other/embeddings.parquet --append",
        "smooth --method nn -k 2 --level clip --embeddings runs/other --fraction 0.5:1.0:0.5 --repeats 1",
        "smooth -k 2 --level clip --scores runs/other/scores/nn.parquet",
        "tune --method nn -k 1 --clusters none --choose 00 --report 01 --embeddings runs/other/embeddings.parquet",
    ],
)
def test_files_made_of_another_run_s_are_judged_by_these(
    line: str, run: Path, other: Path, doctor: Callable[..., Findings], asd: Asd
) -> None:
    assert asd("score", "--method", "nn", "--quiet", "--run", "runs/other") == 0
    assert asd(*line.split(), "--quiet") == 0
    found = troubles(doctor())
    assert found.keys() <= {"thresholds", "results"}, found  # these were made of the scores that lay there before
    lent = (other / "embeddings.parquet", artifacts.EMBEDDINGS)
    if "--scores" in line:
        lent = (other / "scores" / "nn.parquet", artifacts.SCORES)
    table, header = artifacts.read_table(*lent)
    artifacts.write_table(*lent, table.slice(1), header)
    assert "other/" in " ".join(troubles(doctor()).values())


def test_vectors_that_were_brought_are_followed_to_the_file_they_came_from(
    doctor: Callable[..., Findings], asd: Asd, tmp_path: Path
) -> None:
    vectors = tmp_path / "my vectors.csv"
    rows = [f"{s}/{i},fan,{s},{c},{i}.5,1" for s, c in (("train", "normal"), ("test", "anomaly")) for i in range(4)]
    vectors.write_text("\n".join(["clip_id,machine_type,split,condition,v0,v1", *rows]))
    assert asd("embed", "--from", vectors.name, "--quiet") == 0
    assert asd("score", "--method", "nn", "--quiet", "--dataset", "my vectors") == 0
    where = ("--run", "runs/my vectors")
    assert not troubles(doctor(*where))
    vectors.write_text(vectors.read_text().replace("0.5", "0.25"))
    found = doctor(*where)
    assert found["embeddings"]["text"].endswith("my vectors.csv changed")
    assert found["scores/nn"]["text"] == "stale: embeddings is stale"
    assert asd(*shlex.split(found["embeddings"]["fix"])[1:], "--quiet") == 0
    assert asd(*shlex.split(found["scores/nn"]["fix"])[1:], "--quiet") == 0
    assert not troubles(doctor(*where))


def test_a_pool_that_grows_week_by_week_is_up_to_date_and_so_is_one_where_nothing_was_new(
    asd: Asd, doctor: Callable[..., Findings], tmp_path: Path
) -> None:
    def week(n: int) -> None:
        for i in range(3):
            noise(tmp_path / "mine" / "test" / f"{n}_{i}.wav", seed=10 * n + i)
        for line in ("index mine", "extract-features --features logmel", *again):
            assert asd(*line.split(), "--quiet") == 0

    again = ("embed --embedder logmel", "score --method nn", "smooth --method nn -k 2 --append")
    for i in range(4):
        noise(tmp_path / "mine" / "train" / f"{i}.wav", seed=90 + i)
    for n in range(3):
        week(n)
        assert not troubles(doctor())
    (pool,) = (tmp_path / "runs/mine/pools").glob("*.parquet")
    before = artifacts.read_table(pool, artifacts.POOL)[0]
    clips = tmp_path / "data/mine/clips.parquet"
    table, header = artifacts.read_table(clips, artifacts.CLIPS)
    told = table.set_column(table.column_names.index("condition"), "condition", [["normal"] * len(table)])
    artifacts.write_table(clips, artifacts.CLIPS, told, header)  # somebody listened, and says so
    assert any(name.startswith("pools/") for name in troubles(doctor()))
    for line in again:
        assert asd(*line.split(), "--quiet") == 0
    assert not troubles(doctor())
    after = artifacts.read_table(pool, artifacts.POOL)[0]
    assert set(after["condition"].to_pylist()) == {"normal"}
    for name in ("clip_id", "vector", "anomaly_score", "neighbours", "distances"):
        assert after[name].to_pylist() == before[name].to_pylist()


def test_thresholds_of_several_rules_are_mended_each_by_its_own(
    run: Path, doctor: Callable[..., Findings], asd: Asd
) -> None:
    for method in ("nn", "kmeans:clusters=2"):
        assert asd("score", "--method", method, "--seed", 3, "--quiet") == 0
    scores = [run.relative_to(run.parents[1]) / "scores" / f"{name}.parquet" for name in ("nn", "kmeans.clusters=2")]
    for table, rule in zip(scores, ("quantile:quantile=0.9", "gamma:quantile=0.8"), strict=True):
        assert asd("threshold", table, "--rule", rule, "--from-training", "--quiet") == 0
    rules = artifacts.read_header(run / "thresholds.parquet", artifacts.THRESHOLDS).params
    assert len(set(rules["rules"].values())) == 2
    for line in ("train --epochs 1 --seed 5", "embed", "score --method nn --method kmeans:clusters=2 --seed 3"):
        assert asd(*line.split(), "--quiet") == 0
    fix = doctor()["thresholds"]["fix"]
    assert fix.count("asd threshold --rule ") == 2
    for line in fix.split(" && "):
        assert asd(*shlex.split(line)[1:], "--quiet") == 0
    assert artifacts.read_header(run / "thresholds.parquet", artifacts.THRESHOLDS).params == rules
    assert "thresholds" not in troubles(doctor())


def test_recordings_written_since_they_were_packed_are_a_problem_that_packing_ends(
    run: Path, doctor: Callable[..., Findings], asd: Asd
) -> None:
    recording = next(Path("data/synthetic").rglob("fan/test/*.wav"))
    recording.write_bytes(recording.read_bytes()[:-2000] + bytes(2000))
    found = doctor()["features/waveform/fan"]
    assert found["text"] == f"1 recording was written after it, the first: {recording}"
    assert asd(*found["fix"].split()[1:], "--quiet") == 0
    assert troubles(doctor())["embeddings"] == "stale: features/waveform/fan changed"


def test_a_data_root_or_a_dataset_that_is_not_there_is_a_problem_where_it_was_named(
    run: Path, doctor: Callable[..., Findings]
) -> None:
    assert troubles(doctor("--data", "nowhere"))["nowhere"] == "there is no such folder"
    assert troubles(doctor("--dataset", "nothing"))["none"] == "no dataset 'nothing' under data"


def test_a_file_at_the_place_of_another_stages_is_no_end_of_the_report(
    run: Path, doctor: Callable[..., Findings]
) -> None:
    header = artifacts.read_header(run / "embeddings.parquet", artifacts.EMBEDDINGS)
    made = artifacts.Header.make(artifacts.ERRORS, dataset="synthetic", inputs={"embeddings": header})
    write_errors(run / "errors-score-from-mine.parquet", [("fan/x", "fan/x.wav", "it is silent")], made)
    assert "it is silent" in doctor()["errors-score-from-mine"]["text"]
