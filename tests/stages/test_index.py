"""`asd index`: what people's folders and manifests become, through the front door and rule by rule."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli import artifacts
from asdcli.errors import BadData, UsageError
from asdcli.layouts import Recording, assign_splits, find_audio, read_folders, read_manifest
from asdcli.stages import index
from asdcli.vocabulary import Condition, ConditionFrom, Domain, Split, Subset

Asd = Callable[..., int]


def wav(path: Path, *, n: int = 160, sr: int = 16000, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, sr, 0, "NONE", ""))
        file.writeframes(bytes(2 * n * channels))
    return path


def rows(dataset: str, data: Path = Path("data")) -> list[dict[str, Any]]:
    table, _ = artifacts.read_table(data / dataset / "clips.parquet", artifacts.CLIPS)
    return table.to_pylist()


def labels(path: str) -> tuple[Any, ...]:
    """(machine type, section, split, domain, condition) that one path says by itself."""
    (read,), left, _ = read_folders([path])
    assert not left
    return read.machine_type, read.section, read.split, read.domain, read.condition


# --- folders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("x.wav", (None, None, None, None, None)),
        ("fan/x.wav", ("fan", None, None, None, None)),
        ("plant/fan/x.wav", ("plant-fan", None, None, None, None)),
        ("train/x.wav", (None, None, Split.TRAIN, None, None)),
        ("test/ng/x.wav", (None, None, Split.TEST, None, Condition.ANOMALY)),
        ("Test/OK/x.wav", (None, None, Split.TEST, None, Condition.NORMAL)),
        ("fan/test/abnormal/session 3/x.wav", ("fan", None, Split.TEST, None, Condition.ANOMALY)),
        ("fan/test_normal/x.wav", ("fan", None, Split.TEST, None, Condition.NORMAL)),
        ("test/fan/normal/x.wav", ("fan", None, Split.TEST, None, Condition.NORMAL)),
        ("fan/target/train/x.wav", ("fan", None, Split.TRAIN, Domain.TARGET, None)),
        ("raw/fan/wav/train/x.wav", ("fan", None, Split.TRAIN, None, None)),
        ("fan/id_02/abnormal/00000000.wav", ("fan", "02", None, None, Condition.ANOMALY)),  # MIMII
        ("-6_dB_fan/fan/id_02/normal/00000000.wav", ("fan_-6_dB", "02", None, None, Condition.NORMAL)),
        ("fan/train/normal_id_00_00000000.wav", ("fan", "00", Split.TRAIN, None, Condition.NORMAL)),
        ("fan/normal_id_00_00000000.wav", ("fan", "00", None, None, Condition.NORMAL)),
        (
            "d/dev_data/raw/fan/test/section_01_target_test_anomaly_0007_vel_12.wav",
            ("d-fan", "01", Split.TEST, Domain.TARGET, Condition.ANOMALY),
        ),
        (
            "section_00_source_train_normal_0000_test_3.wav",  # the attribute `test` is no split
            (None, "00", Split.TRAIN, Domain.SOURCE, Condition.NORMAL),
        ),
        ("fan/source_test/section_00_source_test_0003.wav", ("fan", "00", Split.TEST, Domain.SOURCE, None)),
        ("fan/test/section_00_0003.wav", ("fan", "00", Split.TEST, None, None)),
    ],
)
def test_a_path_says_what_its_folders_and_its_dcase_name_say(path: str, expected: tuple[Any, ...]) -> None:
    assert labels(path) == expected


def test_eval_data_is_the_eval_subset_and_all_else_is_dev() -> None:
    read, _, _ = read_folders(["eval_data/raw/fan/test/section_00_0003.wav", "fan/test/section_00_0003.wav"])
    assert [r.subset for r in read] == [Subset.EVAL, Subset.DEV]


def test_attributes_come_from_dcase_names_and_the_noise_level_from_mimii_folders() -> None:
    (named,), _, _ = read_folders(["fan/train/section_00_source_train_normal_0000_car_B1_spd_31V.wav"])
    assert (named.attribute_string, dict(named.attributes)) == ("car_B1_spd_31V", {"car": "B1", "spd": "31V"})
    (level,), _, _ = read_folders(["6_dB_pump/id_00/normal/00000000.wav"])
    assert dict(level.attributes) == {"snr": "6_dB"}


def test_names_below_both_train_and_test_are_machine_types_and_below_one_of_them_are_not() -> None:
    read, _, _ = read_folders(["train/fan/a.wav", "test/fan/b.wav", "train/monday/c.wav"])
    assert {r.path: r.machine_type for r in read} == {
        "train/fan/a.wav": "fan",
        "test/fan/b.wav": "fan",
        "train/monday/c.wav": None,
    }
    read, _, _ = read_folders(["train/fan/a.wav", "test/fan/abnormal/b.wav"])
    assert {r.machine_type for r in read} == {"fan"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("train/test/x.wav", "its folders say both train and test"),
        ("fan/normal/anomaly_id_00_00000000.wav", "its folder says condition normal, its name says anomaly"),
        ("fan/id_02/anomaly_id_00_00000000.wav", "its folder says section 02, its name says 00"),
    ],
)
def test_what_contradicts_itself_is_left_out_with_both_words(path: str, reason: str) -> None:
    read, left, _ = read_folders([path])
    assert (read, [(x.path, x.reason, x.is_loss) for x in left]) == ([], [(path, reason, True)])


def test_a_name_that_fits_no_grammar_is_left_out_only_among_dcase_names_of_its_machine_type() -> None:
    read, left, _ = read_folders(
        ["fan/train/section_00_source_train_normal_0000.wav", "fan/train/mine.wav", "pump/train/mine.wav"]
    )
    assert [r.path for r in read] == ["fan/train/section_00_source_train_normal_0000.wav", "pump/train/mine.wav"]
    assert [x.path for x in left] == ["fan/train/mine.wav"]
    assert "fits no DCASE name" in left[0].reason


# --- splits --------------------------------------------------------------------------------------------------------

_recordings = st.lists(
    st.tuples(
        st.sampled_from(["fan", "pump"]),
        st.sampled_from([None, *Split]),
        st.sampled_from([None, *Condition]),
        st.sampled_from([None, "00", "01"]),
    ),
    max_size=40,
).map(
    lambda kinds: [
        Recording(f"{i:02d}.wav", m, split=s, condition=c, section=x) for i, (m, s, c, x) in enumerate(kinds)
    ]
)


@settings(max_examples=60, deadline=None)
@given(_recordings, st.floats(0.01, 0.99), st.integers(0, 3))
def test_every_recording_gets_a_split_or_a_reason_and_none_that_trains_is_an_anomaly(
    recordings: list[Recording], fraction: float, seed: int
) -> None:
    kept, left, _ = assign_splits(recordings, test_fraction=fraction, seed=seed)
    assert sorted([r.path for r in kept] + [x.path for x in left]) == [r.path for r in recordings]
    before = {r.path: r for r in recordings}
    for r in kept:
        assert r.split is not None
        assert before[r.path].split in (None, r.split)
        assert before[r.path].condition in (None, r.condition)
        if r.split == Split.TRAIN:
            assert r.condition == Condition.NORMAL
            known = before[r.path].condition == Condition.NORMAL or before[r.path].split == Split.TRAIN
            own = [x for x in recordings if x.machine_type == r.machine_type]
            assert known or not any(x.condition or x.split == Split.TRAIN for x in own)
    for x in left:
        assert (before[x.path].split, before[x.path].condition) == (Split.TRAIN, Condition.ANOMALY)


def recordings(**counts: int) -> list[Recording]:
    """`fan_normal=3` and the like: machine type and condition (`none` for neither)."""
    kinds = {"normal": Condition.NORMAL, "anomaly": Condition.ANOMALY, "none": None}
    named = [(key.split("_"), i) for key, n in counts.items() for i in range(n)]
    return [Recording(f"{m}/{kind}/{i:03d}.wav", m, condition=kinds[kind]) for (m, kind), i in named]


def splits_of(found: list[Recording]) -> Counter[tuple[Any, ...]]:
    return Counter((r.machine_type, str(r.condition), str(r.split)) for r in found)


def test_without_any_label_everything_trains_and_counts_as_normal() -> None:
    kept, left, held_out = assign_splits(recordings(fan_none=7), test_fraction=0.2, seed=0)
    assert splits_of(kept) == {("fan", "normal", "train"): 7}
    assert {r.condition_from for r in kept} == {ConditionFrom.ASSUMED}
    assert not left and not held_out


@pytest.mark.parametrize("labelled", [{"fan_normal": 3}, {"fan_anomaly": 3}, {"fan_normal": 2, "fan_anomaly": 1}])
def test_what_is_not_known_to_be_normal_tests_where_anything_of_its_machine_type_is_labelled(
    labelled: dict[str, int],
) -> None:
    kept, _, _ = assign_splits(recordings(fan_none=4, pump_none=2, **labelled), test_fraction=0.2, seed=0)
    found = splits_of(kept)
    assert found["fan", "None", "test"] == 4
    assert found["pump", "normal", "train"] == 2


@pytest.mark.parametrize(("split", "condition"), [(Split.TEST, "None"), (Split.TRAIN, "normal")])
def test_unlabelled_recordings_go_where_the_user_says(split: Split, condition: str) -> None:
    for labelled in ({}, {"fan_normal": 3}, {"fan_anomaly": 2}):
        some = recordings(fan_none=4, **labelled)
        kept, _, _ = assign_splits(some, test_fraction=0.2, seed=0, unlabelled=split)
        own = [r for r in kept if "none" in r.path]
        assert {(str(r.condition), r.split) for r in own} == {(condition, split)}
        assert {r.condition_from for r in own} == ({ConditionFrom.OPTION} if split == Split.TRAIN else {None})


def test_a_stated_split_stays_and_empty_cells_of_a_label_column_stay_empty() -> None:
    blank = ConditionFrom.MANIFEST
    some = [
        Recording("a.wav", "fan", split=Split.TRAIN),
        Recording("b.wav", "fan", split=Split.TRAIN, condition_from=blank),
        Recording("c.wav", "fan", split=Split.TEST),
        Recording("d.wav", "fan", condition_from=blank),
        Recording("e.wav", "pump", condition_from=blank),
    ]
    for unlabelled in (None, Split.TRAIN, Split.TEST):
        kept, _, _ = assign_splits(some, test_fraction=0.2, seed=0, unlabelled=unlabelled)
        assert [r.condition for r in kept] == [Condition.NORMAL, None, None, None, None]
        assert [r.split for r in kept][:3] == [Split.TRAIN, Split.TRAIN, Split.TEST]
        assert kept[0].condition_from == ConditionFrom.SPLIT


def test_with_anomalies_but_no_split_exactly_the_stated_fraction_of_normal_clips_is_held_out_by_seed() -> None:
    some = recordings(fan_normal=50, fan_anomaly=9, fan_none=4, pump_normal=10)
    kept, _, held_out = assign_splits(some, test_fraction=0.2, seed=0)
    assert splits_of(kept) == {
        ("fan", "normal", "train"): 40,
        ("fan", "normal", "test"): 10,
        ("fan", "anomaly", "test"): 9,
        ("fan", "None", "test"): 4,
        ("pump", "normal", "train"): 10,
    }
    assert held_out == {"fan": 10}
    assert kept == assign_splits(some[::-1], test_fraction=0.2, seed=0)[0]
    assert kept != assign_splits(some, test_fraction=0.2, seed=1)[0]


def test_adding_recordings_moves_few_of_the_held_out_clips() -> None:
    def held(n: int) -> set[str]:
        kept, _, _ = assign_splits(recordings(fan_normal=n, fan_anomaly=1), test_fraction=0.2, seed=0)
        return {r.path for r in kept if r.split == Split.TEST and r.condition == Condition.NORMAL}

    assert len(held(100) & held(105)) >= 18


def test_beside_clips_that_are_said_to_train_the_rest_tests() -> None:
    said = [Recording("train/a.wav", "fan", split=Split.TRAIN)]
    kept, _, held_out = assign_splits(said + recordings(fan_normal=3, fan_anomaly=2), test_fraction=0.2, seed=0)
    assert splits_of(kept) == {
        ("fan", "normal", "train"): 1,
        ("fan", "normal", "test"): 3,
        ("fan", "anomaly", "test"): 2,
    }
    assert not held_out


# --- manifests -----------------------------------------------------------------------------------------------------


def manifest(tmp_path: Path, text: str) -> list[Recording]:
    file = tmp_path / "m.csv"
    file.write_text(text, encoding="utf-8")
    return read_manifest(file, tmp_path)[0]


def test_a_csv_says_whatever_it_has_columns_for(tmp_path: Path) -> None:
    read = manifest(
        tmp_path,
        "\ufeffFile;Machine;label;split;domain;section;attributes;note\n"
        "a.wav;fan;0;train;source;00;vel_12;x\n"
        "b/c.wav;fan;NG;test;target;;;y\n"
        f"{tmp_path}/d.wav;pump;;;;;;z\n",
    )
    assert [(r.path, r.machine_type, r.split, r.domain, r.section, r.condition) for r in read] == [
        ("a.wav", "fan", Split.TRAIN, Domain.SOURCE, "00", Condition.NORMAL),
        ("b/c.wav", "fan", Split.TEST, Domain.TARGET, None, Condition.ANOMALY),
        ("d.wav", "pump", None, None, None, None),
    ]
    assert (read[0].attribute_string, dict(read[0].attributes)) == ("vel_12", {"vel": "12"})
    assert read_manifest(tmp_path / "m.csv", tmp_path)[1] == ["note"]


def test_a_parquet_manifest_may_hold_numbers_booleans_and_maps(tmp_path: Path) -> None:
    table = pa.table(
        {
            "path": ["a.wav", "b.wav", "c.wav"],
            "label": pa.array([1.0, 0.0, None]),
            "section": pa.array([7, None, None]),
            "attributes": pa.array([[("speed", "3")], [], None], pa.map_(pa.string(), pa.string())),
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    read, _ = read_manifest(tmp_path / "m.parquet", tmp_path)
    assert [r.condition for r in read] == [Condition.ANOMALY, Condition.NORMAL, None]
    assert [r.section for r in read] == ["07", None, None]
    assert [r.attribute_string for r in read] == ["speed_3", None, None]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "path,label\na.wav,normal\nb.wav,abnromal\nc.wav,weird\nd.wav,weird\n",
            "column 'label' holds words that are no condition: 'weird' (2 rows), 'abnromal' (1 row), the first",
            "known: normal, normals, ok",
        ),
        ("path,label\na.wav,abnornal\n", "'abnornal' (1 row)", "did you mean 'abnormal'?"),
        ("path,split\na.wav,trian\n", "no split: 'trian'", "did you mean 'train'?"),
        ("paths,label\na.wav,1\n", "has no column 'path': it has paths, label", "did you mean 'paths' to be the path?"),
        ("path,file\na.wav,a.wav\n", "columns path and file both say path", "keep one"),
        ("path\na.wav\na.wav\n", "a.wav has more than one row", "keep one row"),
        ("path\n../a.wav\n", "row 1: ../a.wav lies outside", "index a folder that holds all recordings"),
        ("path\n/etc/passwd\n", "row 1: /etc/passwd lies outside", ""),
        ("path,machine\na.wav,x/y\n", "machine type 'x/y' cannot be a file name: it holds '/'", ""),
        ("path,label\na.wav,1,2\n", "line 2: 3 cells, but 2 columns", "needs quotes"),
        ("path,path\na.wav,1\n", "column 'path' comes twice", ""),
        ("path,label\n,1\n", "row 1: the path is empty", ""),
        ("path\n", "has no rows", ""),
        ("", "is empty", ""),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused_in_words(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(BadData) as refusal:
        manifest(tmp_path, text)
    assert message in refusal.value.message
    assert hint in (refusal.value.hint or "")


# --- the walk ------------------------------------------------------------------------------------------------------


def test_loops_end_and_no_recording_comes_twice_through_links(tmp_path: Path) -> None:
    wav(tmp_path / "r" / "b" / "x.wav")
    wav(tmp_path / "elsewhere" / "sub" / "y.wav")
    (tmp_path / "r" / "a").symlink_to("b")
    (tmp_path / "r" / "b" / "up").symlink_to("..")
    (tmp_path / "r" / "self").symlink_to("self")
    (tmp_path / "r" / "far").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "r" / "again").symlink_to(tmp_path / "elsewhere" / "sub")
    found, left = find_audio(tmp_path / "r")
    assert found == ["again/y.wav", "b/x.wav"]
    assert {x.path for x in left} == {"a", "b/up", "far/sub", "self"}


def test_other_datasets_hidden_files_and_other_formats_are_left_alone_with_a_reason(tmp_path: Path) -> None:
    for name in ("a.WAV", ".hidden.wav", "__MACOSX/b.wav", "other/c.wav", "song.m4a", "notes.txt"):
        wav(tmp_path / name)
    (tmp_path / "other" / "clips.parquet").touch()
    found, left = find_audio(tmp_path)
    assert found == ["a.WAV"]
    assert {x.path: x.reason for x in left} == {
        ".hidden.wav": "hidden",
        "__MACOSX": "hidden",
        "other": "a dataset of its own: it holds a clips.parquet",
        "song.m4a": "audio that is not read: convert it to wav or flac",
        "notes.txt": "no audio",
    }
    assert not any(x.is_loss for x in left)


# --- the command ---------------------------------------------------------------------------------------------------


def test_the_default_layout_becomes_a_dataset_that_later_stages_can_open(asd: Asd, tmp_path: Path) -> None:
    for split in ("train/normal", "test/normal", "test/abnormal"):
        wav(tmp_path / "My pumps (2)" / "fan" / split / "a b ü.wav")
    assert asd("index", "My pumps (2)") == 0
    found = rows("My-pumps-2")
    assert [(r["machine_type"], r["split"], r["condition"]) for r in found] == [
        ("fan", "test", "anomaly"),
        ("fan", "test", "normal"),
        ("fan", "train", "normal"),
    ]
    assert found[0]["clip_id"] == "audio/fan/test/abnormal/a b ü"
    assert all((Path("data/My-pumps-2") / r["path"]).is_file() for r in found)
    assert (found[0]["duration_s"], found[0]["sample_rate"], found[0]["channels"]) == (0.01, 16000, 1)
    assert Path("data/current").read_text().strip() == "My-pumps-2"


def test_features_are_extracted_from_an_indexed_dataset_as_from_any_other(asd: Asd, tmp_path: Path) -> None:
    for i in range(3):
        wav(tmp_path / "mine" / f"{i}.wav", sr=44100, channels=2, n=441)
    assert asd("index", "mine") == 0
    assert asd("extract-features") == 1  # 44.1 kHz, stereo: nothing is converted unasked
    assert asd("extract-features", "--resample", "--channel", "0") == 0
    arrays, _ = artifacts.read_arrays(Path("runs/mine/features/waveform/mine.npz"), artifacts.FEATURES)
    assert sorted(arrays["clip_id"].tolist()) == ["audio/0", "audio/1", "audio/2"]


def test_the_report_says_which_options_other_rates_and_channels_need(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav(tmp_path / "mine" / "a.wav", sr=44100, channels=2)
    wav(tmp_path / "mine" / "fan" / "b.wav", sr=16000)
    assert asd("index", "mine") == 0
    told = capsys.readouterr().err
    assert "sample rates differ: 16000 Hz (1 clips), 44100 Hz (1 clips)" in told
    assert "channels: 1 clips of 1, 1 clips of 2" in told
    assert "next: asd extract-features --resample --channel 0" in told
    wav(tmp_path / "other" / "a.wav", sr=8000)
    asd("index", "other")
    assert "--resample converts, --sample-rate 8000 keeps it" in capsys.readouterr().err


def test_a_single_class_is_told_the_way_that_needs_no_training(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(4):
        wav(tmp_path / "mine" / "normal" / f"{i}.wav", n=16000)
    wav(tmp_path / "mine" / "abnormal" / "0.wav", n=16000)
    assert asd("index", "mine") == 0
    told = capsys.readouterr().err
    assert "one machine type without sections, domains or attributes" in told
    assert "next: asd extract-features --features logmel\n" in told
    for line in ("extract-features --features logmel", "embed --embedder logmel", "score --method nn", "evaluate"):
        assert asd(*line.split(), "--quiet") == 0


def test_held_out_clips_are_told_with_fraction_and_seed(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(10):
        wav(tmp_path / "mine" / "normal" / f"{i}.wav")
    wav(tmp_path / "mine" / "abnormal" / "0.wav")
    assert asd("index", "mine", "--test-fraction", 0.3, "--seed", 5) == 0
    assert "mine: held out 3 normal clips for testing (0.3 of them, seed 5)" in capsys.readouterr().err
    assert Counter(r["split"] for r in rows("mine")) == {"train": 7, "test": 4}
    header = artifacts.read_header(Path("data/mine/clips.parquet"), artifacts.CLIPS)
    assert (header.seed, header.params["test_fraction"], header.dataset) == (5, 0.3, "mine")


def test_damaged_recordings_are_named_and_the_others_kept(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = wav(tmp_path / "mine" / "good.wav", n=1600)
    (tmp_path / "mine" / "half.wav").write_bytes(good.read_bytes()[:1000])
    wav(tmp_path / "mine" / "zero.wav", n=0)
    (tmp_path / "mine" / "page.wav").write_text("<!DOCTYPE html><html></html>")
    (tmp_path / "mine" / "empty.wav").touch()
    (tmp_path / "mine" / "nowhere.wav").symlink_to("gone.wav")
    soundfile.write(tmp_path / "mine" / "good.flac", np.zeros(160), 16000)
    soundfile.write(tmp_path / "mine" / "ok.flac", np.zeros(160), 16000)
    assert asd("index", "mine") == 3
    assert [r["clip_id"] for r in rows("mine")] == ["audio/good", "audio/ok"]
    assert rows("mine")[0]["path"] == "audio/good.wav"
    table, _ = artifacts.read_table(Path("data/mine/errors-index.parquet"), artifacts.ERRORS)
    errors = {r["path"]: r["error"] for r in table.to_pylist()}
    assert errors["audio/half.wav"] == "is truncated: its header promises 3200 bytes of sound, 956 are there"
    assert errors["audio/zero.wav"] == "holds no sound: 0 samples"
    assert errors["audio/page.wav"].startswith("is no audio that libsndfile reads")
    assert errors["audio/empty.wav"] == "is empty: 0 bytes"
    assert errors["audio/good.flac"] == "the same clip as another file, by its name: good.wav"
    assert len(errors) == 6
    assert "warning: left out 1 (holds no sound: 0 samples): zero.wav" in capsys.readouterr().err

    for name in ("half.wav", "zero.wav", "page.wav", "empty.wav", "nowhere.wav", "good.flac"):
        (tmp_path / "mine" / name).unlink()
    assert asd("index", "mine") == 0
    assert not Path("data/mine/errors-index.parquet").exists()


def test_an_anomaly_among_training_clips_is_left_out_without_being_a_loss_of_its_dataset(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train/normal/a.wav", "train/abnormal/b.wav"):
        wav(tmp_path / "mine" / name)
    assert asd("index", "mine") == 0
    assert [r["path"] for r in rows("mine")] == ["audio/train/normal/a.wav"]
    assert "an anomaly among training clips" in capsys.readouterr().err


def test_a_manifest_through_the_front_door_names_missing_files_and_counts_unlisted_ones(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        wav(tmp_path / "mine" / name)
    (tmp_path / "m.csv").write_text("path,label\na.wav,0\nb.wav,1\ngone.wav,0\n")
    assert asd("index", "mine", "--manifest", "m.csv", "--machine", "lathe", "--json", "--quiet") == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["facts"]["clips"], told["outputs"][0]["skipped"], told["status"]) == (2, 1, "done")
    assert {(x["reason"], *x["examples"]) for x in told["facts"]["left_out"]} == {
        ("does not exist, though m.csv lists it", "gone.wav"),
        ("not listed in m.csv", "c.wav"),
    }
    assert {r["machine_type"] for r in rows("mine")} == {"lathe"}


def test_the_same_recordings_give_the_same_bytes_wherever_they_lie_and_nothing_is_rewritten(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in ("here", "there"):
        for i in range(3):
            wav(tmp_path / place / "mine" / f"{i}.wav")
    assert asd("index", "here/mine", "--data", "d1") == 0
    assert asd("index", "there/mine", "--data", "d2") == 0
    first, second = (Path(d) / "mine" / "clips.parquet" for d in ("d1", "d2"))
    assert first.read_bytes() == second.read_bytes()
    assert str(tmp_path).encode() not in first.read_bytes()
    before = first.stat().st_mtime_ns
    capsys.readouterr()
    assert asd("index", "here/mine", "--data", "d1", "--json", "-q") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "current"
    assert first.stat().st_mtime_ns == before
    wav(tmp_path / "here" / "mine" / "new.wav")
    assert asd("index", "here/mine", "--data", "d1", "--json", "-q") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "done"
    assert len(rows("mine", Path("d1"))) == 4


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_recordings_in_a_folder_that_cannot_be_written_are_indexed(asd: Asd, tmp_path: Path) -> None:
    wav(tmp_path / "mine" / "a.wav")
    (tmp_path / "mine").chmod(0o555)
    assert asd("index", "mine") == 0


def test_indexing_writes_nothing_among_the_recordings(asd: Asd, tmp_path: Path) -> None:
    wav(tmp_path / "mine" / "a.wav")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "mine", tmp_path / "mine" / "a.wav")}
    assert asd("index", "mine") == 0
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_recordings_inside_the_dataset_root_need_no_link(asd: Asd, tmp_path: Path) -> None:
    wav(tmp_path / "data" / "mine" / "fan" / "a.wav")
    assert asd("index", "data/mine") == 0
    assert [r["clip_id"] for r in rows("mine")] == ["fan/a"]
    assert not Path("data/mine/audio").exists()


def test_the_folder_that_holds_the_data_root_can_be_indexed_twice(asd: Asd, tmp_path: Path) -> None:
    wav(tmp_path / "fan" / "a.wav")
    assert asd("index", ".", "--name", "mine") == 0
    assert asd("index", ".", "--name", "mine") == 0
    assert [r["clip_id"] for r in rows("mine")] == ["audio/fan/a"]


def test_moved_recordings_need_a_new_link_only_and_other_recordings_another_name(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav(tmp_path / "mine" / "a.wav")
    wav(tmp_path / "other" / "mine" / "b.wav")
    assert asd("index", "mine") == 0
    before = Path("data/mine/clips.parquet").read_bytes()
    assert asd("index", "other/mine") == 2
    assert "choose another --name" in capsys.readouterr().err
    (tmp_path / "mine").rename(tmp_path / "moved")
    assert asd("index", "moved", "--name", "mine") == 0
    assert Path("data/mine/clips.parquet").read_bytes() == before
    assert (Path("data/mine") / rows("mine")[0]["path"]).is_file()


def test_a_downloaded_dataset_is_not_turned_into_another(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav(tmp_path / "synthetic" / "a.wav")
    assert asd("download", "synthetic", "--size", "tiny", "-q") == 0
    before = Path("data/synthetic/clips.parquet").read_bytes()
    assert asd("index", "synthetic") == 2
    assert "is a dataset made by asd download" in capsys.readouterr().err
    assert Path("data/synthetic/clips.parquet").read_bytes() == before


def test_an_edition_that_somebody_unpacked_is_read_by_its_own_rules_and_truth(asd: Asd, tmp_path: Path) -> None:
    root = tmp_path / "data" / "dcase2023"
    wav(root / "eval_data/raw/Vacuum/train/section_00_source_train_normal_0000_noAttribute.wav")
    wav(root / "eval_data/raw/Vacuum/test/section_00_0000.wav")
    truth = root / "ground_truth/condition/eval/Vacuum/ground_truth_Vacuum_section_00_test.csv"
    truth.parent.mkdir(parents=True)
    truth.write_text("section_00_0000.wav,1\n")
    assert asd("index", "data/dcase2023", "--unlabelled", "train") == 2
    assert asd("index", "data/dcase2023") == 0
    found = {r["split"]: r for r in rows("dcase2023")}
    assert found["test"]["clip_id"] == "eval_data/raw/Vacuum/test/section_00_0000"
    assert (found["test"]["condition"], found["train"]["subset"]) == ("anomaly", "eval")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 1, "nowhere does not exist"),
        (["file.wav"], 1, "file.wav is a file, not a folder"),
        (["empty"], 1, "empty is empty"),
        (["texts"], 1, "no usable recording below texts: of what is there, 1 no audio"),
        (["broken"], 1, "the first is a.wav: is empty: 0 bytes"),
        (["good", "--manifest", "m.csv"], 1, "there is no manifest m.csv"),
        (["good", "--name", "a/b"], 2, "a dataset cannot be called 'a/b'"),
        (["good", "--machine", "a/b"], 2, "machine type 'a/b' cannot be a file name"),
        (["good", "--test-fraction", "1"], 2, "--test-fraction must lie between 0 and 1, got 1"),
        (["/"], 2, "no dataset name can be made of /"),
    ],
)
def test_what_cannot_be_indexed_is_refused_in_words_and_nothing_is_made(
    asd: Asd, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    wav(tmp_path / "file.wav")
    wav(tmp_path / "good" / "a.wav")
    for folder in ("empty", "texts", "broken"):
        (tmp_path / folder).mkdir()
    (tmp_path / "texts" / "a.txt").touch()
    (tmp_path / "broken" / "a.wav").touch()
    assert asd("index", *arguments) == code
    told = capsys.readouterr().err
    assert message in told and "error:" in told
    assert not (tmp_path / "data").exists()


def test_a_link_that_cannot_be_made_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wav(tmp_path / "mine" / "a.wav")

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)  # FAT disks, Windows without the privilege
    with pytest.raises(Exception, match=r"cannot make the link .*: Operation not permitted"):
        index.run(tmp_path / "mine", tmp_path / "data" / "mine" / "clips.parquet")
    assert not (tmp_path / "data" / "mine" / "clips.parquet").exists()


def test_a_name_asked_for_is_taken_as_it_is_or_not_at_all() -> None:
    assert index.dataset_name(Path("/x/y"), "Ärger_2.a-b") == "Ärger_2.a-b"
    assert index.dataset_name(Path("/x/äh so?")) == "äh-so"
    for bad in ("", "..", "a b", ".hidden"):
        with pytest.raises(UsageError):
            index.dataset_name(Path("/x/y"), bad)


def test_two_thousand_files_are_indexed_without_torch(tmp_path: Path) -> None:
    header = (
        b"RIFF" + struct.pack("<I", 36 + 320) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    )
    content = header + b"data" + struct.pack("<I", 320) + bytes(320)
    original = tmp_path / "original.wav"
    original.write_bytes(content)
    for machine in range(10):
        for kind in ("train/normal", "test/normal", "test/anomaly"):
            folder = tmp_path / "mine" / f"m{machine}" / kind
            folder.mkdir(parents=True)
            for i in range(100 if kind == "train/normal" else 50):
                os.link(original, folder / f"{i}.wav")
    code = (
        "import sys\n"
        "from asdcli.cli import call\n"
        "code = call(['index', 'mine', '--json', '--quiet'])\n"
        "print(code, 'torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    exit_code, torch = done.stderr.split()
    assert (exit_code, torch, json.loads(done.stdout)["facts"]["clips"]) == ("0", "False", 2_000)
