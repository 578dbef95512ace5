"""How clips are read from audio files: rate, channel, rounding and scale, as a pack's header has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import audio
from asdcli.audio.convert import FULL_SCALE
from asdcli.audio.two_microphones import GAIN
from asdcli.errors import UsageError
from asdcli.features.kinds import DEFAULT, FEATURES
from asdcli.views.clips import ClipRow
from asdcli.vocabulary import BOTH, FIXED, PEAK, RESIDUAL


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

    Raises:
        UsageError: unknown features or scale, or a sample rate that is none.
    """

    features: str = DEFAULT
    sample_rate: int = audio.SAMPLE_RATE
    channel: int | str | None = None
    resample: bool = False
    rounding: bool = False
    scale: str | None = field(default=None, repr=False)  # the digest of what a model sees has the scaled samples
    gain: float | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", FEATURES.canonical(self.features))
        if self.sample_rate < 1:
            raise UsageError(f"the sample rate must be positive, got {self.sample_rate}")
        if self.channel == RESIDUAL and self.scale is None:
            object.__setattr__(self, "scale", f"{FIXED}:{GAIN}")
        if self.scale not in (None, PEAK):
            object.__setattr__(self, "gain", _fixed(self.scale or ""))

    @staticmethod
    def of(params: Mapping[str, Any]) -> Reading:
        """How the clips were read that a pack with these parameters in its header was made of."""
        names = {f.name for f in fields(Reading)}
        return Reading(**{name: value for name, value in params.items() if name in names})

    def params(self) -> dict[str, Any]:
        """For a header; a scale only where there is one."""
        return {k: v for k, v in asdict(self).items() if v is not None or k not in ("scale", "gain")}

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
        return [
            audio.read(
                path,
                sample_rate=self.sample_rate,
                channel=channel,
                resample=self.resample,
                rounding=self.rounding,
                gain=self.gain,
            )
            for channel in self.channels
        ]

    def expected(self, rows: Sequence[ClipRow]) -> int:
        """How many samples these clips have in all, as far as is known before."""
        return sum(int((row.duration_s or 0.0) * self.sample_rate) + 1 for row in rows) * len(self.channels)

    @property
    def channels(self) -> tuple[int | str | None, ...]:
        """What is read of each clip, in the order of the pack."""
        return (0, 1) if self.channel == BOTH else (self.channel,)


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
