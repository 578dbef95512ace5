"""`discriminative`: a network is trained to tell machine types, sections, attributes and domains apart; it then embeds.

Source: Matsumoto et al., DCASE Workshop 2025, section 4: AdamW at a constant 1e-3, batches of 64, 16 epochs, waveform
mixup with probability 0.5, sub-cluster AdaCos with 16 sub-clusters and a fixed scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import nn

from asdcli.errors import BadData, UsageError
from asdcli.features.ahead import one_ahead
from asdcli.features.banks import Bank
from asdcli.models.encoders.start import Start
from asdcli.models.label_smoothing import smoothed
from asdcli.models.losses import LOSSES
from asdcli.models.mixup import mixup
from asdcli.models.networks import NETWORKS
from asdcli.models.networks.encoder import EncoderNetwork
from asdcli.progress import Progress
from asdcli.spec import parse, part
from asdcli.training import Setting, TrainingData
from asdcli.training.classes import LABEL_COLUMNS, classes
from asdcli.training.encoders import FoundEncoder
from asdcli.training.gather import gather
from asdcli.training.graphs import replayed
from asdcli.training.loop import Step
from asdcli.training.noise import WHERE_RECORDED, NoiseMixing, NoiseRecordings, white
from asdcli.training.optimizers import adamw
from asdcli.training.precision import autocast, resolve_precision
from asdcli.training.rates import Rates
from asdcli.training.seeds import derive, generator, seeded, step_randomness


@dataclass(frozen=True)
class Discriminative:
    """A classifier of normal sounds.

    Attributes:
        network: what is trained, and embeds.
        loss: what it is trained with.
        mixup: probability of mixing a sample's waveform and label with another's.
        label_smoothing: share of each label that goes to all classes alike.
        noise: probability of adding noise to a sample's waveform, before it is mixed with another's: supplemental
            recordings of noise where these are used, else white; none means 0.5 of recordings, and no white noise.
        snr_low, snr_high: between which decibels of signal to noise are drawn for each sample.
        extra_classes: classes without clips, which only push the others apart and raise the scale.
        clip_length: in seconds; none means the edition's, else the longest training clip.
        epochs: how often the training clips are seen.
        batch_size: clips of one step.
        lr: learning rate of AdamW, constant after the warm-up.
        warmup: steps over which the learning rate rises from 0.
        layer_decay: of an encoder that is trained on, each block learns at this share of the rate of the next; 1: all
            alike.
        weight_decay: of AdamW.
    """

    features: ClassVar[str] = "waveform"

    network: str = part(NETWORKS, "dual-branch")
    loss: str = part(LOSSES, "scac")
    mixup: float = 0.5
    label_smoothing: float = 0.0
    noise: float | None = None
    snr_low: float = 0.0
    snr_high: float = 20.0
    extra_classes: int = 0
    clip_length: float | None = None
    epochs: int = 16
    batch_size: int = 64
    lr: float = 1e-3
    warmup: int = 0
    layer_decay: float = 1.0
    weight_decay: float = 0.01

    encoder: FoundEncoder | None = field(default=None, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", NETWORKS.canonical(self.network))
        object.__setattr__(self, "loss", LOSSES.canonical(self.loss))
        if getattr(self._network, "takes", "waveforms") != "waveforms":
            raise UsageError(f"network {self.network!r} takes no waveforms: it is part of another model")
        for name, least in (("extra_classes", 0), ("epochs", 1), ("batch_size", 2), ("warmup", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if not 0 <= self.mixup <= 1:
            raise UsageError(f"mixup is a probability, got {self.mixup}")
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(f"label_smoothing is a share below 1, got {self.label_smoothing}")
        self.mixing(recorded=True)  # refuses what is none
        if not 0 < self.lr <= 10 or not self.weight_decay >= 0:
            raise UsageError(f"lr must lie in (0, 10] and weight_decay be >= 0: {self.lr:g}, {self.weight_decay:g}")
        if not 0 < self.layer_decay <= 1:
            raise UsageError(f"layer_decay is a share above 0, at most 1, got {self.layer_decay:g}")

    @property
    def _network(self) -> Any:
        return NETWORKS.load(parse(self.network)[0])

    def found(self, progress: Progress) -> Discriminative:
        """With the checkpoint that its network goes on from found; itself where that begins anew.

        Errors as `training.encoders.FoundEncoder.of`.
        """
        encoder = FoundEncoder.of(self.network, progress)
        if encoder is None:
            return self
        found = replace(self)
        object.__setattr__(found, "encoder", encoder)
        return found

    @property
    def made_of(self) -> dict[str, str]:
        """Role -> digest of each file of that checkpoint."""
        return self.encoder.made_of if self.encoder else {}

    @property
    def mixes_noise(self) -> bool:
        """Whether recordings of noise are of use to it."""
        return self.mixing(recorded=True).probability > 0

    def mixing(self, *, recorded: bool) -> NoiseMixing:
        """How noise is added where there are recordings of it, or none."""
        otherwise = WHERE_RECORDED if recorded else 0.0
        return NoiseMixing(otherwise if self.noise is None else self.noise, self.snr_low, self.snr_high)

    def task(self, data: TrainingData, setting: Setting) -> DiscriminativeTask:
        """Gather the training clips on the device and initialise network and loss.

        Raises:
            BadData: fewer than two classes, no clips, or packs of different sample rates.
            UsageError: a clip length that the network cannot take.
        """
        bank, rows, rate = gather(data, setting.device)
        labels, index = classes(data.clips.take(rows))
        if len(labels) < 2:
            raise BadData(
                f"all {len(index)} training clips are of one class: there is nothing to tell apart",
                "add a machine type, section or attribute, or take an embedder that needs no training: "
                "asd embed --embedder logmel",
            )
        longest = int(bank.lengths.max())
        encoder = self.encoder or FoundEncoder.of(self.network, setting.progress)
        start = [] if encoder is None else [encoder.start(rate, setting.progress)]
        shortest = start[0].front.window if start else self._network.shortest_clip
        n_samples = self._clip_samples(data, rate, longest, shortest, setting)
        with seeded(setting.seed, "init"):
            module = DiscriminativeModule(self, n_samples, rate, len(labels) + self.extra_classes, *start)
        noise = NoiseRecordings.of(data, [str(label[0]) for label in labels], setting.device)
        return DiscriminativeTask(self, module.to(setting.device), bank, labels, index, setting, noise)

    def _clip_samples(self, data: TrainingData, rate: int, longest: int, shortest: int, setting: Setting) -> int:
        asked = self.clip_length
        if asked is not None:
            if asked * rate < shortest:
                raise UsageError(
                    f"clip length {asked:g} s is too short for the network: it takes {shortest} samples, "
                    f"{shortest / rate:.2f} s at {rate} Hz",
                    "shorter clips are repeated up to the clip length: leave --clip-length out",
                )
            return round(asked * rate)
        seconds = data.clip_length_s if data.clip_length_s is not None else longest / rate
        if seconds * rate < shortest:
            least = shortest / rate
            setting.progress.note(f"clips of {seconds:g} s are repeated up to the network's least, {least:.2f} s")
            return shortest
        return round(seconds * rate)


class DiscriminativeModule(nn.Module):
    """The network and its loss: everything that has weights."""

    def __init__(self, recipe: Discriminative, n_samples: int, sample_rate: int, n_classes: int, *start: Start) -> None:
        super().__init__()
        self.network = NETWORKS.build(recipe.network, n_samples, sample_rate, *start)
        self.loss = LOSSES.build(recipe.loss, self.network.n_dims, n_classes)


class MixedBatch(NamedTuple):
    """One step: mixed waveforms `(batch, n_samples)`, soft labels `(batch, n_classes)`, and the step's seed."""

    waveforms: torch.Tensor
    labels: torch.Tensor
    seed: int


class DiscriminativeTask:
    """A `training.loop.Task`."""

    unit = "clips"

    def __init__(
        self,
        recipe: Discriminative,
        module: DiscriminativeModule,
        bank: Bank,
        labels: list[Any],
        index: np.ndarray,
        setting: Setting,
        noise: NoiseRecordings | None = None,
    ) -> None:
        self.recipe, self.module, self.bank, self.labels, self.setting = recipe, module, bank, labels, setting
        self.noise, self.mixing = noise, recipe.mixing(recorded=noise is not None)
        self.index = torch.from_numpy(index)
        self.n_classes = len(labels) + recipe.extra_classes
        self.epoch_size = len(bank)
        self.precision = resolve_precision(setting.precision, setting.device)
        self.rates = Rates(recipe.lr, recipe.warmup, recipe.layer_decay)
        groups = self.rates.groups(module, module.network)
        self.optimizers = [adamw(groups, setting.device, lr=recipe.lr, weight_decay=recipe.weight_decay)]
        self._after_warmup = [group["lr"] for group in groups]
        self.learn = replayed(self.descend, setting.device, [module.network, module.loss, self.rates])
        if said := self.rates.told(module.network):
            setting.progress.note(said)

    def steps(self, epoch: int) -> Iterator[Step]:
        """One step a batch, at its learning rates."""
        batches, n_steps = self.batches(epoch), -(-self.epoch_size // self.recipe.batch_size)
        for number, batch in enumerate(one_ahead(batches) if self.bank.on_host else batches):
            self.rates.set(self.optimizers[0], self._after_warmup, epoch * n_steps + number)
            with step_randomness(batch.seed, self.setting.device):  # dropout, masks, exchanged branches
                loss, right = self.learn(batch.waveforms, batch.labels)
            yield Step(loss, right, len(batch.waveforms))

    def batches(self, epoch: int) -> Iterator[MixedBatch]:
        """The batches of an epoch. A last one of a single clip is left out: batch normalisation has no variance."""
        recipe, draw = self.recipe, generator(self.setting.seed, "epoch", epoch)
        order = torch.randperm(self.epoch_size, generator=draw)
        for number, clips in enumerate(order.split(recipe.batch_size)):
            if len(clips) < 2:
                continue
            at = torch.rand(len(clips), generator=draw, dtype=torch.float64)
            waveforms = self.bank.crop(clips, self.module.network.n_samples, at)
            if self.mixing.probability:
                waveforms = self._noisy(waveforms, clips, generator(self.setting.seed, "noise", epoch, number))
            classes = self.index[clips].to(self.setting.device, non_blocking=True)
            labels = nn.functional.one_hot(classes, self.n_classes).to(waveforms.dtype)
            waveforms, labels = mixup(waveforms, smoothed(labels, recipe.label_smoothing), recipe.mixup, draw)
            yield MixedBatch(waveforms, labels, derive(self.setting.seed, "step", epoch, number))

    def _noisy(self, waveforms: torch.Tensor, clips: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        if self.noise is None:
            return self.mixing.added(waveforms, white(waveforms, draw), draw)
        return self.mixing.added(waveforms, self.noise.drawn(self.index[clips], waveforms.shape[1], draw), draw)

    def descend(self, waveforms: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Descend the loss of a batch, and return it as it was; and how many samples' most likely class is the one with
        the largest label."""
        (optimizer,) = self.optimizers
        optimizer.zero_grad()
        with autocast(self.setting.device, self.precision):
            embeddings = self.module.network(waveforms)
        loss, log_p = self.module.loss(embeddings, labels)
        loss.backward()
        optimizer.step()
        return loss.detach(), (log_p.argmax(dim=1) == labels.argmax(dim=1)).sum()

    def card(self) -> dict[str, Any]:
        network, scale = self.module.network, getattr(self.module.loss, "scale", None)
        return {
            "network": self.recipe.network,
            "loss": self.recipe.loss,
            "n_samples": network.n_samples,
            "sample_rate": network.sample_rate,
            "clip_length_s": network.n_samples / network.sample_rate,
            "n_parameters": sum(p.numel() for p in network.parameters()),
            "n_dims": network.n_dims,
            "n_clips": self.epoch_size,
            **({} if scale is None else {"loss_scale": float(scale)}),
            "class_columns": list(LABEL_COLUMNS),
            "classes": [list(label) for label in self.labels],
            "extra_classes": self.recipe.extra_classes,
            **self._of_noise(),
            **(network.card() if isinstance(network, EncoderNetwork) else {}),
            "precision": self.precision,
        }

    def _of_noise(self) -> dict[str, Any]:
        if not self.mixing.probability:
            return {}
        of = {"white": True} if self.noise is None else {"recordings": len(self.noise.bank)}
        return {"noise": {**of, "probability": self.mixing.probability, "snr_db": [self.mixing.low, self.mixing.high]}}
