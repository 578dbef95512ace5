"""What a network costs, against counts by hand."""

from __future__ import annotations

import torch
from torch import nn

from asdcli.models.costs import multiply_accumulates, n_parameters
from asdcli.models.networks import NETWORKS
from asdcli.models.networks.autoencoder import AutoencoderNetwork


def test_a_small_network_costs_what_a_count_by_hand_gives() -> None:
    network = nn.Sequential(
        nn.Conv1d(1, 4, 5, stride=2, bias=False),  # 101 -> 49 places
        nn.BatchNorm1d(4),
        nn.ReLU(),
        nn.Conv1d(4, 4, 3, groups=4),  # depthwise: 49 -> 47 places
        nn.Flatten(),
        nn.Linear(4 * 47, 3),
    ).eval()
    assert n_parameters(network) == 4 * 5 + 2 * 4 + (4 * 3 + 4) + (188 * 3 + 3)
    x = torch.zeros(1, 1, 101)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            counted = multiply_accumulates(network, lambda: network(x) @ torch.ones(3, 7))  # the product is not its own
        assert counted == 4 * 5 * 49 + 4 * 3 * 47 + 188 * 3


def test_the_published_sizes_are_counted() -> None:
    assert n_parameters(AutoencoderNetwork(640)) == 267_928  # the baseline's own summary
    assert n_parameters(NETWORKS.build("dual-branch", 160_000, 16_000)) == 2_495_568  # the paper's for ten seconds
