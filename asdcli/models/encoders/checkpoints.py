"""Checkpoints: somebody's weights and what they are of, as they lie on disk or in the cache of a hub.

A checkpoint is a folder with `config.json` and weights, the file of the weights in it, or a name, `owner/name`, on a
hub. Nothing is ever unpickled that could run code.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from asdcli.artifacts import digest_file
from asdcli.errors import BadArtifact, MissingArtifact
from asdcli.fetch import hub
from asdcli.files import read_json, require_file
from asdcli.models.encoders import Config
from asdcli.progress import Progress
from asdcli.writing.whole import atomic

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_CONFIG, _PREPROCESSOR = "config.json", "preprocessor_config.json"
_SAFE, _PICKLED = ".safetensors", (".pt", ".pth", ".bin", ".ckpt")
_PLACES = ("model", "state_dict", "model_state_dict", "module")
_CONFIGS = ("cfg", "config")
_REFUSED = torch.serialization.pickle.UnpicklingError
_OURS = "asd-config"  # under this name a pickle's own configuration stands in what it was converted to


@dataclass(frozen=True)
class Checkpoint:
    """One of them, found and whole as far as can be told without reading the weights.

    Attributes:
        files: `checkpoint`, the weights as they were given, and `config` and `preprocessor`, where these lie beside.
        config, preprocessor: what they say; {} where there are none.
    """

    files: Mapping[str, Path]
    config: Config
    preprocessor: Config

    @classmethod
    def open(cls, typed: str, progress: Progress) -> Checkpoint:
        """The checkpoint at a path or of a name, which is fetched where it is not here yet.

        Raises:
            MissingArtifact: nothing there. DownloadError: it cannot be fetched.
            BadArtifact: no weights, several, half a file, a pickle that could run code, or no configuration.
        """
        path = Path(typed)
        if not path.exists() and _NAME.fullmatch(typed) and path.suffix.lower() not in (_SAFE, *_PICKLED):
            path = hub.fetched(typed, (_CONFIG, _PREPROCESSOR), progress)
        if not path.exists():
            raise MissingArtifact(
                f"there is no checkpoint {typed}",
                "name its file or folder, or a name on the hub: checkpoint=OWNER/NAME",
            )
        weights = _in_folder(path) if path.is_dir() else require_file(path)
        beside = {"config": weights.with_name(_CONFIG), "preprocessor": weights.with_name(_PREPROCESSOR)}
        files = {"checkpoint": weights, **{role: file for role, file in beside.items() if file.exists()}}
        said = {role: _settings(file) for role, file in files.items() if role in beside}
        found = cls(files, said.get("config", {}), said.get("preprocessor", {}))
        own = found._own_config()
        return found if said.get("config") else cls(files, own, found.preprocessor)

    @cached_property
    def digests(self) -> dict[str, str]:
        """Role -> digest of the bytes of its file."""
        return {role: digest_file(path) for role, path in self.files.items()}

    def weights(self) -> dict[str, torch.Tensor]:
        """By name, on the CPU. Errors as `open`."""
        path = self._tensors
        try:
            return load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise _broken(path, error) from None

    @cached_property
    def _tensors(self) -> Path:
        """The safetensors file; a pickle is converted once, and kept under the digest of its bytes."""
        given = self.files["checkpoint"]
        if given.suffix.lower() not in _PICKLED:
            return given
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "asdcli" / "checkpoints"
        kept = home / f"{self.digests['checkpoint']}.safetensors"
        if not kept.exists():
            tensors, config = _unpickled(given)
            home.mkdir(parents=True, exist_ok=True)
            with atomic(kept) as temporary:
                save_file(tensors, temporary, {_OURS: json.dumps(config, sort_keys=True)})
        return kept

    def _own_config(self) -> Config:
        """What the file of the weights says of itself. Raises BadArtifact where it is not whole."""
        try:
            with safe_open(self._tensors, "pt") as file:
                config: Config = json.loads((file.metadata() or {}).get(_OURS, "{}"))
                return config
        except (SafetensorError, OSError, ValueError, RecursionError) as error:
            raise _broken(self._tensors, error) from None


@contextmanager
def named(typed: str) -> Iterator[None]:
    """Puts the name of the checkpoint that was typed in front of what is wrong with it."""
    try:
        yield
    except BadArtifact as error:
        raise BadArtifact(f"{typed}: {error.message}", error.hint) from None


def _in_folder(folder: Path) -> Path:
    """The weights in a folder."""
    for name in hub.WEIGHTS:
        if (folder / name).exists():
            return folder / name
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in (_SAFE, *_PICKLED))
    if len(found) != 1:
        what = f"several: {', '.join(p.name for p in found)}" if found else f"none: no {' and no '.join(hub.WEIGHTS)}"
        raise BadArtifact(f"which weights are meant? {folder} holds {what}", "name the file: checkpoint=FOLDER/FILE")
    return found[0]


def _settings(path: Path) -> Config:
    try:
        said = read_json(path)
    except (ValueError, OSError) as error:
        raise BadArtifact(f"{path} cannot be read: {error}", "fetch it again") from None
    if not isinstance(said, dict):
        raise BadArtifact(f"{path} holds no settings", "fetch it again")
    return said


def _unpickled(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors of a pickle that holds nothing but tensors and plain values, and its configuration."""
    try:
        with warnings.catch_warnings():  # of pickles that torch did not write itself
            warnings.simplefilter("ignore")
            held = torch.load(path, map_location="cpu", weights_only=True)
    except _REFUSED:
        raise BadArtifact(
            f"{path} is a pickle that holds more than tensors, and could run code: it is not read",
            "take its weights as safetensors; whoever trusts it converts it with the program that made it",
        ) from None
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise _broken(path, error) from None
    inner = next(
        (held[place] for place in _PLACES if isinstance(held, dict) and isinstance(held.get(place), dict)), held
    )
    tensors = {str(k): v for k, v in inner.items() if isinstance(v, torch.Tensor)} if isinstance(inner, dict) else {}
    if not tensors:
        raise BadArtifact(f"{path} holds no weights by name", "name a file of weights")
    config: dict[str, Any] = next((held[name] for name in _CONFIGS if isinstance(held.get(name), dict)), {})
    return {name: tensor.contiguous().clone() for name, tensor in tensors.items()}, _plain(config)


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    return {str(k): v for k, v in config.items() if isinstance(v, str | int | float | bool | list | type(None))}


def _broken(path: Path, error: Exception) -> BadArtifact:
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return BadArtifact(f"{path} holds no weights that can be read, or half of them: {first}", "fetch it again")
