"""Types a command on a damaged file and judges what comes: words, the result that was there before, or a fault."""

from __future__ import annotations

import contextlib
import enum
import hashlib
import io
import os
import shutil
import signal
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from unittest import mock

from asdcli.cli.boundary import guarded
from tests.fuzz.targets import DETECT, DOCTOR, RUN, SHOW, Target
from tests.helpers.waiting import PATIENCE_S

_UNTOLD = ("metrics.jsonl", ".lock")  # hold how long a training took, and who was at work


class Verdict(enum.Enum):
    """What came of a damaged file, the best first."""

    SAME = "same result"
    REFUSED = "refused"
    TOLD = "told"
    READ = "read"
    HALF = "half-written"
    DIFFERENT = "silently different"
    TRACEBACK = "traceback"
    HANG = "hang"
    CRASH = "crash"

    @property
    def is_fault(self) -> bool:
        return self in (Verdict.HALF, Verdict.DIFFERENT, Verdict.TRACEBACK, Verdict.HANG, Verdict.CRASH)


@dataclass(frozen=True)
class Judged:
    """A verdict, and the words that speak for it."""

    verdict: Verdict
    words: str = ""


@dataclass(frozen=True)
class Came:
    """What a command printed, and all files after it: path -> digest."""

    code: int | None
    stdout: str
    stderr: str
    files: dict[str, str]


class Hung(BaseException):
    pass


class Bench:
    """A working folder in which files are damaged one at a time and put back."""

    def __init__(self, place: Path, *, whole: Path) -> None:
        """`whole` is a copy of `place` that is never touched."""
        self.place, self.whole = place, whole
        self._stats = self._look()
        self._digests = {path: _digest(self.place / path) for path in self._stats}
        self._usual: dict[tuple[str, tuple[str, ...]], Came] = {}

    def judge(self, target: Target, files: Mapping[str, bytes], command: str, *, sealed: bool) -> Judged:
        """Put `files` (name -> content) in the place of the target's and type `command`.

        `sealed`: a result that differs without a word is a fault.
        """
        try:
            usual = self._usual.get((command, target.without)) or self._came(target, command)
        except BaseException:
            return Judged(Verdict.TRACEBACK, f"with nothing damaged at all:\n{traceback.format_exc()}")
        self._usual[command, target.without] = usual
        folder = Path(target.path).parent
        damaged = {(folder / name).as_posix(): content for name, content in files.items()}
        for path, content in damaged.items():
            (self.place / path).write_bytes(content)
        try:
            came = self._came(target, command, damaged)
        except Hung:
            return Judged(Verdict.HANG)
        except BaseException:
            return Judged(Verdict.TRACEBACK, traceback.format_exc())
        finally:
            self._restore()
        findings = command.startswith((DOCTOR, SHOW))
        return self._compared(usual, came, damaged, sealed=sealed and target.sealed, findings=findings)

    def _compared(
        self, usual: Came, came: Came, damaged: Mapping[str, bytes], *, sealed: bool, findings: bool
    ) -> Judged:
        """`findings`: what the command prints is no result, but what it has to say of files."""
        left = {path: _hash(content) for path, content in damaged.items()}
        changed = [
            path
            for path in sorted({*usual.files, *came.files})
            if came.files.get(path) != usual.files.get(path)
            and not (path in left and came.files.get(path) == left[path])
            and not path.endswith(_UNTOLD)
        ]
        if came.code in (1, 2) and came.code != usual.code:
            half = [path for path in changed if came.files.get(path) != self._digests.get(path)]
            if sealed and any(path in came.files for path in half):
                return Judged(Verdict.HALF, f"{half}\n{came.stderr}")
            return Judged(Verdict.REFUSED, came.stderr or came.stdout)
        same_words = _lasting(came.stdout) == _lasting(usual.stdout)
        if not changed and came.code == usual.code and same_words:
            return Judged(Verdict.SAME)
        said = [line for line in came.stderr.splitlines() if line not in usual.stderr.splitlines()]
        if came.code in (0, 3) and any("warning:" in line for line in said):
            return Judged(Verdict.TOLD, "\n".join(said))
        what = f"code {came.code}, changed {changed}\n{came.stdout}\n{came.stderr}"
        if not sealed:
            return Judged(Verdict.READ, what)
        if findings and not changed:
            return Judged(Verdict.TOLD, came.stdout)
        return Judged(Verdict.DIFFERENT, what)

    def _came(self, target: Target, command: str, damaged: Collection[str] = ()) -> Came:
        for path in target.without:
            (self.place / path).unlink(missing_ok=True)
        out, err = io.StringIO(), io.StringIO()
        here = Path.cwd()
        try:
            os.chdir(self.place)
            with _patience(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = _action(command)()
            os.chdir(here)
            return Came(code, out.getvalue(), err.getvalue(), self._after())
        finally:
            os.chdir(here)
            self._restore(but=damaged)

    def _look(self) -> dict[str, tuple[int, int, int]]:
        stats = {p.relative_to(self.place).as_posix(): p.lstat() for p in self.place.rglob("*") if not p.is_dir()}
        return {path: (s.st_mtime_ns, s.st_size, s.st_ino) for path, s in stats.items()}

    def _after(self) -> dict[str, str]:
        """The digests of all files; those that nobody touched are known."""
        now = self._look()
        return {
            path: self._digests[path] if stat == self._stats.get(path) else _digest(self.place / path)
            for path, stat in now.items()
        }

    def _restore(self, *, but: Collection[str] = ()) -> None:
        now = self._look()
        for path in now.keys() | self._stats.keys():
            if path in but or now.get(path) == self._stats.get(path):
                continue
            (self.place / path).unlink(missing_ok=True)
            if path in self._stats:
                (self.place / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.whole / path, self.place / path)
                stat = (self.place / path).lstat()
                self._stats[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _action(command: str) -> Callable[[], int]:
    if command.startswith(DETECT):
        return lambda: guarded(lambda: _detect(command.removeprefix(DETECT).strip()))
    return lambda: _typed(command.split())


def _typed(words: list[str]) -> int:
    from asdcli.cli import call
    from asdcli.pipeline.diagnosis import machine

    # doctor asks torch for devices in a process of its own, which takes seconds and has nothing to do with files
    with mock.patch.object(machine, "_devices", lambda: iter(())):
        return call(words)


def _detect(method: str) -> None:
    import numpy as np

    from asdcli.features.pack import WaveformPack
    from asdcli.pipeline.detectors import detector_of
    from asdcli.pipeline.workspace import resolve

    detector = detector_of(resolve(run=Path(RUN)), method)
    samples = np.random.default_rng(0).integers(-9000, 9000, 16_000 * 4).astype(np.int16)
    verdict = detector.score(WaveformPack.of([samples], ["new"], 16_000), "fan", "00")
    print(verdict.scores.tolist(), verdict.threshold)


def _lasting(stdout: str) -> list[str]:
    """What a command prints, but for what doctor says of the machine: memory and disk are never the same."""
    return [line for line in stdout.splitlines() if " machine " not in line]


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _digest(path: Path) -> str:
    return _hash(str(path.readlink()).encode() if path.is_symlink() else path.read_bytes())


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
