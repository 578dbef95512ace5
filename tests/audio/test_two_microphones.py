"""The near microphone without the far one: by hand, against scipy, and through the front door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asdcli import artifacts, audio
from asdcli.audio.two_microphones import FLOOR, GAIN, HOP, N_FFT, PEAK, residual
from asdcli.synthesis.microphones import LEAK_DB, LOUDER_DB, heard
from asdcli.synthesis.plan import plan
from asdcli.synthesis.render import parts
from asdcli.synthesis.sizes import SIZES
from asdcli.views.reading import Reading

RNG = np.random.default_rng(0)
N = 32 * HOP


def noise(n: int = N) -> np.ndarray:
    return 0.2 * RNG.standard_normal(n).clip(-4, 4)


def db(wave: np.ndarray) -> float:
    return 10 * np.log10(np.mean(wave**2) + 1e-30)


def jointly(near: np.ndarray, far: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    peak = max(np.abs(near).max(), np.abs(far).max())
    return PEAK * near / peak, PEAK * far / peak


@pytest.mark.parametrize("behind", [0, 200])
def test_it_is_what_scipy_makes_of_the_formula(behind: int) -> None:
    n = N - behind
    near, far = noise(n), noise(n)
    near += np.convolve(far, [0.5, 0.3])[:n]
    around = [np.pad(w, (HOP, HOP + behind), mode="reflect") for w in jointly(near, far)]  # whole frames
    how = {"window": scipy.signal.get_window("hann", N_FFT), "nperseg": N_FFT, "noverlap": HOP}
    c, f = (scipy.signal.stft(w, **how, boundary=None, padded=False)[2] * N_FFT / 2 for w in around)
    h = np.sum(c * np.conj(f), axis=1) / (np.sum(np.abs(f) ** 2, axis=1) + FLOOR)
    y = scipy.signal.istft((c - h[:, None] * f) / (N_FFT / 2), **how, boundary=True)[1]
    assert residual(near, far) == pytest.approx(y[:n], abs=1e-9)


def test_a_frequency_by_hand() -> None:
    far = np.sin(2 * np.pi * 64 / N_FFT * np.arange(N))  # bin 64
    machine = 0.1 * np.sin(2 * np.pi * 200 / N_FFT * np.arange(N))  # bin 200
    found = residual(0.3 * far + machine, far)
    assert found[HOP:-HOP] == pytest.approx(PEAK * machine[HOP:-HOP], abs=1e-3)  # the far one's peak is 1


@pytest.mark.parametrize("taps", [[1.0], [-0.4], [0.0, 0.0, 0.6], [0.5, -0.2, 0.1, 0.3]])
def test_what_is_a_filtered_copy_of_the_far_microphone_goes(taps: list[float]) -> None:
    far = noise()
    near = np.convolve(far, taps)[:N]
    own, inside = jointly(near, far)[0], slice(N_FFT, -N_FFT)
    least = -200 if len(taps) == 1 else -20  # reflected, a delay is an advance: in one frame's worth of the 33
    assert db(residual(near, far)[inside]) - db(own[inside]) < least


def test_what_the_far_microphone_does_not_hear_stays() -> None:
    near, far = noise(), noise()
    own, _ = jointly(near, far)
    found = residual(near, far)
    frames = 1 + N // HOP
    assert db(found - own) - db(own) == pytest.approx(10 * np.log10(1 / frames), abs=2)  # as much as chance explains
    quiet = residual(near, np.zeros(N))
    assert quiet == pytest.approx(PEAK * near / np.abs(near).max(), abs=1e-12)  # and of silence nothing


@given(st.floats(1e-3, 1e3), st.sampled_from([1, 2, 511, 512, 513, 1500]))
def test_the_level_of_a_recording_is_no_matter_and_any_length_will_do(gain: float, n: int) -> None:
    rng = np.random.default_rng(n)
    near, far = rng.standard_normal((2, n))
    assert residual(gain * near, gain * far) == pytest.approx(residual(near, far), rel=1e-6, abs=1e-6)


def test_silence_gives_silence() -> None:
    assert residual(np.zeros(900), np.zeros(900)).tolist() == [0.0] * 900


def two(path: Path, rate: int = 16_000) -> tuple[np.ndarray, np.ndarray]:
    near, far = noise(), noise()
    soundfile.write(path, np.stack([near, far], axis=1), rate, subtype="PCM_16")
    return soundfile.read(path)[0].T


def test_residuals_are_stored_at_one_gain_that_the_header_states(tmp_path: Path) -> None:
    near, far = two(tmp_path / "a.wav")
    how = Reading(channel="residual")
    assert how.params()["gain"] == GAIN == 0.5 and how.params()["scale"] == "fixed:0.5"
    (found,) = how.waveforms(tmp_path / "a.wav")
    assert found.dtype == np.int16 and np.array_equal(found, np.rint(0.5 * residual(near, far) * 32768))
    (louder,) = Reading(channel="residual", scale="fixed:0.25").waveforms(tmp_path / "a.wav")
    assert np.array_equal(louder, np.rint(0.25 * residual(near, far) * 32768))
    assert Reading.of(how.params()) == how


def test_another_rate_is_converted_before(tmp_path: Path) -> None:
    two(tmp_path / "a.wav", 32_000)
    found = audio.read(tmp_path / "a.wav", channel="residual", resample=True, gain=0.5)
    each = [audio.read(tmp_path / "a.wav", channel=i, resample=True) / 32768 for i in (0, 1)]
    assert found / 32768 == pytest.approx(0.5 * residual(*each), abs=3e-4)  # each was rounded on its way


def test_one_channel_is_refused_with_another_choice(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(), 16_000, subtype="PCM_16")
    with pytest.raises(audio.BadAudio, match="has 1 channel, and a residual is of two") as refusal:
        audio.read(tmp_path / "a.wav", channel="residual")
    assert refusal.value.hint == "choose another: --channel 0"


def test_learn_and_check_take_residuals_too(asd, tmp_path: Path, capsys) -> None:
    for n in range(12):
        rng = np.random.default_rng(n)
        far = rng.standard_normal(8_000)
        hum = np.sin(2 * np.pi * 120 * np.arange(8_000) / 16_000)
        machine = 0.05 * rng.standard_normal(8_000) + 0.1 * hum + (n == 11) * 0.3 * np.sin(np.arange(8_000))
        near = machine + np.convolve(far, [0.05 + 0.1 * rng.random()])
        place = tmp_path / ("new" if n > 9 else "healthy")
        place.mkdir(exist_ok=True)
        soundfile.write(place / f"{n:02}.wav", np.stack([near, 0.1 * far], axis=1), 16_000, subtype="PCM_16")
    assert asd("learn", "healthy", "--channel", "residual") == 0
    (pack,) = (tmp_path / "runs").glob("*/features/*/*.npz")
    params = artifacts.read_header(pack, artifacts.FEATURES).params
    assert (params["channel"], params["gain"]) == ("residual", 0.5)
    assert asd("check", "new", "--json") == 0
    assert '"11.wav' in capsys.readouterr().out


def test_both_microphones_of_the_synthetic_edition_hear_what_they_are_said_to() -> None:
    size = SIZES["dcase2026"]
    assert (size.edition, size.channels) == ("synthetic2026", 2)
    for machine_type in size.machine_types:
        clip = plan(size, machine_type, 0)[0]
        near, far = heard(clip, 32_000, 0)
        machine, hall = parts(clip, 32_000, 0)
        assert np.array_equal(near[0], machine) and db(near[1]) - db(hall) == pytest.approx(LOUDER_DB, abs=4)
        assert db(far[0]) - db(near[0]) == pytest.approx(LEAK_DB, abs=5) and db(far[1]) - db(far[0]) > 5
        cleaned = residual(near.sum(axis=0), far.sum(axis=0))
        own = jointly(near.sum(axis=0), far.sum(axis=0))[0]
        assert db(cleaned) < db(own) - 2  # of a hall that is louder than the machine
