"""What exact batch normalisation on CPUs gives and costs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

import torch
from torch import nn

from asdcli.models.losses.subcluster_adacos import SubclusterAdaCos
from asdcli.models.networks import normalisation
from asdcli.models.networks.dual_branch import DualBranch
from asdcli.models.networks.spectrogram import HOP_LENGTH, N_FFT, band
from asdcli.models.networks.spectrum import amplitudes
from tests.bench.jobs import Result

BATCH, SECONDS, RATE, CLASSES, TURNS = 64, 10, 16_000, 40, 5
NEVER = 1 << 62


def normalise(_folder: Path) -> Result:
    """Errors of ours and of torch's own normalisation, and steps of `dual-branch` in float32 with and without ours.

    Errors are against float64, of what the network's normalisations are given in a step on noise. Steps take turns:
    ours where a channel has many values, as it is, ours everywhere, and torch's own everywhere; so do two ways to
    amplitudes. Ratios are medians over the turns, with the least and the largest.
    """
    waves = torch.randn(BATCH, SECONDS * RATE, generator=torch.Generator().manual_seed(0)) / 10
    many = normalisation._MANY
    errors = _errors(waves)
    ours, everywhere, torchs = _in_turn([_step(waves, least) for least in (many, 1, NEVER)])
    low, high = band(RATE)
    spectra = torch.stft(waves, N_FFT, HOP_LENGTH, window=torch.hann_window(N_FFT), return_complex=True)[:, low:high]
    fast, slow = _in_turn([lambda: amplitudes(spectra), spectra.abs])
    return Result(
        f"{statistics.median(ours):.2f} s a step",
        f"torch's own {statistics.median(torchs):.2f} s",
        "errors < 1e-6",
        statistics.median(_ratios(torchs, ours)),
        (
            f"errors of values, gradients {'torch':>18}{'channels outermost':>22}{'ours':>18}",
            *errors,
            f"a step beside one with torch's: {_told(ours, torchs)}; ours everywhere: {_told(everywhere, torchs)}",
            f"abs() of spectra beside amplitudes: {_told(slow, fast)}",
        ),
    )


def _errors(waves: torch.Tensor) -> list[str]:
    """A line for each size of channel, with the largest errors there: torch's, with channels outermost, and ours."""
    largest: dict[int, torch.Tensor] = {}

    def measure(_module: nn.Module, given: tuple[torch.Tensor]) -> None:
        size = given[0].numel() // given[0].shape[1]
        largest[size] = torch.maximum(largest.get(size, torch.zeros(3, 2)), _off(given[0].detach()))

    torch.manual_seed(0)
    network = DualBranch(waves.shape[1], RATE)
    for module in network.modules():
        if isinstance(module, normalisation.BatchNormReLU):
            module.register_forward_pre_hook(measure)
    with torch.no_grad():
        network(waves)
    widths = (18, 22, 18)
    return [
        f"{size:>18,} a channel"
        + "".join(
            f"{', '.join(f'{e:.0e}' for e in of):>{width}}" for of, width in zip(found.tolist(), widths, strict=True)
        )
        for size, found in sorted(largest.items())
    ]


def _off(x: torch.Tensor) -> torch.Tensor:
    """(3, 2) relative errors: torch's with channels innermost and outermost, and ours; of values and of gradients."""
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    innermost = x.contiguous(memory_format=torch.channels_last)
    n = x.shape[1]
    exact = _passed(nn.BatchNorm2d(n, affine=False).double(), x.double(), weights)
    with _ours_from(1):
        ours = _passed(normalisation.BatchNorm(n), innermost, weights)
    torchs = (_passed(nn.BatchNorm2d(n, affine=False), given, weights) for given in (innermost, x.contiguous()))
    return torch.tensor(
        [[(a - b).norm() / b.norm() for a, b in zip(made, exact, strict=True)] for made in (*torchs, ours)]
    )


def _passed(layer: nn.Module, x: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What comes out, and the gradient of its weighted sum."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        y = layer(x)
        (y * weights).sum().backward()
    assert x.grad is not None
    return y.detach(), x.grad


def _step(waves: torch.Tensor, least: int) -> Callable[[], object]:
    """A step of training with ours from so many values of a channel on."""
    torch.manual_seed(0)
    network, loss = DualBranch(waves.shape[1], RATE), SubclusterAdaCos(DualBranch.n_dims, CLASSES)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    labels = torch.eye(CLASSES)[torch.arange(len(waves)) % CLASSES]

    def step() -> None:
        optimizer.zero_grad()
        with _ours_from(least):
            loss(network(waves), labels)[0].backward()
        optimizer.step()

    return step


def _ours_from(least: int) -> AbstractContextManager[object]:
    return mock.patch.object(normalisation, "_MANY", least)


def _in_turn(ways: Sequence[Callable[[], object]]) -> list[list[float]]:
    """Processor seconds of each way, turn by turn; a first turn does not count."""
    taken: list[list[float]] = [[] for _ in ways]
    for turn in range(TURNS + 1):
        for way, seconds in zip(ways, taken, strict=True):
            began = time.process_time()
            way()
            seconds += [time.process_time() - began] if turn else []
    return taken


def _ratios(some: Sequence[float], other: Sequence[float]) -> list[float]:
    return sorted(a / b for a, b in zip(some, other, strict=True))


def _told(some: Sequence[float], other: Sequence[float]) -> str:
    ratios = _ratios(some, other)
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


ALL: list[Callable[[Path], Result]] = [normalise]
