"""Cores at hand: a container's quota, as both versions of control groups write it, and what is done about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdcli import cores


@pytest.mark.parametrize(
    ("written", "granted"),
    [("150000 100000\n", 1.5), ("max 100000\n", None), ("400000 100000", 4.0), ("nonsense", None), ("1 0", None)],
)
def test_a_quota_is_what_version_2_writes(tmp_path: Path, written: str, granted: float | None) -> None:
    (tmp_path / "cpu.max").write_text(written)
    assert cores.quota(tmp_path) == granted


@pytest.mark.parametrize(("written", "granted"), [("250000", 2.5), ("-1", None)])
def test_a_quota_is_what_version_1_writes(tmp_path: Path, written: str, granted: float | None) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(written)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert cores.quota(tmp_path) == granted


def test_without_control_groups_there_is_no_quota(tmp_path: Path) -> None:
    assert cores.quota(tmp_path) is None


def test_there_are_no_more_threads_than_a_quota_pays_for_unless_the_user_says_how_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cores, "_allowed", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for granted, at_hand, threads in ((None, 8, None), (1.5, 2, 2), (0.1, 1, 1), (8.0, 8, None), (64.0, 8, None)):
        monkeypatch.setattr(cores, "quota", lambda granted=granted: granted)
        assert (cores.at_hand(), cores.too_many_threads()) == (at_hand, threads)
    monkeypatch.setattr(cores, "quota", lambda: 1.0)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert cores.too_many_threads() is None
