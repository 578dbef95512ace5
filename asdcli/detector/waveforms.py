"""Waveforms as packs of the features that a detector takes, read as the clips were that it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData
from asdcli.features.kinds import FEATURES, FeatureKind, Pack, Unfit
from asdcli.features.pack import WaveformPack
from asdcli.views.reading import Reading


def made_with(header: Header, machine_type: str) -> dict[str, Any]:
    """How the clips of a machine type were read of which a detector was made; nothing where nothing says it."""
    for entry in header.history:
        params: dict[str, Any] = entry["params"]
        if entry["kind"] == artifacts.FEATURES.name and params.get("machine_type") == machine_type:
            return params
    return {}


def of_clips_alike(clips: WaveformPack, features: str, made: Mapping[str, Any]) -> Pack:
    """Clips that were read before as a pack of a kind of features.

    Args:
        clips: int16 waveforms.
        features: the kind.
        made: as `made_with`.

    Raises:
        BadData: another sample rate than in the training, other numbers than int16, no clip, or one that is empty or
            too short.
    """
    expected = made.get("sample_rate")
    if isinstance(expected, int) and clips.sample_rate != expected:
        raise BadData(
            f"the clips are at {clips.sample_rate} Hz, the detector was made of clips at {expected} Hz",
            "bring them to that rate",
        )
    if clips.samples.dtype != np.int16:
        raise BadData(f"waveforms are int16 PCM, not {clips.samples.dtype}", "asdcli.audio.read gives them so")
    kind: FeatureKind = FEATURES.build(features)
    found = []
    for i, clip_id in enumerate(clips.clip_ids.tolist()):
        if not clips.lengths[i]:
            raise BadData(f"{clip_id} holds no sound: 0 samples")
        try:
            found.append((clip_id, kind.of_channel(clips.clip(i), clips.sample_rate)))
        except Unfit as error:
            raise BadData(f"{clip_id} {error}") from None
    if not found:
        raise BadData("there is no clip to score")
    return kind.pack(found, clips.sample_rate, len(clips.samples))


def of_recording(path: Path, clip_id: str, reading: Reading, samples: np.ndarray | None = None) -> Pack:
    """A recording as a pack of the features that `reading` says.

    Where `samples` (n,) int16 are given, they are what is looked at of it.

    Raises:
        BadAudio, BadData: it cannot be read, or is too short for the features.
    """
    kind: FeatureKind = FEATURES.build(reading.features)
    try:
        waves = reading.waveforms(path) if samples is None else [samples]
        made = [(clip_id, kind.of_channel(wave, reading.sample_rate)) for wave in waves]
    except Unfit as error:
        raise BadData(f"{path} {error}") from None
    return kind.pack(made, reading.sample_rate, sum(len(of) for _, of in made))
