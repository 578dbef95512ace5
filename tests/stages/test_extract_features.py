"""`asd extract-features`: packs of the clips, incremental by machine type, and every bad clip named."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from asdcli import artifacts, audio
from asdcli.audio.two_microphones import residual
from asdcli.errors import BadArtifact, BadData, MissingArtifact, UsageError
from asdcli.features.mels import MelSpec, statistics
from asdcli.features.pack import VectorPack, WaveformPack
from asdcli.outcome import Outcome
from asdcli.stages import extract_features as extract
from asdcli.synthesis.sizes import SIZES
from tests.helpers import signalled
from tests.helpers.waiting import PATIENCE_S

Run = Callable[..., Outcome]


def write_dataset(
    root: Path, machine_types: tuple[str, ...] = ("fan", "valve"), n_clips: int = 5, edition: str | None = None
) -> Path:
    """A dataset of short noise clips of different lengths below `root`; the path of its clips.parquet."""
    rows = []
    for m, machine_type in enumerate(machine_types):
        for i in range(n_clips):
            clip_id = f"dev_data/raw/{machine_type}/train/section_00_source_train_normal_{i:04d}"
            path = root / f"{clip_id}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            samples = np.random.default_rng([m, i]).integers(-3000, 3000, 2000 + 100 * i).astype(np.int16)
            soundfile.write(path, samples, 16_000)
            rows.append({"clip_id": clip_id, "path": f"{clip_id}.wav", "machine_type": machine_type})
    labels = {"subset": "dev", "split": "train", "section": "00", "domain": "source", "condition": "normal"}
    table = pa.Table.from_pylist([row | labels for row in rows])
    header = artifacts.Header.make(artifacts.CLIPS, dataset="toy", params={"edition": edition} if edition else {})
    artifacts.write_table(root / "clips.parquet", artifacts.CLIPS, table, header)
    return root / "clips.parquet"


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data" / "toy")


@pytest.fixture
def run(clips: Path, tmp_path: Path) -> Run:
    def call(**options: object) -> Outcome:
        return extract.run(clips, tmp_path / "packs", errors=tmp_path / "errors.parquet", **options)  # type: ignore

    return call


def wav(clips: Path, machine_type: str = "fan", i: int = 2) -> Path:
    return clips.parent / f"dev_data/raw/{machine_type}/train/section_00_source_train_normal_{i:04d}.wav"


def read_pack(tmp_path: Path, machine_type: str = "fan") -> tuple[dict[str, np.ndarray], artifacts.Header]:
    return artifacts.read_arrays(tmp_path / "packs" / f"{machine_type}.npz", artifacts.FEATURES)


def test_a_damaged_pack_is_refused_and_what_the_hint_says_mends_it(run: Run, tmp_path: Path) -> None:
    run()
    pack = tmp_path / "packs" / "fan.npz"
    whole = pack.read_bytes()
    pack.write_bytes(whole[:3000] + bytes([whole[3000] ^ 4]) + whole[3001:])
    with pytest.raises(BadArtifact, match="is damaged") as error:
        read_pack(tmp_path)
    assert error.value.hint == "remove it and make it again: asd extract-features"
    pack.unlink()
    assert run().plain() == {"clips": 5, "machine_types": 1, "up_to_date": 1, "suspects": {}}
    assert pack.read_bytes() == whole


def test_a_waveform_pack_is_the_clips_bit_for_bit(run: Run, clips: Path, tmp_path: Path) -> None:
    outcome = run()
    assert (outcome.status, outcome.skipped) == ("done", 0)
    assert outcome.plain() == {"clips": 10, "machine_types": 2, "up_to_date": 0, "suspects": {}}
    arrays, header = read_pack(tmp_path)
    pack = WaveformPack.from_arrays(arrays)
    assert [c.rsplit("_", 1)[1] for c in pack.clip_ids] == ["0000", "0001", "0002", "0003", "0004"]
    for i in range(5):
        np.testing.assert_array_equal(pack.clip(i), soundfile.read(wav(clips, i=i), dtype="int16")[0])
    assert (header.dataset, header.params["sample_rate"], header.params["channel"]) == ("toy", 16_000, None)


def test_log_mel_vectors_are_the_statistics_of_each_clip(run: Run, clips: Path, tmp_path: Path) -> None:
    run(features="logmel")
    pack = VectorPack.from_arrays(read_pack(tmp_path, "valve")[0])
    assert pack.vectors.shape == (5, 256)
    np.testing.assert_array_equal(
        pack.vectors[3], statistics(audio.read(wav(clips, "valve", 3)), MelSpec(centre=False))
    )


def test_the_same_clips_give_the_same_bytes_with_any_number_of_threads(run: Run, tmp_path: Path) -> None:
    run(jobs=1)
    first = (tmp_path / "packs/fan.npz").read_bytes()
    run(jobs=3, force=True)
    assert (tmp_path / "packs/fan.npz").read_bytes() == first


def test_only_what_changed_is_done_again(run: Run, clips: Path, tmp_path: Path) -> None:
    run()
    assert run().status == "current"
    before = (tmp_path / "packs/valve.npz").stat().st_mtime_ns
    soundfile.write(wav(clips), np.full(2200, 7, np.int16), 16_000)  # a wav was replaced by another of the same name
    stuck = {"dev_data/raw/fan/train/section_00_source_train_normal_0002": "is constant: every sample is 7"}
    assert run().plain() == {"clips": 5, "machine_types": 1, "up_to_date": 1, "suspects": stuck}
    np.testing.assert_array_equal(WaveformPack.from_arrays(read_pack(tmp_path)[0]).clip(2), 7)
    assert (tmp_path / "packs/valve.npz").stat().st_mtime_ns == before

    table, header = artifacts.read_table(clips, artifacts.CLIPS)
    artifacts.write_table(clips, artifacts.CLIPS, table.slice(1), header)  # the first fan clip left the table
    assert run().plain() == {"clips": 4, "machine_types": 1, "up_to_date": 1, "suspects": stuck}
    assert run(resample=True).facts.machine_types == 2  # other parameters
    assert run(resample=True, force=True).facts.machine_types == 2


def test_machine_type_selects_and_guesses(run: Run, tmp_path: Path) -> None:
    run(machine_types=["valve"])
    assert [p.name for p in (tmp_path / "packs").iterdir()] == ["valve.npz"]
    with pytest.raises(UsageError) as refusal:
        run(machine_types=["vlave"])
    assert "did you mean 'valve'" in (refusal.value.hint or "")
    with pytest.raises(UsageError, match="unknown features 'wave'"):
        run(features="wave")


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def _nan(path: Path) -> None:
    soundfile.write(path, np.full(2000, np.nan), 16_000, subtype="FLOAT")


BAD = {
    "truncated": _truncate,
    "0 samples": lambda path: soundfile.write(path, np.zeros(0, np.int16), 16_000),
    "NaN": _nan,
    "22050 Hz": lambda path: soundfile.write(path, np.zeros(2000, np.int16), 22_050),
    "2 channels": lambda path: soundfile.write(path, np.zeros((2000, 2), np.int16), 16_000),
    "No such file": lambda path: path.unlink(),
    "no audio that libsndfile reads": lambda path: path.write_text("<!DOCTYPE html>"),
    "Is a directory": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("words", BAD)
def test_a_bad_clip_is_named_and_finished_machine_types_are_kept(
    run: Run, clips: Path, tmp_path: Path, words: str
) -> None:
    BAD[words](wav(clips, "valve"))
    with pytest.raises(BadData, match=words) as refusal:
        run()
    assert str(wav(clips, "valve")) in refusal.value.message
    assert "--on-error skip" in (refusal.value.hint or "")
    assert [p.name for p in (tmp_path / "packs").iterdir()] == ["fan.npz"]
    assert not (tmp_path / "errors.parquet").exists()


def test_all_bad_clips_of_the_machine_type_are_counted(run: Run, clips: Path) -> None:
    for i in (1, 3, 4):
        _truncate(wav(clips, i=i))
    with pytest.raises(BadData, match=r"0001\.wav: is truncated.*\(3 of 5 clips of fan cannot be used\)"):
        run()


def test_skipping_leaves_bad_clips_out_lists_them_and_tries_them_again(run: Run, clips: Path, tmp_path: Path) -> None:
    good = wav(clips).read_bytes()
    _truncate(wav(clips))
    _nan(wav(clips, "valve"))
    assert run(on_error="skip").skipped == 2
    assert len(WaveformPack.from_arrays(read_pack(tmp_path)[0])) == 4
    again = run(on_error="skip")
    assert (again.status, again.skipped) == ("done", 2)  # a pack with a hole is never up to date
    errors = artifacts.read_table(tmp_path / "errors.parquet", artifacts.ERRORS)[0].to_pylist()
    assert [e["path"] for e in errors] == [
        p.relative_to(clips.parent).as_posix() for p in (wav(clips), wav(clips, "valve"))
    ]
    assert "truncated" in errors[0]["error"]
    assert str(tmp_path) not in str(errors)  # no absolute path in an artifact

    wav(clips).write_bytes(good)
    run(on_error="skip", machine_types=["fan"])
    left = artifacts.read_table(tmp_path / "errors.parquet", artifacts.ERRORS)[0].to_pylist()
    assert left == errors[1:]  # the valve was not looked at
    assert len(WaveformPack.from_arrays(read_pack(tmp_path)[0])) == 5

    soundfile.write(wav(clips, "valve"), np.zeros(2000, np.int16), 16_000)
    assert run(on_error="skip").skipped == 0
    assert not (tmp_path / "errors.parquet").exists()


def test_a_machine_type_without_one_good_clip_is_an_error_even_when_skipping(
    run: Run, clips: Path, tmp_path: Path
) -> None:
    for i in range(5):
        _truncate(wav(clips, i=i))
    with pytest.raises(BadData, match="not one clip of fan can be used"):
        run(on_error="skip")
    assert [p.name for p in (tmp_path / "packs").iterdir()] == ["valve.npz"]
    assert len(artifacts.read_table(tmp_path / "errors.parquet", artifacts.ERRORS)[0]) == 5


def test_a_clip_shorter_than_a_frame_is_refused_for_log_mel(run: Run, clips: Path) -> None:
    soundfile.write(wav(clips), np.zeros(1023, np.int16), 16_000)
    with pytest.raises(BadData, match="too short: 1023 samples, a log-mel frame takes 1024"):
        run(features="logmel")


def test_missing_and_wrong_tables_are_refused(tmp_path: Path, clips: Path, run: Run) -> None:
    with pytest.raises(MissingArtifact) as refusal:
        extract.run(tmp_path / "none.parquet", tmp_path / "packs", errors=tmp_path / "errors.parquet")
    assert "asd download" in (refusal.value.hint or "")
    run()
    with pytest.raises(BadArtifact):
        extract.run(tmp_path / "packs/fan.npz", tmp_path / "packs", errors=tmp_path / "errors.parquet")


# two channels


def _stereo(clips: Path) -> None:
    """Every wav gets a far channel: its samples backwards."""
    for path in clips.parent.rglob("*.wav"):
        near, rate = soundfile.read(path, dtype="int16")
        soundfile.write(path, np.column_stack([near, near[::-1]]), rate)


def test_both_channels_stand_side_by_side_under_one_clip(run: Run, clips: Path, tmp_path: Path) -> None:
    _stereo(clips)
    packs = {}
    for channel in ("0", "1", "both"):
        assert run(channel=channel).facts.clips == 10
        packs[channel] = WaveformPack.from_arrays(read_pack(tmp_path)[0])
    near, far, both = packs["0"], packs["1"], packs["both"]
    assert both.clip_ids.tolist() == [i for i in near.clip_ids.tolist() for _ in range(2)]
    for i in range(len(near)):
        np.testing.assert_array_equal(both.clip(2 * i), near.clip(i))
        np.testing.assert_array_equal(both.clip(2 * i + 1), far.clip(i))


def test_channels_go_by_the_names_of_the_edition_and_its_default_is_said(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _stereo(write_dataset(tmp_path / "data" / "toy", edition="dcase2026"))
    for words, index in (((), 0), (("--channel", "far"), 1), (("--channel", "near"), 0)):
        assert asd("extract-features", *words) == 0
        heard = capsys.readouterr().err
        assert ("of the channels near, far: near (another: --channel)" in heard) == (not words)
        header = artifacts.read_header(tmp_path / "runs/toy/features/waveform/fan.npz", artifacts.FEATURES)
        assert header.params["channel"] == index
    assert asd("extract-features", "--channel", "fra") == 2
    assert "did you mean 'far'" in capsys.readouterr().err


def test_both_channels_of_mono_clips_are_refused_by_name(run: Run, clips: Path) -> None:
    with pytest.raises(BadData, match=r"normal_0000\.wav: has no channel 1: it has 1"):
        run(channel="both")


def test_a_residual_of_mono_clips_is_refused_by_name_and_of_two_channels_is_packed_at_the_stated_gain(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset(tmp_path / "data" / "toy")
    assert asd("extract-features", "--channel", "residual") == 1
    told = capsys.readouterr().err
    assert "has 1 channel, and a residual is of two" in told and "choose another: --channel 0" in told
    _stereo(write_dataset(tmp_path / "data" / "toy", edition="dcase2026"))
    assert asd("extract-features", "--channel", "residual") == 0
    arrays, header = artifacts.read_arrays(tmp_path / "runs/toy/features/waveform/fan.npz", artifacts.FEATURES)
    assert {"channel": "residual", "scale": "fixed:0.5", "gain": 0.5}.items() <= header.params.items()
    pack = WaveformPack.from_arrays(arrays)
    near, far = soundfile.read(tmp_path / "data/toy" / f"{pack.clip_ids[0]}.wav")[0].T
    np.testing.assert_array_equal(pack.clip(0), np.rint(0.5 * residual(near, far) * 32768))


def test_the_synthetic_edition_of_two_microphones_has_two_channels_and_near_is_its_default(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(SIZES["dcase2026"], train_source=3, train_target=1, test=1, duration_s=1.0)
    monkeypatch.setitem(SIZES, "dcase2026", small)
    for heard in ("wrote data/synthetic/clips.parquet: 1 machine type, 8 clips", "up to date"):
        assert asd("download", "synthetic", "--size", "dcase2026", "--machine-type", "fan") == 0
        assert heard in capsys.readouterr().err
    table, header = artifacts.read_table(tmp_path / "data/synthetic/clips.parquet", artifacts.CLIPS)
    assert set(table["channels"].to_pylist()) == {2} and header.params["edition"] == "synthetic2026"
    assert asd("extract-features") == 0
    assert "of the channels near, far: near (another: --channel)" in capsys.readouterr().err


def test_both_channels_become_windows_of_a_clip_that_is_scored_once(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _stereo(write_dataset(tmp_path / "data" / "toy"))
    assert asd("extract-features", "--features", "logmel") == 1
    assert "choose: --channel both, mean, or 0 to 1" in capsys.readouterr().err
    assert asd("extract-features", "--features", "logmel", "--channel", "both") == 0
    assert asd("embed", "--embedder", "logmel") == 0
    embeddings, _ = artifacts.read_table(tmp_path / "runs/toy/embeddings.parquet", artifacts.EMBEDDINGS)
    assert embeddings["window"].to_pylist() == [0, 1] * 10
    assert asd("score", "--method", "nn") == 0
    scores, _ = artifacts.read_table(tmp_path / "runs/toy/scores/nn.parquet", artifacts.SCORES)
    assert len(scores) == 10 and np.isfinite(scores["anomaly_score"].to_numpy()).all()


# through the front door


def test_the_command_packs_into_the_run_and_says_when_there_is_nothing_to_do(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset(tmp_path / "data" / "toy")
    assert asd("extract-features", "--json") == 0
    assert json.loads(capsys.readouterr().out)["facts"]["clips"] == 10
    assert (tmp_path / "runs/toy/features/waveform/fan.npz").exists()
    assert asd("extract-features") == 0
    assert "up to date" in capsys.readouterr().err
    assert asd("extract-features", "--features", "logmel", "--machine-type", "fan", "-o", "elsewhere") == 0
    assert (tmp_path / "elsewhere/fan.npz").exists()


def test_the_command_exits_with_1_2_and_3(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = write_dataset(tmp_path / "data" / "toy")
    _truncate(wav(clips))
    assert asd("extract-features") == 1
    assert "truncated" in capsys.readouterr().err
    assert asd("extract-features", "--channel", "bth") == 2
    assert asd("extract-features", "--on-error", "ignore") == 2
    assert asd("extract-features", "--on-error", "skip") == 3
    assert len(artifacts.read_table(tmp_path / "runs/toy/errors-extract-features.parquet", artifacts.ERRORS)[0]) == 1


def test_a_full_disk_is_a_named_error_and_leaves_no_half_pack(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data" / "toy", n_clips=40)  # 640 kB a pack

    def small_files_only() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [sys.executable, "-m", "asdcli", "extract-features"]
    done = subprocess.run(
        command, cwd=tmp_path, preexec_fn=small_files_only, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 1, done.stderr
    assert "error:" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "runs/toy/features/waveform").iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_interrupted_packs_are_whole_and_a_rerun_goes_on(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], number: signal.Signals, code: int
) -> None:
    write_dataset(tmp_path / "data" / "toy")
    sixth = {"call": "asdcli.audio:read", "nth": 6}  # the first clip of the second machine type
    done = signalled.asd("extract-features", number=number, **sixth, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert [p.name for p in (tmp_path / "runs/toy/features/waveform").iterdir()] == ["fan.npz"]
    assert asd("extract-features", "--json") == 0
    assert json.loads(capsys.readouterr().out)["facts"]["up_to_date"] == 1
