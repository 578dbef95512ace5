"""What the caller's shell, or `make`, says of the data and the run to work on is not about those of a test."""

from __future__ import annotations

import os


def forget_asd() -> None:
    """Remove the variables of `asd` from the environment, but that of the shared material."""
    for name in {name for name in os.environ if name.startswith("ASD_")} - {"ASD_SHARED"}:
        del os.environ[name]
