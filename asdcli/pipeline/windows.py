"""How recordings are cut where a command asks for windows."""

from __future__ import annotations

from typing import Any


def windows(window_s: float | None, hop_s: float | None) -> dict[str, Any]:
    """How long recordings are cut where windows are asked for: all of them; `Reading` knows what no hop means."""
    if window_s is None:
        return {} if hop_s is None else {"hop_s": hop_s}
    return {"window_s": window_s, "hop_s": hop_s, "cut_from_s": None}
