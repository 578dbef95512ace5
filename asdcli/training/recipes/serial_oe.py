"""`serial-oe`: for each machine type a network learns to know its normal sounds from those of all other machines.

Source: Fujimura et al. 2024, II-B and IV-A, after Kuroyanagi et al. 2022: 64 normal and 64 pseudo-anomalous windows a
batch, mixup, AdamW under OneCycleLR with a peak of 1e-3, lambda_id 5, 150 epochs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
import pyarrow as pa
import torch
from safetensors import SafetensorError
from torch import nn

from asdcli.errors import AsdError, BadData, UsageError
from asdcli.features.banks import Bank
from asdcli.features.standardised_mels import deviation, mel_spec, mels, standardised
from asdcli.features.windows import HOP_S, WINDOW_S
from asdcli.models.losses.serial_oe import serial_oe_loss
from asdcli.models.networks import NETWORKS
from asdcli.models.networks.serial_oe import MachineHead, SerialOENetwork
from asdcli.training import Setting, TrainingData
from asdcli.training.gather import gather
from asdcli.training.holdout import held_out
from asdcli.training.loop import Step, descend
from asdcli.training.memory import warn_of_want
from asdcli.training.precision import autocast, resolve_precision
from asdcli.training.pretrained import weights_file
from asdcli.training.recipes import outliers
from asdcli.training.seeds import derive, seeded, step_randomness
from asdcli.training.uncompiled import uncompiled

MIXUP_BETA = 0.2


@dataclass(frozen=True)
class SerialOE:
    """Serial outlier exposure: is it this machine type, and which of its products (sections)?

    Attributes:
        lambda_id: weight of the product loss.
        machine_head: what tells the machine type: a `linear` layer, or the embedding's `norm` as in the reference code.
        backbone: name of a timm network.
        weights: of the backbone: `none`, or a safetensors file, or the name of pretrained weights of timm, which
            are then fetched.
        epochs: how often the training clips are seen.
        batch_size: windows of one step, half of them outliers.
        lr: largest learning rate of AdamW under OneCycleLR.
    """

    features: ClassVar[str] = "waveform"

    lambda_id: float = 5.0
    machine_head: MachineHead = "linear"
    backbone: str = "tf_efficientnet_b0"
    weights: str = "none"
    epochs: int = 150
    batch_size: int = 128
    lr: float = 1e-3

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise UsageError(f"epochs must be at least 1, got {self.epochs}")
        if self.batch_size < 2 or self.batch_size % 2:
            raise UsageError(f"half of a batch is outliers: batch_size must be even, got {self.batch_size}")
        if not self.lr > 0 or not self.lambda_id >= 0:
            raise UsageError(f"lr must be positive and lambda_id not negative, got {self.lr} and {self.lambda_id}")

    def task(self, data: TrainingData, setting: Setting) -> SerialOETask:
        """Gather the training clips on the device and initialise one network a machine type.

        Raises:
            BadData: one machine type only, no clips, or packs of different sample rates.
            UsageError: no such backbone or weights. AsdError: weights that cannot be fetched or do not fit.
        """
        if len(data.machine_types) < 2:
            raise BadData(
                f"{data.machine_types[0]} is the only machine type: serial-oe learns from the sounds of others, "
                "and there are no outliers",
                "train with more machine types, or take an embedder that needs none: asd embed --embedder logmel",
            )
        clips = _gather(data, setting)
        weights = weights_file(self.weights, self.backbone, setting.progress)
        networks = []
        for machine_type in data.machine_types:
            with seeded(setting.seed, "init", machine_type):
                networks.append(self.network(len(clips.products[machine_type]), clips.sample_rate, weights))
        module = nn.ModuleList(networks).to(setting.device)
        task = SerialOETask(self, clips, module, setting)
        silence = torch.zeros(2, round(WINDOW_S * clips.sample_rate), device=setting.device)
        warn_of_want(module[0], mels(silence, task.mel), self.batch_size, setting.progress)
        return task

    def network(self, n_products: int, sample_rate: int, weights: str | None = None) -> SerialOENetwork:
        """A freshly initialised network. Raises AsdError when `weights` do not fit it."""
        try:
            return SerialOENetwork(
                round(WINDOW_S * sample_rate),
                sample_rate,
                n_products=n_products,
                backbone=self.backbone,
                machine_head=self.machine_head,
                weights=weights,
            )
        except (RuntimeError, ValueError, OSError, SafetensorError) as error:
            first = str(error).strip().splitlines()[0]
            raise AsdError(f"{self.weights} do not fit {self.backbone}: {first}", "leave --weights out") from None


class Batch(NamedTuple):
    """One step of one machine type's network: standardised waves, t^mac, t^id, and the step's seed."""

    number: int
    waves: torch.Tensor
    is_machine: torch.Tensor
    is_product: torch.Tensor
    seed: int


@dataclass(frozen=True)
class _Clips:
    """All training clips of all machine types: where their sound is, and what they are."""

    bank: Bank
    moments: torch.Tensor
    machine: np.ndarray
    product: np.ndarray
    held_out: np.ndarray
    machine_types: list[str]
    products: dict[str, list[str]]
    sample_rate: int

    def of(self, number: int, *, held_out: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Normal clips of a machine type, and those of all others."""
        usable = self.held_out == held_out
        mine = self.machine == number
        return np.flatnonzero(mine & usable), np.flatnonzero(~mine & usable)


class SerialOETask:
    """A `training.loop.Task` that trains one machine type's network after the other within an epoch."""

    unit = "images"

    def __init__(self, recipe: SerialOE, clips: _Clips, module: nn.ModuleList, setting: Setting) -> None:
        self.recipe, self.clips, self.module, self.setting = recipe, clips, module, setting
        self.networks = [cast(SerialOENetwork, network) for network in module]
        gains = setting.device.type != "cpu"  # measured: depthwise convolutions are no faster in bf16 there
        self.precision = resolve_precision(setting.precision, setting.device, gains=gains)
        self.mel = mel_spec(clips.sample_rate)
        self.n_samples = round(WINDOW_S * clips.sample_rate)
        self.half = recipe.batch_size // 2
        self.members = [clips.of(i) for i in range(len(module))]
        for machine_type, (positives, negatives) in zip(clips.machine_types, self.members, strict=True):
            if not len(positives) or not len(negatives):
                raise BadData(f"{machine_type}: there are {len(positives)} normal clips and {len(negatives)} outliers")
        self.epoch_size = 2 * sum(len(p) for p, _ in self.members)
        groups = [{"params": list(network.parameters())} for network in module]
        self.optimizers = [uncompiled(torch.optim.AdamW)(groups, lr=recipe.lr, weight_decay=0.0)]

    def steps(self, epoch: int) -> Iterator[Step]:
        """One step a batch."""
        return descend(self.optimizers[0], self.batches(epoch), self.loss)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of every machine type; sets the rate of the network whose turn it is."""
        for number, machine_type in enumerate(self.clips.machine_types):
            positives, negatives = self.members[number]
            a_epoch = outliers.steps(len(positives), self.half)
            total = a_epoch * self.recipe.epochs
            rng = np.random.default_rng(derive(self.setting.seed, "epoch", epoch, machine_type))
            group = self.optimizers[0].param_groups[number]
            for i, pair in enumerate(outliers.batches(positives, negatives, self.half, rng)):
                step = epoch * a_epoch + i
                group["lr"], beta = outliers.one_cycle(step, total, self.recipe.lr)
                group["betas"] = (beta, 0.999)
                seed = int(rng.integers(2**62))
                batch = self._batch(number, np.concatenate(pair), rng.random(2 * len(pair[0])), seed)
                yield self._mixed(batch, rng) if rng.random() < outliers.mixup_probability(step, total) else batch

    def _batch(self, number: int, clips: np.ndarray, at: np.ndarray, seed: int) -> Batch:
        index = torch.from_numpy(clips)
        device = self.setting.device
        waves = standardised(
            self.clips.bank.crop(index, self.n_samples, torch.from_numpy(at)), self.clips.moments[index].to(device)
        )
        mine = self.clips.machine[clips] == number
        products = np.zeros((len(clips), len(self.clips.products[self.clips.machine_types[number]])), np.float32)
        products[mine, self.clips.product[clips[mine]]] = 1.0
        labels = torch.from_numpy(mine.astype(np.float32)).to(device)
        return Batch(number, waves, labels, torch.from_numpy(products).to(device), seed)

    def _mixed(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Every sample with a random partner, by a weight of its own from Beta(0.2, 0.2); labels likewise."""
        n, device = len(batch.waves), self.setting.device
        partner = torch.from_numpy(rng.permutation(n)).to(device)
        keep = torch.from_numpy(rng.beta(MIXUP_BETA, MIXUP_BETA, n).astype(np.float32)).to(device)

        def mix(x: torch.Tensor) -> torch.Tensor:
            return torch.lerp(x[partner], x, keep.reshape(-1, *[1] * (x.dim() - 1)))

        return batch._replace(
            waves=mix(batch.waves), is_machine=mix(batch.is_machine), is_product=mix(batch.is_product)
        )

    def loss(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Eq. 3; how many samples are told from outliers rightly; their number."""
        device = self.setting.device
        network = self.networks[batch.number]
        spectrograms = mels(batch.waves, self.mel)
        with step_randomness(batch.seed, device), autocast(device, self.precision):  # dropout
            embeddings = network(spectrograms)
        machine, product = network.heads(embeddings.float())
        loss = serial_oe_loss(machine, product, batch.is_machine, batch.is_product, self.recipe.lambda_id)
        right = ((machine > 0) == (batch.is_machine > 0.5)).sum()
        return loss, right, len(batch.waves)

    def card(self) -> dict[str, Any]:
        return {
            "machine_types": self.clips.machine_types,
            "products": self.clips.products,
            "networks": {m: self._spelling(len(of)) for m, of in self.clips.products.items()},
            "n_samples": self.n_samples,
            "hop_s": HOP_S,
            "sample_rate": self.clips.sample_rate,
            "backbone": self.recipe.backbone,
            "machine_head": self.recipe.machine_head,
            "n_dims": SerialOENetwork.n_dims,
            "n_parameters": sum(p.numel() for p in self.networks[0].parameters()),
            "n_clips": {m: len(p) for m, (p, _) in zip(self.clips.machine_types, self.members, strict=True)},
            "held_out_loss": {m: self._held_out_loss(i) for i, m in enumerate(self.clips.machine_types)},
            "precision": self.precision,
        }

    def _spelling(self, n_products: int) -> str:
        """The network of a machine type, as a reader of its weights builds it."""
        how = f"backbone={self.recipe.backbone},machine_head={self.recipe.machine_head}"
        return NETWORKS.canonical(f"serial-oe:n_products={n_products},{how}")

    def _held_out_loss(self, number: int) -> float | None:
        """Eq. 3 without mixup over the held-out clips of the machine type and as many of others; None without any."""
        positives, negatives = self.clips.of(number, held_out=True)
        n = min(len(positives), len(negatives))
        if not n:
            return None
        rng = np.random.default_rng(derive(self.setting.seed, "held-out", self.clips.machine_types[number]))
        chosen = np.concatenate([rng.permutation(positives)[:n], rng.permutation(negatives)[:n]])
        self.module[number].eval()
        total = 0.0
        with torch.inference_mode():
            for start in range(0, len(chosen), self.recipe.batch_size):
                part = chosen[start : start + self.recipe.batch_size]
                loss, _, items = self.loss(self._batch(number, part, np.zeros(len(part)), 0))
                total += float(loss) * items
        return total / len(chosen)


def _gather(data: TrainingData, setting: Setting) -> _Clips:
    """The training clips that the packs hold, end to end on the device."""
    bank, rows, rate = gather(data, setting.device)
    clips: pa.Table = data.clips.take(rows)
    machines = clips["machine_type"].to_pylist()
    sections = [section or "-" for section in clips["section"].to_pylist()]
    products = {m: sorted({s for s, of in zip(sections, machines, strict=True) if of == m}) for m in data.machine_types}
    number = {m: i for i, m in enumerate(data.machine_types)}
    spread = [deviation(bank.clip(i)) for i in range(len(bank))]
    return _Clips(
        bank,
        torch.tensor(spread),
        np.array([number[m] for m in machines]),
        np.array([products[m].index(s) for m, s in zip(machines, sections, strict=True)]),
        held_out(clips, setting.seed),
        data.machine_types,
        products,
        rate,
    )
