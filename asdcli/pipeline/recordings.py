"""Recordings that were written after they were packed: same name, maybe other sound, and no digest that tells."""

from __future__ import annotations

from pathlib import Path

from asdcli import artifacts
from asdcli.errors import AsdError
from asdcli.pipeline.freshness import Look
from asdcli.views.clips import rows_to_read
from asdcli.views.packs import written_since
from asdcli.wording import counted


def written_since_packed(look: Look) -> list[Path]:
    """Those of a pack of a run whose clips are still the same; none of any other file."""
    if look.header is None or look.kind is not artifacts.FEATURES or look.space is None or look.is_stale:
        return []
    try:
        table, _ = artifacts.read_table(look.space.clips, artifacts.CLIPS)
    except AsdError:
        return []
    rows = rows_to_read(table, str(look.header.params.get("machine_type")))
    return written_since(look.path, [look.space.dataset_root / row.path for row in rows])


def told(written: list[Path]) -> str:
    """`3 recordings were written after it, the first: data/x/a.wav`."""
    n = len(written)
    return f"{counted(n, 'recording')} {'was' if n == 1 else 'were'} written after it, the first: {written[0]}"
