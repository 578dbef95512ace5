"""Recordings that were written after they were packed: same name, maybe other sound, and no digest that tells."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pyarrow as pa

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
        state = look.space.clips.stat()
        table = _clips(look.space.clips.absolute(), state.st_mtime_ns, state.st_size)
    except (AsdError, OSError):
        return []
    rows = rows_to_read(table, str(look.header.params.get("machine_type")))
    return written_since(look.path, [look.space.dataset_root / row.path for row in rows])


@lru_cache(maxsize=1)
def _clips(path: Path, _mtime_ns: int, _size: int) -> pa.Table:
    """The table of clips, read once for all packs: there may be thousands."""
    return artifacts.read_table(path, artifacts.CLIPS)[0]


def told(written: list[Path]) -> str:
    """`3 recordings were written after it, the first: data/x/a.wav`."""
    n = len(written)
    return f"{counted(n, 'recording')} {'was' if n == 1 else 'were'} written after it, the first: {written[0]}"
