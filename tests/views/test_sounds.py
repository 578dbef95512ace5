"""The sound of a few clips is read as their features were made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import MissingArtifact
from asdcli.features.pack import WaveformPack
from asdcli.views.reading import Reading
from asdcli.views.sounds import Sounds

SCHEMA = pa.schema([(c.name, c.type) for c in artifacts.CLIPS.columns])
NAMES = ("a", "b")


def clips(tmp_path: Path) -> tuple[Path, pa.Table, Header]:
    """Two recordings of two channels at 32 kHz: the first channel rises, the second falls."""
    rows = [{"clip_id": n, "path": f"{n}.wav", "machine_type": "fan", "subset": "dev", "split": "train"} for n in NAMES]
    for i, name in enumerate(NAMES):
        ramp = np.linspace(-0.5, 0.5, 32_000) * (i + 1) / 2
        soundfile.write(tmp_path / f"{name}.wav", np.column_stack([ramp, -ramp]), 32_000, subtype="PCM_16")
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    header = artifacts.write_table(
        tmp_path / "clips.parquet", artifacts.CLIPS, table, Header.make(artifacts.CLIPS, dataset="own")
    )
    return tmp_path / "clips.parquet", table, header


def packed(features: Path, table_header: Header, **params: object) -> Header:
    """A pack of waveforms of the same clips, each of them ones."""
    pack = WaveformPack.of([np.full(9, 7, np.int16)] * 2, NAMES, 16_000)
    how = {"machine_type": "fan", "features": "waveform", "sample_rate": 16_000, **params}
    header = Header.make(artifacts.FEATURES, dataset="own", params=how, inputs={"clips": table_header})
    return artifacts.write_arrays(features / "waveform" / "fan.npz", pack.arrays(), header)


@pytest.mark.parametrize(("channel", "sign"), [(0, 1), (1, -1), ("both", 1)])
def test_channel_rate_and_gain_are_those_of_the_features(tmp_path: Path, channel: int | str, sign: int) -> None:
    path, table, header = clips(tmp_path)
    made = packed(tmp_path / "features", header, channel=channel, resample=True, rounding=True, gain=0.5)
    later = Header.make(artifacts.EMBEDDINGS, dataset="own", inputs={"features": made})
    for made_by in (later, None):  # by what was made of the features, else by the pack
        sounds = Sounds.of("fan", path, table, tmp_path / "features", made_by)
        wave = sounds.read("a")
        assert len(wave) == 16_000 and wave.dtype == np.int16 and sounds.one_of_two == (channel == "both")
        assert wave[8_000 + 4_000] == pytest.approx(sign * 0.125 * 0.5 * 32768, abs=3)


def test_another_recording_is_heard_as_a_check_reads_it(tmp_path: Path) -> None:
    """A residual is stored at half its level where nobody says another: else it would sound 6 dB too loud."""
    path, table, header = clips(tmp_path)
    packed(tmp_path / "features", header, channel=0, resample=True)
    sounds = Sounds.of("fan", path, table, tmp_path / "features", None)
    near, far = np.random.default_rng(0).standard_normal((2, 32_000)) * 0.1
    soundfile.write(tmp_path / "c.wav", np.column_stack([near, far]), 32_000, subtype="PCM_16")
    heard = sounds.hear(tmp_path / "c.wav", channel="residual")
    (read,) = Reading.of({**sounds.how, "channel": "residual"}).waveforms(tmp_path / "c.wav")
    assert np.array_equal(heard, read) and np.abs(heard).max() <= 0.5 * 32768
    assert np.array_equal(sounds.hear(tmp_path / "c.wav", (0.25, 0.5), channel="residual"), read[4_000:8_000])


def test_where_a_recording_is_gone_its_pack_will_do_and_without_either_that_is_said(tmp_path: Path) -> None:
    path, table, header = clips(tmp_path)
    packed(tmp_path / "features", header)
    (tmp_path / "a.wav").unlink()
    assert Sounds.of("fan", path, table, tmp_path / "features", None).read("a").tolist() == [7] * 9
    pack = tmp_path / "features" / "waveform" / "fan.npz"
    made = artifacts.read_header(pack, artifacts.FEATURES)
    pack.unlink()
    sounds = Sounds.of(
        "fan", path, table, tmp_path / "features", Header.make(artifacts.SCORES, dataset="own", inputs={"f": made})
    )
    with pytest.raises(MissingArtifact, match=r"there is no recording .*a.wav, and no pack of waveforms of fan"):
        sounds.read("a")


def test_where_nothing_says_how_recordings_are_read_the_command_is_named(tmp_path: Path) -> None:
    path, table, _ = clips(tmp_path)
    with pytest.raises(MissingArtifact, match="nothing says how its recordings are read") as caught:
        Sounds.of("fan", path, table, tmp_path / "features", None)
    assert caught.value.hint == "make them first: asd extract-features"
