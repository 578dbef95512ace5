"""Checks of scorer parameters, with the spelling in the message."""

from __future__ import annotations

from asdcli.errors import UsageError


def at_least_one(**values: int | None) -> None:
    """Raises UsageError for a value below one; `smote_k=0` is called `smote:k` in the message."""
    for name, value in values.items():
        if value is not None and value < 1:
            raise UsageError(f"{name.replace('_', ':', 1)} must be at least 1, got {value}")


def in_unit_interval(**values: float | None) -> None:
    """Raises UsageError for a value outside (0, 1]."""
    for name, value in values.items():
        if value is not None and not 0 < value <= 1:
            raise UsageError(f"{name.replace('_', ':', 1)} must be above 0 and at most 1, got {value}")
