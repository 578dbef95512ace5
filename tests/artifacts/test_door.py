"""What comes in by the door of an artifact: columns, values, headers and files are what their kind promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asdcli import artifacts
from asdcli.artifacts import Header, rules
from asdcli.errors import AsdError, BadArtifact
from asdcli.features.pack import VectorPack, WaveformPack
from tests.helpers import score_files
from tests.helpers.rewrite import forge, spoil
from tests.helpers.waiting import PATIENCE_S


def row(**values: object) -> dict:
    return {
        "clip_id": "a",
        "path": "a.wav",
        "machine_type": "fan",
        "section": "00",
        "subset": "dev",
        "split": "train",
        "domain": "source",
        "condition": "normal",
        "duration_s": 1.0,
        "sample_rate": 16000,
        "channels": 1,
        **values,
    }


def clips(path: Path, *rows: dict) -> Path:
    header = Header.make(artifacts.CLIPS, dataset="toy")
    artifacts.write_table(path, artifacts.CLIPS, pa.Table.from_pylist(list(rows)), header)
    return path


# --- values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("clip_id", "", "it is empty"),
        ("path", "/etc/passwd", "it leads out of the dataset's folder"),
        ("path", "../x.wav", "it leads out of the dataset's folder"),
        ("path", "C:x.wav", "it leads out of the dataset's folder"),
        ("path", "a\0.wav", "it is no path"),
        ("machine_type", "../../evil", "it cannot be the name of a file (it holds '/')"),
        ("machine_type", "nul", "it cannot be the name of a file (Windows keeps it for a device)"),
        ("machine_type", "Fan", "some file systems take it for 'fan'"),
        ("subset", "test", "it is none of dev, eval"),
        ("split", "Train", "it is none of train, test, supplemental"),
        ("domain", "Source", "it is none of source, target"),
        ("condition", "OK", "it is none of normal, anomaly"),
        ("duration_s", float("nan"), "it is not finite"),
        ("duration_s", -1.0, "it is less than 0"),
        ("sample_rate", 0, "it is less than 1"),
        ("channels", 0, "it is less than 1"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_row_reading_and_writing(
    tmp_path: Path, column: str, value: object, why: str
) -> None:
    path = clips(tmp_path / "clips.parquet", row(), row(clip_id="b"))
    spoil(path, 1, **{column: value})
    with pytest.raises(BadArtifact) as reading:
        artifacts.read_table(path, artifacts.CLIPS, headerless=True)
    with pytest.raises(BadArtifact) as writing:
        clips(tmp_path / "again.parquet", row(), {**row(clip_id="b"), column: value})
    for error in (reading, writing):
        assert f"{column} of {'row 1' if column == 'clip_id' else 'b'}" in error.value.message
        assert why in error.value.message
    assert not (tmp_path / "again.parquet").exists()


def test_hidden_values_are_no_fault(tmp_path: Path) -> None:
    hidden = dict.fromkeys(("section", "domain", "condition", "duration_s", "sample_rate", "channels"))
    artifacts.read_table(clips(tmp_path / "c", row(), row(clip_id="b", **hidden)), artifacts.CLIPS)


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([row()])
    pq.write_table(table.append_column("split", table["split"]), tmp_path / "c.parquet")
    with pytest.raises(BadArtifact, match="column 'split' stands twice"):
        artifacts.read_table(tmp_path / "c.parquet", artifacts.CLIPS, headerless=True)


@pytest.mark.parametrize("kind", [k for k in artifacts.KINDS.values() if k.columns], ids=lambda k: k.name)
def test_a_table_without_rows_is_read_or_refused_in_words(tmp_path: Path, kind: artifacts.Kind) -> None:
    types = {c.name: c.type or pa.list_(pa.float32(), 2) for c in kind.columns}
    table = pa.schema(types).empty_table()
    artifacts.write_table(tmp_path / "t", kind, table, Header.make(kind, dataset="toy"))
    assert len(artifacts.read_table(tmp_path / "t", kind)[0]) == 0


# --- headers ------------------------------------------------------------------------------------------------------


def header(**fields: object) -> str:
    return json.dumps({"kind": "clips", "version": 1, **fields})


DEEP = '{"kind": "clips", "version": 1, "params": ' + '{"a": ' * 5000 + "1" + "}" * 5001


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "there is no mapping but list"),
        ("null", "there is no mapping but NoneType"),
        ("{}", "'kind' is missing"),
        (header(version="1"), "'version' is '1'"),
        (header(version=None), "'version' is None"),
        (header(version=True), "'version' is True"),
        (header(kind=3), "'kind' is 3"),
        (header(seed="0"), "'seed' is '0'"),
        (header(params=[]), "'params' is []"),
        (header(inputs={"clips": None}), "the input 'clips' is None"),
        (header(history={}), "'history' is {}"),
        (header(history=["clips"]), "in its history there is no mapping but str"),
        (header(history=[{"params": {}}]), "in its history 'kind' is missing"),
        (header(history=[{"kind": "clips", "params": 3}]), "in its history 'params' is 3"),
        (header(history=[{"kind": "clips", "params": {}}]), "in its history 'asdcli' is missing"),
        ("{", "it cannot be read (JSONDecodeError)"),
        ("\\xff", "it cannot be read"),
        (DEEP, "it cannot be read"),
        (header(seal="0" * 32), "it is not as it was written"),
    ],
)
def test_a_header_of_another_shape_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(BadArtifact) as error:
        Header.from_json(text, where="x.parquet")
    assert why in error.value.message and "x.parquet" in error.value.message
    assert len(error.value.message) < 200


# --- packs --------------------------------------------------------------------------------------------------------


def pack(**arrays: np.ndarray) -> dict[str, np.ndarray]:
    whole = WaveformPack.of([np.zeros(5, np.int16), np.ones(3, np.int16)], ["a", "b"], 16000).arrays()
    return {**whole, **arrays}


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": np.zeros(8, np.float32)},
        {"samples": np.zeros((4, 2), np.int16)},
        {"offsets": np.array([0, 5, 9])},
        {"offsets": np.array([0, 5, 5])},
        {"offsets": np.array([0, 9, 8])},
        {"offsets": np.array([-1, 5, 8])},
        {"offsets": np.array([0, 8])},
        {"offsets": np.array([0.0, 5.0, 8.0])},
        {"clip_id": np.array([1, 2])},
        {"clip_id": np.array(["a"])},
        {"sample_rate": np.array(0)},
        {"sample_rate": np.array([16000])},
        {"sample_rate": np.array("16000")},
    ],
    ids=str,
)
def test_a_pack_whose_arrays_do_not_fit_one_another_is_refused(wrong: dict[str, np.ndarray]) -> None:
    assert len(WaveformPack.from_arrays(pack())) == 2
    with pytest.raises(ValueError):
        WaveformPack.from_arrays(pack(**wrong))


@pytest.mark.parametrize("vectors", [np.zeros(2), np.zeros((3, 4)), np.full((2, 4), np.nan), np.zeros((2, 4), "U1")])
def test_vectors_that_are_none_are_refused(vectors: np.ndarray) -> None:
    with pytest.raises(ValueError):
        VectorPack.from_arrays({"vectors": vectors, "clip_id": np.array(["a", "b"])})


# --- what is no file ----------------------------------------------------------------------------------------------


PLACES = [
    ("data/toy/clips.parquet", ["extract-features"]),
    ("runs/toy/features/waveform/fan.npz", ["embed", "--embedder", "logmel"]),
    ("runs/toy/features/logmel/fan.npz", ["embed", "--embedder", "logmel"]),
    ("runs/toy/model/card.json", ["embed"]),
    ("runs/toy/embeddings.parquet", ["score"]),
    ("runs/toy/scores/nn.parquet", ["evaluate"]),
    ("runs/toy/thresholds.parquet", ["threshold", "--decisions", "d.csv"]),
    ("runs/toy/run.json", ["score"]),
    ("data/current", ["train"]),
]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_never_opened(tmp_path: Path) -> None:
    """All places at once: each process starts python, and none waits for the others."""
    running = []
    for number, (place, command) in enumerate(PLACES):
        root = tmp_path / str(number)
        clips(root / "data/toy/clips.parquet", row())
        (root / "data/current").write_text("toy\n")
        (root / "runs/toy").mkdir(parents=True)
        (root / place).unlink(missing_ok=True)
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(root / place)
        words = [sys.executable, "-m", "asdcli", *command]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        running.append((place, subprocess.Popen(words, cwd=root, **pipes)))  # type: ignore[call-overload]
    for place, process in running:
        try:
            said = process.communicate(timeout=PATIENCE_S)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"it waits for ever at {place}") from None
        assert process.returncode in (1, 2) and "Traceback" not in said, (place, said)


def test_a_folder_in_place_of_a_table_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").mkdir()
    with pytest.raises(AsdError, match="is a folder, not a file"):
        artifacts.read_table(tmp_path / "t.parquet", artifacts.CLIPS)
    with pytest.raises(BadArtifact, match="is a device, not a file"):
        artifacts.read_table(Path("/dev/zero"), artifacts.CLIPS)


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../../x", "a/b", "con", ".hidden", "a\x1b[31m", "x" * 200])
def test_a_dataset_name_that_is_no_folders_is_refused_and_nothing_written(
    asd, tmp_path: Path, name: str, capsys
) -> None:
    for command in (("extract-features",), ("score",), ("doctor",), ("evaluate",)):
        assert asd(*command, "--dataset", name) == 2
    assert "cannot be a dataset's name" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_machine_type_writes_nothing_outside_its_run(asd, tmp_path: Path, capsys) -> None:
    table = pa.Table.from_pylist([row(machine_type="../../../../evil")])
    path = clips(tmp_path / "data/toy/clips.parquet", row())
    forge(path, table, artifacts.read_header(path, artifacts.CLIPS))
    before = set(tmp_path.rglob("*"))
    for command in (["extract-features"], ["train"], ["embed", "--embedder", "logmel"]):
        assert asd(*command, "--dataset", "toy") == 1
        assert "cannot be the name of a file (it holds '/')" in capsys.readouterr().err.replace("\n", " ")
    assert not [p for p in set(tmp_path.rglob("*")) - before if p.suffix == ".npz"]


def test_a_method_writes_nothing_outside_its_run(asd, tmp_path: Path, capsys) -> None:
    rows = score_files.make_run(tmp_path, "dcase2023", methods=("nn",), machine_types=["fan"])
    path = tmp_path / "runs/dcase2023/scores/nn.parquet"
    table = pq.read_table(path)
    evil = pa.array(["../../../../evil"] * len(rows), pa.string())
    table = table.set_column(table.column_names.index("method"), "method", evil)
    forge(path, table.replace_schema_metadata(None), artifacts.read_header(path, artifacts.SCORES))
    for command in (["evaluate", "--csv", "e.csv"], ["threshold"], ["threshold", "--decisions", "d.csv"]):
        assert asd(*command, "--dataset", "dcase2023") in (0, 1)
    assert asd("submit", "--dataset", "dcase2023", "--label", "A_B", "--subset", "dev") in (0, 1, 3)
    assert not [p for p in tmp_path.parent.rglob("*evil*") if p.parent != tmp_path / "runs/dcase2023/scores"]
    capsys.readouterr()


def test_a_section_that_no_file_can_be_called_by_is_not_submitted(asd, tmp_path: Path, capsys) -> None:
    rows = score_files.clip_rows("dcase2023", machine_types=["fan"])
    score_files.make_run(tmp_path, "dcase2023", rows=[{**r, "section": "../../00"} for r in rows])
    assert asd("threshold") == 0
    assert asd("submit", "--label", "A_B", "--subset", "dev") == 1
    assert "cannot be the name of a file: it holds '/'" in capsys.readouterr().err.replace("\n", " ")


_pieces = st.sampled_from(
    ["/", "\\", "..", ".", "C:", "C", ":", "\0", "a.wav", "..b", "\\\\h\\s", "//", " ", "\n", "ü", ""]
)


@example(["fan/a.wav", r"\\host\share\a.wav"])
@given(st.lists(st.none() | st.lists(_pieces, max_size=5).map("".join), max_size=4))
def test_the_rule_of_paths_is_what_pathlib_says_of_each(texts: list[str | None]) -> None:
    def why(text: str) -> str | None:
        if not text or "\0" in text:
            return "it is no path"
        posix = PurePosixPath(text)
        leads_out = posix.is_absolute() or PureWindowsPath(text).drive or ".." in posix.parts
        return "it leads out of the dataset's folder" if leads_out else None

    faults = [(row, said) for row, text in enumerate(texts) if text is not None and (said := why(text))]
    assert rules.paths(pa.chunked_array([texts[:2], texts[2:]], pa.string())) == next(iter(faults), None)
