"""`make calibration` where a command fails: no traceback, and the command's own exit code."""

from __future__ import annotations

from tests.calibration.__main__ import main


def test_a_command_that_fails_ends_the_trials_with_its_words_and_its_exit_code(tmp_path, capfd):
    (tmp_path / "occupied").write_text("no folder")
    code = main(["--folder", str(tmp_path / "occupied"), "--only", "synthetic", "--seeds", "1"])
    told = capfd.readouterr().err
    assert code == 1
    assert told.count("error: ") == 2  # the command's, and which command it was
    assert "error: asd download synthetic --size small --seed 0" in told
    assert "goes on from there" in told
    assert "Traceback" not in told
