"""What was written and what is read: every byte is checked, and damage is refused with a hint that mends it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.artifacts.digest import digest_table
from asdcli.errors import BadArtifact
from asdcli.files import WEIGHTS
from tests.helpers import noise_run
from tests.helpers.loopback import wav


def embeddings(n: int = 12, dims: int = 4) -> pa.Table:
    """A table with every sort of column that asd writes: text, nulls, numbers, a map, vectors."""
    rows = [
        {
            "clip_id": f"clip {i}",
            "window": i % 3,
            "machine_type": "fan",
            "section": None if i % 2 else "00",
            "subset": "dev",
            "split": "train",
            "domain": "source" if i % 3 else None,
            "condition": None,
            "attributes": [("car", "A"), ("spd", str(i))] if i % 4 else None,
            "attribute_string": "",
        }
        for i in range(n)
    ]
    known = [(c.name, c.type) for c in artifacts.EMBEDDINGS.columns if c.type is not None]
    vectors = np.random.default_rng(0).standard_normal(n * dims).astype(np.float32)
    table = pa.Table.from_pylist(rows, pa.schema(known))
    return table.append_column("vector", pa.FixedSizeListArray.from_arrays(pa.array(vectors), dims))


def written(path: Path) -> Header:
    header = Header.make(artifacts.EMBEDDINGS, dataset="toy", params={"embedder": "logmel"})
    return artifacts.write_table(path, artifacts.EMBEDDINGS, embeddings(), header)


# --- digests ------------------------------------------------------------------------------------------------------

texts = st.none() | st.text(max_size=5)
columns = st.fixed_dictionaries(
    {
        "text": st.lists(texts, min_size=6, max_size=6),
        "number": st.lists(st.none() | st.floats(width=32), min_size=6, max_size=6),
        "whole": st.lists(st.none() | st.integers(-5, 5), min_size=6, max_size=6),
        "lists": st.lists(st.none() | st.lists(st.none() | st.integers(0, 9), max_size=3), min_size=6, max_size=6),
        "map": st.lists(
            st.none() | st.lists(st.tuples(st.text(max_size=3), texts), max_size=2), min_size=6, max_size=6
        ),
    }
)
SCHEMA = pa.schema(
    {
        "text": pa.string(),
        "number": pa.float64(),
        "whole": pa.int32(),
        "lists": pa.large_list(pa.int32()),
        "map": pa.map_(pa.string(), pa.string()),
    }
)


@settings(max_examples=40, deadline=None)
@given(columns, st.integers(0, 6))
def test_a_table_has_one_digest_however_it_is_laid_out(values: dict[str, list], cut: int) -> None:
    table = pa.table(values, schema=SCHEMA)
    wider = pa.concat_tables([table.slice(3), table, table.slice(0, 3)]).combine_chunks()
    stored = pa.BufferOutputStream()
    pq.write_table(table, stored)
    coded = table.set_column(0, "text", table["text"].dictionary_encode())
    for other in (
        pa.concat_tables([table.slice(0, cut), table.slice(cut)]),
        wider.slice(3, 6),
        pq.read_table(pa.BufferReader(stored.getvalue())),
        coded,
    ):
        assert digest_table(other) == digest_table(table)


def test_another_value_null_order_or_type_is_another_digest() -> None:
    table = pa.table({"a": ["x", None, ""], "b": [1.0, 2.0, 3.0]})
    others = [
        pa.table({"a": ["x", "", None], "b": [1.0, 2.0, 3.0]}),
        pa.table({"a": ["x", None, ""], "b": [1.0, 3.0, 2.0]}),
        pa.table({"a": ["x", None, ""], "b": [1, 2, 3]}),
        pa.table({"a": ["x", None, ""], "c": [1.0, 2.0, 3.0]}),
        pa.table({"a": ["x", None, ""], "b": pa.array([1.0, 2.0, 3.0], pa.float32())}),
        table.slice(0, 2),
    ]
    assert len({digest_table(t) for t in [table, *others]}) == 7


def test_the_digest_is_the_same_on_every_machine_and_with_every_pyarrow() -> None:
    assert digest_table(embeddings()) == "96ab4c8b78d43a3028c13ec4828f8884"


# --- flips --------------------------------------------------------------------------------------------------------


def flips(path: Path, read: Callable[[], Any], same: Callable[[Any], bool], step: int) -> tuple[int, int]:
    """Turns every `step`-th byte of `path`, one at a time: how many were refused, and how many made no difference.

    Raises AssertionError for one that made a difference.
    """
    whole = path.read_bytes()
    refused = harmless = 0
    for place in range(0, len(whole), step):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        try:
            found = read()
        except BadArtifact as error:
            assert error.hint
            refused += 1
            continue
        assert same(found), f"byte {place} of {len(whole)} made another artifact of it"
        harmless += 1
    path.write_bytes(whole)
    return refused, harmless


def test_no_flipped_byte_of_a_table_changes_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.parquet"
    header = written(path)
    table = artifacts.read_table(path, artifacts.EMBEDDINGS)[0]

    def read() -> Any:
        return artifacts.read_table(path, artifacts.EMBEDDINGS, headerless=True)

    refused, _ = flips(path, read, lambda found: found[0].equals(table) and found[1] == header, step=11)
    assert refused > 100


def test_no_flipped_byte_of_an_npz_changes_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fan.npz"
    arrays = {
        "samples": np.arange(500, dtype=np.int16),
        "clip_id": np.array(["a", "ü"]),
        "sample_rate": np.int64(16000),
    }
    header = artifacts.write_arrays(path, arrays, Header.make(artifacts.FEATURES, dataset="toy"))

    def same(found: Any) -> bool:
        equal = all(np.array_equal(found[0][name], value) for name, value in arrays.items())
        return equal and len(found[0]) == len(arrays) and found[1] == header

    refused, _ = flips(path, lambda: artifacts.read_arrays(path, artifacts.FEATURES), same, step=3)
    assert refused > 400


def test_an_entry_that_says_it_is_shorter_than_it_is_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "fan.npz"
    artifacts.write_arrays(path, {"x": np.arange(900)}, Header.make(artifacts.FEATURES, dataset="toy"))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"(900,)", b"(100,)"))
    with pytest.raises(BadArtifact, match="is damaged"):
        artifacts.read_arrays(path, artifacts.FEATURES)


def test_a_table_that_others_wrote_anew_under_our_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.parquet"
    written(path)
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(BadArtifact, match="its rows are not those that its header speaks of") as error:
        artifacts.read_table(path, artifacts.EMBEDDINGS)
    assert error.value.hint == f"remove it and make it again: {artifacts.EMBEDDINGS.made_by}"


def test_a_header_that_was_edited_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.parquet"
    written(path)
    table = pq.read_table(path)
    text = table.schema.metadata[b"asd"].replace(b'"logmel"', b'"other"')
    pq.write_table(table.replace_schema_metadata({b"asd": text}), path)
    for read in (artifacts.read_header, artifacts.read_table):
        with pytest.raises(BadArtifact, match=r"asd header of .* is damaged: it is not as it was written"):
            read(path, artifacts.EMBEDDINGS)


def test_a_table_of_the_first_version_has_no_seal_and_still_reads(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.parquet"
    written(path)
    table = pq.read_table(path)
    fields = json.loads(table.schema.metadata[b"asd"])
    del fields["seal"]
    fields["content"] = "a digest of another kind"
    pq.write_table(table.replace_schema_metadata({b"asd": json.dumps(fields).encode()}), path)
    read, header = artifacts.read_table(path, artifacts.EMBEDDINGS)
    assert read.equals(embeddings()) and header.content == "a digest of another kind"


# --- the whole file ------------------------------------------------------------------------------------------------


def test_verify_reads_tables_packs_and_models_to_the_last_byte(tmp_path: Path) -> None:
    clips, features = noise_run.write(tmp_path, ("fan",))
    pack = features / "waveform" / "fan.npz"
    assert artifacts.verify(clips, artifacts.CLIPS).dataset == "noise"
    assert artifacts.verify(pack, artifacts.FEATURES).dataset == "noise"
    for path, kind, place in ((clips, artifacts.CLIPS, 60), (pack, artifacts.FEATURES, 2000)):
        whole = path.read_bytes()
        path.write_bytes(whole[:place] + bytes(8) + whole[place + 8 :])
        with pytest.raises(BadArtifact, match="is damaged"):
            artifacts.verify(path, kind)


def test_verify_looks_at_the_weights_of_a_model(tmp_path: Path) -> None:
    from torch import nn

    from asdcli.training import model_files

    header = model_files.write_model(tmp_path, nn.Linear(3, 2), {}, Header.make(artifacts.MODEL, dataset="toy"))
    assert artifacts.verify(tmp_path, artifacts.MODEL).content == header.content
    weights = tmp_path / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(BadArtifact, match="not the weights that card"):
        artifacts.verify(tmp_path, artifacts.MODEL)
    weights.write_bytes(b"no weights")
    with pytest.raises(BadArtifact, match="is damaged"):
        artifacts.verify(tmp_path, artifacts.MODEL)


@pytest.mark.parametrize("command", [["download", "synthetic", "--size", "tiny"], ["index", "recordings"]])
def test_a_damaged_table_of_clips_is_never_up_to_date_and_made_again_where_forced(
    asd, tmp_path: Path, command, capsys
) -> None:
    for number in range(3):
        file = tmp_path / f"recordings/fan/train/{number}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(wav(seed=number))
    assert asd(*command, "-q") in (0, 3)
    path = next((tmp_path / "data").glob("*/clips.parquet"))
    whole = path.read_bytes()
    path.write_bytes(whole[:60] + bytes(8) + whole[68:])
    assert asd(*command, "-q") == 1
    assert "is damaged" in capsys.readouterr().err
    assert asd(*command, "-q", "--force") in (0, 3)
    assert path.read_bytes() == whole
