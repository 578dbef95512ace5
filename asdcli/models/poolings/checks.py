"""What parameters of poolings must be."""

from __future__ import annotations

import math

from asdcli.errors import UsageError


def positive(**values: float) -> None:
    """Raises UsageError for a value that is not above 0, or not finite."""
    for name, value in values.items():
        if not (value > 0 and math.isfinite(value)):
            raise UsageError(f"{name.replace('_', ':', 1)} must be a number above 0, got {value}")


def unlearnt(name: str) -> UsageError:
    """What is wrong where a pooling that learns its weights is asked for without a training."""
    return UsageError(
        f"pool={name} has weights, and a frozen encoder learns none",
        f"fine-tune it: asd train --model discriminative:network=…,pool={name}; or take pool=mean",
    )
