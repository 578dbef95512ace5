"""A clip beside normal ones: their log-mel frames, their envelope spectra, and where the clip differs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from asdcli.blas import single_threaded
from asdcli.errors import BadData
from asdcli.features.envelopes import EnvelopeAxes, envelope_spectra
from asdcli.features.light_mels import MelAxes, logmel
from asdcli.metrics.differing import FEWEST, Differing, Region, differing
from asdcli.metrics.pulses import Pulsing, pulsing
from asdcli.progress import Progress
from asdcli.wording import they_are

Array = npt.NDArray[np.float64]
Samples = npt.NDArray[np.int16]

MOST = 16
"""Normal recordings that one is held against; as many as VarMin's b averages in the paper."""
_KEPT = 128  # normal clips of ten seconds: 50 MB


@dataclass(frozen=True)
class Layer:
    """Something of a clip over time and frequency.

    Attributes:
        values: (n_times, n_bands).
        times_s: (n_times + 1,) where pieces of time end, in seconds.
        edges_hz: (n_bands + 1,) where bands end.
        regions: of it that are clear.
    """

    values: Array
    times_s: Array
    edges_hz: Array
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True)
class Compared:
    """A clip beside normal ones.

    Attributes:
        samples: (n_samples,) int16 of the clip.
        levels: its log-mel frames.
        axes: of the frames.
        differing: of the frames, from those of the normal clips.
        envelope: (n_octaves, n_rates) envelope spectra of the clip, in dB.
        envelope_axes: of these.
        pulsing: of these, beside those of the normal clips.
        normals: clip_id of each.
        waves: of the normal clips, (n_samples_i,) int16 each.
    """

    samples: Samples
    levels: Layer
    axes: MelAxes
    differing: Differing
    envelope: Array
    envelope_axes: EnvelopeAxes
    pulsing: Pulsing
    normals: tuple[str, ...]
    waves: tuple[Samples, ...]

    @property
    def z(self) -> Layer:
        """The robust z-scores of its frames."""
        return Layer(self.differing.cells, self.levels.times_s, self.levels.edges_hz, self.differing.regions)

    @property
    def normals_are_few(self) -> bool:
        """Whether there are too few of them to tell what is clear."""
        return len(self.normals) < FEWEST

    @property
    def octave(self) -> int:
        """The one to show the envelope spectrum of: that with pulses, else that of the clearest region, else the
        highest but one, where blows ring."""
        if self.pulsing.found:
            return self.pulsing.found[0].octave
        octaves = self.envelope_axes.octaves
        if self.differing.regions:
            region, edges = self.differing.regions[0], self.levels.edges_hz
            middle = (edges[region.low_band] + edges[region.high_band]) / 2
            return next((i for i, (low, high) in enumerate(octaves) if low <= middle < high), 0)
        return max(len(octaves) - 2, 0)


@dataclass
class KeptNormals:
    """What was made of normal clips, for further clips that are held against the same: the last ones alone."""

    _made: OrderedDict[object, tuple[Array, Array]] = field(default_factory=OrderedDict)

    def of(self, clip_id: str, wave: Samples, axes: MelAxes, of_envelopes: EnvelopeAxes) -> tuple[Array, Array]:
        """Its log-mel frames (n_frames, n_bands) and its envelope spectra (n_octaves, n_rates)."""
        key = (clip_id, len(wave), axes, of_envelopes)
        if key not in self._made:
            self._made[key] = logmel(wave, axes), envelope_spectra(wave, axes.sample_rate, of_envelopes)
        self._made.move_to_end(key)
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return self._made[key]


@single_threaded()
def beside(
    name: str,
    samples: Samples,
    normals: Mapping[str, Samples],
    sample_rate: int,
    progress: Progress,
    kept: KeptNormals | None = None,
) -> Compared:
    """Samples beside those of normal recordings.

    Args:
        name: of the recording, for errors.
        samples: (n_samples,) int16.
        normals: clip_id -> (n_samples_i,) int16; those that are shorter than a frame are left out.
        sample_rate: of all, in Hz.
        progress: is told of those that are left out.
        kept: what was made of the normal ones before.

    Raises:
        BadData: the recording is shorter than a frame, or so are all normal ones.
    """
    axes = MelAxes.at(sample_rate)
    if len(samples) < axes.window:
        raise BadData(
            f"{name} is too short to explain: {len(samples)} samples, a log-mel frame takes {axes.window}",
            "record for a second at least",
        )
    waves = {clip_id: wave for clip_id, wave in normals.items() if len(wave) >= axes.window}
    if short := [clip_id for clip_id in normals if clip_id not in waves]:
        progress.left_out(f"{they_are(short, 'normal clip')} shorter than a log-mel frame")
    if not waves:
        raise BadData(f"there is no normal recording to hold {name} against", "add some to train on")
    shortest_s = min(len(wave) for wave in (samples, *waves.values())) / sample_rate
    of_envelopes = EnvelopeAxes.of(sample_rate, shortest_s)
    kept = kept or KeptNormals()
    made = [kept.of(clip_id, wave, axes, of_envelopes) for clip_id, wave in waves.items()]
    frames, spectra = logmel(samples, axes), envelope_spectra(samples, sample_rate, of_envelopes)
    found = differing(frames, [own for own, _ in made], axes.frame_s)
    pulses = pulsing(spectra, [own for _, own in made], of_envelopes.rates_hz)
    times_s = np.asarray(np.arange(len(frames) + 1) * axes.frame_s, np.float64)
    levels = Layer(frames, times_s, axes.edges_hz)
    return Compared(samples, levels, axes, found, spectra, of_envelopes, pulses, tuple(waves), tuple(waves.values()))
