"""`autoencoder`: for each machine type a network learns to give back log-mel frames; `asd score --method mse` takes it.

Source: the baselines of DCASE Task 2, and Fujimura et al. 2024, IV-A.

The networks are trained side by side, each as if it were alone.

Frames are computed once, before the first epoch. On a CPU the networks take turns on as many threads as torch would
use, each step whole on one of them: two threads inside products of this size wait for one another longer than they
compute. No network waits for another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from asdcli.errors import BadData, UsageError
from asdcli.features.frames import N_STACKED, Frontend, frontend, stacked
from asdcli.features.pack import WaveformPack
from asdcli.models.networks.autoencoder import AutoencoderNetwork
from asdcli.spec import always_spelled
from asdcli.training import Profile, Setting, TrainingData
from asdcli.training.holdout import held_out, vectors_kept
from asdcli.training.loop import Step
from asdcli.training.precision import autocast, resolve_precision
from asdcli.training.seeds import generator, seeded
from asdcli.training.uncompiled import uncompiled

_EPOCHS = {"default": 100, "paper": 1500, "dcase-baseline": 100}
_BATCH = {"default": 16, "paper": 16, "dcase-baseline": 256}  # windows of 4 s, or vectors


@dataclass(frozen=True)
class Autoencoder:
    """The fully connected autoencoder of the DCASE baselines.

    Attributes:
        profile: `paper` is Fujimura et al. 2024 with its 1,500 epochs, `default` the same with 100; `dcase-baseline` is
            the organisers' system since 2023.
        epochs: how often the training clips are seen; 0 means 100, or with `paper` 1,500.
        batch_size: of 4-second windows, of the baseline vectors; 0 means 16 windows or 256 vectors.
        lr: learning rate of Adam, constant.
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
                networks.append(AutoencoderNetwork(N_STACKED * front.mel.n_mels))
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
        with _threads() as threads:
            parts = list(threads.map(lambda i: front.frames(pack.clip(i)), chosen))
        count = torch.tensor([len(p) for p in parts])
        none = np.zeros(len(chosen), bool)
        out = held_out(clips, setting.seed) if split else none
        return cls(torch.cat(parts).to(setting.device), count.cumsum(0) - count, count, torch.from_numpy(out))

    def windows(self, n_frames: int, batch_size: int, draw: torch.Generator) -> Iterator[torch.Tensor]:
        """Batches of frame numbers (n_windows, n_frames): of every clip trained on one window at a random place."""
        clips = torch.nonzero(~self.held_out).flatten()
        for some in clips[torch.randperm(len(clips), generator=draw)].split(batch_size):
            places = self.count[some] - n_frames + 1
            at = self.first[some] + (torch.rand(len(some), generator=draw, dtype=torch.float64) * places).long()
            yield at[:, None] + torch.arange(n_frames)

    def vectors(self, batch_size: int, draw: torch.Generator, kept: torch.Tensor) -> Iterator[torch.Tensor]:
        """Batches of frame numbers (n_vectors, 5): the vectors that begin at the frames `kept`, in random order.

        A last batch of a single vector is left out: batch normalisation has no variance for it.
        """
        for some in kept[torch.randperm(len(kept), generator=draw)].split(batch_size):
            if len(some) > 1:
                yield some[:, None] + torch.arange(N_STACKED)

    def stacked(self, frames: torch.Tensor) -> torch.Tensor:
        """All vectors (n_vectors, 640) within each row of frame numbers."""
        return stacked(self.frames[frames.to(self.frames.device)]).flatten(0, 1)

    def vector_starts(self) -> torch.Tensor:
        """Frames at which a vector of five frames of one clip begins."""
        return torch.cat([torch.arange(f, f + n - N_STACKED + 1) for f, n in zip(self.first, self.count, strict=True)])


class AutoencoderTask:
    """A `training.loop.Task` whose steps are those of all machine types' networks by turns."""

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
        self.optimizers = [uncompiled(torch.optim.Adam)(n.parameters(), lr=recipe.lr, fused=True) for n in self.module]
        windows = front.window_frames is not None  # measured on a CPU: batches of 256 vectors are no faster in bf16
        self.precision = resolve_precision(setting.precision, setting.device, gains=windows)
        self.kept = [self._kept(m, b) for m, b in zip(machine_types, banks, strict=True)]
        self.unit = "vectors" if front.window_frames is None else "windows"
        self.epoch_size = sum(map(len, self.kept))
        self.threads = _threads(None if setting.device.type == "cpu" else 1)

    def _kept(self, machine_type: str, bank: FrameBank) -> torch.Tensor:
        """What one epoch sees: clips that are not held out, or nine tenths of the vectors."""
        if self.front.window_frames is not None:
            return torch.nonzero(~bank.held_out).flatten()
        every = bank.vector_starts()
        kept = every[torch.from_numpy(vectors_kept(len(every), self.setting.seed, machine_type))]
        if len(kept) < 2:
            raise BadData(f"{machine_type}: a single vector of {N_STACKED} frames is nothing to train on", "add clips")
        return kept

    def steps(self, epoch: int) -> Iterator[Step]:
        """A step of every machine type's network that has a batch left, by turns, as long as there are any.

        A network whose step is done goes to the end of the queue of the threads, so that none of them is idle.
        """
        batches = [self._batches(number, epoch) for number in range(len(self.banks))]
        turns: deque[tuple[int, Future[Step]]] = deque()

        def queue(number: int) -> None:
            frames = next(batches[number], None)
            if frames is not None:
                turns.append((number, self.threads.submit(self._step, number, frames)))

        for number in range(len(self.banks)):
            queue(number)
        while turns:
            number, done = turns.popleft()
            step = done.result()
            queue(number)
            yield step

    def _batches(self, number: int, epoch: int) -> Iterator[torch.Tensor]:
        """Frame numbers of the batches of one machine type."""
        draw = generator(self.setting.seed, "epoch", epoch, self.machine_types[number])
        if self.front.window_frames is not None:
            return self.banks[number].windows(self.front.window_frames, self.recipe.batch_size, draw)
        return self.banks[number].vectors(self.recipe.batch_size, draw, self.kept[number])

    def _step(self, number: int, frames: torch.Tensor) -> Step:
        """Descend the mean squared error (Eq. 1) of one batch."""
        x = self.banks[number].stacked(frames)
        self.optimizers[number].zero_grad()
        with autocast(self.setting.device, self.precision):
            reconstruction = self.module[number](x)
        loss = nn.functional.mse_loss(reconstruction.float(), x)
        loss.backward()
        self.optimizers[number].step()
        return Step(loss.detach(), None, len(frames))

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
        with torch.inference_mode():
            for some in starts.split(4096):
                x = bank.stacked(some[:, None] + torch.arange(N_STACKED))
                total += float((network(x) - x).square().mean(dim=1).double().sum())
        return total / len(starts)


def _threads(n: int | None = None) -> ThreadPoolExecutor:
    """`n` threads, by default as many as torch would take, each with one-threaded matrix products."""
    return ThreadPoolExecutor(n or torch.get_num_threads(), initializer=torch.set_num_threads, initargs=(1,))
