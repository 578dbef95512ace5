"""SerialOE's network and loss, and the autoencoder's network, against the papers."""

from __future__ import annotations

import math

import pytest
import torch

from asdcli.models.losses.serial_oe import serial_oe_loss
from asdcli.models.networks.autoencoder import AutoencoderNetwork
from asdcli.models.networks.serial_oe import SerialOENetwork


def test_the_loss_is_two_cross_entropies_written_out() -> None:
    machine, product = torch.tensor([0.0, 2.0]), torch.tensor([[1.0, -1.0], [0.0, 3.0]])
    t_machine, t_product = torch.tensor([1.0, 0.0]), torch.tensor([[1.0, 0.0], [0.0, 0.0]])

    def bce(t: float, z: float) -> float:
        p = 1 / (1 + math.exp(-z))
        return -(t * math.log(p) + (1 - t) * math.log(1 - p))

    of_machine = (bce(1, 0) + bce(0, 2)) / 2
    of_product = (bce(1, 1) + bce(0, -1) + bce(0, 0) + bce(0, 3)) / 4
    loss = serial_oe_loss(machine, product, t_machine, t_product, 5.0)
    assert loss.item() == pytest.approx(of_machine + 5 * of_product, rel=1e-6)


def test_the_network_is_efficientnet_b0_with_a_neck_of_128_dimensions() -> None:
    network = SerialOENetwork(64_000, 16_000, n_products=6).eval()
    embeddings = network(torch.zeros(2, 224, 64))
    machine, product = network.heads(embeddings)
    assert embeddings.shape == (2, 128) and machine.shape == (2,) and product.shape == (2, 6)
    counts = [sum(p.numel() for p in part.parameters()) for part in (network.backbone, network.neck)]
    assert counts == [4_006_972, 1280 * 128 + 128 + 256 + 1 + 128 * 128 + 128]


def test_the_norm_head_sees_nothing_but_the_mean_square() -> None:
    network = SerialOENetwork(
        64_000, 16_000, n_products=2, backbone="mobilenetv3_small_050", machine_head="norm"
    ).eval()
    e = torch.randn(3, 128)
    shuffled = e[:, torch.randperm(128)] * torch.sign(torch.randn(128))
    torch.testing.assert_close(network.heads(e)[0], network.heads(shuffled)[0])


def test_the_network_has_ten_layers_and_the_baselines_parameters() -> None:
    network = AutoencoderNetwork()
    assert sum(isinstance(m, torch.nn.Linear) for m in network.modules()) == 10
    assert sum(p.numel() for p in network.parameters()) == 267_928
    assert network(torch.zeros(3, 640)).shape == (3, 640)
