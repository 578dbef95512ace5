"""Writes a synthetic dataset to disk: resumable, atomic clip by clip, the same bytes for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdcli.progress import SILENT, Progress

MACHINE_TYPES = ("bearing", "compressor", "fan", "gearbox", "pump", "slider", "valve")


def write(
    root: Path,
    *,
    size: str,
    seed: int = 0,
    machine_types: Sequence[str] | None = None,
    progress: Progress = SILENT,
) -> None:
    raise NotImplementedError
