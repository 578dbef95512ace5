"""The synthetic dataset: exact names, the same bytes for the same seed, and sounds that obey the physics they claim."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import subprocess
import sys
import wave
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli import catalogue
from asdcli.errors import BadData, UsageError
from asdcli.synthesis.acoustics import BACKGROUNDS, MICROPHONES, background, hear, path
from asdcli.synthesis.machines import MACHINES
from asdcli.synthesis.plan import PlannedClip, plan
from asdcli.synthesis.render import parts, render
from asdcli.synthesis.rotating import BPFI, BPFO, Take, bearing, fan, gearbox
from asdcli.synthesis.seeds import generator
from asdcli.synthesis.signals import SR, impulses, mains, noise, orders, passings, revolutions, ring, with_sidebands
from asdcli.synthesis.sizes import SIZES, Size
from asdcli.synthesis.strokes import OPEN_S, PATTERNS, valve
from asdcli.synthesis.writing import MACHINE_TYPES, write
from asdcli.vocabulary import Condition, Domain
from asdcli.writing import owners
from tests.helpers.heard import Heard

NAME_2023 = re.compile(r"section_00_(source|target)_(train|test)_(normal|anomaly)_(\d{4})_((?:[a-z]+_[^_]+_?)+)\.wav")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "synthetic"
    write(root, size="tiny", seed=3)
    return root


def digests(root: Path) -> dict[str, str]:
    return {
        p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(root.rglob("*"))
        if p.is_file()
    }


def samples(file: Path) -> np.ndarray:
    with wave.open(str(file)) as w:
        assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (16000, 1, 2)
        return np.frombuffer(w.readframes(w.getnframes()), "<i2")


# --- files -----------------------------------------------------------------------------------------------------------


def test_tiny_has_the_folders_names_and_counts_of_dcase_2023(tiny: Path) -> None:
    size = SIZES["tiny"]
    assert {p.name for p in (tiny / "dev_data/raw").iterdir()} == set(size.machine_types)
    for machine_type in size.machine_types:
        folder = tiny / "dev_data/raw" / machine_type
        assert {p.name for p in folder.iterdir()} == {"train", "test", "attributes_00.csv"}
        counts: Counter[tuple[str, ...]] = Counter()
        for file in [*folder.glob("train/*"), *folder.glob("test/*")]:
            match = NAME_2023.fullmatch(file.name)
            assert match is not None, file.name
            assert match[2] == file.parent.name
            counts[match[1], match[2], match[3]] += 1
            assert len(samples(file)) == size.duration_s * SR
        assert counts == {
            ("source", "train", "normal"): size.train_source,
            ("target", "train", "normal"): size.train_target,
            **{(d, "test", c): size.test for d in ("source", "target") for c in ("normal", "anomaly")},
        }


def test_the_full_size_has_the_counts_of_a_dcase_edition() -> None:
    clips = plan(SIZES["full"], "fan", 0)
    splits = Counter(c.path.parent.name for c in clips)
    assert splits == {"train": 1000, "test": 200}
    assert sum(c.domain is Domain.TARGET for c in clips if c.path.parent.name == "train") == 10
    assert len({c.path for c in clips}) == len(clips) == 1200
    assert sorted(SIZES["full"].machine_types) == sorted(MACHINE_TYPES)


@pytest.mark.parametrize("size", SIZES.values())
def test_a_size_has_the_grammar_machine_types_and_sections_of_its_edition(size: Size) -> None:
    edition = catalogue.load(size.edition)
    assert edition.grammar == size.grammar and edition.made_by
    known = {(subset, s) for subset in edition.subsets for s in edition.part(subset).sections}
    assert set(size.sections) == known and set(size.machine_types) <= set(edition.dev.machine_types)


def test_the_2021_layout_has_six_sections_three_target_clips_and_test_folders_by_domain() -> None:
    clips = plan(SIZES["dcase2021"], "gearbox", 0)
    counts = Counter((c.path.parts[0], c.section, c.path.parts[3]) for c in clips)
    size = SIZES["dcase2021"]
    for i in range(6):
        subset = "dev_data" if i < 3 else "eval_data"
        for folder, n in (
            ("train", size.train_source + 3),
            ("source_test", 2 * size.test),
            ("target_test", 2 * size.test),
        ):
            assert counts.pop((subset, f"{i:02d}", folder)) == n
    assert not counts
    names = {c.path.name for c in clips}
    assert "section_04_target_train_normal_0001_spd_1180_load_90.wav" in names
    assert "section_05_source_test_anomaly_0000.wav" in names
    assert SIZES["dcase2021"].duration_s > 5  # at least two 4-second windows with 75 % overlap


def test_attribute_tables_say_what_the_names_say(tiny: Path) -> None:
    for machine_type in SIZES["tiny"].machine_types:
        folder = tiny / "dev_data/raw" / machine_type
        with (folder / "attributes_00.csv").open() as file:
            header, *rows = csv.reader(file)
        assert header == ["file_name", "d1p", "d1v", "d2p", "d2v"]
        listed = {row[0] for row in rows}
        assert listed == {f"{machine_type}/{p.parent.name}/{p.name}" for p in folder.glob("*/*.wav")}
        assert all(row[0].endswith("_" + "_".join(row[1:]) + ".wav") for row in rows)
        domains = [{tuple(r[1:]) for r in rows if f"_{d}_" in r[0] and "/train/" in r[0]} for d in ("source", "target")]
        assert len(domains[0]) >= 2 and domains[1] and not domains[0] & domains[1]


def test_the_fault_table_names_every_anomaly_and_no_normal_clip(tiny: Path) -> None:
    for machine_type in SIZES["tiny"].machine_types:
        with (tiny / "faults" / f"{machine_type}.csv").open() as file:
            rows = list(csv.DictReader(file))
        anomalies = {p.relative_to(tiny).as_posix() for p in tiny.glob(f"dev_data/raw/{machine_type}/*/*_anomaly_*")}
        assert {r["file_name"] for r in rows} == anomalies
        assert {r["fault"] for r in rows} <= set(MACHINES[machine_type].knobs)
        assert {r["severity"] for r in rows} == {"mild", "severe"}


def test_the_same_seed_gives_the_same_bytes_whatever_is_selected_and_however_many_threads(
    tiny: Path, tmp_path: Path
) -> None:
    one_by_one = tmp_path / "synthetic"
    write(one_by_one, size="tiny", seed=3, machine_types=["valve"], jobs=1)
    assert not (one_by_one / "dev_data/raw/fan").exists()
    write(one_by_one, size="tiny", seed=3, machine_types=["valve", "fan"], jobs=3)
    assert digests(one_by_one) == digests(tiny)


def test_another_seed_draws_other_recordings_of_the_same_plan() -> None:
    (first, second) = (plan(SIZES["tiny"], "fan", seed) for seed in (0, 1))
    assert [c.path for c in first] == [c.path for c in second]
    assert [c.fault for c in first] != [c.fault for c in second]
    assert not np.array_equal(render(first[0], 8000, 0), render(second[0], 8000, 1))


def test_a_rerun_repairs_what_is_missing_or_cut_and_touches_nothing_else(tiny: Path) -> None:
    before = digests(tiny)
    files = sorted(tiny.glob("dev_data/raw/fan/train/*.wav"))
    half = files[0].read_bytes()[:2000]
    files[0].unlink()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    tail = f"{owners.host_mark()}-{dead.pid}-0.tmp"
    files[0].with_name(f".{files[0].name}.{tail}").write_bytes(half)  # what kill -9 leaves
    files[1].write_bytes(files[1].read_bytes()[:1000])
    (tiny / "dev_data/raw/valve/attributes_00.csv").unlink()
    times = {p: p.stat().st_mtime_ns for p in tiny.rglob("*.wav") if p not in files[:2]}
    write(tiny, size="tiny", seed=3)
    assert digests(tiny) == before
    assert times == {p: p.stat().st_mtime_ns for p in times}


def test_progress_counts_only_the_clips_that_have_to_be_made(tiny: Path) -> None:
    next(tiny.glob("dev_data/raw/fan/test/*.wav")).unlink()
    counting = Heard()
    write(tiny, size="tiny", seed=3, progress=counting)
    assert counting.total == 1


def test_an_interrupted_write_leaves_only_whole_files_and_finishes_on_rerun(tiny: Path, tmp_path: Path) -> None:
    from asdcli.progress import Silent

    class Interrupting(Silent):
        def track(self, items, *, total=None, label="", unit="clips"):  # type: ignore[no-untyped-def]
            for i, item in enumerate(items):
                if i == 5:
                    raise KeyboardInterrupt
                yield item

    root = tmp_path / "synthetic"
    with pytest.raises(KeyboardInterrupt):
        write(root, size="tiny", seed=3, progress=Interrupting(), jobs=2)  # at most eight ahead
    there, whole = digests(root), digests(tiny)
    assert 5 <= sum(name.endswith(".wav") for name in there) < 50
    assert there.items() <= whole.items()
    write(root, size="tiny", seed=3)
    assert digests(root) == whole


@pytest.mark.parametrize(("size", "seed"), [("tiny", 4), ("small", 3)])
def test_another_size_or_seed_is_refused_where_a_dataset_lies(tiny: Path, size: str, seed: int) -> None:
    before = digests(tiny)
    with pytest.raises(BadData, match="another synthetic dataset") as error:
        write(tiny, size=size, seed=seed)
    assert "--data" in (error.value.hint or "")
    assert digests(tiny) == before


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"size": "smal"}, "unknown size 'smal'"),
        ({"size": "tiny", "machine_types": ["fann"]}, "unknown machine type 'fann'"),
        ({"size": "tiny", "seed": -1}, "seed must not be negative"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_written(tmp_path: Path, wrong: dict, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        write(tmp_path / "synthetic", **wrong)
    assert not (tmp_path / "synthetic").exists()


def test_a_damaged_stamp_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "synthetic.json").write_text("{")
    with pytest.raises(BadData):
        write(tmp_path, size="tiny")


def test_the_stamp_tells_how_the_dataset_was_made(tiny: Path) -> None:
    assert json.loads((tiny / "synthetic.json").read_text()).items() >= {"size": "tiny", "seed": 3}.items()


# --- sounds ----------------------------------------------------------------------------------------------------------


def healthy(machine_type: str, **changed: float) -> dict[str, float]:
    return {name: knob.healthy for name, knob in MACHINES[machine_type].knobs.items()} | changed


def take(seed: int, seconds: float = 8.0, **setting: str) -> Take:
    return Take(int(seconds * SR), np.random.default_rng(seed), setting)


def spectrum(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.fft.rfftfreq(len(x), 1 / SR), np.abs(np.fft.rfft(x * np.hanning(len(x)))) * 2 / len(x)


def band_rms(x: np.ndarray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(x) / len(x)) ** 2 * 2
    hz = np.fft.rfftfreq(len(x), 1 / SR)
    return float(np.sqrt(power[(hz >= low) & (hz <= high)].sum()))


def envelope_line(x: np.ndarray, hz: float, low: float = 2000.0, high: float = 7000.0) -> float:
    """Amplitude of the envelope spectrum within 3 % of `hz`, over its median: how a bearing fault is diagnosed."""
    spectrum = np.fft.fft(x)
    f = np.fft.fftfreq(len(x), 1 / SR)
    spectrum[(f < low) | (f > high)] = 0  # band-pass and analytic signal at once
    envelope = np.abs(np.fft.ifft(spectrum)) ** 2
    f, a = spectrum_of_envelope = np.fft.rfftfreq(len(x), 1 / SR), np.abs(np.fft.rfft(envelope - envelope.mean()))
    assert len(spectrum_of_envelope) == 2
    near = (f > 0.97 * hz) & (f < 1.03 * hz)
    around = (f > 0.5 * hz) & (f < 1.5 * hz)
    return float(a[near].max() / np.median(a[around]))


@pytest.mark.parametrize("rpm", ["1350", "1820"])
def test_a_fans_strongest_tones_are_its_blade_pass_at_seven_times_the_speed_in_its_name(rpm: str) -> None:
    hz, a = spectrum(fan(take(0, spd=rpm, bkg="A"), healthy("fan")))
    band = (hz > 110) & (hz < 330)
    peak = hz[band][np.argmax(a[band])]
    assert peak == pytest.approx(7 * int(rpm) / 60, rel=0.02)


def test_imbalance_raises_the_first_order_by_the_ratio_of_its_knobs() -> None:
    lines = [
        band_rms(fan(take(1, spd="1500", bkg="A"), healthy("fan", imbalance=level)), 24, 26) for level in (0.3, 1.2)
    ]
    assert lines[1] / lines[0] == pytest.approx(4.0, rel=0.15)  # flow noise in the band makes it a little less


@pytest.mark.parametrize(("knob", "order"), [("outer_race", BPFO), ("inner_race", BPFI)])
def test_a_race_defect_shows_at_its_order_in_the_envelope_spectrum(knob: str, order: float) -> None:
    sound = bearing(take(2, vel="20", mic="1"), healthy("bearing"))
    defect = bearing(take(2, vel="20", mic="1"), healthy("bearing", **{knob: MACHINES["bearing"].knobs[knob].severe}))
    assert envelope_line(defect, 20 * order) > 2 * envelope_line(sound, 20 * order)
    assert envelope_line(defect, 20 * order) > 10


def test_a_broken_tooth_strikes_once_a_turn_of_the_output_shaft() -> None:
    output_hz = 1200 / 60 * 23 / 41
    quiet, broken = (gearbox(take(3, spd="1200", load="0"), healthy("gearbox", tooth=level)) for level in (0.0, 0.5))
    assert envelope_line(broken, output_hz, 700, 5000) > 3 * envelope_line(quiet, output_hz, 700, 5000)


def test_load_makes_a_gearbox_mesh_louder_and_brighter() -> None:
    mesh_hz = 1200 / 60 * 23
    idle, loaded = (gearbox(take(4, spd="1200", load=load), healthy("gearbox")) for load in ("0", "60"))
    first = [band_rms(x, 0.95 * mesh_hz, 1.05 * mesh_hz) for x in (idle, loaded)]
    fourth = [band_rms(x, 3.95 * mesh_hz, 4.05 * mesh_hz) for x in (idle, loaded)]
    assert first[1] > 1.2 * first[0]
    assert fourth[1] / first[1] > 1.2 * fourth[0] / first[0]


def openings(pattern: str, seconds: float, missed: float = 0.0) -> np.ndarray:
    """Seconds at which a loud valve is seen to open, from its sound's power."""
    sound = valve(take(5, seconds, pat=pattern, bar="4"), healthy("valve", missed=missed))
    flow = np.convolve(sound**2, np.ones(480) / 480, "same")
    edges = np.flatnonzero(np.diff((flow > 0.1).astype(int), prepend=0, append=0))
    opened, closed = edges[::2], edges[1::2]
    return opened[closed - opened > 0.6 * OPEN_S * SR] / SR


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_valve_opens_in_the_rhythm_of_the_programme_in_its_name(pattern: str) -> None:
    steps = np.diff(openings(pattern, 12))[1:-1]
    programme = PATTERNS[pattern]
    rounds = [np.resize(np.roll(programme, -shift), steps.shape) for shift in range(len(programme))]
    assert min(np.abs(steps - r).max() for r in rounds) < 0.04


def test_a_valve_misses_the_stated_share_of_its_strokes() -> None:
    strokes = 60 / PATTERNS["00"][0]
    assert len(openings("00", 60)) == pytest.approx(strokes, abs=2)
    assert len(openings("00", 60, missed=0.5)) == pytest.approx(strokes / 2, abs=3 * np.sqrt(strokes / 4))


def test_a_leaking_valve_hisses_while_it_is_closed() -> None:
    tight, leaking = (valve(take(6, pat="02", bar="2"), healthy("valve", leak=leak)) for leak in (0.01, 0.2))

    def closed(x: np.ndarray) -> float:
        return float(np.quantile(np.sqrt(np.convolve(x**2, np.ones(160) / 160, "valid")), 0.1))

    assert closed(leaking) > 5 * closed(tight)


@pytest.mark.parametrize("machine_type", MACHINE_TYPES)
def test_the_stated_snr_holds_at_the_microphone_for_the_reference_setting(machine_type: str) -> None:
    machine = MACHINES[machine_type]
    setting = machine.settings(Domain.SOURCE)[0]
    ratios = []
    for number in range(4):
        clip = PlannedClip(Path(f"{number}"), machine_type, "00", Domain.SOURCE, setting)
        near, hall = parts(clip, 4 * SR, 0)
        ratios.append(20 * np.log10(near.std() / hall.std()))
    # hum and neighbours add at most 1.5 dB to the background's noise; levels vary by half a decibel from clip to clip
    assert np.mean(ratios) == pytest.approx(machine.snr_db, abs=2.0)


@pytest.mark.parametrize("machine_type", MACHINE_TYPES)
def test_no_clip_is_silent_or_clips_not_even_the_worst_fault(machine_type: str) -> None:
    machine = MACHINES[machine_type]
    cases: list[tuple[str | None, str | None]] = [(None, None), *((fault, "severe") for fault in machine.knobs)]
    for domain in Domain:
        for number, (fault, degree) in enumerate(cases):
            setting = machine.settings(domain)[-1]
            clip = PlannedClip(Path(f"{domain}{number}"), machine_type, "02", domain, setting, fault, degree)
            near, hall = parts(clip, 2 * SR, 0)
            assert np.isfinite(near).all() and np.isfinite(hall).all()
            assert np.abs(near + hall).max() < 0.98, (fault, domain)
            assert 0.02 < (near + hall).std() < 0.25, (fault, domain)


# the valve's domains differ in rhythm more than in spectrum: the programmes are tested above
@pytest.mark.parametrize("machine_type", sorted(set(MACHINE_TYPES) - {"valve"}))
def test_target_clips_lie_farther_from_source_clips_than_source_clips_from_one_another(machine_type: str) -> None:
    def bands(clip: PlannedClip) -> np.ndarray:
        x = render(clip, 2 * SR, 0) / 32768.0
        power = np.abs(np.fft.rfft(x)) ** 2 / len(x)
        edges = np.geomspace(50, 7900, 49) * 2  # bins of half a hertz
        return np.array([10 * np.log10(power[int(a) : int(b) + 1].mean()) for a, b in pairwise(edges)])

    clips = [c for c in plan(SIZES["small"], machine_type, 0) if c.path.parent.name == "train"]
    source, target = ([bands(c) for c in clips if c.domain is d][:24] for d in Domain)
    among = np.linalg.norm(np.subtract.outer(source, source).diagonal(axis1=1, axis2=3), axis=2)
    np.fill_diagonal(among, np.inf)
    across = np.linalg.norm(np.subtract.outer(target, source).diagonal(axis1=1, axis2=3), axis=2)
    assert np.median(across.min(axis=1)) > 1.1 * np.median(among.min(axis=1))


def test_a_room_lets_the_direct_sound_through_first_and_dies_away() -> None:
    for microphone in MICROPHONES:
        blow = np.zeros(SR // 2)
        blow[0] = 1.0
        heard = hear(blow, path("fan", "00", microphone, len(blow)))
        assert np.argmax(np.abs(heard)) < 8
        early, late = np.sum(heard[:1600] ** 2), np.sum(heard[4800:] ** 2)
        assert late < 1e-3 * early


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_a_background_is_louder_below_1_khz_than_above_as_factory_halls_are(name: str) -> None:
    x = background(name, 4 * SR, np.random.default_rng(0))
    assert band_rms(x, 40, 1000) > 1.5 * band_rms(x, 1000, 8000)


# --- building blocks -------------------------------------------------------------------------------------------------


def test_an_order_has_the_rms_and_the_frequency_that_were_asked_for() -> None:
    n = 2 * SR
    revs = np.arange(n) * 25.0 / SR
    x = orders(revs, {7: 0.5, 400: 9.0})  # order 400 would be 10 kHz: left out
    assert x.std() == pytest.approx(0.5, rel=1e-3)
    assert np.argmax(np.abs(np.fft.rfft(x))) == 2 * 7 * 25
    assert mains(n, np.random.default_rng(0), {2: 0.5}).std() == pytest.approx(0.5, rel=1e-6)


def test_sidebands_stand_at_the_stated_spacing_and_depth_and_add_in_power() -> None:
    table = with_sidebands({20: 1.0, 22: 1.0}, 1, 0.5, 1)
    assert table == pytest.approx({19: 0.5, 20: 1.0, 21: np.hypot(0.5, 0.5), 22: 1.0, 23: 0.5})


def test_a_struck_mode_rings_at_its_frequency_and_falls_to_1_over_e_in_its_decay_time() -> None:
    x = ring(impulses(SR, np.array([0.0])), [(1000.0, 0.02, 1.0)])
    assert np.argmax(np.abs(np.fft.rfft(x))) == pytest.approx(1000, abs=2)
    peaks = np.abs(x).reshape(-1, 16).max(axis=1)  # one period of 1 kHz
    assert peaks[20] / peaks[0] == pytest.approx(np.exp(-1.0), rel=0.02)


@settings(max_examples=20, deadline=None)
@given(hz=st.floats(5, 60), per_rev=st.floats(0.3, 12), seed=st.integers(0, 2**32))
def test_passings_without_slip_are_evenly_spaced(hz: float, per_rev: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = passings(revolutions(SR, hz, rng, jitter=0.0), per_rev, rng)
    assert abs(len(at) - hz * per_rev) < 2
    assert np.allclose(np.diff(at), SR / (hz * per_rev), rtol=1e-6)


@settings(max_examples=20, deadline=None)
@given(
    at=st.lists(st.floats(-10, 110), max_size=20),
    strength=st.floats(-5, 5),
    seed=st.integers(0, 2**32),
    tilt=st.floats(-1, 1),
)
def test_impulses_keep_their_strength_and_noise_its_unit_rms(
    at: list[float], strength: float, seed: int, tilt: float
) -> None:
    where = np.array(at, dtype=float)
    inside = ((where >= 0) & (where < 99)).sum()
    assert impulses(100, where, strength).sum() == pytest.approx(strength * inside, abs=1e-9)
    curve = ((100.0, 0.0), (4000.0, -6.0))  # some 2000 independent bins at least: 6 % is five standard deviations
    assert noise(64000, np.random.default_rng(seed), curve, tilt).std() == pytest.approx(1.0, rel=0.06)


def test_generators_depend_on_their_names_and_on_nothing_else() -> None:
    assert generator("a", 1).random() == generator("a", 1).random() == pytest.approx(generator("a", "1").random())
    assert len({generator(*names).random() for names in (("a", 1), ("a1",), ("a", 2), ("b", 1))}) == 4


def test_every_condition_meets_every_setting_in_the_demo() -> None:
    for machine_type in SIZES["small"].machine_types:
        clips = plan(SIZES["small"], machine_type, 0)
        for domain in Domain:
            wanted = {tuple(s.items()) for s in MACHINES[machine_type].settings(domain)}
            for condition in Condition:
                named = [c for c in clips if c.domain is domain and f"_test_{condition}_" in c.path.name]
                assert {tuple(c.setting.items()) for c in named} == wanted
                assert len(named) == SIZES["small"].test
