"""What stands at a path. Only regular files are opened: a pipe, a device or a socket may never end or answer."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

from asdcli.errors import BadData

CARD, WEIGHTS, CHECKPOINT = "card.json", "weights.safetensors", "checkpoint.safetensors"
"""In a model's folder: its header, its tensors, and a training that is not at its end."""
METRICS = "metrics.jsonl"
"""There too: a row an epoch of the training."""
FOLDS = "fold-*"
"""The folders in a model's folder of models that were trained without one fold each."""
_SORTS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def in_place_of_file(path: Path) -> str | None:
    """What stands at `path` in place of a file; None for a file, or a link to one. Raises OSError as `stat` does."""
    try:
        sort = stat.S_IFMT(path.stat().st_mode)
    except ValueError:  # a NUL in the path
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
    return None if sort == stat.S_IFREG else _SORTS.get(sort, "something else")


def require_file(path: Path) -> Path:
    """`path`, which is a regular file. Raises BadData for what is none, and OSError where nothing is there."""
    if sort := in_place_of_file(path):
        raise BadData(f"{path} is {sort}, not a file")
    return path


def fold_folder(model: Path, fold: int) -> Path:
    """Where in a model's folder the model lies that was trained without fold `fold`, counted from 1."""
    return model / FOLDS.replace("*", str(fold))


def is_model(path: Path) -> bool:
    """Whether `path` is the folder of a model that is trained to its end."""
    return (path / CARD).exists()


def read_json(path: Path) -> Any:
    """What a small file of JSON holds.

    Args:
        path: of the file.

    Raises:
        ValueError: it holds no JSON, or some that is nested too deep to be read.
        BadData: no regular file. OSError: nothing is there, or it cannot be read.
    """
    try:
        return json.loads(require_file(path).read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deep") from None
