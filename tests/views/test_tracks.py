"""Windows of long recordings as packs, a few at a time, and back into their recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asdcli.errors import UsageError
from asdcli.features.pack import WaveformPack
from asdcli.features.windows import starts
from asdcli.views.listening import listen
from asdcli.views.reading import Reading
from asdcli.views.tracks import Track, by_row, packs_of
from tests.helpers.machines import write

RATE = 1_000


def test_windows_come_in_packs_of_a_few_and_short_recordings_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    long, short = (rng.integers(-99, 99, n).astype(np.int16) for n in (20_030, 700))
    reading = Reading("waveform", sample_rate=RATE, window_s=0.1, hop_s=0.05, cut_from_s=1.0)
    usable = [
        (name, listen(write(tmp_path / f"{name}.wav", samples, RATE), reading))
        for name, samples in (("long", long), ("short", short), ("again", long))
    ]
    first = starts(20_030, 100, 50)
    assert [(it.n_rows, it.duration_s) for _, it in usable] == [(400, 20.03), (1, None), (400, 20.03)]
    packs = [pack for pack in packs_of(usable, reading) if isinstance(pack, WaveformPack)]
    assert [len(pack) for pack in packs] == [256, 256, 256, 33]
    rows = [pack.clip(i) for pack in packs for i in range(len(pack))]
    expected = [long[s : s + 100] for s in first]
    assert all(map(np.array_equal, rows, [*expected, short, *expected]))
    names = [name for pack in packs for name in pack.clip_ids.tolist()]
    assert names == ["long"] * 400 + ["short"] + ["again"] * 400
    # two scores a row, as of a network with windows of its own
    scores = np.arange(2 * 801.0)
    parts = by_row(scores, np.repeat(np.arange(801), 2), usable, "max")
    assert [len(part) for part in parts] == [400, 1, 400]
    assert parts[1].tolist() == [801.0] and parts[2][0] == 803.0
    assert by_row(scores, np.repeat(np.arange(801), 2), usable, "mean")[1].tolist() == [800.5]
    assert np.array_equal(reading.spans_s(20.03)[[0, 1, -1]], np.array([[0, 0.1], [0.05, 0.15], [19.93, 20.03]]))


def test_without_a_long_recording_all_are_one_pack(tmp_path: Path) -> None:
    reading = Reading("waveform", sample_rate=RATE, window_s=0.1, hop_s=0.05, cut_from_s=1.0)
    one = listen(write(tmp_path / "a.wav", np.arange(50, dtype=np.int16), RATE), reading)
    assert [len(pack.clip_ids) for pack in packs_of([(str(i), one) for i in range(300)], reading)] == [300]


def test_an_event_has_the_p_value_and_height_of_its_highest_window() -> None:
    spans = np.column_stack([np.arange(6) * 5.0, np.arange(6) * 5.0 + 10.0])
    scores, p = np.array([0.1, 2.5, 3.0, 0.9, 0.1, 0.1]), np.array([0.9, 0.2, 0.1, 0.3, np.nan, np.nan])
    track = Track("a.wav", "fan", spans, scores, p, 35.0, threshold=2.0, keeps=0.5)
    (event,) = track.events()
    assert (event.start_s, event.end_s, event.score, event.times, event.p_value) == (7.5, 22.5, 3.0, 1.5, 0.1)
    assert str(event) == "7.5-22.5 s: 1.50 x" and track.highest_s == (10.0, 20.0)
    assert track.events(shortest_s=15.1) == ()


def test_windows_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="longer than --window"):
        Reading(window_s=1.0, hop_s=1.5)
    with pytest.raises(UsageError, match="there are no windows"):
        Reading(hop_s=1.5)
    with pytest.raises(UsageError, match="what is cut is windows, and there are no windows"):
        Reading(cut_from_s=20.0)
    with pytest.raises(UsageError, match="--cut-from takes seconds, more than none, got -1"):
        Reading(window_s=1.0, cut_from_s=-1.0)
    with pytest.raises(UsageError, match="more than none"):
        Reading(window_s=float("nan"), hop_s=1.0)
    assert "window_s" not in Reading().params()


def test_windows_without_a_hop_overlap_by_half() -> None:
    assert Reading(window_s=10.0) == Reading(window_s=10.0, hop_s=5.0)
