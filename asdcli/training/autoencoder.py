"""The autoencoder recipe: one network a machine type, trained side by side, each as if it were alone.

Frames are computed once, before the first epoch. On a CPU each machine type has a thread of its own with one-threaded
matrix products: two threads inside products of this size wait for one another longer than they compute.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import nn

from asdcli.errors import BadData, UsageError
from asdcli.features.frames import N_STACKED, Frontend, frontend, stacked
from asdcli.features.pack import WaveformPack
from asdcli.models.autoencoder import Autoencoder as Network
from asdcli.spec import always_spelled
from asdcli.training import Setting, TrainingData
from asdcli.training.holdout import held_out
from asdcli.training.precision import autocast, resolve_precision
from asdcli.training.seeds import generator, seeded

Profile = Literal["default", "paper", "dcase-baseline"]

_EPOCHS = {"default": 100, "paper": 1500, "dcase-baseline": 100}
_BATCH = {"default": 16, "paper": 16, "dcase-baseline": 256}  # windows of 4 s, or vectors
_VECTORS_HELD_OUT = 0.1


@dataclass(frozen=True)
class Autoencoder:
    """Parameters of the autoencoder.

    Attributes:
        profile: `paper` is Fujimura et al. 2024 with its 1,500 epochs, `default` the same with 100; `dcase-baseline` is
            the organisers' system since 2023.
        epochs, batch_size: by default those of the profile. A batch holds 4-second windows, of the baseline vectors.
        lr: of Adam, constant.
    """

    features: ClassVar[str] = "waveform"

    profile: Profile = always_spelled("default")
    epochs: int = 0
    batch_size: int = 0
    lr: float = 1e-3

    def __post_init__(self) -> None:
        for name, of_profile, least in (("epochs", _EPOCHS, 1), ("batch_size", _BATCH, 1)):
            value = getattr(self, name) or of_profile[self.profile]
            if value < least:
                raise UsageError(f"{name} must be at least {least}, got {value}")
            object.__setattr__(self, name, value)  # 0 means the profile's
        if not self.lr > 0:
            raise UsageError(f"lr must be positive, got {self.lr}")

    def task(self, data: TrainingData, setting: Setting) -> AutoencoderTask:
        """Compute the frames of all training clips and initialise one network a machine type.

        Raises:
            BadData: no training clips in the packs, or packs of different sample rates.
        """
        front: Frontend | None = None
        banks, networks = [], []
        for machine_type in setting.progress.track(data.machine_types, label="frames", unit="machine types"):
            pack: WaveformPack = data.load(machine_type)
            if front is not None and front.mel.sample_rate != pack.sample_rate:
                raise BadData(
                    f"sample rates differ: {machine_type} has {pack.sample_rate} Hz, not {front.mel.sample_rate}",
                    "extract all machine types alike: asd extract-features --resample",
                )
            front = front or frontend(self.profile, pack.sample_rate)
            banks.append(FrameBank.of(pack, data, machine_type, front, setting, split=self.profile != "dcase-baseline"))
            with seeded(setting.seed, "init", machine_type):
                networks.append(Network(N_STACKED * front.mel.n_mels))
        if front is None:
            raise BadData("there is no machine type to train on")
        return AutoencoderTask(self, front, data.machine_types, banks, nn.ModuleList(networks), setting)


@dataclass(frozen=True)
class FrameBank:
    """The log-mel frames of one machine type's training clips end to end.

    Attributes:
        frames: (n_frames, n_mels) on the device. first, count: (n_clips,) where each clip's frames lie.
        held_out: (n_clips,) bool, clips that are not trained on.
    """

    frames: torch.Tensor
    first: torch.Tensor
    count: torch.Tensor
    held_out: torch.Tensor

    @classmethod
    def of(
        cls,
        pack: WaveformPack,
        data: TrainingData,
        machine_type: str,
        front: Frontend,
        setting: Setting,
        *,
        split: bool,
    ) -> FrameBank:
        rows = {clip_id: i for i, clip_id in enumerate(data.clips["clip_id"].to_pylist())}
        chosen = [i for i, clip_id in enumerate(pack.clip_ids.tolist()) if clip_id in rows]
        if not chosen:
            raise BadData(
                f"the pack of {machine_type} holds none of its training clips", "asd extract-features --force"
            )
        clips = data.clips.take([rows[pack.clip_ids[i]] for i in chosen])
        with one_thread():
            parts = [front.frames(pack.clip(i)) for i in chosen]
        count = torch.tensor([len(p) for p in parts])
        none = np.zeros(len(chosen), bool)
        out = held_out(clips, setting.seed) if split else none
        return cls(torch.cat(parts).to(setting.device), count.cumsum(0) - count, count, torch.from_numpy(out))

    def windows(self, n_frames: int, batch_size: int, draw: torch.Generator) -> Iterator[torch.Tensor]:
        """Batches of vectors: of every clip that is trained on one window of `n_frames` at a random place."""
        clips = torch.nonzero(~self.held_out).flatten()
        for some in clips[torch.randperm(len(clips), generator=draw)].split(batch_size):
            places = self.count[some] - n_frames + 1
            at = self.first[some] + (torch.rand(len(some), generator=draw, dtype=torch.float64) * places).long()
            index = (at[:, None] + torch.arange(n_frames)).to(self.frames.device)
            yield stacked(self.frames[index]).flatten(0, 1)

    def vectors(self, batch_size: int, draw: torch.Generator, kept: torch.Tensor) -> Iterator[torch.Tensor]:
        """Batches of the vectors that begin at the frames `kept`, in random order."""
        for some in kept[torch.randperm(len(kept), generator=draw)].split(batch_size):
            index = (some[:, None] + torch.arange(N_STACKED)).to(self.frames.device)
            yield self.frames[index].flatten(1)

    def vector_starts(self) -> torch.Tensor:
        """Frames at which a vector of five frames of one clip begins."""
        return torch.cat([torch.arange(f, f + n - N_STACKED + 1) for f, n in zip(self.first, self.count, strict=True)])


class AutoencoderTask:
    """A `training.loop.Task` whose step is one step of every machine type's network that still has a batch."""

    def __init__(
        self,
        recipe: Autoencoder,
        front: Frontend,
        machine_types: list[str],
        banks: list[FrameBank],
        networks: nn.ModuleList,
        setting: Setting,
    ) -> None:
        self.recipe, self.front, self.machine_types, self.banks, self.setting = (
            recipe,
            front,
            machine_types,
            banks,
            setting,
        )
        self.module = networks.to(setting.device)
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=recipe.lr)
        # auto is fp32: in bf16 twenty epochs reached a held-out loss of 26.6 instead of 26.3, for no gain that matters
        self.precision = resolve_precision("fp32" if setting.precision == "auto" else setting.precision, setting.device)
        self.kept = [self._kept(m, b) for m, b in zip(machine_types, banks, strict=True)]
        self.unit = "vectors" if front.window_frames is None else "windows"
        self.epoch_size = sum(map(len, self.kept))
        workers = min(len(banks), torch.get_num_threads()) if setting.device.type == "cpu" else 1
        self.pool = (
            ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) if workers > 1 else None
        )

    def _kept(self, machine_type: str, bank: FrameBank) -> torch.Tensor:
        """What one epoch sees: clips that are not held out, or nine tenths of the vectors."""
        if self.front.window_frames is not None:
            return torch.nonzero(~bank.held_out).flatten()
        every = bank.vector_starts()
        order = torch.randperm(len(every), generator=generator(self.setting.seed, "held-out", machine_type))
        return every[order[round(_VECTORS_HELD_OUT * len(every)) :]]

    def batches(self, epoch: int) -> Iterator[list[tuple[int, torch.Tensor]]]:
        """Of every machine type that has any left, its number and a batch of vectors (n_vectors, 640)."""
        streams = []
        for machine_type, bank, kept in zip(self.machine_types, self.banks, self.kept, strict=True):
            draw = generator(self.setting.seed, "epoch", epoch, machine_type)
            if self.front.window_frames is not None:
                streams.append(bank.windows(self.front.window_frames, self.recipe.batch_size, draw))
            else:
                streams.append(bank.vectors(self.recipe.batch_size, draw, kept))
        with one_thread():
            for step in zip_longest(*streams):
                yield [(i, x) for i, x in enumerate(step) if x is not None]

    def loss(self, batch: list[tuple[int, torch.Tensor]]) -> tuple[torch.Tensor, None, int]:
        """Mean squared error (Eq. 1) over the step. The networks' gradients are in place when it returns."""
        results = list((self.pool.map if self.pool else map)(self._descend, batch))
        items = [self._items(x) for _, x in batch]
        mean = torch.stack([loss * n for loss, n in zip(results, items, strict=True)]).sum() / sum(items)
        return mean.requires_grad_(), None, sum(items)  # a leaf: descending it does nothing more

    def _descend(self, one: tuple[int, torch.Tensor]) -> torch.Tensor:
        number, x = one
        with autocast(self.setting.device, self.precision):
            reconstruction = self.module[number](x)
        loss = (reconstruction.float() - x).square().mean()
        loss.backward()
        return loss.detach()

    def _items(self, x: torch.Tensor) -> int:
        return len(x) if self.front.window_frames is None else len(x) // (self.front.window_frames - N_STACKED + 1)

    def card(self) -> dict[str, Any]:
        return {
            "machine_types": self.machine_types,
            "profile": self.recipe.profile,
            "sample_rate": self.front.mel.sample_rate,
            "n_mels": self.front.mel.n_mels,
            "precision": self.precision,
            "n_parameters": sum(p.numel() for p in self.module[0].parameters()),
            "n_clips": {m: len(b.count) for m, b in zip(self.machine_types, self.banks, strict=True)},
            "n_held_out": {m: int(b.held_out.sum()) for m, b in zip(self.machine_types, self.banks, strict=True)},
            "held_out_loss": {m: self._held_out_loss(i) for i, m in enumerate(self.machine_types)},
        }

    def _held_out_loss(self, number: int) -> float | None:
        """Mean squared error of the vectors that were not trained on; None where there are none."""
        bank = self.banks[number]
        every = bank.vector_starts()
        if self.front.window_frames is None:
            starts = every[~torch.isin(every, self.kept[number])]
        else:
            clips = torch.bucketize(every, bank.first, right=True) - 1
            starts = every[bank.held_out[clips]]
        if not len(starts):
            return None
        network = self.module[number].eval()
        total = 0.0
        with torch.inference_mode(), one_thread():
            for some in starts.split(4096):
                x = bank.frames[(some[:, None] + torch.arange(N_STACKED)).to(bank.frames.device)].flatten(1)
                total += float((network(x) - x).square().mean(dim=1).double().sum())
        return total / len(starts)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Matrix products on one thread within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
