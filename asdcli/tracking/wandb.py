"""Weights & Biases: offline runs in a folder, which `wandb sync` sends on where somebody wants that."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from asdcli.artifacts import digest_bytes
from asdcli.files import read_json
from asdcli.tracking import PROJECT, Tracked
from asdcli.writing.whole import atomic

_ABOUT = "asd.json"


@dataclass(frozen=True)
class WandB:
    """Curves as metrics, results as summary: `wandb sync tracking/wandb/wandb/offline-run-*`."""

    package: ClassVar[str] = "wandb"
    place: ClassVar[str] = "wandb"

    def held(self, name: str, place: Path) -> str | None:
        folders = _folders(name, place)
        try:
            return str(read_json(folders[0] / _ABOUT)["digest"]) if len(folders) == 1 else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, record: Tracked, place: Path, *, force: bool = False) -> None:
        import json

        import wandb

        for folder in _folders(record.name, place):
            shutil.rmtree(folder)
        place.mkdir(parents=True, exist_ok=True)
        run = wandb.init(
            project=PROJECT,
            name=record.name,
            id=_id(record.name),
            config=dict(record.params),
            dir=str(place),
            mode="offline",
            settings=wandb.Settings(silent=True, console="off"),
        )
        for step, row in record.by_step.items():
            run.log(row, step=step)
        run.summary.update(dict(record.summary))
        run.finish()
        for folder in _folders(record.name, place):
            with atomic(folder / _ABOUT) as temporary:
                temporary.write_text(json.dumps({"name": record.name, "digest": record.digest}) + "\n")


def _id(name: str) -> str:
    """What a run is known by, here and where it is sent: the same name takes the same place."""
    return f"asd{digest_bytes(name.encode())[:12]}"


def _folders(name: str, place: Path) -> list[Path]:
    return sorted((place / "wandb").glob(f"offline-run-*-{_id(name)}"))
