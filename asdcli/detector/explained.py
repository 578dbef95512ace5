"""Why the score of a recording is what it is: all figures, and the words that were made of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asdcli.detector.occlusion import Occlusion
from asdcli.views.compared import Compared, Layer
from asdcli.views.neighbourhood import Neighbourhood
from asdcli.views.standing import Standing


@dataclass(frozen=True)
class Explained:
    """Why the score of a clip is what it is.

    Attributes:
        standing: its score, beside threshold and p-values.
        neighbourhood: the nearest normal recordings; None of a method without vectors.
        compared: its sound beside theirs.
        occlusion: what a network's score owes to each piece; None where there is none, or nobody asked.
        missed: what an autoencoder misses, in dB above what it misses of normal clips; None of other methods.
        words: what the figures say.
        notes: what must be known about them.
        signature: how the score was made.
    """

    standing: Standing
    neighbourhood: Neighbourhood | None
    compared: Compared
    occlusion: Occlusion | None = None
    missed: Layer | None = None
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    signature: str = ""

    def plain(self) -> dict[str, Any]:
        """All figures but those of single cells, JSON-ready."""
        near, sound = self.neighbourhood, self.compared
        return {
            **dataclasses.asdict(self.standing),
            "anomalous": self.standing.anomalous,
            "words": list(self.words),
            "notes": list(self.notes),
            "nearest": [dataclasses.asdict(one) for one in near.near] if near else [],
            "alpha": near.alpha if near else None,
            "measure": near.measure if near else None,
            "held_against": list(sound.normals),
            "regions": [_region(region, sound.z) for region in sound.differing.regions],
            "region_beyond": sound.differing.largest,
            "region_limit": sound.differing.limit,
            "pulses": [
                {**dataclasses.asdict(one), "octave_hz": list(sound.envelope_axes.octaves[one.octave])}
                for one in sound.pulsing.found
            ],
            "pulse_db": sound.pulsing.largest_db,
            "pulse_limit_db": sound.pulsing.limit_db,
            "occlusion": self._occlusion(),
            "missed": [_region(region, self.missed) for region in self.missed.regions] if self.missed else [],
            "signature": self.signature,
        }

    def _occlusion(self) -> dict[str, Any] | None:
        if self.occlusion is None:
            return None
        layer = occluded(self.occlusion, self.compared)
        return {
            "score": self.occlusion.score,
            "passes": self.occlusion.passes,
            "drop": layer.values.tolist(),
            "times_s": layer.times_s.tolist(),
            "edges_hz": layer.edges_hz.tolist(),
        }


def occluded(found: Occlusion, sound: Compared) -> Layer:
    """What a network's score owes to pieces of a clip, as a layer."""
    return Layer(found.drop, sound.levels.times_s[found.frames], sound.levels.edges_hz[found.bands])


def _region(region: Any, layer: Layer) -> Mapping[str, Any]:
    return {
        "db": region.db,
        "beyond": region.beyond,
        "low_hz": float(layer.edges_hz[region.low_band]),
        "high_hz": float(layer.edges_hz[region.high_band]),
        "from_s": float(layer.times_s[region.first]),
        "to_s": float(layer.times_s[region.last]),
        "share": region.share,
    }
