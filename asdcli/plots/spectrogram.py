"""`spectrogram`: one clip of the dataset: its power by time and frequency."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts, audio
from asdcli.errors import BadData, MissingArtifact, UsageError
from asdcli.plots import PLOTS, Material, Numbers, Source, page
from asdcli.plots.style import INK, RAMP
from asdcli.progress import Progress
from asdcli.views.making import Making
from asdcli.views.named_clip import clip_named
from asdcli.views.signature import many

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        *((name, pa.float64()) for name in ("time_s", "low_hz", "centre_hz", "high_hz", "power_db")),
        ("signature", pa.string()),
    ]
)
"""A row a frame and band: the power of the band around `time_s`, in dB of that of a sine at full scale."""

_RANGE_DB = 80.0  # what is drawn, down from the loudest
_SILENCE = 1e-20  # power: -200 dB
_TICKS_HZ = (0, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000)


@dataclass(frozen=True)
class Spectrogram:
    """The mel spectrogram of a clip, as it was recorded.

    Power in each band by time: 0 dB is a sine at full scale. Bands are those of librosa's mel scale (Slaney), triangles
    of height one.

    Attributes:
        clip: clip_id, the path of its recording, or an end of either that no other clip has.
        channel: of the recording, counted from 0.
        mels: bands.
        n_fft: samples of a frame, under a Hann window.
        hop: samples between frames.
        fmax: upper end in Hz; by default half the sample rate.
    """

    reads: ClassVar[tuple[Source, ...]] = ("clips",)

    clip: str | None = None
    channel: int = 0
    mels: int = 128
    n_fft: int = 1024
    hop: int = 512
    fmax: float | None = None

    def __post_init__(self) -> None:
        if not self.clip:
            raise UsageError("spectrogram:clip must name a clip", "for example: asd plot spectrogram:clip=CLIP_ID")
        for name, value, least in (("channel", self.channel, 0), ("mels", self.mels, 1), ("hop", self.hop, 1)):
            if value < least:
                raise UsageError(f"spectrogram:{name} must be at least {least}, got {value}")
        if self.n_fft < 16:
            raise UsageError(f"spectrogram:n_fft must be at least 16, got {self.n_fft}")
        if self.fmax is not None and not 0 < self.fmax < np.inf:
            raise UsageError(f"spectrogram:fmax must be above 0 Hz, got {self.fmax:g}")

    def numbers(self, material: Material, progress: Progress) -> Numbers:
        """One row a frame and band, as SCHEMA says.

        Raises:
            MissingArtifact: no table of clips. UsageError: no such clip. BadAudio: its file cannot be read.
        """
        path = material.files.get("clips")
        if path is None:
            raise MissingArtifact("there is no table of clips", "make it first: asd download EDITION, asd index DIR")
        table, header = artifacts.read_table(path, artifacts.CLIPS, headerless=True)
        clip_id = clip_named(str(self.clip), table, path)
        row = table.filter(pc.equal(table["clip_id"], clip_id)).to_pylist()[0]
        file = path.parent / Path(*row["path"].split("/"))
        rate = audio.info(file).sample_rate
        if self.fmax is not None and self.fmax > rate / 2:
            raise BadData(f"{file} holds nothing above {rate / 2:g} Hz", "leave fmax out, or take less")
        wave = audio.read(file, sample_rate=rate, channel=self.channel, rounding=True) / 32768.0
        power, edges = band_power(wave, rate, self.mels, self.n_fft, self.hop, self.fmax)
        signed = many(
            f"{header.dataset or path.parent.name}|{row['subset']}",
            Making.of(header),
            None,
            counts={"clip": row["clip_id"]},
            rest={"figure": PLOTS.spell(self)},
        )
        n_bands, n_frames = power.shape
        times = np.arange(n_frames) * self.hop / rate
        columns = {
            "clip_id": [row["clip_id"]] * power.size,
            "time_s": np.repeat(times, n_bands),
            "low_hz": np.tile(edges[:-2], n_frames),
            "centre_hz": np.tile(edges[1:-1], n_frames),
            "high_hz": np.tile(edges[2:], n_frames),
            "power_db": 10 * np.log10(np.maximum(power, _SILENCE)).T.ravel(),
            "signature": [signed] * power.size,
        }
        found = pa.table(columns, SCHEMA)
        labels = [str(row[name]) for name in ("machine_type", "section", "split", "domain", "condition") if row[name]]
        caption = [
            f"Power in {self.mels} mel bands by time, in dB of a sine at full scale; what lies more than "
            f"{_RANGE_DB:g} dB below the loudest has the darkest colour. Frames of {self.n_fft} samples (Hann), "
            f"{self.hop} apart; {rate:,} samples a second, channel {self.channel}. The clip: {', '.join(labels)}."
        ]
        facts = {
            "clip_id": row["clip_id"],
            "duration_s": len(wave) / rate,
            "sample_rate": rate,
            "loudest_db": float(np.max(columns["power_db"])),
        }
        return Numbers(found, f"spectrogram of {row['clip_id']}", caption, [signed], [facts])

    def draw(self, numbers: Numbers) -> Figure:
        """One panel, with the scale of its colours beside it."""
        import librosa

        table = numbers.table
        centres = np.array(sorted(set(table["centre_hz"].to_pylist())))
        times = np.array(sorted(set(table["time_s"].to_pylist())))
        image = table["power_db"].to_numpy().reshape(len(times), len(centres)).T
        figure, [[panel]] = page.laid_out(
            {"": 1},
            above=page.above(0),
            caption=numbers.caption,
            signatures=numbers.signatures,
            shape=page.Shape(ratio=0.7, right=0.75, side=4.5),
        )
        ax, top = panel.axes, float(image.max())
        half = (times[1] - times[0]) / 2 if len(times) > 1 else 0.5
        extent = (times[0] - half, times[-1] + half, -0.5, len(centres) - 0.5)
        how: dict[str, Any] = {"cmap": RAMP, "origin": "lower", "aspect": "auto", "interpolation": "nearest"}
        drawn = ax.imshow(image, extent=extent, vmin=top - _RANGE_DB, vmax=top, **how)
        at = librosa.hz_to_mel(np.array(_TICKS_HZ, float))
        mels = librosa.hz_to_mel(centres)
        places = np.interp(at, mels, np.arange(len(centres)), left=-0.5, right=np.nan)
        shown = [(place, hz) for place, hz in zip(places, _TICKS_HZ, strict=True) if np.isfinite(place)]
        ax.set_yticks([place for place, _ in shown], [f"{hz / 1000:g}" for _, hz in shown])
        ax.set_ylabel("frequency (kHz, mel scale)", labelpad=2)
        ax.set_xlabel("time (s)", labelpad=1)
        bar = figure.colorbar(drawn, cax=ax.inset_axes((1.02, 0.0, 0.02, 1.0)))
        bar.set_label("power (dB of a full-scale sine)", size=6, color=INK)
        page.write_above(panel, numbers.facts[0]["clip_id"])
        return figure


def band_power(
    wave: npt.NDArray[np.float64], rate: int, mels: int, n_fft: int, hop: int, fmax: float | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(n_bands, n_frames) power, 1 being that of a sine at full scale, and (n_bands + 2,) edges and centres in Hz.

    Args:
        wave: (n_samples,) 1 at full scale; frames are centred, with silence beyond both ends.
        rate: samples a second.
        mels: bands.
        n_fft: samples of a frame.
        hop: samples between frames.
        fmax: upper end in Hz; None: half the sample rate.
    """
    import librosa

    window = librosa.filters.get_window("hann", n_fft)
    spectrum = np.abs(librosa.stft(wave, n_fft=n_fft, hop_length=hop, window=window)) ** 2
    spectrum *= 4 / (n_fft * (window**2).sum())  # so that the bins of a frame add up to twice its mean square
    filters = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=mels, fmax=fmax, norm=None, dtype=np.float64)
    edges = librosa.mel_frequencies(mels + 2, fmin=0.0, fmax=fmax or rate / 2)
    return filters @ spectrum, edges
