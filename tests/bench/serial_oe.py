"""The promise about SerialOE: a training step with EfficientNet-B0, and where its time goes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from asdcli.features.standardised_mels import mel_spec, mels
from asdcli.models.networks.depthwise import DepthwiseConv2d
from asdcli.models.networks.serial_oe import SerialOENetwork
from asdcli.pipeline import process
from asdcli.training.precision import autocast, resolve_precision
from tests.bench.jobs import Result

BATCH = 16  # of the paper's 128: a step keeps 13 GB of those, and an image costs the same
_CPU = torch.device("cpu")
_RATE, _FRAMES = 16_000, (224, 251)
_OPS = {
    "native_batch_norm": "batch normalisation",
    "silu": "SiLU",
    "copy_": "copies and casts",
    "mul": "squeeze and excitation",
    "sum": "squeeze and excitation",
    "mean": "squeeze and excitation",
    "add_": "squeeze and excitation",
}
_DENSE, _DEPTHWISE, _REST = "dense convolutions", "depth-wise convolutions", "the rest"


def serial_oe(folder: Path) -> Result:
    """Images a second of a core: a training step without its mels, against timm's network as it comes, in float32."""
    process.settle(networks=True)
    precision = resolve_precision("auto", _CPU)
    ways = {"ours": _Way(_network(), precision, fused=True), "plain": _Way(_timms(), "fp32", fused=False)}
    best = dict.fromkeys(ways, float("inf"))
    for turn in range(4):
        for name, way in ways.items():
            seconds = _used(way.step)
            best[name] = min(best[name], seconds) if turn else best[name]  # the first makes optimizer and kernels
    ours, plain = (BATCH / best[name] for name in ("ours", "plain"))
    lines = tuple(_profile(ways["ours"], best["ours"]))
    measured, plain_way = f"{ours:.1f} images/s in {precision}", f"timm, fp32 {plain:.1f} images/s"
    return Result(measured, plain_way, "2x", ours / plain, lines, seconds=1 / ours)


ALL: list[Callable[[Path], Result]] = [serial_oe]


class _Way:
    """A network and its training step."""

    def __init__(self, network: nn.Module, precision: str, *, fused: bool) -> None:
        self.network, self.precision = network, precision
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.0, fused=fused)
        self.images = torch.rand(BATCH, *_FRAMES)

    def step(self) -> None:
        self.optimizer.zero_grad()
        with autocast(_CPU, self.precision):
            embeddings = self.network(self.images)
        embeddings.float().square().mean().backward()
        self.optimizer.step()


def _network() -> SerialOENetwork:
    torch.manual_seed(0)
    return SerialOENetwork(4 * _RATE, _RATE, n_products=6).train()


def _timms() -> nn.Module:
    """The same network without what asdcli replaces in it."""
    import timm

    network = _network()
    backbone: Any = timm.create_model("tf_efficientnet_b0", in_chans=1, num_classes=0)
    network.backbone = backbone.to(memory_format=torch.channels_last)
    return network


@dataclass
class _Work:
    """Least work of a kind for an image: floating-point operations, and values read or written."""

    flop: float = 0.0
    values: float = 0.0


def _work(network: SerialOENetwork) -> dict[str, _Work]:
    """What forward and backward pass come to, where every operation reads its inputs and writes its results once."""
    found = {kind: _Work() for kind in (_DENSE, _DEPTHWISE, "batch normalisation", "SiLU")}

    def count(module: nn.Module, given: tuple[torch.Tensor, ...], result: torch.Tensor) -> None:
        read, written = (t.numel() / BATCH for t in (given[0], result))
        if isinstance(module, (nn.Conv2d, DepthwiseConv2d)):
            own = found[_DEPTHWISE if isinstance(module, DepthwiseConv2d) else _DENSE]
            own.flop += 3 * 2 * written * module.weight[0].numel()
            own.values += 3 * (read + written)  # forwards, the input's gradient, the weights'
        elif isinstance(module, nn.BatchNorm2d):
            found["batch normalisation"].values += 8 * read  # 2 + 1, and 4 + 1
        elif isinstance(module, nn.SiLU):
            found["SiLU"].values += 5 * read

    hooks = [module.register_forward_hook(count) for module in network.backbone.modules()]
    with torch.no_grad():
        network(torch.rand(BATCH, *_FRAMES))
    for hook in hooks:
        hook.remove()
    return found


def _profile(way: _Way, seconds: float) -> Iterator[str]:
    """Milliseconds an image by kind, and what they would be at the rates of products and copies in this run."""
    shares, ms = _shares(way), 1000 * seconds / BATCH
    dtype = torch.bfloat16 if way.precision == "bf16" else torch.float32
    flops, bandwidth = _products(dtype), _copies()
    yield f"  one core: products {flops / 1e9:.0f} GFLOP/s in {way.precision}, copies {bandwidth / 1e9:.1f} GB/s"
    yield f"  {'an image':<26}{'measured':>10}{'products':>10}{'memory':>10}"
    work = _work(way.network)  # type: ignore[arg-type]
    for kind, share in shares.most_common():
        line = f"  {kind:<26}{share * ms:7.1f} ms"
        if least := work.get(kind):
            at_memory = least.values * dtype.itemsize / bandwidth
            line += f"{1000 * least.flop / flops:7.1f} ms{1000 * at_memory:7.1f} ms"
        yield line
    waves = torch.randn(BATCH, 4 * _RATE)
    of_mels = min(_used(lambda: mels(waves, mel_spec(_RATE))) for _ in range(3))
    yield f"  {'mels, not among these':<26}{1000 * of_mels / BATCH:7.1f} ms"


def _shares(way: _Way) -> Counter[str]:
    """Of the time of a step, by kind."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as seen:
        way.step()
    found: Counter[str] = Counter()
    for event in seen.key_averages(group_by_input_shape=True):
        found[_kind(event.key, event.input_shapes)] += event.self_cpu_time_total
    total = sum(found.values())
    return Counter({kind: time / total for kind, time in found.items()})


def _kind(name: str, shapes: list[list[int]]) -> str:
    name = name.removeprefix("aten::")
    if name in ("mkldnn_convolution", "convolution_backward"):
        given, weight = shapes[:2] if name == "mkldnn_convolution" else shapes[1:3]
        return _DEPTHWISE if weight[1] == 1 < given[1] else _DENSE
    return next((kind for start, kind in _OPS.items() if name.startswith(start)), _REST)


def _products(dtype: torch.dtype) -> float:
    x = torch.randn(1536, 1536).to(dtype)
    return 2 * 1536**3 / min(_used(lambda: x @ x) for _ in range(4))


def _copies() -> float:
    x = torch.zeros(64 << 20)
    y = torch.zeros_like(x)
    return 2 * x.nbytes / min(_used(lambda: y.copy_(x)) for _ in range(4))


def _used(work: Callable[[], object]) -> float:
    """Processor seconds: a busy machine stretches them less than the clock's."""
    before = time.process_time()
    work()
    return time.process_time() - before
