"""Kinds of features: how the clips of a machine type become a pack, and the arrays of a file a pack again.

A newcomer is a frozen dataclass (its fields are its parameters) with the methods of `FeatureKind`, and one line in
`FEATURES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from asdcli.spec import Registry

if TYPE_CHECKING:
    import numpy as np

FEATURES = Registry(
    "features",
    {
        "waveform": "asdcli.features.waveform:Waveform",
        "logmel": "asdcli.features.logmel:LogMelStatistics",
    },
    group="asdcli.features",
    needs=("of_channel", "pack", "read"),
)

DEFAULT = "waveform"


class Pack(Protocol):
    """All clips of one machine type; `clip_ids` (n_rows,) says whose each row is."""

    @property
    def clip_ids(self) -> np.ndarray: ...

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays as they lie in the file."""
        ...


class Unfit(Exception):
    """A clip that cannot become features, and why."""


class FeatureKind(Protocol):
    """A kind of features.

    One with `is_sound` = True gives the samples back: those of a long recording are then read when they are wanted. One
    with `pack_into(clips, sample_rate, samples)` makes the same pack as `pack`, but hands its samples to a
    `features.pack.SampleSink`, which writes them, and holds none.
    """

    def of_channel(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """The features of one channel of a clip, (n_samples,) int16. Called from several threads.

        Raises:
            Unfit: there are none, for instance because the clip is too short.
        """
        ...

    def pack(self, clips: Iterable[tuple[str, np.ndarray]], sample_rate: int, expected: int) -> Pack:
        """The pack of one or more `(clip_id, features)`; the channels of a clip come one after the other.

        Args:
            clips: clip_id and what `of_channel` made of it.
            sample_rate: of the samples, in Hz.
            expected: samples of all clips together, a guess.
        """
        ...

    def read(self, arrays: Mapping[str, np.ndarray]) -> Pack:
        """The pack whose `arrays()` were written."""
        ...
