"""Autoencoders of several machine types trained in one step: what a GPU is given at once is large enough for it.

A step of one of them is some hundred operations of a few microseconds, and starting each takes longer than that. Here
every operation is that of all networks which have a batch of the same size left, and on a CUDA device all operations of
a step are recorded once (a CUDA graph) and then started as one. Batches, their order, seeds and Adam's states are those
of the networks trained alone; sums are taken in another order, so the weights agree to rounding, not to the bit.

A machine type with fewer clips has its last batches earlier, and from then on is not computed: nothing is repeated.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from asdcli.features.frames import N_STACKED
from asdcli.models.networks.autoencoder import AutoencoderNetwork
from asdcli.models.networks.stacked_autoencoders import StackedAutoencoders, StackPart
from asdcli.training.graphs import Compute, Tensors, replayed
from asdcli.training.loop import Step

Starts = torch.Tensor
"""Frames at which windows begin: (n_windows,) int64 of one batch of one machine type."""
Draw = Callable[[int], Sequence[Sequence[Starts]]]
"""Epoch -> of each network its batches, in their order."""


@dataclass(frozen=True)
class Turn:
    """Batches of the same size, one of each network from `start` up to `stop`."""

    start: int
    stop: int
    size: int


class Together:
    """The steps of all networks.

    Args:
        networks: in evaluation and on disk they stay what they were; in training they are one.
        optimizers: of each network its own.
        frames: of each network (n_frames, n_mels) on their device.
        width: frames of a window.
        dtype: of the products.

    Attributes:
        frames: those of each network, which now lie end to end.
    """

    def __init__(
        self,
        networks: Sequence[AutoencoderNetwork],
        optimizers: Sequence[torch.optim.Optimizer],
        frames: Sequence[torch.Tensor],
        *,
        width: int,
        dtype: torch.dtype,
    ) -> None:
        self.optimizers, self.width, self.dtype = optimizers, width, dtype
        self._stacked = StackedAutoencoders(networks)
        self._frames = torch.cat(list(frames))
        counts = torch.tensor([len(of) for of in frames])
        self._first = counts.cumsum(0) - counts
        self.frames = self._frames.split(counts.tolist())
        self._places = torch.arange(width, device=self._frames.device)
        self._kinds: dict[Turn, Compute] = {}
        self._next: tuple[int, list[Turn], torch.Tensor] | None = None

    def steps(self, epoch: int, draw: Draw, *, last: bool) -> Iterator[Step]:
        """Train an epoch; every step is on its way when it is yielded.

        Args:
            epoch: numbered from 0.
            draw: its batches. Networks with more windows come first: they have more batches, and larger last ones.
            last: no epoch follows. Else the batches of the next one are drawn while the device is still at work.
        """
        number, turns, starts = self._next or (-1, [], self._places)
        if number != epoch:
            turns, starts = self._planned(draw(epoch))
        at = 0
        for turn in turns:
            n = (turn.stop - turn.start) * turn.size
            yield self._step(turn, starts[at : at + n].view(-1, turn.size))
            at += n
        self._next = None if last else (epoch + 1, *self._planned(draw(epoch + 1)))

    def _planned(self, batches: Sequence[Sequence[Starts]]) -> tuple[list[Turn], torch.Tensor]:
        """The turns of an epoch in their order, and all their starts end to end on the device."""
        turns, starts = [], []
        for batches_now in itertools.zip_longest(*batches):
            place = 0
            for size, of_size in itertools.groupby(0 if batch is None else len(batch) for batch in batches_now):
                n = len(list(of_size))
                if size:
                    turns.append(Turn(place, place + n, size))
                    starts += [batches_now[i] + self._first[i] for i in range(place, place + n)]
                place += n
        return turns, torch.cat(starts).to(self._frames.device)

    def _step(self, turn: Turn, starts: torch.Tensor) -> Step:
        if turn not in self._kinds:
            part = self._stacked.part(turn.start, turn.stop)
            descend = functools.partial(self.descend, part, self.optimizers[turn.start : turn.stop])
            self._kinds[turn] = replayed(descend, self._frames.device)
        (error,) = self._kinds[turn](starts)
        return Step(error, None, starts.numel())

    def descend(self, part: StackPart, optimizers: Sequence[torch.optim.Optimizer], starts: torch.Tensor) -> Tensors:
        """One step of some networks down their mean squared errors (Eq. 1); the mean of these."""
        x = self._columns(starts)
        errors = (part(x, self.dtype).to(x.dtype) - x).square().mean((1, 2))
        part.give(torch.autograd.grad(errors.sum(), part.parameters))
        for optimizer in optimizers:
            optimizer.step()
        return (errors.detach().mean(),)

    def _columns(self, starts: torch.Tensor) -> torch.Tensor:
        """The vectors (n_networks, 5 n_mels, n_vectors) within windows that begin at (n_networks, n_windows)."""
        windows = self._frames[starts[..., None] + self._places]  # (n_networks, n_windows, width, n_mels)
        vectors = windows.unfold(2, N_STACKED, 1).permute(0, 4, 3, 1, 2)  # oldest frame first
        return vectors.reshape(len(starts), N_STACKED * windows.shape[-1], -1)
