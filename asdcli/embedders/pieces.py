"""Windows of the clips of a pack, batch by batch on a device: what networks that take equally long pieces embed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from asdcli.features.ahead import one_ahead
from asdcli.features.banks import Bank, bank_of
from asdcli.features.pack import WaveformPack
from asdcli.features.windows import starts


@dataclass(frozen=True, eq=False)
class Pieces:
    """Windows at `first`, clip after clip; clips that are shorter are repeated.

    Attributes:
        pack: of one machine type.
        n_samples: of a window.
        first: of each clip of the pack the first samples of its windows, ascending.
    """

    pack: WaveformPack
    n_samples: int
    first: Sequence[np.ndarray]

    @classmethod
    def beginnings(cls, pack: WaveformPack, n_samples: int) -> Pieces:
        """Of each clip its beginning."""
        return cls(pack, n_samples, [np.zeros(1, np.int64)] * len(pack))

    @classmethod
    def every(cls, pack: WaveformPack, n_samples: int, hop: int) -> Pieces:
        """Of each clip a window every `hop` samples, and one flush with its end."""
        return cls(pack, n_samples, [starts(int(n), n_samples, hop) for n in pack.lengths])

    @property
    def clip(self) -> np.ndarray:
        """(n_windows,) int64, the row of the pack that each window is of."""
        return np.repeat(np.arange(len(self.pack)), [len(first) for first in self.first])

    def batches(self, batch_size: int, device: torch.device) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """`(batch, n_samples)` float32 in [-1, 1) on the device, and the (batch,) rows of the pack that they are of.

        None goes beyond the last of `batch_size` clips: a pack can be cut there, and each half alone has the batches
        that it had. Those that the processor crops are cropped while the one before is embedded.
        """
        bank = bank_of([self.pack.clip(i) for i in range(len(self.pack))], device)
        batches = self._batches(batch_size, bank)
        return one_ahead(batches) if bank.on_host else batches

    def _batches(self, batch_size: int, bank: Bank) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        # the bank takes a place as a share of all places; the middle of a sample survives the rounding
        lengths = self.pack.lengths[self.clip]
        places = lengths * -(-self.n_samples // lengths) - self.n_samples + 1
        at = torch.from_numpy((np.concatenate([np.empty(0), *self.first]) + 0.5) / places)
        index = torch.from_numpy(self.clip)
        ends = [0, *itertools.accumulate(len(first) for first in self.first)]
        for block in itertools.pairwise([*range(0, len(self.first), batch_size), len(self.first)]):
            start, stop = (ends[clip] for clip in block)
            for some in torch.arange(start, stop).split(batch_size):
                yield bank.crop(index[some], self.n_samples, at[some]), index[some]
