"""The walk below a folder of recordings: what counts as a recording, and what is never opened."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdcli.layouts import find_audio
from tests.helpers.waiting import PATIENCE_S


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder with one recording, a named pipe, a socket and links to a device and to nowhere."""
    folder = tmp_path / "mine"
    folder.mkdir()
    soundfile.write(folder / "a.wav", np.arange(1600, dtype=np.int16), 16_000)
    os.mkfifo(folder / "pipe.wav")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder)  # the name of a socket may not be long
        listener.bind("socket.flac")
        os.chdir(here)
    (folder / "device.wav").symlink_to("/dev/zero")
    (folder / "gone.wav").symlink_to("nowhere.wav")
    return folder


def test_only_regular_files_are_recordings(recordings: Path) -> None:
    found, left = find_audio(recordings)
    assert found == ["a.wav"]
    no_file = "no regular file: a named pipe, a socket or a device"
    assert {x.path: (x.reason, x.is_loss) for x in left} == {
        "device.wav": (no_file, False),
        "pipe.wav": (no_file, False),
        "socket.flac": (no_file, False),
        "gone.wav": ("a link that leads nowhere", True),
    }


@pytest.mark.parametrize("manifest", [False, True])
def test_indexing_a_folder_with_a_pipe_ends(recordings: Path, tmp_path: Path, manifest: bool) -> None:
    (tmp_path / "list.csv").write_text("path\na.wav\npipe.wav\ndevice.wav\n")
    options = ["--manifest", "list.csv"] if manifest else []
    done = subprocess.run(
        [sys.executable, "-m", "asdcli", "index", "mine", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 3, done.stderr
    assert ("is a named pipe, not a file" if manifest else "no regular file") in done.stderr


def test_whatever_libsndfile_reads_is_a_recording_and_its_suffix_no_part_of_its_name(tmp_path: Path) -> None:
    for name in ("a.mp3", "b.OGG", "c.aiff", "d.w64", "e.au", "f.caf", "g.wave", "h.m4a", "i.txt"):
        (tmp_path / name).touch()
    found, left = find_audio(tmp_path)
    assert found == ["a.mp3", "b.OGG", "c.aiff", "d.w64", "e.au", "f.caf", "g.wave"]
    assert {x.path: x.reason for x in left} == {
        "h.m4a": "audio that is not read: convert it to wav or flac",
        "i.txt": "no audio",
    }
