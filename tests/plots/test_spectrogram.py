"""`spectrogram`: a sine where it is and as loud as it is, Parseval's law, and which clip is meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.errors import AsdError, BadData, MissingArtifact, UsageError
from asdcli.plots import Material, Numbers
from asdcli.plots.spectrogram import SCHEMA, Spectrogram, band_power
from asdcli.progress import SILENT
from tests.helpers.score_files import write_clips
from tests.helpers.vectors_run import rows

Asd = Callable[..., int]
RATE = 8000


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make() -> list[str]:
    """A dataset of a sine of 1 kHz at half scale, as clip after clip."""
    clips = rows("fan", source=1, target=0, each=1)
    write_clips(Path("data"), "mine", clips, layout="folders")
    wave = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    for clip in clips:
        file = Path("data/mine") / f"{clip['clip_id']}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, wave, RATE, subtype="PCM_16")
    return [clip["clip_id"] for clip in clips]


def numbers(clip: str, **parameters: Any) -> Numbers:
    plot = Spectrogram(clip, **{"mels": 20, "n_fft": 512, "hop": 256, **parameters})
    return plot.numbers(Material({"clips": Path("data/mine/clips.parquet")}), SILENT)


def test_a_sine_at_half_scale_is_six_decibels_down_in_the_band_where_it_is() -> None:
    clip = make()[0]
    found = numbers(clip)
    assert found.table.schema.equals(SCHEMA)
    middle = [row for row in found.table.to_pylist() if 0.4 < row["time_s"] < 0.6]
    loudest = max(middle, key=lambda row: row["power_db"])
    assert loudest["low_hz"] < 1000 < loudest["high_hz"]
    times = sorted({row["time_s"] for row in middle})
    for time in times:  # triangles overlap so that bands add up to all there is
        total = sum(10 ** (row["power_db"] / 10) for row in middle if row["time_s"] == time)
        assert 10 * np.log10(total) == pytest.approx(20 * np.log10(0.5), abs=0.3)
    assert found.facts[0] | {"loudest_db": 0} == {
        "clip_id": clip,
        "duration_s": 1.0,
        "sample_rate": RATE,
        "loudest_db": 0,
    }
    assert found.signatures[0].startswith(f"mine|dev|clip:{clip}|made:")


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([128, 256]))
def test_the_bands_of_noise_add_up_to_twice_its_mean_square(seed: int, n_fft: int) -> None:
    wave = np.random.default_rng(seed).normal(scale=0.1, size=16_000)
    power, edges = band_power(wave, RATE, 10, n_fft, n_fft // 4, None)
    inside = power[:, 4:-4].sum(axis=0).mean()
    assert len(power) + 2 == len(edges) and (np.diff(edges) > 0).all()
    assert inside == pytest.approx(2 * np.mean(wave**2), rel=0.15)  # but for what lies outside the outermost triangles


def test_what_is_drawn_are_the_numbers_with_a_scale_of_colours() -> None:
    pytest.importorskip("matplotlib")
    found = numbers(make()[0])
    figure = Spectrogram("x").draw(found)
    ax = next(ax for ax in figure.axes if ax.images)
    image = ax.images[0].get_array()
    assert np.array_equal(np.asarray(image).T.ravel(), found.table["power_db"].to_numpy())
    ticks = {text.get_text(): text.get_position()[1] for text in ax.get_yticklabels()}
    assert image[:, image.shape[1] // 2].argmax() == pytest.approx(ticks["1"], abs=1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "frequency (kHz, mel scale)")


def test_a_clip_is_named_by_its_id_or_by_an_end_that_is_nobody_elses(asd: Asd) -> None:
    pytest.importorskip("matplotlib")
    ids = make()
    assert ids[2] == "fan/00/test/source-anomaly-000"
    assert numbers("source-anomaly-000").facts[0]["clip_id"] == ids[2]
    for name in "ab":
        assert asd("plot", f"spectrogram:clip={ids[1]},mels=16", "--dataset", "mine", "-o", f"{name}.svg") == 0
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()
    assert asd("plot", f"spectrogram:clip={ids[1]}", "--dataset", "mine") == 0  # a file of its own, whatever its name


def test_what_is_no_clip_or_cannot_be_heard_is_named() -> None:
    clips = [*rows("fan", source=1, target=0, each=1), *rows("pump", source=1, target=0, each=1)]
    write_clips(Path("data"), "mine", clips, layout="folders")
    with pytest.raises(UsageError, match="4 clips end with 'source-normal-000'"):
        numbers("source-normal-000")
    with pytest.raises(UsageError, match="unknown clip 'nobody'"):
        numbers("nobody")
    with pytest.raises(AsdError, match="fan/00/test/source-normal-000"):
        numbers("fan/00/test/source-normal-000")
    with pytest.raises(UsageError, match="spectrogram:clip must name a clip"):
        Spectrogram()
    with pytest.raises(UsageError, match="spectrogram:hop must be at least 1, got 0"):
        Spectrogram("x", hop=0)
    with pytest.raises(MissingArtifact, match="there is no table of clips"):
        Spectrogram("x").numbers(Material({}), SILENT)
    with pytest.raises(BadData, match="holds nothing above 4000 Hz"):
        numbers(make()[0], fmax=5000.0)
