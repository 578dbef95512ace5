"""Networks: tensors in, tensors out.

A newcomer is a torch module as `Network` says, and one line in `NETWORKS`. Its parameters are the keyword-only ones of
its initialiser; their meaning stands in its docstring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, get_args

from asdcli.models.encoders import EncoderName
from asdcli.spec import Registry

if TYPE_CHECKING:
    import torch

NETWORKS = Registry(
    "network",
    {
        "dual-branch": "asdcli.models.networks.dual_branch:DualBranch",
        "multi-resolution": "asdcli.models.networks.multi_resolution:MultiResolution",
        "serial-oe": "asdcli.models.networks.serial_oe:SerialOENetwork",
        "encoder": "asdcli.models.networks.encoder:EncoderNetwork",
    },
    group="asdcli.networks",
    needs=("shortest_clip", "state_dict"),
    short={model: f"encoder:model={model}" for model in get_args(EncoderName)},
)


class Network(Protocol):
    """A module that turns pieces of clips, all equally long, into embeddings.

    Attributes:
        shortest_clip: the fewest samples of a piece.
        n_dims: D of the embeddings.
        n_samples, sample_rate: as given: samples of a piece, and their rate in Hz.

    One whose input is not the waveform has an attribute `takes`, the name of a front end in `features.fronts`. One
    whose steps are the same operations on the device each time, with what it draws drawn there, says so by
    `steady = True`: on CUDA its training steps are recorded once and replayed. One that goes on
    from an encoder of others takes a third argument, a `models.encoders.start.Start`, and has two methods more:
    `below_head`, by which its layers learn at different rates, and `card`, what its model's card says of it.
    """

    shortest_clip: ClassVar[int]
    n_dims: int
    n_samples: int
    sample_rate: int

    def __init__(self, n_samples: int, sample_rate: int) -> None: ...

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`(batch, n_samples)` float32 waveforms in [-1, 1) -> `(batch, D)` embeddings, not normalised."""
        ...
