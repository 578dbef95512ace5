"""Autoencoders trained one after the other, and as one: `python -m tests.bench.autoencoders [--device cuda]`.

Prints windows a second of each way, its share of the matrix products that the device does in the same run, and what the
1,500 epochs of Fujimura et al. 2024 would take at that rate. Frames are random: speed does not depend on them. Before
that the ways are compared: the same batches, and losses that agree to rounding.
"""

from __future__ import annotations

import argparse
import functools
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from asdcli.features.frames import N_STACKED, frontend
from asdcli.models.networks.autoencoder import AutoencoderNetwork
from asdcli.training import Setting, graphs
from asdcli.training.devices import pick_device
from asdcli.training.recipes import autoencoder
from asdcli.training.recipes.autoencoder import Autoencoder, AutoencoderTask, FrameBank
from asdcli.training.seeds import seeded

EPOCHS, MACHINE_TYPES, CLIPS = 1500, 7, 6018  # of a development and evaluation set of 2021: six sections of 1,003
_SECONDS = 10  # of a clip
_N_MELS, _HELD_OUT = 128, 0.15


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.autoencoders", description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", help="auto, fp32 or bf16")
    parser.add_argument("--machine-types", type=int, default=MACHINE_TYPES)
    parser.add_argument("--clips", type=int, help=f"of a machine type; {CLIPS} on a card, 64 on a CPU")
    parser.add_argument("--epochs", type=int, default=2, help="that are timed, after one that is not")
    given = parser.parse_args(words)
    device = pick_device(given.device)
    clips = given.clips or (CLIPS if device.type == "cuda" else 64)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{name}, torch {torch.__version__}: {given.machine_types} machine types of about {clips} clips")
    for line in compared(device, given.machine_types):
        print(line, flush=True)
    for line in rates(Setting(0, device, given.precision), given.machine_types, clips, given.epochs):
        print(line, flush=True)
    return 0


WAYS: dict[str, tuple[bool, int]] = {
    "one after the other": (False, 0),
    "as one": (True, 10**9),
    "as one, recorded": (True, graphs.WARM_UP),
}
"""Whether all networks take their steps as one, and after how many steps of a kind these are recorded on a card."""


def ways(device: torch.device) -> list[str]:
    return [name for name in WAYS if device.type == "cuda" or "recorded" not in name]


@contextmanager
def _way(name: str, device: torch.device) -> Iterator[None]:
    before = autoencoder.TOGETHER, graphs.WARM_UP
    one, eager = WAYS[name]
    autoencoder.TOGETHER, graphs.WARM_UP = ((device.type,) if one else ()), eager
    try:
        yield
    finally:
        autoencoder.TOGETHER, graphs.WARM_UP = before


def task(setting: Setting, machine_types: int, clips: int, *, uneven: int = 3) -> AutoencoderTask:
    """As `asd train --model autoencoder` makes it, of random frames; each machine type has a few clips fewer."""
    front = frontend("default", 16_000)
    n_frames = front.mel.n_frames(16_000 * _SECONDS)
    names = [f"machine{i}" for i in range(machine_types)]
    banks, networks = [], []
    for i, name in enumerate(names):
        n = clips - uneven * i
        draw = torch.Generator(setting.device).manual_seed(i)
        frames = torch.randn(n * n_frames, _N_MELS, device=setting.device, generator=draw).mul_(10).sub_(40)
        count = torch.full((n,), n_frames)
        banks.append(FrameBank(frames, count.cumsum(0) - count, count, torch.arange(n) % 20 >= 17))
        with seeded(setting.seed, "init", name):
            networks.append(AutoencoderNetwork(N_STACKED * _N_MELS))
    return AutoencoderTask(Autoencoder(epochs=EPOCHS), front, names, banks, nn.ModuleList(networks), setting)


def compared(device: torch.device, machine_types: int) -> Iterator[str]:
    """The losses of three epochs of every way in float32, of few clips."""
    first: list[float] = []
    for name in ways(device):
        with _way(name, device):
            trained = task(Setting(0, device, "fp32"), machine_types, 64)
            losses = [_epoch(trained, epoch) for epoch in range(8)]
        first = first or losses
        off = max(abs(a / b - 1) for a, b in zip(losses, first, strict=True))
        yield f"{name}: loss {losses[0]:.6f} to {losses[-1]:.6f}, off the first way's by {off:.1e} at most"


def _epoch(trained: AutoencoderTask, epoch: int) -> float:
    """Train one, and give its loss a window."""
    total, n = torch.zeros((), dtype=torch.float64), 0
    for loss, _, items in trained.steps(epoch):
        total = total + loss.double().cpu() * items
        n += items
    return float(total) / n


def rates(setting: Setting, machine_types: int, clips: int, epochs: int) -> Iterator[str]:
    """A line a way."""
    flops = math.nan
    for name in ways(setting.device):
        with _way(name, setting.device):
            trained = task(setting, machine_types, clips)
            if math.isnan(flops):
                flops = matmul_rate(setting.device, trained.precision)
                yield f"matrix products in {trained.precision}: {flops / 1e12:.2f} TFLOP/s"
            # makes kernels; of the last batches of an epoch there is one a kind, which is recorded after so many
            before = graphs.WARM_UP + 2 if "recorded" in name else 1
            _timed(functools.partial(_train, trained, range(before)), setting.device)
            seconds = _timed(functools.partial(_train, trained, range(before, before + epochs)), setting.device)
        rate = epochs * trained.epoch_size / seconds
        whole = EPOCHS * MACHINE_TYPES * CLIPS * (1 - _HELD_OUT) / rate
        yield (
            f"{name}: {rate:,.0f} windows/s, {rate * _flop_a_window() / flops:.1%} of that; {EPOCHS:,} epochs of "
            f"{MACHINE_TYPES} x {CLIPS:,} clips ({_HELD_OUT:.0%} held out): {whole:,.0f} s = {whole / 3600:.2f} h"
        )
        del trained


def _train(trained: AutoencoderTask, epochs: range) -> None:
    for epoch in epochs:
        for _ in trained.steps(epoch):
            pass


def matmul_rate(device: torch.device, precision: str) -> float:
    """FLOP/s of large products."""
    n = 8192 if device.type == "cuda" else 1536
    x = torch.randn(n, n, device=device, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)

    def products() -> None:
        for _ in range(5):
            x @ x

    products()
    return 5 * 2 * n**3 / _timed(products, device)


def _flop_a_window() -> float:
    """Of the products of a training step: forwards, of the weights, and of all inputs but the first layer's."""
    layers = [layer for layer in AutoencoderNetwork(N_STACKED * _N_MELS).layers if isinstance(layer, nn.Linear)]
    products = 3 * sum(layer.weight.numel() for layer in layers) - layers[0].weight.numel()
    return 2.0 * products * 122


def _timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds; of a CPU those that its threads were at work, a thread: others may use the machine too."""
    if device.type != "cuda":
        before = time.process_time()
        work()
        return (time.process_time() - before) / torch.get_num_threads()
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    work()
    torch.cuda.synchronize(device)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
