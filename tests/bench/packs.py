"""What it costs to open packs, to crop batches out of them and to embed these, and to make mels: processor time.

Interleaved with the plain way, the smallest of a few each: other work of the machine only adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asdcli import artifacts
from asdcli.artifacts import Header
from tests.bench import limits
from tests.bench.jobs import Result

_TIMES = 5
_CLIPS, _RATE, _SECONDS = 600, 16_000, 10
_EMBEDDED, _BATCH = 128, 64


@dataclass(frozen=True)
class Pair:
    """Seconds of processor time: ours, and the plain way."""

    ours: float
    plain: float

    @property
    def ratio(self) -> float:
        return self.plain / self.ours

    def line(self, what: str, plain: str) -> str:
        return f"  {what}: {1e3 * self.ours:.1f} ms; {plain}: {1e3 * self.plain:.1f} ms; {self.ratio:.1f}x"


def packs(folder: Path) -> Result:
    """A pack of 600 ten-second clips: opened, cropped and embedded where it lies, against a copy of it in memory."""
    import torch

    from asdcli.features.bank import WaveformBank
    from asdcli.features.banks import bank_of
    from asdcli.features.pack import WaveformPack
    from asdcli.models.networks import NETWORKS

    path, cpu = _pack(folder / "fan.npz"), torch.device("cpu")

    def opened(mapped: bool) -> WaveformPack:
        arrays = artifacts.read_arrays(path, artifacts.FEATURES, verify=False, map_long=mapped)[0]
        return WaveformPack.from_arrays(arrays)

    opening = _pair(lambda: opened(True), lambda: opened(False))
    pack, copy = opened(True), opened(False)
    here = bank_of([pack.clip(i) for i in range(len(pack))], cpu)
    flat = WaveformBank.of([copy.clip(i) for i in range(len(copy))], cpu)
    n_samples = _SECONDS * _RATE
    draw = torch.Generator().manual_seed(0)
    clips = torch.randint(len(pack), (_BATCH,), generator=draw)
    at = torch.rand(_BATCH, generator=draw, dtype=torch.float64)
    assert torch.equal(here.crop(clips, n_samples, at), flat.crop(clips, n_samples, at))
    crops = _pair(lambda: here.crop(clips, n_samples, at), lambda: flat.crop(clips, n_samples, at))
    network: Any = NETWORKS.build("dual-branch", n_samples, _RATE).eval()

    def embedded(bank: Any) -> None:
        with torch.inference_mode():
            for some in torch.arange(_EMBEDDED).split(_BATCH):
                network(bank.crop(some, n_samples))

    embedding = _pair(lambda: embedded(here), lambda: embedded(flat), 2)
    lines = (
        opening.line("opening it, checksums compared", "reading it into memory"),
        crops.line(f"a batch of {_BATCH}, cropped out of it", "out of one tensor in memory"),
        embedding.line(f"embedding {_EMBEDDED} (dual-branch)", "from one tensor in memory"),
    )
    measured, plain = f"open {1e3 * opening.ours:.0f} ms", f"read {1e3 * opening.plain:.0f} ms"
    once = limits.copy(path.stat().st_size)
    return Result(measured, plain, "-", opening.ratio, lines, seconds=opening.ours, limit=once)


def mels(_folder: Path) -> Result:
    """Mel frames of a ten-second clip, 128 bands and SerialOE's 224, on a CPU: against torchaudio and librosa."""
    import librosa
    import torch
    from torchaudio.transforms import MelSpectrogram

    from asdcli.features.light_mels import MelAxes, logmel
    from asdcli.features.mels import MelSpec, mel_frames
    from asdcli.features.standardised_mels import mel_spec

    waves = torch.randn(16, _SECONDS * _RATE, generator=torch.Generator().manual_seed(0)) / 10
    lines, ratios = [], []
    for spec in (MelSpec(), mel_spec(_RATE)):
        how = {"power": spec.power, "normalized": spec.window_norm, "pad_mode": spec.padding, "norm": spec.norm}
        how |= {"n_mels": spec.n_mels, "f_min": spec.fmin_hz, "f_max": spec.fmax_hz, "mel_scale": spec.scale}
        theirs = MelSpectrogram(spec.sample_rate, spec.n_fft, hop_length=spec.hop_length, **how)
        pair = _pair(lambda s=spec: mel_frames(waves, s), lambda t=theirs: t(waves))
        lines.append(Pair(pair.ours / 16, pair.plain / 16).line(f"{spec.n_mels} bands, a clip", "torchaudio"))
        ratios.append(pair.ratio)
    clip, axes = (waves[0] * 32768).short().numpy(), MelAxes.at(_RATE)
    light = _pair(
        lambda: logmel(clip, axes),
        lambda: librosa.power_to_db(
            librosa.feature.melspectrogram(y=waves[0].numpy(), sr=_RATE, n_fft=1024), top_db=None
        ),
    )
    lines.append(light.line("128 bands in dB without torch, a clip", "librosa"))
    return Result("see below", "torchaudio, librosa", "-", min(ratios), tuple(lines))


ALL: list[Callable[[Path], Result]] = [packs, mels]


def _pack(path: Path) -> Path:
    """Noise, as `extract-features` writes it."""
    noise = np.random.default_rng(0).integers(-9000, 9000, _RATE * _SECONDS + _CLIPS, dtype=np.int16)
    with artifacts.growing_arrays(path, "samples", np.int16) as file:
        for i in range(_CLIPS):
            file.append(noise[i : i + _RATE * _SECONDS])
        arrays = {"offsets": np.arange(_CLIPS + 1) * _RATE * _SECONDS, "sample_rate": np.int64(_RATE)}
        names = np.array([f"{i:03}" for i in range(_CLIPS)])
        header = Header.make(artifacts.FEATURES, dataset="bench")
        file.finish({"samples": file.values(), "clip_id": names, **arrays}, header)
    return path


def _pair(ours: Callable[[], object], plain: Callable[[], object], times: int = _TIMES) -> Pair:
    found = [(_seconds(ours), _seconds(plain)) for _ in range(times)]
    return Pair(min(a for a, _ in found), min(b for _, b in found))


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
