"""The words of `asd explain` on models: made of figures, which stand beside them, and of nothing else."""

from __future__ import annotations

import numpy as np

from asdcli.detector.occlusion import Occlusion
from asdcli.views.compared import Layer
from asdcli.views.sound_words import of_region, span
from asdcli.wording import counted

_MATTERS = 0.1  # of its score: what a piece has to be worth to be spoken of


def of_missed(layer: Layer) -> list[str]:
    """What an autoencoder misses more of than of normal clips."""
    said = [
        "the autoencoder misses " + of_region(region, layer, more="more than of normal recordings")
        for region in layer.regions
        if region.db > 0
    ]
    return said or ["the autoencoder misses nothing clearly more than of normal recordings"]


def of_occlusion(found: Occlusion, layer: Layer) -> list[str]:
    """The piece that the score hangs on most."""
    t, b = np.unravel_index(int(found.drop.argmax()), found.drop.shape)
    drop = float(found.drop[t, b])
    if drop < _MATTERS * abs(found.score):
        return [
            f"to the network no piece matters clearly: made as loud as normal, none takes {_MATTERS:.0%} off the score"
        ]
    where, when = span(*layer.edges_hz[b : b + 2]), f"{layer.times_s[t]:.1f}-{layer.times_s[t + 1]:.1f} s"
    off = _share(drop, found.score)
    return [f"to the network {where} at {when} matters most: made as loud as normal, it takes off {off}"]


def of_normals(n: int, of: int | None) -> str:
    """Which normal clips the sound is held against."""
    if of is None:
        return f"held against {counted(n, 'normal recording')} of the same machine and, where there are any, attributes"
    return f"held against the {counted(n, 'nearest normal recording')} of {of}" if n > 1 else "held against 1 recording"


def _share(drop: float, score: float) -> str:
    return f"{drop:.3g} of {score:.3g}" if drop <= score else f"more than all of {score:.3g}"
