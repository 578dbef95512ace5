"""Where a network runs."""

from __future__ import annotations

import torch

from asdcli.errors import UsageError, unknown_name
from asdcli.vocabulary import DEVICES


def pick_device(name: str) -> torch.device:
    """The device of a `--device` value; `auto` is CUDA where there is one, else the CPU.

    From then on float32 on CUDA is float32: torch lets convolutions there round to ten bits of mantissa otherwise.

    Raises:
        UsageError: an unknown name, or a device that this machine or this torch does not have.
    """
    kind, _, index = name.partition(":")
    if kind not in DEVICES or (index and not (kind == "cuda" and index.isdigit())):
        raise unknown_name("device", name, DEVICES)
    torch.backends.cudnn.allow_tf32 = False
    if kind == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if kind == "cuda" and not torch.cuda.is_available():
        reason = "torch was built without CUDA" if torch.version.cuda is None else "no usable CUDA device or driver"
        raise UsageError(f"--device {name}: {reason}", "use --device cpu or --device auto")
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        raise UsageError(f"--device {name}: there are {torch.cuda.device_count()} CUDA devices", "they count from 0")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UsageError("--device mps: no Metal device here", "use --device cpu or --device auto")
    return torch.device(name)
