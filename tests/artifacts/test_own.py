"""Files that asd did not write, or that were changed since, are not overwritten without --force."""

from __future__ import annotations

import json
import shutil

import pytest

from asdcli.artifacts import own
from asdcli.errors import BadData


def test_what_asd_wrote_is_written_again_and_what_was_changed_since_is_not(tmp_path):
    path = tmp_path / "a.csv"
    for text in ("1", "2"):
        with own.written(path) as temporary:
            temporary.write_text(text)
    assert path.read_text() == "2" and own.is_own(path)
    path.write_text("mine")
    with pytest.raises(BadData, match=r"a\.csv is there already"), own.written(path) as temporary:
        temporary.write_text("3")
    assert path.read_text() == "mine"
    with own.written(path, force=True) as temporary:
        temporary.write_text("3")
    assert path.read_text() == "3" and own.is_own(path)


def test_a_write_that_fails_leaves_file_and_ledger_as_they_were(tmp_path):
    path = tmp_path / "a.csv"
    own.write_files(tmp_path, {"a.csv": b"1"})
    with pytest.raises(ZeroDivisionError), own.written(path) as temporary:
        temporary.write_text("2")
        raise ZeroDivisionError
    assert own.is_own(path) and path.read_text() == "1"


def test_a_write_that_is_killed_between_ledger_and_file_leaves_files_that_are_known(tmp_path, monkeypatch):
    own.write_files(tmp_path, {"a.csv": b"1", "b.csv": b"1"})
    real = own.atomic

    def killed(path):
        if path.name == "b.csv":
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(own, "atomic", killed)
    with pytest.raises(KeyboardInterrupt):
        own.write_files(tmp_path, {"a.csv": b"2", "b.csv": b"2"})
    assert (tmp_path / "a.csv").read_bytes() == b"2" and (tmp_path / "b.csv").read_bytes() == b"1"
    assert own.is_own(tmp_path / "a.csv") and own.is_own(tmp_path / "b.csv")


@pytest.mark.parametrize("ledger", ["", "[1]", '{"a.csv": 3}', "\x00"])
def test_a_ledger_that_cannot_be_read_knows_nothing(tmp_path, ledger):
    own.write_files(tmp_path, {"a.csv": b"1"})
    (tmp_path / own.LEDGER).write_text(ledger)
    with pytest.raises(BadData, match="asd did not write it"):
        own.check(tmp_path / "a.csv")


def test_files_that_hold_what_is_written_already_stay_and_are_nobody_elses(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"1")
    made = (tmp_path / "a.csv").stat().st_mtime_ns
    own.check(tmp_path / "a.csv", b"1")
    own.write_files(tmp_path, {"a.csv": b"1"})
    assert (tmp_path / "a.csv").stat().st_mtime_ns == made and not own.is_own(tmp_path / "a.csv")
    with pytest.raises(BadData, match="asd did not write it"):
        own.check(tmp_path / "a.csv", b"2")


def test_what_its_authors_wrote_into_is_not_asds_though_asd_put_it_there(tmp_path):
    own.write_files(tmp_path, {"a.yaml": b"1", "b.yaml": b"1"})
    own.write_files(tmp_path, {"a.yaml": b"theirs and ours", "b.yaml": b"2"}, theirs={"a.yaml"})
    assert not own.is_own(tmp_path / "a.yaml") and own.is_own(tmp_path / "b.yaml")


def test_removing_keeps_what_was_changed(tmp_path):
    own.write_files(tmp_path, {"d/a.csv": b"1", "d/b.csv": b"1"})
    (tmp_path / "d/b.csv").write_bytes(b"mine")
    own.remove(tmp_path, ["d/a.csv", "d/b.csv"])
    assert [p.name for p in (tmp_path / "d").iterdir()] == ["b.csv"] and own.names(tmp_path) == []


def test_the_ledger_names_no_place_outside_its_folder(tmp_path):
    own.write_files(tmp_path / "x", {"d/a.csv": b"1"})
    shutil.move(tmp_path / "x", tmp_path / "y")
    assert list(json.loads((tmp_path / "y" / own.LEDGER).read_text())) == ["d/a.csv"]
    assert own.is_own(tmp_path / "y/d/a.csv", tmp_path / "y")
