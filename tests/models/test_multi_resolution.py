"""The multi-resolution network: its spectrograms frame by frame, its sizes, its masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from asdcli.errors import UsageError
from asdcli.models.networks.multi_resolution import AmplitudeSpectrograms, MultiResolution, lengths
from asdcli.models.networks.spectrogram import AmplitudeSpectrogram

SHORTEST = MultiResolution.shortest_clip


def test_each_spectrogram_is_that_of_a_frame_by_frame_computation() -> None:
    x = torch.randn(2, 9001, generator=torch.Generator().manual_seed(1))
    for n, got in zip([256, 1024, 4096], AmplitudeSpectrograms(16_000, [256, 1024, 4096])(x), strict=True):
        hop = n // 2
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
        padded = np.pad(x.numpy().astype(np.float64), ((0, 0), (hop, hop)))
        frames = np.stack([padded[:, t * hop : t * hop + n] for t in range(1 + 9001 // hop)], axis=1)
        low = int(np.ceil(200 * n / 16_000))
        expected = np.abs(np.fft.rfft(frames * window))[:, :, low:] / np.sqrt((window**2).sum())
        np.testing.assert_allclose(got.numpy(), expected.transpose(0, 2, 1), atol=4e-5)  # float32 FFT of 4096


def test_that_of_1024_is_the_dual_branch_networks_to_the_bit() -> None:
    x = torch.randn(2, 20_000, generator=torch.Generator().manual_seed(2))
    _, own = AmplitudeSpectrograms(16_000, [4096, 1024])(x)
    assert torch.equal(own, AmplitudeSpectrogram(16_000)(x))


def test_the_branches_have_the_sizes_of_the_reference() -> None:
    with torch.device("meta"):
        network = MultiResolution(160_000, 16_000)
    assert network.spectrograms.bands == [(4, 129), (13, 513), (52, 2049)]  # 200 to 8000 Hz
    # only the last layer of a branch knows the number of bins, by the rows of 128 channels that are left of them
    sizes = [sum(p.numel() for p in branch.parameters()) for branch in network.spectrogram_branches]
    assert sizes == [965_712 + 128 * 128 * (rows - 16) for rows in (4, 16, 63)]
    assert network.n_dims == 512


def test_masks_are_for_training_and_the_same_place_in_every_resolution() -> None:
    torch.manual_seed(3)
    network = MultiResolution(SHORTEST, 16_000, windows="256+1024", specaugment=1.0, mask_width=0.5)
    seen: list[torch.Tensor] = []
    for branch in network.spectrogram_branches:
        branch.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    x = torch.randn(2, SHORTEST)
    network(x)
    for i in range(2):
        shares = [((s[i] == 0).all(dim=1).float().mean(), (s[i] == 0).all(dim=0).float().mean()) for s in seen]
        assert all(0 < share <= 0.5 for pair in shares for share in pair)
        np.testing.assert_allclose(*np.array(shares), atol=0.02)  # one bin of 125, one frame of 137
    seen.clear()
    with torch.inference_mode():
        network.eval()(x)
    assert not any((s == 0).any() for s in seen)


@pytest.mark.parametrize("windows", ["256+", "255", "32", "16384", "256+256", "0256x", "256-1024", "-256"])
def test_windows_that_are_none_are_refused(windows: str) -> None:
    with pytest.raises(UsageError, match="windows are different even numbers of samples from 64 to 8192") as error:
        lengths(windows)
    assert "windows=256+1024+4096" in str(error.value.hint)


def test_a_clip_too_short_and_a_probability_that_is_none_are_refused() -> None:
    with pytest.raises(ValueError, match="70014"):
        MultiResolution(SHORTEST - 1, 16_000)
    with pytest.raises(UsageError, match=r"specaugment and mask_width lie in \[0, 1\], got 1.5 and 0.2"):
        MultiResolution(SHORTEST, 16_000, specaugment=1.5)
