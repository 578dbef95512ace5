"""Trackio: a project `asd` in a folder of databases on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from asdcli.tracking import PROJECT, Tracked

_DIGEST, _FOLDER = "asd_digest", "TRACKIO_DIR"


@dataclass(frozen=True)
class Trackio:
    """Curves as metrics, results as metrics of the last step: `TRACKIO_DIR=tracking/trackio trackio show`."""

    package: ClassVar[str] = "trackio.sqlite_storage"
    place: ClassVar[str] = "trackio"

    def held(self, name: str, place: Path) -> str | None:
        with _storage(place) as storage:
            if name not in storage.get_runs(PROJECT):
                return None
            digest = (storage.get_run_config(PROJECT, name) or {}).get(_DIGEST)
            return None if digest is None else str(digest)

    def write(self, record: Tracked, place: Path, *, force: bool = False) -> None:
        last = max(record.by_step, default=0)
        rows = {step: dict(row) for step, row in record.by_step.items()}
        rows.setdefault(last, {}).update(record.summary)
        config = {**record.params, _DIGEST: record.digest}
        with _storage(place) as storage:
            storage.delete_run(PROJECT, record.name)
            storage.bulk_log(PROJECT, record.name, list(rows.values()), steps=list(rows), config=config)


@contextmanager
def _storage(place: Path) -> Iterator[Any]:
    """The storage in that folder, which trackio knows by a variable that it reads when it is imported."""
    from trackio import sqlite_storage, utils

    before = utils.TRACKIO_DIR, sqlite_storage.TRACKIO_DIR
    place.mkdir(parents=True, exist_ok=True)
    utils.TRACKIO_DIR = sqlite_storage.TRACKIO_DIR = place
    try:
        yield sqlite_storage.SQLiteStorage
    finally:
        utils.TRACKIO_DIR, sqlite_storage.TRACKIO_DIR = before
