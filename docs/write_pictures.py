"""Make the pictures of docs/your-recordings.md: `make docs-pictures` types its commands, and prints what they print.

The recordings are those of a made-up fan: October, in which it was well; week 47, in which it hisses once, knocks once,
and has one faulty minute in ten; week 48, in which it has a little more noise at 2 to 3 kHz, and hisses again.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from asdcli.cli import call
from asdcli.synthesis.machines import MACHINES
from asdcli.synthesis.plan import PlannedClip
from asdcli.synthesis.render import render
from asdcli.synthesis.signals import SR
from asdcli.vocabulary import Domain
from tests.helpers.browser import chromium, opened
from tests.helpers.machines import write
from tests.known_faults.made_up import BandFault, with_fault

PICTURES = Path(__file__).resolve().parent / "pictures"
TEN_MINUTES = "2024-11-24_20-00 ten minutes.wav"
HISS, KNOCKS, HISS_AGAIN = "2024-11-23_18-00.wav", "2024-11-24_12-00.wav", "2024-11-30_12-00.wav"
FALSE_ALARM = "2024-11-18_00-00.wav"
HISSES = BandFault(1200, 1600, 3.1, 12)
LARGE = 150_000
"""Bytes."""
Samples = npt.NDArray[np.int16]


def fan(name: str, seconds: float = 10, fault: str | None = None) -> Samples:
    """(n_samples,) int16, 16 kHz: the fan as of this name alone, well or with a severe fault."""
    setting = MACHINES["fan"].settings(Domain.SOURCE)[0]
    degree = "severe" if fault else None
    clip = PlannedClip(PurePosixPath(name), "fan", "00", Domain.SOURCE, setting, fault, degree)
    return render(clip, round(seconds * SR), 0)


def hissing(sound: Samples, fault: BandFault) -> Samples:
    """The same recording with noise in a band."""
    return np.clip(np.rint(with_fault(sound.astype(np.float64), fault, 0)), -32768, 32767).astype(np.int16)


def names(month: str, days: range, every_h: int) -> list[str]:
    """What a recorder calls its recordings: one every so many hours."""
    return [f"{month}-{day:02d}_{hour:02d}-00.wav" for day in days for hour in range(0, 24, every_h)]


def week_47() -> list[str]:
    return names("2024-11", range(18, 25), 6)


def week_48() -> list[str]:
    return names("2024-11", range(25, 31), 6) + names("2024-12", range(1, 2), 6)


def recordings(place: Path) -> None:
    """October, week 47 and week 48, below `place`."""
    for name in names("2024-10", range(1, 31), 3):
        write(place / "October normal" / name, fan(name))
    for name in week_47():
        sound = fan(name, fault="outer_race" if name == KNOCKS else None)
        write(place / "week 47" / name, hissing(sound, HISSES) if name == HISS else sound)
    ten = fan(TEN_MINUTES, 600)
    minute = slice(4 * 60 * SR, 5 * 60 * SR)
    ten[minute] = hissing(ten[minute], BandFault(2500, 3500, 0, 8))
    write(place / "week 47" / TEN_MINUTES, ten)
    for name in week_48():
        grown = hissing(fan(name), BandFault(2000, 3000, 0, -5))
        write(place / "week 48" / name, hissing(grown, HISSES) if name == HISS_AGAIN else grown)


def typed(line: str) -> None:
    """Type a command, and print it and what it prints."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = call(shlex.split(line)[1:])
    print(f"$ {line}", err.getvalue().rstrip(), out.getvalue().rstrip(), "", sep="\n", flush=True)
    if code:
        raise SystemExit(f"{line}: exit code {code}")


@contextlib.contextmanager
def page(path: Path, **window: Any) -> Iterator[Any]:
    """A tab with a page of the disk."""
    with chromium() as browser, opened(browser, path, **window) as found:
        yield found.tab


def screenshots(path: Path) -> None:
    """Of the page of a check: its first screen, and a recording beside its nearest normal one."""
    with page(path, width=1280, height=1000) as tab:
        tab.screenshot(path="page.png")
        tab.click(f"button.clip:has-text('{HISS}')")
        tab.keyboard.press(" ")
        tab.wait_for_timeout(500)
        tab.locator("#player").screenshot(path="listen.png")


def keep(picture: Path) -> None:
    """Beside the documentation, a large one in 256 colours, so that the repository stays small."""
    with PIL.Image.open(picture) as image:
        made = image.convert("RGB")
        if picture.stat().st_size > LARGE:
            made = made.quantize(256, PIL.Image.Quantize.FASTOCTREE, dither=PIL.Image.Dither.NONE)
        made.save(PICTURES / picture.name, optimize=True)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        recordings(Path("fan 3"))
        typed('asd learn "fan 3/October normal"')
        typed('asd check "fan 3/week 47" --html week.html --plot track.png')
        screenshots(Path("week.html").resolve())
        typed(f'asd explain "fan 3/week 47/{HISS}" -o why.png')
        typed(f"asd confirm {HISS} {KNOCKS} '{TEN_MINUTES}' fault")
        typed(f"asd confirm {FALSE_ALARM} normal")
        typed('asd check "fan 3/week 48"')
        typed(f"asd confirm {HISS_AGAIN} fault")
        typed("asd history --since 2024-11-23 --verdict suspicious")
        typed("asd drift --since 2024-11-25 --plot drift.png")
        for picture in Path().glob("*.png"):
            keep(picture)
        os.chdir(PICTURES)


if __name__ == "__main__":
    main()
