"""clips.parquet from what lies below a dataset root."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdcli import artifacts
from asdcli.editions import clips_table
from asdcli.errors import BadData
from tests.helpers.heard import Heard
from tests.helpers.loopback import wav
from tests.stages.test_download import clips_of

RAW = "dev_data/raw/fan/train/"
NAME = "section_00_source_train_normal_0000_vel_1"


def lay(root: Path, *paths: str, content: bytes | None = None) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(wav() if content is None else content)


def index(root: Path, edition: str = "dcase2023") -> tuple[list[dict], Heard, int]:
    heard = Heard()
    outcome = clips_table.run(root, root / "clips.parquet", edition=edition, progress=heard)
    return clips_of(root), heard, outcome.skipped


def test_a_name_that_fits_no_grammar_is_named_and_counted(tmp_path: Path) -> None:
    lay(tmp_path, f"{RAW}{NAME}.wav", f"{RAW}my recording.wav")
    rows, heard, skipped = index(tmp_path)
    assert len(rows) == skipped == 1
    assert any("my recording.wav" in w for w in heard.warnings)


def test_copies_with_labels_and_other_folders_are_ignored_and_told(tmp_path: Path) -> None:
    lay(tmp_path, f"{RAW}{NAME}.wav", f"dev_data/raw/fan/test_rename/{NAME}.wav", "notes/x.wav", ".parts/x.wav")
    rows, heard, skipped = index(tmp_path)
    assert (len(rows), skipped) == (1, 0)
    assert any("ignored 2 audio files" in n for n in heard.notes)


def test_one_clip_in_two_formats_is_refused(tmp_path: Path) -> None:
    lay(tmp_path, f"{RAW}{NAME}.wav", f"{RAW}{NAME}.flac")
    with pytest.raises(BadData, match="are the same clip"):
        index(tmp_path)


def test_flac_is_indexed_too(tmp_path: Path) -> None:
    import soundfile

    (tmp_path / RAW).mkdir(parents=True)
    soundfile.write(tmp_path / f"{RAW}{NAME}.flac", [[0.1, 0.2]] * 8000, 16000)
    rows, heard, _ = index(tmp_path)
    assert (rows[0]["duration_s"], rows[0]["channels"]) == (0.5, 2)
    assert any("16000 Hz, 2 channels" in w for w in heard.warnings)


def test_a_damaged_file_stays_in_the_table_without_length_and_is_named(tmp_path: Path) -> None:
    whole = wav(1.0)
    lay(tmp_path, f"{RAW}{NAME}.wav")
    for i, bad in enumerate((b"", b"RIFF", whole[: len(whole) // 2], b"<html>"), start=1):
        lay(tmp_path, f"{RAW}section_00_source_train_normal_{i:04d}_vel_1.wav", content=bad)
    rows, heard, skipped = index(tmp_path)
    assert [r["duration_s"] for r in rows] == [0.05, None, None, None, None]
    assert skipped == 0
    assert any("4 damaged files" in w for w in heard.warnings)


def test_attribute_tables_correct_the_pairs_of_a_name_but_not_its_string(tmp_path: Path) -> None:
    name = "section_00_source_train_normal_0000_a_b_c_d"
    lay(tmp_path, f"{RAW}{name}.wav")
    (tmp_path / "dev_data/raw/fan/attributes_00.csv").write_text(f"file_name,d1p,d1v\nwrong/{name}.wav,a_b,c_d\n")
    row = index(tmp_path)[0][0]
    assert row["attributes"] == [("a_b", "c_d")]
    assert row["attribute_string"] == "a_b_c_d"


def test_two_channels_are_what_2026_has(tmp_path: Path) -> None:
    lay(tmp_path, f"{RAW}{NAME}.wav", content=wav(channels=2))
    rows, heard, _ = index(tmp_path, "dcase2026")
    assert rows[0]["channels"] == 2
    assert [w for w in heard.warnings if "channels" in w] == []


def test_a_root_without_clips_is_refused_with_the_command_that_fills_it(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no clips of dcase2023") as error:
        index(tmp_path)
    assert error.value.hint == "fetch them: asd download dcase2023"
    lay(tmp_path, f"{RAW}normal_id_00_00000000.wav")  # 2020's names in 2023's folders
    with pytest.raises(BadData, match="fits no file name of 2022"):
        index(tmp_path)
    assert not (tmp_path / "clips.parquet").exists()


def test_a_name_with_labels_wins_over_the_truth_and_the_dispute_is_told(tmp_path: Path) -> None:
    lay(tmp_path, "eval_data/raw/Vacuum/test/section_00_source_test_anomaly_0000_x_1.wav")
    table = tmp_path / "ground_truth/condition/eval/Vacuum/ground_truth_Vacuum_section_00_test.csv"
    table.parent.mkdir(parents=True)
    table.write_text("section_00_source_test_anomaly_0000_x_1.wav,0\n")
    rows, heard, _ = index(tmp_path)
    assert rows[0]["condition"] == "anomaly"
    assert any("disagree on 1 clip;" in w for w in heard.warnings)


def test_the_order_of_files_on_disk_does_not_matter(tmp_path: Path) -> None:
    names = [f"{RAW}section_00_source_train_normal_{i:04d}_vel_1.wav" for i in range(5)]
    lay(tmp_path / "one" / "set", *names)
    lay(tmp_path / "two" / "set", *reversed(names))
    for root in ("one", "two"):
        index(tmp_path / root / "set")
    assert (tmp_path / "one/set/clips.parquet").read_bytes() == (tmp_path / "two/set/clips.parquet").read_bytes()
    assert artifacts.read_header(tmp_path / "one/set/clips.parquet", artifacts.CLIPS).dataset == "set"
