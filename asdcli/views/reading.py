"""How clips are read from audio files: rate, channel, rounding and scale, as a pack's header has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import audio
from asdcli.artifacts import Header
from asdcli.audio.convert import FULL_SCALE
from asdcli.audio.two_microphones import GAIN
from asdcli.errors import UsageError
from asdcli.features.kinds import DEFAULT, FEATURES, FeatureKind
from asdcli.features.windows import cut, starts
from asdcli.progress import Progress
from asdcli.views.clips import ClipRow
from asdcli.views.editions import edition_of
from asdcli.vocabulary import BOTH, FIXED, PEAK, RESIDUAL

_UNSAID = ("scale", "gain", "window_s", "hop_s", "cut_from_s")
"""What stands in a header only where it is said."""


@dataclass(frozen=True)
class Reading:
    """How every clip is read. These are the parameters in a pack's header.

    Attributes:
        features: the spelling of a kind of features.
        sample_rate: in Hz.
        channel: index, None for clips of one channel, "mean" of all, "residual": the first without what the second
            explains of it, or "both": the first two, each a row of the pack, side by side under the same clip_id. They
            become windows 0 and 1 of the clip.
        resample: bring other rates to `sample_rate`.
        rounding: round samples finer than 16 bits.
        scale: `peak` brings the loudest sample of a machine type's clips to full scale, `fixed:GAIN` multiplies all
            samples by GAIN; None leaves them as they are, but for residuals, which are stored at half their level.
        gain: what the samples of the machine type at hand are multiplied by.
        window_s: seconds of the windows that long recordings are cut into, each a row of the pack, one after the other
            under the same clip_id; None: none is cut.
        hop_s: seconds from the start of one window to that of the next; by default half a window.
        cut_from_s: shorter recordings are not cut; by default those that are shorter than a window.

    Raises:
        UsageError: unknown features or scale, a sample rate that is none, windows of no length or of two channels, or
            a hop or a shortest recording where there are no windows.
    """

    features: str = DEFAULT
    sample_rate: int = audio.SAMPLE_RATE
    channel: int | str | None = None
    resample: bool = False
    rounding: bool = False
    scale: str | None = field(default=None, repr=False)  # the digest of what a model sees has the scaled samples
    gain: float | None = field(default=None, repr=False)
    window_s: float | None = field(default=None, repr=False)  # and the windows that were cut
    hop_s: float | None = field(default=None, repr=False)
    cut_from_s: float | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", FEATURES.canonical(self.features))
        if self.sample_rate < 1:
            raise UsageError(f"the sample rate must be positive, got {self.sample_rate}")
        if self.channel == RESIDUAL and self.scale is None:
            object.__setattr__(self, "scale", f"{FIXED}:{GAIN}")
        if self.scale not in (None, PEAK):
            object.__setattr__(self, "gain", _fixed(self.scale or ""))
        if self.window_s is not None and self.hop_s is None:
            object.__setattr__(self, "hop_s", self.window_s / 2)
        _require_windows(self)

    @cached_property
    def kind(self) -> FeatureKind:
        """What makes the features: one for all clips and threads."""
        made: FeatureKind = FEATURES.build(self.features)
        return made

    @staticmethod
    def of(params: Mapping[str, Any]) -> Reading:
        """How the clips were read that a pack with these parameters in its header was made of."""
        names = {f.name for f in fields(Reading)}
        return Reading(**{name: value for name, value in params.items() if name in names})

    def params(self) -> dict[str, Any]:
        """For a header; a scale and windows only where there are any."""
        return {k: v for k, v in asdict(self).items() if v is not None or k not in _UNSAID}

    def scaled_to(self, gain: Any) -> Reading:
        """The same by a gain that was measured before, where it is measured; None or what is no number says nothing."""
        return replace(self, gain=gain) if self.scale == PEAK and isinstance(gain, float) else self

    def scaled_to_peak(self, rows: Sequence[ClipRow], root: Path, pool: ThreadPoolExecutor) -> Reading:
        """The same with the gain that `peak` means for these clips, unusable ones not counted; all of them are read."""

        def loudest(row: ClipRow) -> float:
            def of(channel: int | str | None) -> float:
                return audio.peak(
                    root / row.path, sample_rate=self.sample_rate, channel=channel, resample=self.resample
                )

            try:
                return max(map(of, self.channels))
            except audio.BadAudio:
                return 0.0

        peak = max(pool.map(loudest, rows), default=0.0)
        return self.scaled_to((1 - 1 / FULL_SCALE) / peak if peak else 1.0)

    def waveforms(self, path: Path) -> list[np.ndarray]:
        """(n_samples,) int16 of each channel that is wanted. Raises BadAudio."""
        return [audio.read(path, channel=channel, **self._conversions) for channel in self.channels]

    def cuts(self, path: Path) -> bool:
        """Whether a recording is so long that it is cut into windows, by its header. Raises BadAudio."""
        return self.window_s is not None and self.is_long(audio.info(path).duration_s)

    def is_long(self, duration_s: float) -> bool:
        """Whether a recording of so many seconds is cut into windows."""
        return duration_s >= self.longest_whole_s

    @property
    def longest_whole_s(self) -> float:
        """Recordings are whole below so many seconds, and cut from there on; infinite where none is cut."""
        return float("inf") if self.window_s is None else max(self.cut_from_s or 0.0, self.window_s)

    def blocks(self, path: Path) -> Iterator[np.ndarray]:
        """(n_block,) int16 of the one channel that is wanted, one block after the other. Raises BadAudio."""
        (channel,) = self.channels
        return audio.blocks(path, channel=channel, **self._conversions)

    @property
    def _conversions(self) -> dict[str, Any]:
        """What `audio.read` and `audio.blocks` are to do, but for the channel."""
        return {
            "sample_rate": self.sample_rate,
            "resample": self.resample,
            "rounding": self.rounding,
            "gain": self.gain,
        }

    def windows(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """(n_samples,) int16 of each window of a recording that is cut."""
        return cut(blocks, *self._sizes)

    def spans_s(self, duration_s: float) -> np.ndarray:
        """(n_windows, 2) seconds at which the windows of a recording that is cut begin and end."""
        window, hop = self._sizes
        first = starts(round(duration_s * self.sample_rate), window, hop)
        return np.column_stack([first, first + window]) / self.sample_rate

    @property
    def _sizes(self) -> tuple[int, int]:
        """Samples of a window, and from one to the next."""
        window, hop = (round((seconds or 0.0) * self.sample_rate) for seconds in (self.window_s, self.hop_s))
        return max(window, 1), max(hop, 1)

    def expected(self, rows: Sequence[ClipRow]) -> int:
        """How many samples these clips have in all, as far as is known before."""

        def of(duration_s: float) -> int:
            overlap = -(-self._sizes[0] // self._sizes[1]) if self.is_long(duration_s) else 1
            return (int(duration_s * self.sample_rate) + 1) * max(overlap, 1)

        return sum(of(row.duration_s or 0.0) for row in rows) * len(self.channels)

    @property
    def channels(self) -> tuple[int | str | None, ...]:
        """What is read of each clip, in the order of the pack."""
        return (0, 1) if self.channel == BOTH else (self.channel,)


def _require_windows(of: Reading) -> None:
    if of.window_s is None or of.hop_s is None:
        for told, value in (
            ("a hop is from one window to the next", of.hop_s),
            ("what is cut is windows", of.cut_from_s),
        ):
            if value is not None:
                raise UsageError(f"{told}, and there are no windows", "say their length too: --window 10")
        return
    for option, value in (("--window", of.window_s), ("--hop", of.hop_s), ("--cut-from", of.cut_from_s or of.window_s)):
        if not 0 < value < float("inf"):
            raise UsageError(f"{option} takes seconds, more than none, got {value}", "for example --window 10 --hop 5")
    if of.hop_s > of.window_s:
        raise UsageError(
            f"--hop {of.hop_s:g} is longer than --window {of.window_s:g}: what lies between would not be heard",
            "the hop is at most the window",
        )
    if of.channel == BOTH:
        raise UsageError(
            "two channels are two windows of each clip, which cannot be cut as well", "choose one: --channel 0, or mean"
        )


def _fixed(spelling: str) -> float:
    name, _, number = spelling.partition(":")
    try:
        gain = float(number)
        if name != FIXED or not 0 < gain < float("inf"):
            raise ValueError
    except ValueError:
        hint = f"--scale {PEAK}, or a positive factor: --scale {FIXED}:0.5"
        raise UsageError(f"{spelling!r} is no scale", hint) from None
    return gain


def channel_of(word: str | None, clips: Header, progress: Progress) -> int | str | None:
    """What is read of clips with several channels, by the names that their edition gives them."""
    edition = edition_of(clips)
    if edition is None or len(edition.channels) == 1:
        return audio.channel_index(word)
    if word is None and edition.default_channel:
        word = edition.default_channel
        progress.note(f"of the channels {', '.join(edition.channels)}: {word} (another: --channel)")
    return audio.channel_index(word, edition.channels)
