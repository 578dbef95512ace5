"""What encoders of others hear: one line a family, of the length and rate of its windows and what is made of them.

What a checkpoint's `preprocessor_config.json` says is heeded; where there is none, what the authors of the family
published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from asdcli.errors import BadArtifact
from asdcli.features.encoder_mels import ClapMels, PlainWaves, RangedMels, WhisperMels
from asdcli.features.kaldi_fbank import KaldiFbank
from asdcli.features.mels import MelSpec
from asdcli.features.pack import FULL_SCALE
from asdcli.features.resampled import resampled, samples_before
from asdcli.features.windows import starts

Config = Mapping[str, Any]
"""Settings of an encoder, or what its `preprocessor_config.json` says."""

Hearing = Callable[[torch.Tensor], torch.Tensor]
"""(batch, n_samples) windows in [-1, 1) at the family's rate -> what its encoder takes."""

_EAT_FRAMES = 1024
_ANY_LENGTH_S = 10.0  # of models that take any: as long as a clip of the challenge


@dataclass(frozen=True)
class EncoderFront:
    """Clips at any rate as an encoder takes them: windows of its length, at its rate, and what it hears of them.

    Attributes:
        hearing: of windows at the encoder's rate.
        before, after: the clips' rate and the encoder's, in Hz.
        n_samples: of a window at the encoder's rate.
    """

    hearing: Hearing
    before: int
    after: int
    n_samples: int

    @property
    def window(self) -> int:
        """Samples of a window at the clips' rate."""
        return samples_before(self.n_samples, self.before, self.after)

    def __call__(self, waves: torch.Tensor) -> torch.Tensor:
        """`(batch, n)` in [-1, 1) at the clips' rate -> the sound of its windows, clip after clip.

        One window after the other, and the last flush with the end.

        Args:
            waves: no shorter than a window.

        Raises:
            BadData: they cannot be resampled to the encoder's rate.
        """
        first = starts(waves.shape[1], self.window, self.window).tolist()
        windows = torch.stack([waves[:, at : at + self.window] for at in first], dim=1).flatten(0, 1)
        return self.hearing(resampled(windows, self.before, self.after, self.n_samples))


@dataclass(frozen=True)
class Ear:
    """Of one family.

    Attributes:
        sample_rate: in Hz, of what its encoders hear.
        n_samples: of a window, by the encoder's settings.
        hearing: by the encoder's settings, and what `preprocessor_config.json` says.
        is_preprocessed: whether checkpoints of it come with a `preprocessor_config.json`.
    """

    sample_rate: int
    n_samples: Callable[[Config], int]
    hearing: Callable[[Config, Config], Hearing]
    is_preprocessed: bool = True

    def front(self, settings: Config, preprocessor: Config, sample_rate: int) -> EncoderFront:
        """What stands between clips at a rate in Hz and an encoder of these settings."""
        hearing = self.hearing(settings, preprocessor)
        return EncoderFront(hearing, sample_rate, self.sample_rate, self.n_samples(settings))

    def check(self, name: str, preprocessor: Config) -> None:
        """Raises BadArtifact where the checkpoint was made for another sample rate."""
        rate = preprocessor.get("sampling_rate", self.sample_rate)
        if rate != self.sample_rate:
            raise BadArtifact(
                f"the checkpoint's preprocessor_config.json is for {rate} Hz, and {name} hears {self.sample_rate} Hz",
                f"name a checkpoint of {name} with the preprocessor_config.json that belongs to it",
            )


def _ast(settings: Config, said: Config) -> Hearing:
    mean, deviation = said.get("mean", -4.2677393), said.get("std", 4.5689974)
    if not said.get("do_normalize", True):
        mean, deviation = 0.0, 0.5
    return KaldiFbank(n_mels=settings["num_mel_bins"], window="hanning", mean=mean, spread=2 * deviation)


def _beats(_settings: Config, _said: Config) -> Hearing:
    """On the scale of 16-bit samples; the encoder takes mean and deviation out itself."""
    return KaldiFbank(window="povey", scale=FULL_SCALE)


def _eat(settings: Config, _said: Config) -> Hearing:
    """Mean and deviation of the authors' training data, AudioSet."""
    return KaldiFbank(n_mels=settings["mel_bins"], window="hanning", mean=-4.268, spread=2 * 4.569)


def _ced(settings: Config, _said: Config) -> Hearing:
    mels = MelSpec(
        16_000,
        int(settings.get("n_fft", 512)),
        int(settings.get("hop_size", 160)),
        n_mels=settings["n_mels"],
        fmin_hz=float(settings.get("f_min") or 0),
        fmax_hz=float(settings.get("f_max") or 8000),
        scale="htk",
        norm=None,
        padding="reflect",
    )
    return RangedMels(mels)


def _clap(settings: Config, said: Config) -> Hearing:
    """Two filter banks were used, one by models with feature fusion, and one by those without."""
    fused = bool(settings["enable_fusion"])
    bank: dict[str, Any] = {"scale": "htk", "norm": None} if fused else {"scale": "slaney", "norm": "slaney"}
    mels = MelSpec(
        48_000,
        int(said.get("fft_window_size", 1024)),
        int(said.get("hop_length", 480)),
        n_mels=settings["num_mel_bins"],
        fmin_hz=float(said.get("frequency_min", 50)),
        fmax_hz=float(said.get("frequency_max", 14_000)),
        padding="reflect",
        **bank,
    )
    return ClapMels(mels, 4 if fused else 1)


def _whisper(settings: Config, said: Config) -> Hearing:
    mels = MelSpec(
        16_000,
        int(said.get("n_fft", 400)),
        int(said.get("hop_length", 160)),
        n_mels=settings["num_mel_bins"],
        fmax_hz=8000.0,
        padding="reflect",
    )
    return WhisperMels(mels)


def _waves(settings: Config, said: Config) -> Hearing:
    """Models whose first layer normalises groups were trained on waves as they are unless it is said."""
    return PlainWaves(bool(said.get("do_normalize", settings.get("feat_extract_norm") == "layer")))


def _any_length(_: Config) -> int:
    return round(_ANY_LENGTH_S * 16_000)


def _ced_samples(settings: Config) -> int:
    """As long as its positions reach, where that is shorter."""
    return min(_any_length(settings), (settings["target_length"] - 1) * int(settings.get("hop_size", 160)))


def _eat_samples(settings: Config) -> int:
    """As long as its positions reach, where that is shorter."""
    return KaldiFbank().n_samples(min(_EAT_FRAMES, settings["max_length"] * settings["patch_size"]))


EARS = {
    "ast": Ear(16_000, lambda settings: KaldiFbank().n_samples(settings["max_length"]), _ast),
    "beats": Ear(16_000, _any_length, _beats, is_preprocessed=False),
    "ced": Ear(16_000, _ced_samples, _ced, is_preprocessed=False),
    "clap": Ear(48_000, lambda _: 480_000, _clap),
    "dasheng": Ear(16_000, _ced_samples, _ced, is_preprocessed=False),
    "eat": Ear(16_000, _eat_samples, _eat, is_preprocessed=False),
    "hubert": Ear(16_000, _any_length, _waves),
    "wav2vec2": Ear(16_000, _any_length, _waves),
    "wavlm": Ear(16_000, _any_length, _waves),
    "whisper": Ear(16_000, lambda settings: settings["max_source_positions"] * 320, _whisper),
}
"""Name of a family -> what there is to know of it."""
