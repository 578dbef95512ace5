"""Steps that are recorded once and replayed; on a CPU, recording means to compute again."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import torch
from torch import nn

from asdcli.features.pack import WaveformPack
from asdcli.models.losses import LOSSES
from asdcli.models.networks import NETWORKS
from asdcli.training import TrainingData, gather
from asdcli.training.graphs import WARM_UP, Compute, Replayed, Tensors, replayed
from asdcli.training.rates import Rates


def _step(network: nn.Module, optimizer: torch.optim.Optimizer) -> Compute:
    def step(x: torch.Tensor) -> Tensors:
        optimizer.zero_grad()
        loss = network(x).square().mean()
        loss.backward()
        optimizer.step()
        return (loss.detach(),)

    return step


def _trained(wrap: Callable[[Compute], Compute]) -> tuple[list[float], torch.Tensor]:
    """Losses, and the weights at the end, of batches of which the fourth and the last are short."""
    torch.manual_seed(0)
    network = nn.Linear(5, 3)
    step = wrap(_step(network, torch.optim.AdamW(network.parameters(), lr=0.1)))
    losses = [float(step(torch.randn(n, 5))[0]) for n in (4, 4, 4, 2, 4, 4, 4, 3)]
    return losses, network.weight.detach()


def test_a_replayed_training_is_the_one_that_is_not() -> None:
    recordings: list[Tensors] = []

    def record(compute: Compute, inputs: Tensors) -> Callable[[], Tensors]:
        recordings.append(inputs)
        return lambda: compute(*inputs)

    losses, weights = _trained(lambda step: Replayed(step, record))
    plain, plain_weights = _trained(lambda step: step)
    assert losses == plain and torch.equal(weights, plain_weights)
    assert [x.shape for (x,) in recordings] == [(4, 5)]


def test_nothing_is_recorded_before_steps_were_taken_as_they_are() -> None:
    calls: list[str] = []

    def record(_: Compute, inputs: Tensors) -> Callable[[], Tensors]:
        calls.append("recorded")
        return lambda: inputs

    step = Replayed(lambda x: (x,), record)
    given = [torch.full((2,), float(i)) for i in range(WARM_UP + 2)]
    made = [step(x)[0].tolist() for x in given]
    assert made == [x.tolist() for x in given] and calls == ["recorded"]


def test_only_what_says_that_its_steps_are_alike_is_recorded_and_only_on_cuda() -> None:
    class Steady:
        steady = True

    def compute(x: torch.Tensor) -> Tensors:
        return (x,)

    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    assert isinstance(replayed(compute, cuda, [Steady(), Steady()]), Replayed)
    assert replayed(compute, cuda, [Steady(), object()]) is compute
    assert replayed(compute, cpu, [Steady(), Steady()]) is compute


def test_all_losses_and_the_networks_that_take_waveforms_are_steady() -> None:
    for registry in (NETWORKS, LOSSES):
        for name in registry.entries:
            cls = registry.load(name)
            assert getattr(cls, "steady", False) or getattr(cls, "takes", "waveforms") != "waveforms", name


def test_trainings_of_one_process_on_the_same_clips_share_them_on_the_device() -> None:
    device = torch.device("meta")

    def data(clip_ids: list[str], contents: tuple[str, ...] | None) -> TrainingData:
        pack = WaveformPack.of([torch.ones(9, dtype=torch.int16).numpy()] * 3, ["a", "b", "c"], 16_000)
        return TrainingData(pa.table({"clip_id": clip_ids}), ["fan"], lambda _: pack, contents=contents)

    first = gather.gather(data(["a", "b"], ("x",)), device)
    assert gather.gather(data(["a", "b"], ("x",)), device) is first
    others = [data(["a", "c"], ("x",)), data(["a", "b"], ("y",)), data(["a", "b"], None)]
    assert all(gather.gather(other, device) is not first for other in others)
    assert len(gather._LAST) == 2  # clips, and noise that is mixed into them


def test_a_training_whose_learning_rates_change_is_not_recorded() -> None:
    assert Rates(1e-3, 0, 0.9).steady and not Rates(1e-3, 10, 1.0).steady
