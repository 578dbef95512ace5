"""`--shard i/n`: n shards give the bytes of one, whatever is missing, damaged or stale; and what is refused."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import torch

from asdcli import artifacts
from asdcli.embedders.trained import Trained
from asdcli.errors import BadData, Busy, StaleArtifact
from asdcli.features.logmel import LogMelStatistics
from asdcli.features.pack import WaveformPack
from asdcli.pipeline import workspace
from asdcli.pipeline.diagnosis import Finding, run_files
from asdcli.stages import embed
from asdcli.stages import extract_features as extract
from asdcli.views.shards import Shard
from asdcli.writing.locks import alone
from tests.helpers.heard import Heard
from tests.helpers.in_blocks import InBlocks

SIZES = {"fan": 7, "pump": 1, "valve": 4}
COPY, DEAD, BROKEN = "fan/train/0001", "fan/train/0005", "valve/train/0002"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of different lengths: one a copy of another, one dead, one cut in the middle; to be read."""
    root = tmp_path_factory.mktemp("material")
    rows = []
    for m, (machine_type, n) in enumerate(SIZES.items()):
        for i in range(n):
            clip_id = f"{machine_type}/train/{i:04d}"
            path = root / f"{clip_id}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            seed = [0, 0] if clip_id == COPY else [m, i]
            samples = np.random.default_rng(seed).integers(-3000, 3000, 2000 + 37 * (seed[1] % 3)).astype(np.int16)
            soundfile.write(path, samples * (clip_id != DEAD), 16_000)
            rows.append({"clip_id": clip_id, "path": f"{clip_id}.wav", "machine_type": machine_type})
    broken = root / f"{BROKEN}.wav"
    broken.write_bytes(broken.read_bytes()[:900])
    write_clips(root, rows)
    return root


def write_clips(root: Path, rows: Sequence[dict]) -> None:
    labels = {"subset": "dev", "split": "train", "section": "00", "domain": "source", "condition": "normal"}
    table = pa.Table.from_pylist([labels | row for row in rows])
    header = artifacts.Header.make(artifacts.CLIPS, dataset="toy")
    artifacts.write_table(root / "clips.parquet", artifacts.CLIPS, table, header)


Extract = Callable[..., object]


@pytest.fixture
def extracted(material: Path, tmp_path: Path) -> Extract:
    """Extract below `place` of the temporary folder, and give the outcome."""

    def call(place: str, shard: str | None = None, **options: object) -> object:
        given = {"errors": tmp_path / place / "errors.parquet", "on_error": "skip", "jobs": 2, **options}
        clips = given.pop("clips", material / "clips.parquet")
        return extract.run(clips, tmp_path / place / "packs", shard=shard and Shard.of(shard), **given)  # type: ignore

    return call


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- features ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "options"), [(1, {}), (2, {"scale": "peak"}), (5, {}), (5, {"features": "logmel"}), (20, {"scale": "peak"})]
)
def test_packs_of_shards_are_those_of_one_byte_for_byte(
    extracted: Extract, tmp_path: Path, n: int, options: dict
) -> None:
    extracted("one", **options)
    for i in reversed(range(n)):
        extracted("many", f"{i + 1}/{n}", **options)
    assert (tmp_path / "many/packs").exists()
    extracted("many", **options)
    assert content(tmp_path / "many") == content(tmp_path / "one")
    assert artifacts.read_header(tmp_path / "one/packs/fan.npz", artifacts.FEATURES).diagnostics["suspects"].keys() == {
        COPY,
        DEAD,
    }


def test_shards_read_each_clip_once_and_the_rest_reads_none(extracted: Extract, tmp_path: Path) -> None:
    facts = [extracted("x", f"{i}/3", machine_types=["fan", "pump"]).plain() for i in (1, 2, 3)]  # type: ignore
    assert [(f["clips"], f.get("pieces"), f["machine_types"]) for f in facts] == [(2, 1, 0), (3, 1, 0), (3, 1, 1)]
    again = extracted("x", "2/3", machine_types=["fan", "pump"])
    assert (again.status, again.plain()["up_to_date"]) == ("current", 1)  # type: ignore
    heard = Heard()
    extracted("x", machine_types=["fan", "pump"], progress=heard)
    assert not any("again" in warning for warning in heard.warnings)
    assert heard.total is None  # nothing was read
    assert not (tmp_path / "x/shards").exists()


def test_pieces_that_are_gone_damaged_or_older_than_their_clips_are_named_and_read_again(
    extracted: Extract, material: Path, tmp_path: Path
) -> None:
    options = {"machine_types": ["fan"], "clips": copied(material, tmp_path / "data")}
    extracted("one", **options)
    for i in range(1, 6):
        extracted("many", f"{i}/5", **options)
    first, second, third, fourth = (tmp_path / f"many/shards/packs/fan.{i}-of-5.npz" for i in (1, 2, 3, 4))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-300])
    whole = third.read_bytes()
    at = whole.index(b"values.npy") + 200
    third.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    os.utime(fourth, (1, 1))
    heard = Heard()
    extracted("many", **options, progress=heard)
    (tmp_path / "many/shards/packs/fan.2-of-5.npz").unlink()  # what cannot be read may be anybody's
    shutil.rmtree(tmp_path / "many/shards")
    assert content(tmp_path / "many") == content(tmp_path / "one")
    told = "\n".join(heard.warnings)
    for name, why in (("2-of", "no npz"), ("3-of", "is damaged"), ("4-of", "recordings were written after it")):
        assert re.search(rf"fan\.{name}-5\.npz.*{why}.*its clips are read again", told), told


def copied(material: Path, to: Path) -> Path:
    """A copy of the material; its table of clips."""
    return Path(shutil.copytree(material, to)) / "clips.parquet"


def test_a_shard_of_another_number_or_of_other_clips_is_refused_and_forced(
    extracted: Extract, material: Path, tmp_path: Path
) -> None:
    clips = copied(material, tmp_path / "data")
    extracted("x", "1/2", clips=clips, machine_types=["fan"])
    with pytest.raises(StaleArtifact, match=r"shard 1/3 cannot be put together .*fan\.1-of-2\.npz \(one of 2 shards\)"):
        extracted("x", "1/3", clips=clips, machine_types=["fan"])
    with pytest.raises(StaleArtifact, match=r"made with another sample rate"):
        extracted("x", "2/2", clips=clips, machine_types=["fan"], sample_rate=8000, resample=True)
    table, _ = artifacts.read_table(clips, artifacts.CLIPS)
    write_clips(tmp_path / "data", table.slice(1).select(["clip_id", "path", "machine_type"]).to_pylist())
    with pytest.raises(StaleArtifact, match=r"fan\.1-of-2\.npz \(clips changed since") as error:
        extracted("x", "2/2", clips=clips, machine_types=["fan"])
    assert error.value.hint == "go on as they were made; or remove them and begin anew: --force"
    extracted("x", "2/2", clips=clips, machine_types=["fan"], force=True)
    assert [p.name for p in (tmp_path / "x/shards/packs").iterdir()] == ["fan.2-of-2.npz"]


def test_stale_pieces_are_named_and_read_again_and_those_of_other_machine_types_stay(
    extracted: Extract, material: Path, tmp_path: Path
) -> None:
    clips = copied(material, tmp_path / "data")
    for machine_type in ("fan", "valve"):
        extracted("x", "1/2", clips=clips, machine_types=[machine_type])
    table, _ = artifacts.read_table(clips, artifacts.CLIPS)
    write_clips(tmp_path / "data", table.slice(1).select(["clip_id", "path", "machine_type"]).to_pylist())
    heard = Heard()
    extracted("x", clips=clips, machine_types=["fan"], progress=heard)
    extracted("one", clips=clips, machine_types=["fan"])
    assert content(tmp_path / "x/packs") == content(tmp_path / "one/packs")
    assert [p.name for p in (tmp_path / "x/shards/packs").glob("*.npz")] == ["valve.1-of-2.npz"]


def test_nobody_puts_shards_together_while_one_is_being_made(extracted: Extract, tmp_path: Path) -> None:
    with alone(tmp_path / "x/shards/packs/2-of-3"):
        extracted("x", "1/3")
        with pytest.raises(Busy, match="2-of-3 is being written by"):
            extracted("x", "2/3")
        with pytest.raises(Busy, match="2-of-3 is being written by"):
            extracted("x")
    extracted("x")
    assert not (tmp_path / "x/shards").exists()


# --- embeddings ----------------------------------------------------------------------------------------------------


def typed(asd: Callable[..., int], *lines: str) -> None:
    for line in lines:
        assert asd(*line.split(), "--quiet") == 0, line


EMBED = f"embed --embedder {InBlocks.__module__}:InBlocks --batch-size 2"


@pytest.fixture
def run(material: Path, tmp_path: Path, asd: Callable[..., int]) -> Path:
    """A run with log-mel features and embeddings that a machine type can be cut for."""
    clips = copied(material, tmp_path / "data" / "toy")
    table, _ = artifacts.read_table(clips, artifacts.CLIPS)
    rows = table.select(["clip_id", "path", "machine_type"]).to_pylist()
    write_clips(clips.parent, [row for row in rows if row["clip_id"] != BROKEN])
    typed(asd, "extract-features --features logmel --dataset toy", EMBED)
    return tmp_path / "runs" / "toy"


@pytest.mark.parametrize("n", [1, 3, 13])
def test_embeddings_of_shards_are_those_of_one_byte_for_byte(run: Path, asd: Callable[..., int], n: int) -> None:
    output = run / "embeddings.parquet"
    one = output.read_bytes()
    output.unlink()
    typed(asd, *(f"{EMBED} --shard {i + 1}/{n}" for i in reversed(range(n))))
    shards = {path: path.stat().st_mtime_ns for path in (run / "shards/embeddings").iterdir()}
    assert len(shards) == n and not output.exists()
    typed(asd, f"{EMBED} --shard 1/{n}")
    assert shards == {path: path.stat().st_mtime_ns for path in shards}
    typed(asd, EMBED)
    assert output.read_bytes() == one
    assert not (run / "shards").exists()
    typed(asd, f"{EMBED} --shard 1/{n}")  # up to date: nothing is done
    assert not (run / "shards").exists()


def test_shards_hold_the_vectors_of_the_folds_of_a_trained_model(folded_run: Path, asd: Callable[..., int]) -> None:
    files = [folded_run / "embeddings.parquet", folded_run / "fold-embeddings.parquet"]
    one = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    typed(asd, "embed --shard 2/2", "embed")
    assert [file.read_bytes() for file in files] == one


def test_missing_and_damaged_shards_are_named_and_embedded_again(
    run: Path, asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    output, shards = run / "embeddings.parquet", run / "shards" / "embeddings"
    one = output.read_bytes()
    output.unlink()
    typed(asd, *(f"{EMBED} --shard {i}/4" for i in (1, 2, 3)))
    table, header = artifacts.read_table(shards / "2-of-4.parquet", artifacts.EMBEDDINGS_SHARD)
    damaged = table.slice(1).replace_schema_metadata({b"asd": header.to_json().encode()})
    pq.write_table(damaged, shards / "2-of-4.parquet")
    capsys.readouterr()
    assert asd(*EMBED.split()) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "2-of-4.parquet is damaged: its rows are not those that its header speaks of: its clips are embedded" in told
    assert "shards not there, embedded now: 2/4, 4/4" in told
    assert output.read_bytes() == one
    assert not shards.exists()


def test_clips_that_no_shard_embedded_are_named_when_they_are_put_together(
    run: Path, asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    clips = run.parents[1] / "data/toy/clips.parquet"
    table, _ = artifacts.read_table(clips, artifacts.CLIPS)
    rows = table.select(["clip_id", "path", "machine_type"]).to_pylist()
    write_clips(clips.parent, [*rows, {"clip_id": BROKEN, "path": f"{BROKEN}.wav", "machine_type": "valve"}])
    assert asd("extract-features", "--features", "logmel", "--on-error", "skip", "-q") == 3
    for words in (["--shard", "1/2"], ["--shard", "2/2"], []):
        capsys.readouterr()
        assert asd(*EMBED.split(), *words) == 0
    assert f"1 clip ({BROKEN}) is not embedded: extract-features left them out" in capsys.readouterr().err


def test_a_shard_is_no_table_of_embeddings(
    run: Path, asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "embeddings.parquet").unlink()
    typed(asd, f"{EMBED} --shard 1/2")
    assert asd("score", "--embeddings", run / "shards/embeddings/1-of-2.parquet", "-o", "scores") == 1
    assert "holds embeddings-shard, not embeddings" in capsys.readouterr().err


@pytest.mark.parametrize("shard", ["0/4", "5/4", "half"])
def test_what_is_no_shard_is_refused_as_a_matter_of_usage(
    run: Path, asd: Callable[..., int], capsys: pytest.CaptureFixture[str], shard: str
) -> None:
    for command in ("embed", "extract-features"):
        assert asd(command, "--shard", shard) == 2
        assert f"'{shard}' is no shard" in capsys.readouterr().err


def test_a_shard_of_an_npz_or_of_vectors_from_elsewhere_is_refused(
    run: Path, asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("embed", "--shard", "1/2", "--format", "npz") == 2
    assert asd("embed", "--shard", "1/2", "--from", "x.csv") == 2
    told = capsys.readouterr().err
    assert "shards are put together as Parquet only" in told and "vectors that are brought are taken whole" in told


def test_a_shard_with_another_batch_size_or_of_another_table_of_clips_is_refused(
    run: Path, asd: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "embeddings.parquet").unlink()
    typed(asd, f"{EMBED} --shard 1/2")
    assert asd(*EMBED.replace("2", "3").split(), "--shard", "2/2") == 1
    assert "1-of-2.parquet (made with another batch size)" in " ".join(capsys.readouterr().err.split())
    changed(run)
    typed(asd, "extract-features --features logmel")
    assert asd(*EMBED.split(), "--shard", "2/2") == 1
    assert "(clips changed since, features/logmel/fan changed since)" in " ".join(capsys.readouterr().err.split())
    typed(asd, f"{EMBED} --shard 2/2 --force")
    assert [p.name for p in (run / "shards/embeddings").iterdir()] == ["2-of-2.parquet"]


def changed(run: Path) -> None:
    """The dataset loses its first clip."""
    clips = run.parents[1] / "data/toy/clips.parquet"
    table, _ = artifacts.read_table(clips, artifacts.CLIPS)
    write_clips(clips.parent, table.slice(1).select(["clip_id", "path", "machine_type"]).to_pylist())


def test_shards_that_wait_and_stale_ones_are_found_with_commands_that_lead_on(
    run: Path, asd: Callable[..., int]
) -> None:
    (run / "embeddings.parquet").unlink()
    typed(asd, f"{EMBED} --shard 1/2")
    (run / "features/logmel/fan.npz").unlink()
    typed(asd, "extract-features --features logmel --shard 1/4")

    def findings() -> dict[str, Finding]:
        return {
            found.name: found for found in run_files.look(workspace.Workspace(Path("data"), Path("runs/toy"), "toy"))
        }

    piece, shard = names = "shards/features/logmel/fan.1-of-4", "shards/embeddings/1-of-2"
    found = findings()
    assert found[piece].text == "waits to be put together with the other shards"
    assert found[piece].state == "note"
    assert found[piece].fix == "asd extract-features --features logmel"
    typed(asd, found[piece].fix.removeprefix("asd "))
    assert found[shard].fix == EMBED.replace("embed", "asd embed", 1)
    typed(asd, "extract-features --features logmel --shard 1/4 --force")
    changed(run)
    found = findings()
    assert [found[name].state for name in names] == ["problem", "problem"]
    assert found[piece].fix == "asd extract-features --shard 1/4 --features logmel --force"
    assert found[shard].fix == f"asd {EMBED.replace('--batch', '--shard 1/2 --batch')} --force"
    typed(asd, str(found[piece].fix).removeprefix("asd "))
    assert findings()[piece].text == "waits to be put together with the other shards"
    typed(asd, "extract-features --features logmel", str(found[shard].fix).removeprefix("asd "))
    assert findings()[shard].text == "waits to be put together with the other shards"
    typed(asd, EMBED)
    assert not {*names} & findings().keys()


def test_a_late_shard_finds_that_all_was_put_together(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"clips": Path("data/toy/clips.parquet"), "features": run / "features", "model": run / "model"}
    more = {"embedder": EMBED.split()[2], "batch_size": 2, "output": run / "embeddings.parquet"}
    whole = more["output"].read_bytes()  # type: ignore
    (run / "embeddings.parquet").unlink()
    write = artifacts.write_table

    def late(path: Path, *rest: object) -> object:
        monkeypatch.undo()
        (run / "shards/embeddings/.1-of-2.lock").unlink()  # as on a file system without locks
        (run / "embeddings.parquet").write_bytes(whole)
        return write(path, *rest)  # type: ignore

    monkeypatch.setattr(artifacts, "write_table", late)
    heard = Heard()
    embed.run(**places, **more, shard=Shard(1, 2), progress=heard)  # type: ignore
    assert not (run / "shards").exists()
    assert any("was put together meanwhile" in note for note in heard.notes)


# --- where a pack may be cut ---------------------------------------------------------------------------------------


class Windows(torch.nn.Module):
    """A network that gives the batch it was in away: so vectors tell whether batches are the same."""

    n_samples, sample_rate, n_dims, takes = 100, 16_000, 3, "waveforms"

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        return torch.stack(
            [waves[:, 0], torch.full((len(waves),), len(waves)), torch.full_like(waves[:, 0], waves.sum())], 1
        )


@pytest.mark.parametrize("hop_s", [None, 0.004])
def test_half_a_pack_has_the_batches_that_it_had_in_the_whole(hop_s: float | None) -> None:
    lengths = np.random.default_rng(0).integers(60, 900, 11)
    clips = [np.arange(n).astype(np.int16) for n in lengths]
    names = [f"c{i // 2}" for i in range(10)] + ["d"]  # two channels a clip, and one clip of one
    pack = WaveformPack.of(clips, names, 16_000)
    embedder = Trained({None: Windows()}, torch.device("cpu"), 4, hop_s)
    whole = embedder.embed(pack, np.ones(11, bool))
    for at in (2, 4):  # clips: 4 and 8 rows
        halves = [embedder.embed(pack.part(*span), np.ones(11, bool)) for span in ((0, at), (at, 99))]
        np.testing.assert_array_equal(np.concatenate([h.vectors for h in halves]), whole.vectors)
        np.testing.assert_array_equal(np.concatenate([halves[0].clip, halves[1].clip + 2 * at]), whole.clip)


def test_features_of_changing_shapes_are_not_kept(extracted: Extract, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_channel(_: object, samples: np.ndarray, rate: int) -> np.ndarray:
        return np.ones((2,) * (1 + len(samples) % 2), np.float32)

    monkeypatch.setattr(LogMelStatistics, "of_channel", of_channel)
    with pytest.raises(BadData, match="features of several shapes cannot be kept in shards"):
        extracted("x", "2/4", features="logmel")
