"""The dual-branch network, sub-cluster AdaCos, mixup and the gathering of waveforms, against the specification."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asdcli.features.bank import WaveformBank
from asdcli.models.losses.subcluster_adacos import SubclusterAdaCos
from asdcli.models.mixup import mixup
from asdcli.models.networks.autoencoder import AutoencoderNetwork
from asdcli.models.networks.dual_branch import DualBranch
from asdcli.models.networks.layers import ResidualUnit, SqueezeExcitation
from asdcli.models.networks.spectrogram import AmplitudeSpectrogram, band
from asdcli.models.networks.spectrum import amplitude_spectrum, amplitudes, positions, shortest_clip

CPU = torch.device("cpu")


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("seconds", "spectrum", "total", "left", "frames"),
    [(10, 1_529_856, 2_495_568, 6, 313), (12, 1_562_624, 2_528_336, 8, 376), (18, 1_660_928, 2_626_640, 14, 563)],
)
def test_the_network_has_the_layers_of_the_specification(
    seconds: int, spectrum: int, total: int, left: int, frames: int
) -> None:
    n = seconds * 16000
    with torch.device("meta"):
        network = DualBranch(n, 16_000)
    assert count(network.spectrum_branch) == spectrum
    assert count(network.spectrogram_branch) == 965_712
    assert count(network) == total
    assert positions(n) == left
    assert 1 + n // 512 == frames
    assert not any(name.endswith("bias") for name, _ in network.named_parameters())


def test_a_ten_second_clip_passes_through_the_shapes_of_the_specification() -> None:
    network = DualBranch(160_000, 16_000).eval()
    shapes: dict[str, tuple[int, ...]] = {}

    def remember(name: str) -> object:
        return lambda module, inputs, output: shapes.__setitem__(name, tuple(output.shape[1:]))

    spectrum, spectrogram = network.spectrum_branch, network.spectrogram_branch
    watched = {
        "conv1": spectrum.convolutions[0],
        "conv2": spectrum.convolutions[3],
        "conv3": spectrum.convolutions[6],
        "spectrogram": network.spectrogram,
        "stem": spectrogram.stem,
        "stage2": spectrogram.units[1],
        "stage3": spectrogram.units[3],
        "stage4": spectrogram.units[5],
        "stage5": spectrogram.units[7],
    }
    for name, module in watched.items():
        module.register_forward_hook(remember(name))
    with torch.inference_mode():
        assert network(torch.zeros(1, 160_000)).shape == (1, 256)
    assert shapes == {
        "conv1": (128, 1247),
        "conv2": (128, 37),
        "conv3": (128, 6),
        "spectrogram": (500, 313),
        "stem": (16, 123, 76),
        "stage2": (16, 123, 76),
        "stage3": (32, 62, 38),
        "stage4": (64, 31, 19),
        "stage5": (128, 16, 10),
    }


def test_the_shortest_clip_leaves_one_position_and_one_sample_less_none() -> None:
    assert shortest_clip() == 70_014
    assert positions(shortest_clip()) == 1
    assert positions(shortest_clip() - 2) < 1
    with pytest.raises(ValueError, match="70014"):
        DualBranch(70_013, 16_000)
    with torch.device("meta"):
        assert DualBranch(70_014, 16_000).n_samples == 70_014


def test_the_spectrogram_is_that_of_a_frame_by_frame_computation() -> None:
    x = torch.randn(2, 3000, generator=torch.Generator().manual_seed(1))
    got = AmplitudeSpectrogram(16_000)(x)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    padded = np.pad(x.numpy().astype(np.float64), ((0, 0), (512, 512)))
    frames = np.stack([padded[:, t * 512 : t * 512 + 1024] for t in range(1 + 3000 // 512)], axis=1)
    expected = np.abs(np.fft.rfft(frames * window))[:, :, 13:513] / np.sqrt((window**2).sum())
    assert band(16_000) == (13, 513)
    np.testing.assert_allclose(got.numpy(), expected.transpose(0, 2, 1), atol=2e-5)  # float32 FFT of 1024


def test_the_spectrum_is_linear_in_amplitude_and_unscaled() -> None:
    x = torch.zeros(1, 16_000)
    x[0, 0] = 0.5
    torch.testing.assert_close(amplitude_spectrum(x), torch.full((1, 8001), 0.5))
    torch.testing.assert_close(amplitude_spectrum(torch.ones(1, 100))[0, 0], torch.tensor(100.0))


def test_amplitudes_are_those_of_double_precision_whatever_their_size() -> None:
    draw = torch.Generator().manual_seed(2)
    numbers = torch.randn(4000, 2, dtype=torch.float64, generator=draw) * 10.0 ** torch.linspace(-15, 15, 4000)[:, None]
    numbers[:3] = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, -2.0]])
    x = torch.view_as_complex(numbers.float())
    found = amplitudes(x)
    torch.testing.assert_close(found.double(), x.to(torch.complex128).abs(), rtol=3e-7, atol=0.0)
    assert found[:3].tolist() == [0.0, 5.0, 2.0]
    gradients = x.clone().requires_grad_()
    amplitudes(gradients)[0].backward()
    assert gradients.grad is not None and not gradients.grad[0].any()  # at 0, where the gradient of a root is none


def test_squeeze_and_excitation_scales_each_channel_by_one_gate_between_0_and_1() -> None:
    layer = SqueezeExcitation(32)
    x = torch.rand(3, 32, 4, 5) + 0.1
    gates = layer(x) / x
    assert ((gates > 0) & (gates < 1)).all()
    torch.testing.assert_close(gates.amax(dim=(2, 3)), gates.amin(dim=(2, 3)))
    assert layer(torch.rand(3, 32, 7)).shape == (3, 32, 7)
    assert layer.squeeze.weight.shape == (2, 32)


def test_a_silent_residual_path_leaves_the_normalised_input() -> None:
    unit = ResidualUnit(16, 16, 1)
    for p in unit.parameters():
        torch.nn.init.zeros_(p)
    x = torch.randn(4, 16, 6, 6) * 3 + 2
    torch.testing.assert_close(
        unit(x), (x - x.mean((0, 2, 3), keepdim=True)) / (x.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
    )
    assert ResidualUnit(16, 32, 2)(torch.randn(1, 16, 123, 76)).shape == (1, 32, 62, 38)


def test_a_residual_unit_adds_its_two_paths() -> None:
    unit, x = ResidualUnit(16, 32, 2).eval(), torch.randn(2, 16, 8, 8)
    normal = unit.norm(x)
    torch.testing.assert_close(unit(x), unit.residual(normal) + unit.skip(normal))


@pytest.mark.parametrize(
    ("network", "tensors", "digest"),
    [
        (lambda: DualBranch(160_000, 16_000), 124, "1288b974a4cdadc4"),
        (lambda: AutoencoderNetwork(640), 65, "0d1d21a2049d127c"),
    ],
    ids=["dual-branch", "autoencoder"],
)
def test_a_network_names_and_shapes_its_tensors_as_in_the_models_on_disk(
    network: Callable[[], torch.nn.Module], tensors: int, digest: str
) -> None:
    with torch.device("meta"):
        state = network().state_dict()
    written = json.dumps([(name, list(tensor.shape)) for name, tensor in state.items()])
    assert (len(state), hashlib.blake2b(written.encode(), digest_size=8).hexdigest()) == (tensors, digest)


# --- sub-cluster AdaCos -------------------------------------------------------------------------------------------


def test_adacos_of_a_case_worked_by_hand() -> None:
    loss = SubclusterAdaCos(2, 2, subclusters=2)
    loss.centers.data = torch.tensor([[2.0, 0.0, -3.0, 0.0], [0.0, 1.0, 0.0, -1.0]])  # c0: +x, +y; c1: -x, -y
    s = math.sqrt(2) * math.log(3)
    assert loss.scale.item() == pytest.approx(s)
    value, log_p = loss(torch.tensor([[5.0, 0.0]]), torch.tensor([[1.0, 0.0]]))  # cosines 1, 0, -1, 0
    p0 = (math.exp(s) + 1) / (math.exp(s) + 2 + math.exp(-s))
    assert log_p.exp()[0].tolist() == pytest.approx([p0, 1 - p0], rel=1e-5)
    assert value.item() == pytest.approx(-math.log(p0), rel=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 10_000))
def test_adacos_is_the_softmax_over_all_sub_clusters_summed_within_classes(c: int, s: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    loss = SubclusterAdaCos(7, c, subclusters=s)
    e, y = rng.normal(size=(4, 7)), rng.dirichlet(np.ones(c), size=4)
    w = rng.normal(size=(7, c * s))
    loss.centers.data = torch.tensor(w, dtype=torch.float32)
    value, _ = loss(torch.tensor(e, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))
    scale = math.sqrt(2) * math.log(max(c * s - 1, 2))
    cosines = (e / np.linalg.norm(e, axis=1, keepdims=True)) @ (w / np.linalg.norm(w, axis=0))
    p = np.exp(scale * cosines)
    p = (p / p.sum(axis=1, keepdims=True)).reshape(4, c, s).sum(axis=2)
    assert value.item() == pytest.approx(-(y * np.log(p)).sum(axis=1).mean(), rel=1e-4)  # float32 against float64


def test_adacos_scales_are_those_of_the_references() -> None:
    assert SubclusterAdaCos(8, 167).scale.item() == pytest.approx(11.158, abs=1e-3)
    assert SubclusterAdaCos(8, 148).scale.item() == pytest.approx(10.988, abs=1e-3)


def test_fixed_centers_are_saved_but_do_not_learn() -> None:
    for trainable in (False, True):
        loss = SubclusterAdaCos(4, 3, subclusters=2, centers="trainable" if trainable else "fixed")
        assert "centers" in loss.state_dict()
        e = torch.randn(5, 4, requires_grad=True)
        loss(e, torch.eye(3)[[0, 1, 2, 0, 1]])[0].backward()
        assert e.grad is not None and e.grad.abs().sum() > 0
        assert (loss.centers.grad is not None) == trainable


def test_dynamic_scale_follows_its_formula_in_training_only() -> None:
    loss = SubclusterAdaCos(4, 3, subclusters=2, scale="dynamic")
    e, y = torch.randn(5, 4), torch.eye(3)[[0, 1, 2, 0, 1]]
    before = loss.scale.item()
    cosines = loss.cosines(e).detach().numpy().astype(np.float64)
    loss.eval()
    loss(e, y)
    assert loss.scale.item() == before
    loss.train()
    loss(e, y)
    b_avg = np.exp(before * cosines).sum(axis=(1, 2)).mean()
    theta = np.median(np.arccos(cosines.max(axis=2))[np.arange(5), [0, 1, 2, 0, 1]])
    assert loss.scale.item() == pytest.approx(np.log(b_avg) / np.cos(min(np.pi / 4, theta)), rel=1e-4)


def test_dynamic_scale_of_samples_that_lie_close_to_their_centres_takes_the_median_of_their_angles() -> None:
    loss = SubclusterAdaCos(3, 3, subclusters=1, scale="dynamic")
    loss.centers.data = torch.eye(3)
    angles, y = torch.tensor([0.1, 0.5, 0.3]), torch.eye(3)
    e = torch.cos(angles)[:, None] * y + torch.sin(angles)[:, None] * torch.roll(y, 1, dims=1)
    before = loss.scale.item()
    loss(e, y)
    b_avg = np.exp(before * loss.cosines(e).numpy(force=True).astype(np.float64)).sum(axis=(1, 2)).mean()
    assert loss.scale.item() == pytest.approx(np.log(b_avg) / np.cos(0.3), rel=1e-5)


# --- mixup --------------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 20), st.floats(0, 1), st.integers(0, 10_000))
def test_mixup_mixes_waveforms_and_labels_alike(n: int, probability: float, seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    x = torch.eye(n)  # waveform i is the unit vector i, so that a mixed waveform shows its weights
    mixed, labels = mixup(x, x.clone(), probability, g)
    torch.testing.assert_close(mixed, labels)
    torch.testing.assert_close(labels.sum(dim=1), torch.ones(n))
    assert ((labels > 0).sum(dim=1) <= 2).all()
    if probability == 0:
        assert torch.equal(mixed, x)


def test_mixup_leaves_half_of_the_samples_bit_for_bit() -> None:
    x = torch.randn(4000, 3)
    mixed, _ = mixup(x, x, 0.5, torch.Generator().manual_seed(0))
    kept = (mixed == x).all(dim=1).float().mean().item()
    assert kept == pytest.approx(0.5, abs=0.04)  # five standard deviations


def test_what_mixup_draws_depends_on_its_generator_and_on_nothing_else() -> None:
    x = torch.eye(50)
    found = []
    for other in (1, 2):
        torch.manual_seed(other)
        found.append(mixup(x, x, 0.5, torch.Generator().manual_seed(0))[0])
    assert torch.equal(*found)
    assert not torch.equal(found[0], mixup(x, x, 0.5, torch.Generator().manual_seed(1))[0])


# --- waveforms ----------------------------------------------------------------------------------------------------


def _bank(lengths: list[int], seed: int = 0) -> tuple[WaveformBank, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    clips = [rng.integers(-32768, 32768, n, dtype=np.int16) for n in lengths]
    return WaveformBank.of(clips, CPU), clips


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(1, 40), st.integers(0, 10_000))
def test_crops_equal_clip_by_clip_tiling(lengths: list[int], n: int, seed: int) -> None:
    bank, clips = _bank(lengths, seed)
    at = torch.rand(len(clips), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    for positions_, got in (
        (np.zeros(len(clips)), bank.crop(torch.arange(len(clips)), n)),
        (at.numpy(), bank.crop(torch.arange(len(clips)), n, at)),
    ):
        for clip, u, row in zip(clips, positions_, got.numpy(), strict=True):
            tiled = np.tile(clip, math.ceil(n / len(clip)))
            first = int(u * (len(tiled) - n + 1))
            np.testing.assert_array_equal(row, tiled[first : first + n].astype(np.float32) / 32768)


def test_crops_reach_the_first_and_the_last_place_of_a_clip() -> None:
    bank, (clip,) = _bank([10])
    ends = bank.crop(torch.zeros(2, dtype=torch.int64), 4, torch.tensor([0.0, 1 - 1e-12], dtype=torch.float64))
    np.testing.assert_array_equal(ends.numpy() * 32768, np.stack([clip[:4], clip[-4:]]))


def test_the_autoencoder_normalises_as_the_baseline_does() -> None:
    """Keras counts the momentum from the other side: 0.99 there is 0.01 here; its epsilon is 1e-3."""
    norms = [layer for layer in AutoencoderNetwork(640).layers if isinstance(layer, torch.nn.BatchNorm1d)]
    assert len(norms) == 9
    assert {(norm.momentum, norm.eps) for norm in norms} == {(0.01, 1e-3)}


def test_spectra_are_taken_in_full_precision_under_autocast() -> None:
    network = DualBranch(shortest_clip(), 16_000).eval()
    seen: list[torch.dtype] = []
    for branch in (network.spectrum_branch, network.spectrogram_branch):
        branch.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].dtype))
    waveforms = torch.from_numpy(np.random.default_rng(0).normal(size=(2, shortest_clip())).astype(np.float32))
    with torch.inference_mode():
        plain = network.spectrogram(waveforms)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inputs: list[torch.Tensor] = []
            handle = network.spectrogram_branch.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
            assert network(waveforms).dtype == torch.float32
            handle.remove()
    assert seen == [torch.float32] * 2
    assert torch.equal(inputs[0], plain)
