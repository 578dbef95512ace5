"""Parts of audio files, by names of their own: `day@00:10:00-00:20:00.wav` is ten minutes of `day.wav`.

Where a long recording is taken as many short ones, each of these is opened, listed and typed by such a name. A file
that is really called so is itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from asdcli.audio.bad import BadAudio

_CLOCK = r"(\d{2,}):([0-5]\d):([0-5]\d)"
_PART = re.compile(rf"(?P<before>.*[^/])@{_CLOCK}-{_CLOCK}(?P<suffix>\.\w+)", re.DOTALL)
_SPARE_S = 1.0  # by which a part may end after its file: names have whole seconds


@dataclass(frozen=True)
class FilePart:
    """From when to when, in whole seconds of the file."""

    start_s: int
    end_s: int

    def frames(self, path: Path, n_frames: int, sample_rate: int) -> tuple[int, int]:
        """The first frame of it, and how many it has. Raises BadAudio where the file does not reach so far."""
        start, end = self.start_s * sample_rate, self.end_s * sample_rate
        if not start < min(end, n_frames) or end >= n_frames + _SPARE_S * sample_rate:
            raise BadAudio(path, f"there is no such part of a recording of {n_frames / sample_rate:.1f} s")
        return start, min(end, n_frames) - start


def split(path: Path) -> tuple[Path, FilePart | None]:
    """The file, and the part of it that `path` names; None where it names a file."""
    whole = whole_of(str(path))
    if whole == str(path) or path.exists():
        return path, None
    found = _PART.fullmatch(str(path))
    assert found is not None
    h, m, s, *end = map(int, found.groups()[1:7])
    return Path(whole), FilePart(3600 * h + 60 * m + s, 3600 * end[0] + 60 * end[1] + end[2])


def file_of(path: Path) -> Path:
    """The file in which the sound of `path` lies."""
    return split(path)[0]


def whole_of(path: str) -> str:
    """The path of the file that `path` would be a part of; itself where its name is not that of a part."""
    found = _PART.fullmatch(path)
    return found["before"] + found["suffix"] if found else path


def named(path: str, start_s: int, end_s: int) -> str:
    """The name of a part of the file `path`, which has a suffix."""
    before, _, suffix = path.rpartition(".")
    return f"{before}@{_clock(start_s)}-{_clock(end_s)}.{suffix}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
