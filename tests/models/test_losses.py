"""Losses beside sub-cluster AdaCos, against float64 computations of their formulas and values worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from asdcli.errors import UsageError
from asdcli.models.losses import LOSSES
from asdcli.models.losses.adacos import AdaCos
from asdcli.models.losses.adaproj import AdaProj
from asdcli.models.losses.arcface import ArcFace
from asdcli.models.losses.featex import FeatEx, exchange
from asdcli.models.losses.subspace import SubspaceLoss

D, C, B = 8, 5, 6
NEW = ["adacos", "adacos:scale=dynamic", "arcface", "adaproj:subspace=3", "subspace:branch=4", "featex:branch=4"]
FLOAT32 = 2e-5  # of float32 against float64, at scales of up to 64


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (B, D) and soft labels (B, C): two clips of one class, the others mixed."""
    rng = np.random.default_rng(seed)
    labels = rng.dirichlet(np.ones(C), size=B)
    labels[:2] = np.eye(C)[[3, 0]]
    return rng.normal(size=(B, D)), labels


def value(loss: torch.nn.Module, e: np.ndarray, y: np.ndarray) -> float:
    return float(loss(torch.tensor(e, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))[0].detach())


def unit(x: np.ndarray, axis: int) -> np.ndarray:
    return x / np.linalg.norm(x, axis=axis, keepdims=True)


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> float:
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(-(y * log_p).sum(axis=1).mean())


def scac(centers: torch.Tensor, scale: float, e: np.ndarray, y: np.ndarray) -> float:
    """Sub-cluster AdaCos in float64: softmax over all centres, summed within classes."""
    p = np.exp(scale * unit(e, 1) @ unit(centers.detach().numpy().astype(np.float64), 0))
    p = (p / p.sum(axis=1, keepdims=True)).reshape(len(e), y.shape[1], -1).sum(axis=2)
    return float(-(y * np.log(p)).sum(axis=1).mean())


def test_adacos_is_the_cross_entropy_of_scaled_cosines() -> None:
    e, y = drawn()
    loss = AdaCos(D, C)
    cosines = unit(e, 1) @ unit(loss.centers.numpy().astype(np.float64), 0)
    assert value(loss, e, y) == pytest.approx(cross_entropy(math.sqrt(2) * math.log(C - 1) * cosines, y), rel=FLOAT32)
    assert AdaCos(D, 167).scale.item() == pytest.approx(math.sqrt(2) * math.log(166))
    assert AdaCos(D, 2).scale.item() > 0


def test_the_dynamic_scale_follows_its_formula_in_training_only() -> None:
    e, y = drawn()
    loss = AdaCos(D, C, scale="dynamic")
    cosines = unit(e, 1) @ unit(loss.centers.numpy().astype(np.float64), 0)
    s = math.sqrt(2) * math.log(C - 1)
    b_avg = np.mean([1 + sum((1 - y[i, c]) * math.exp(s * cosines[i, c]) for c in range(C)) for i in range(B)])
    angles = sorted(sum(y[i, c] * math.acos(cosines[i, c]) for c in range(C)) for i in range(B))
    expected = math.log(b_avg) / math.cos(min(math.pi / 4, angles[(B - 1) // 2]))  # torch's lower median
    got = value(loss, e, y)
    assert loss.scale.item() == pytest.approx(expected, rel=FLOAT32)
    assert got == pytest.approx(cross_entropy(expected * cosines, y), rel=FLOAT32)
    value(loss.eval(), *drawn(1))
    assert loss.scale.item() == pytest.approx(expected, rel=FLOAT32)


def test_a_dynamic_scale_of_two_classes_stays_above_nought() -> None:
    loss = AdaCos(2, 2, scale="dynamic")
    loss.centers.data = torch.eye(2)
    for _ in range(200):  # all clips at their centres, whose cosine to the other is 0: s -> √2 ln 2 at least
        loss(torch.eye(2), torch.eye(2))
    assert loss.scale.item() > 0.5


def test_arcface_adds_the_margin_to_the_angle_of_the_own_class() -> None:
    loss = ArcFace(2, 2, margin=0.5, scale=4.0)
    loss.centers.data = torch.eye(2)
    at = 0.3  # radians from the first centre, π/2 - 0.3 from the second
    e = np.array([[math.cos(at), math.sin(at)]])
    own, other = 4 * math.cos(at + 0.5), 4 * math.cos(math.pi / 2 - at)
    assert value(loss, e, np.eye(2)[:1]) == pytest.approx(math.log1p(math.exp(other - own)), rel=FLOAT32)
    mixed = np.array([[0.5, 0.5]])  # half the margin each
    logits = 4 * np.cos(np.array([[at + 0.25, math.pi / 2 - at + 0.25]]))
    assert value(loss, e, mixed) == pytest.approx(cross_entropy(logits, mixed), rel=FLOAT32)


def test_arcface_without_a_margin_is_a_plain_softmax_and_falls_on_beyond_pi() -> None:
    e, y = drawn()
    loss = ArcFace(D, C, margin=0.0, scale=10.0)
    cosines = unit(e, 1) @ unit(loss.centers.numpy().astype(np.float64), 0)
    assert value(loss, e, y) == pytest.approx(cross_entropy(10 * cosines, y), rel=FLOAT32)
    turning = ArcFace(2, 2, margin=0.5, scale=1.0)
    turning.centers.data = torch.eye(2)
    angles = torch.linspace(0.01, math.pi - 0.01, 200)
    cosines_of_own = torch.stack([angles.cos(), torch.zeros(200)], dim=1)
    own = turning._with_margin(cosines_of_own, torch.tensor([1.0, 0.0]).expand(200, 2))[:, 0]
    assert (own.diff() < 0).all()  # the farther, the worse: also where angle and margin pass π


def test_adaproj_is_the_cosine_to_the_projections_onto_each_class() -> None:
    e, y = drawn()
    loss = AdaProj(D, C, subspace=3, scale="fixed")
    x, w = unit(e, 1), unit(loss.centers.numpy().astype(np.float64), 2)
    cosines = np.empty((B, C))
    for i in range(B):
        for c in range(C):
            projection = sum(np.dot(x[i], w[c, j]) * w[c, j] for j in range(3))
            cosines[i, c] = np.dot(x[i], projection) / np.linalg.norm(projection)
    np.testing.assert_allclose(loss.cosines(torch.tensor(e, dtype=torch.float32)).numpy(), cosines, atol=1e-6)
    assert value(loss, e, y) == pytest.approx(cross_entropy(math.sqrt(2) * math.log(C - 1) * cosines, y), rel=FLOAT32)


def test_the_subspace_loss_is_that_of_the_whole_and_of_each_branch() -> None:
    e, y = drawn()
    loss = SubspaceLoss(D, C, subclusters=2, branch=4, weight=0.5)
    s = math.sqrt(2) * math.log(2 * C - 1)
    parts = [scac(part.centers, s, e[:, 4 * i : 4 * i + 4], y) for i, part in enumerate(loss.parts)]
    expected = scac(loss.whole.centers, s, e, y) + 0.5 * sum(parts)
    assert len(parts) == 2
    assert value(loss, e, y) == pytest.approx(expected, rel=FLOAT32)
    assert [p.requires_grad for p in loss.parameters()] == [False, True, True]


def test_exchanged_branches_carry_the_labels_of_the_clips_that_they_come_from() -> None:
    n, m = 40, 3
    e = torch.arange(float(n))[:, None] + 1000 * torch.arange(m).repeat_interleave(2)  # tells clip and branch
    torch.manual_seed(1)
    swapped, labels = exchange(e, torch.eye(n), 2, 0.5)
    changed = 0
    for i in range(n):
        clips = [int(swapped[i, 2 * k]) - 1000 * k for k in range(m)]
        assert swapped[i].tolist() == [clips[k] + 1000 * k for k in range(m) for _ in range(2)]
        of_blocks = labels[i].view(m + 1, n)
        if of_blocks[0].any():
            assert clips == [i] * m
            assert of_blocks.tolist() == torch.cat([torch.eye(n)[i][None], torch.zeros(m, n)]).tolist()
        else:
            changed += 1
            assert clips[0] == i
            torch.testing.assert_close(of_blocks[1:], torch.eye(n)[clips] / m)
    assert 8 < changed < 32
    assert labels.sum(dim=1).tolist() == pytest.approx([1.0] * n)
    assert torch.equal(exchange(e, torch.eye(n), 2, 0.0)[0], e)


def test_featex_adds_the_loss_of_what_was_exchanged() -> None:
    e, y = drawn()
    loss = FeatEx(D, C, subclusters=2, branch=4, weight=2.0, probability=1.0)
    torch.manual_seed(7)
    partner = torch.randperm(B).numpy()  # the first that it draws
    torch.manual_seed(7)
    got = value(loss, e, y)
    swapped = np.hstack([e[:, :4], e[partner, 4:]])
    labels = np.hstack([np.zeros((B, C)), y / 2, y[partner] / 2])
    plain = scac(loss.plain.centers, math.sqrt(2) * math.log(2 * C - 1), e, y)
    exchanged = scac(loss.exchanged.centers, math.sqrt(2) * math.log(6 * C - 1), swapped, labels)
    assert got == pytest.approx(plain + 2 * exchanged, rel=FLOAT32)
    untouched = scac(loss.exchanged.centers, math.sqrt(2) * math.log(6 * C - 1), e, np.hstack([y, 0 * y, 0 * y]))
    assert value(loss.eval(), e, y) == pytest.approx(plain + 2 * untouched, rel=FLOAT32)


@pytest.mark.parametrize("spelling", NEW)
@pytest.mark.parametrize("centers", ["fixed", "trainable"])
def test_gradients_are_finite_where_embeddings_are_nothing_or_lie_on_and_against_a_centre(
    spelling: str, centers: str
) -> None:
    torch.manual_seed(0)
    loss: Any = LOSSES.build(spelling, D, C, centers=centers)
    own = loss.centers if hasattr(loss, "centers") else next(loss.children()).centers
    vector = (own[0, 0] if own.ndim == 3 else own[:, 0]).detach()
    e = torch.stack([torch.zeros(D), vector, -vector, 1e6 * torch.ones(D), 1e-20 * torch.ones(D)]).requires_grad_()
    mean, log_p = loss(e, torch.eye(C)[[0, 0, 0, 1, 2]])
    mean.backward()
    assert e.grad is not None and torch.isfinite(e.grad).all() and torch.isfinite(mean)
    assert all(torch.isfinite(p.grad).all() for p in loss.parameters() if p.requires_grad)
    assert log_p.shape == (5, C) and torch.isfinite(log_p).all()
    torch.testing.assert_close(log_p.exp().sum(dim=1), torch.ones(5))
    assert torch.isfinite(loss.scale) and loss.scale > 0


@pytest.mark.parametrize(
    ("spelling", "complaint"),
    [
        ("arcface:margin=2", r"margin must lie in \[0, π/2\]"),
        ("arcface:scale=0", "scale be positive"),
        ("adaproj:subspace=8", "subspace must be from 1 to 7 for embeddings of 8 dimensions"),
        ("subspace", "8 dimensions is not made of two or more branches of 128"),
        ("subspace:branch=8", "not made of two or more branches of 8"),
        ("subspace:branch=4,weight=-1", "weight is at least 0"),
        ("featex:branch=3", "not made of two or more branches of 3"),
        ("featex:branch=4,probability=2", r"probability lies in \[0, 1\]"),
        ("featex:branch=4,subclusters=0", "subclusters must be at least 1"),
        ("adacos:subclusters=2", "loss 'adacos' has no parameter 'subclusters'"),
        ("adacos:scale=warm", "unknown adacos:scale 'warm'"),
    ],
)
def test_a_loss_refuses_what_it_cannot_be(spelling: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        LOSSES.build(spelling, D, C)
