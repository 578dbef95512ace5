"""No network computes with memory that nobody wrote: kernels of libraries do, for some shapes on some processors.

torch fills what it reserves with what is no number, so that reading it shows.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from asdcli.models.networks import NETWORKS

RATE = 16_000
BATCH = 4


@pytest.fixture
def filled() -> Iterator[None]:
    """New tensors hold no numbers."""
    before = torch.utils.deterministic.fill_uninitialized_memory
    torch.utils.deterministic.fill_uninitialized_memory = True
    torch.use_deterministic_algorithms(True, warn_only=True)
    yield
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = before


def given(spelling: str, n_samples: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    if spelling.startswith("serial-oe"):
        return torch.randn(BATCH, 224, 63, generator=draw)
    return torch.randn(BATCH, n_samples, generator=draw) / 10


@pytest.mark.parametrize("short", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize(
    ("spelling", "n_samples"),
    [
        ("dual-branch", 70_014),
        ("dual-branch", 96_000),
        ("multi-resolution", 70_014),
        ("multi-resolution", 160_000),
        ("serial-oe:n_products=2,backbone=mobilenetv3_small_050", 16_000),
    ],
)
def test_what_nobody_wrote_is_not_computed_with(spelling: str, n_samples: int, short: bool, filled: None) -> None:
    torch.manual_seed(0)
    network = NETWORKS.build(spelling, n_samples, RATE)
    x = given(spelling, n_samples)
    for training in (True, False):
        network.train(training)
        with torch.autocast("cpu", torch.bfloat16, enabled=short):
            y = network(x)
        assert torch.isfinite(y).all(), f"{int((~torch.isfinite(y)).sum())} of {y.numel()} numbers are none"
        y.float().square().sum().backward()
        assert not [
            name for name, p in network.named_parameters() if p.grad is not None and not p.grad.isfinite().all()
        ]
