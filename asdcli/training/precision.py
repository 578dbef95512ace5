"""Where the network runs and in which number format."""

from __future__ import annotations

from typing import Any

import torch

from asdcli.errors import unknown_name
from asdcli.vocabulary import PRECISIONS


def resolve_precision(name: str, device: torch.device, *, gains: bool = True) -> str:
    """`fp32` or `bf16`; `auto` is bf16 where the hardware multiplies it natively, because only there it is faster.

    Measured on two cores with avx512_bf16: the discriminative network on six-second clips 78 clips/s in bf16, 47 in
    fp32; autoencoders 1,150 windows/s and 700, with the same AUC within what the seed makes of it.

    Args:
        name: auto, fp32 or bf16.
        device: where the network is trained.
        gains: whether the network is known to gain by bf16 on this device; where not, `auto` is fp32.
    """
    if name not in PRECISIONS:
        raise unknown_name("precision", name, PRECISIONS)
    if name != "auto":
        return name
    if not gains:
        return "fp32"
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return "bf16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "fp32"


def autocast(device: torch.device, precision: str) -> Any:
    """The context in which a forward pass runs in `precision` ("fp32" or "bf16")."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
