"""The arithmetic of `make promise`, and all of it on few recordings."""

from __future__ import annotations

import numpy as np
import pytest

from tests.calibration.trials import Failed
from tests.promise.__main__ import main
from tests.promise.figures import Kept
from tests.promise.recordings import record


def test_the_luck_of_one_learned_recording_is_any_share_alike() -> None:
    # of one score the largest leaves a share above it that is uniform: of 99 fresh ones 0 to 99 are as likely each
    assert Kept(0.5, 1, 99, 0).luck == (2 / 99, 97 / 99)


def test_the_luck_of_both_holds_whatever_the_scores_are_and_that_of_the_fresh_alone_does_not() -> None:
    rng, n, m, promised = np.random.default_rng(0), 60, 200, 0.1
    low, high = Kept(promised, n, m, 0).luck
    inside, alone = [], []
    for _ in range(2000):
        learned, fresh = rng.lognormal(size=n), rng.lognormal(size=m)
        kept = Kept(promised, n, m, int((fresh > np.sort(learned)[-6]).sum()))  # 61 x 0.1 is 6.1: the sixth largest
        assert kept.k == 6
        inside.append(low <= kept.alarms / m <= high)
        _, least, most = kept.measured
        alone.append(least <= promised <= most)
    assert 0.94 <= np.mean(inside) <= 0.98  # counts are whole
    assert np.mean(alone) < 0.85


@pytest.mark.parametrize(
    ("alarms", "verdict"), [(0, "holds, with fewer alarms than promised"), (11, "holds"), (99, "does not hold")]
)
def test_a_promise_is_held_against_the_luck_of_both(alarms: int, verdict: str) -> None:
    assert Kept(0.1, 300, 100, alarms).verdict == verdict


def test_of_few_recordings_a_promise_is_tried_by_typing_the_commands(tmp_path, capfd, monkeypatch) -> None:
    words = ("--folder", tmp_path, "--learn", 20, "--fresh", 30, "--seconds", 0.5, "--promised", 20)
    assert main(list(map(str, words))) == 0
    told = capfd.readouterr().out
    assert "20 normal recordings of a synthetic fan learned, 30 fresh ones checked." in told
    assert "| 20.0% | " in told and " of 30 | " in told and "holds" in told
    monkeypatch.setattr("tests.promise.__main__.asd", _not_typed)  # the recordings are made before
    assert main([*map(str, words), "--seed", "1"]) == 7
    waves = [{wave.read_bytes() for wave in trial.rglob("*.wav")} for trial in tmp_path.iterdir()]
    assert len(waves) == 2 and not waves[0] & waves[1], "another seed, answered by what an earlier one had left"


def _not_typed(*_: str) -> None:
    raise Failed(["learn"], 7)


def test_two_months_have_nothing_in_common_and_the_same_month_is_the_same(tmp_path) -> None:
    one, other, again = (record(tmp_path / str(i), f"2024-1{i % 2}", 2, seconds=0.2, seed=0) for i in range(3))
    files = [[p.read_bytes() for p in sorted(folder.iterdir())] for folder in (one, other, again)]
    assert files[0] == files[2] and not set(files[0]) & set(files[1]) and len(set(files[0])) == 2
