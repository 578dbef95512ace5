"""The epochs of a training, as `metrics.jsonl` has them: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asdcli.errors import BadArtifact
from asdcli.files import require_file
from asdcli.progress import Progress

_AGAIN = "train again: asd train --force"


def read_epochs(metrics: Path, progress: Progress) -> Iterator[dict[str, Any]]:
    """The numbers of every epoch by name, `epoch` (from 1) among them.

    Args:
        metrics: the file. A last line without its end, of a training at work, is left out.
        progress: is told of a line left out.

    Raises:
        BadArtifact: it cannot be read, or another line says nothing of an epoch.
    """
    try:
        text = require_file(metrics).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadArtifact(f"{metrics} cannot be read: {error}", _AGAIN, metrics) from None
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            epoch = json.loads(line)
        except (ValueError, RecursionError):
            if 1 < number == len(lines) and not text.endswith("\n"):
                progress.left_out(f"the last line of {metrics} is not whole, and left out")
                return
            epoch = None
        if not isinstance(epoch, dict) or not isinstance(epoch.get("epoch"), int):
            raise BadArtifact(f"{metrics}, line {number} says nothing of an epoch", _AGAIN, metrics)
        yield epoch
