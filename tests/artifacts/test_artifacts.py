"""The files between stages: headers, atomic writing, refusals."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadArtifact, MissingArtifact


def _clips(ids: list[str]) -> pa.Table:
    n = len(ids)
    return pa.table(
        {
            "clip_id": ids,
            "path": [f"{i}.wav" for i in ids],
            "machine_type": ["fan"] * n,
            "subset": ["dev"] * n,
            "split": ["train"] * n,
        }
    )


def _header(**kw) -> Header:
    return Header.make(artifacts.CLIPS, dataset="toy", params={"edition": "dcase2023"}, **kw)


def test_a_table_comes_back_with_the_kinds_columns_and_its_header(tmp_path: Path) -> None:
    written = artifacts.write_table(tmp_path / "clips.parquet", artifacts.CLIPS, _clips(["b", "a"]), _header())
    table, header = artifacts.read_table(tmp_path / "clips.parquet", artifacts.CLIPS)
    assert header == written and header.content
    assert table["clip_id"].to_pylist() == ["b", "a"]
    assert table["domain"].to_pylist() == [None, None]


def test_the_same_table_gives_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        artifacts.write_table(tmp_path / f"{name}.parquet", artifacts.CLIPS, _clips(["a"]), _header())
        artifacts.write_arrays(tmp_path / f"{name}.npz", {"x": np.arange(3)}, _header())
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.npz") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}  # as far back as a zip goes


def test_content_digest_follows_the_content_not_the_chunks(tmp_path: Path) -> None:
    whole = artifacts.write_table(tmp_path / "a.parquet", artifacts.CLIPS, _clips(["a", "b"]), _header())
    parts = pa.concat_tables([_clips(["a"]), _clips(["b"])])
    assert artifacts.write_table(tmp_path / "b.parquet", artifacts.CLIPS, parts, _header()).content == whole.content
    other = artifacts.write_table(tmp_path / "c.parquet", artifacts.CLIPS, _clips(["a", "c"]), _header())
    assert other.content != whole.content


def test_history_lists_every_stage_before_once_and_recall_finds_a_parameter_in_it(tmp_path: Path) -> None:
    clips = artifacts.write_table(tmp_path / "clips.parquet", artifacts.CLIPS, _clips(["a"]), _header())
    features = Header.make(artifacts.FEATURES, dataset="toy", inputs={"clips": clips}).with_content("f")
    embeddings = Header.make(artifacts.EMBEDDINGS, dataset="toy", inputs={"clips": clips, "features": features})
    assert [e["kind"] for e in embeddings.history] == ["clips", "features"]
    assert embeddings.recall("edition") == "dcase2023"
    assert embeddings.recall("nothing") is None


def test_history_says_of_every_stage_what_it_was_made_of_and_of_a_part_the_whole(tmp_path: Path) -> None:
    clips = artifacts.write_table(tmp_path / "clips.parquet", artifacts.CLIPS, _clips(["a"]), _header())
    features = Header.make(artifacts.FEATURES, dataset="toy", inputs={"clips": clips.part("rows")}).with_content("f")
    embeddings = Header.make(artifacts.EMBEDDINGS, dataset="toy", inputs={"clips": clips, "features/x": features})
    assert [e["inputs"] for e in embeddings.history] == [{}, {"whole": clips.content}, {"clips": "rows"}]
    assert embeddings.inputs == {"clips": clips.content, "features/x": "f"}
    assert Header.from_json(embeddings.to_json(), where="x") == embeddings


def test_a_changed_upstream_makes_an_artifact_stale_and_diagnostics_do_not(tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    upstream = _header().with_content("1")
    made = Header.make(artifacts.FEATURES, dataset="toy", inputs={"clips": upstream}, diagnostics={"seconds": 1})
    artifacts.write_arrays(path, {"x": np.zeros(1)}, made)
    again = Header.make(artifacts.FEATURES, dataset="toy", inputs={"clips": upstream}, diagnostics={"seconds": 2})
    changed = Header.make(artifacts.FEATURES, dataset="toy", inputs={"clips": upstream.with_content("2")})
    assert artifacts.is_current(path, artifacts.FEATURES, again)
    assert not artifacts.is_current(path, artifacts.FEATURES, changed)
    assert not artifacts.is_current(tmp_path / "none.npz", artifacts.FEATURES, again)


def test_nothing_is_left_and_nothing_is_lost_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), artifacts.atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["f.txt"] and path.read_text() == "old"


def test_the_temporary_file_of_a_killed_writer_is_swept_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    code = (
        "import os, sys; from pathlib import Path; from asdcli import artifacts\n"
        "with artifacts.atomic(Path(sys.argv[1])) as t:\n"
        "    t.write_text('half'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert [p.suffix for p in tmp_path.iterdir()] == [".tmp"]
    with artifacts.atomic(path) as temporary:
        temporary.write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["f.txt"]


def test_a_missing_file_names_the_step_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(MissingArtifact) as caught:
        artifacts.read_table(tmp_path / "embeddings.parquet", artifacts.EMBEDDINGS)
    assert caught.value.hint == "make it first: asd embed"


def test_a_file_of_another_kind_is_refused_by_both_names(tmp_path: Path) -> None:
    path = tmp_path / "clips.parquet"
    artifacts.write_table(path, artifacts.CLIPS, _clips(["a"]), _header())
    with pytest.raises(BadArtifact, match="holds clips, not scores"):
        artifacts.read_table(path, artifacts.SCORES)


def test_a_header_of_any_kind_can_be_read_but_none_of_a_newer_version_or_an_unknown_kind(tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    for kind, version, refusal in (
        ("features", 1, None),
        ("features", 2, "features version 2"),
        ("music", 1, "holds music"),
    ):
        artifacts.write_arrays(path, {"x": np.zeros(1)}, Header(kind, version))
        if refusal is None:
            assert artifacts.read_header(path, artifacts.ANY).kind == kind
            continue
        with pytest.raises(BadArtifact, match=refusal):
            artifacts.read_header(path, artifacts.ANY)


def test_a_newer_version_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    header = Header("features", version=99)
    artifacts.write_arrays(path, {"x": np.zeros(1)}, header)
    with pytest.raises(BadArtifact, match="version 99; this asdcli reads up to 1"):
        artifacts.read_arrays(path, artifacts.FEATURES)


def test_unknown_header_fields_are_ignored() -> None:
    header = Header.from_json('{"kind": "clips", "version": 1, "a_field_of_the_future": 3}', where="x")
    assert header.kind == "clips"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a zip", b"<html>", bytes(range(255, 191, -1))])
def test_damaged_files_are_refused_not_crashed_on(tmp_path: Path, content: bytes) -> None:
    for name, kind in (("x.npz", artifacts.FEATURES), ("x.parquet", artifacts.SCORES)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadArtifact):
            artifacts.read_header(tmp_path / name, kind)


def test_a_truncated_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    artifacts.write_arrays(path, {"x": np.arange(9999)}, _header())
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(BadArtifact):
        artifacts.read_arrays(path, artifacts.FEATURES)


def test_duplicate_clips_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match="1 duplicate rows by clip_id; the first is a"):
        artifacts.write_table(tmp_path / "c.parquet", artifacts.CLIPS, _clips(["a", "b", "a"]), _header())
    assert not list(tmp_path.iterdir())


def test_a_foreign_table_is_read_only_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "foreign.parquet"
    pq.write_table(_clips(["a"]), path)
    with pytest.raises(BadArtifact, match="no asd header"):
        artifacts.read_table(path, artifacts.CLIPS)
    table, header = artifacts.read_table(path, artifacts.CLIPS, headerless=True)
    assert len(table) == 1 and header.asdcli == "foreign" and header.content


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match="'path' is missing"):
        artifacts.write_table(tmp_path / "c", artifacts.CLIPS, _clips(["a"]).drop(["path"]), _header())
