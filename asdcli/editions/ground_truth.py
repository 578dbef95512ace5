"""Ground truth and released attributes: fetched from the organisers' public repositories, never shipped."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from asdcli import artifacts
from asdcli.catalogue.truth import Table, read_truth
from asdcli.errors import AsdError, BadData, DownloadError
from asdcli.fetch import NotFound, Retry, Unreachable, get_bytes, guard_disk
from asdcli.progress import SILENT, Progress

if TYPE_CHECKING:
    import httpx


def fetch(
    tables: Iterable[Table],
    root: Path,
    *,
    http: httpx.Client | None,
    truth_url: str | None = None,
    from_dir: Path | None = None,
    retry: Retry | None = None,
    progress: Progress = SILENT,
) -> dict[str, AsdError]:
    """Bring the tables that are not there below `root`; returns those that could not be had, by path, and why.

    A table is looked for in `from_dir` first (a clone of the organisers' repository, say), then on the web (not where
    `http` is None), where `truth_url` replaces scheme and host of the organisers' addresses. A table that cannot be
    read is not kept.
    """
    tables = list(tables)
    names = Counter(_name(t) for t in tables)
    missing = [t for t in tables if not (root / t.path).exists()]
    held = _csvs(from_dir) if from_dir and missing else {}
    failed: dict[str, AsdError] = {}
    for table in progress.track(missing, total=len(missing), label="ground truth", unit="tables") if missing else ():
        try:
            content = _from_folder(table, held, by_name=names[_name(table)] == 1)
            if content is None:
                content = _from_web(table, http, truth_url, retry or Retry())
            with guard_disk(root / table.path), artifacts.atomic(root / table.path) as temporary:
                temporary.write_bytes(content)
                read_truth(temporary, table)
        except Unreachable as error:
            failed |= {t.path: error for t in missing if not (root / t.path).exists()}
            break
        except (DownloadError, BadData) as error:
            failed[table.path] = error
    return failed


def _csvs(folder: Path) -> dict[str, list[Path]]:
    """Name -> places of all CSV files below `folder`."""
    found: dict[str, list[Path]] = {}
    for path in sorted(p for p in folder.rglob("*.csv") if p.is_file()):
        found.setdefault(path.name, []).append(path)
    return found


def _name(table: Table) -> str:
    return table.url.rpartition("/")[2]


def _from_folder(table: Table, held: dict[str, list[Path]], *, by_name: bool) -> bytes | None:
    """The held file whose folders agree best with the table's address: names recur from year to year.

    Where not `by_name`, as tables of conditions and of domains are called alike, its folder must be the address's own.

    Raises:
        BadData: several agree equally well and differ.
    """
    address = [p for p in table.url.split("/") if p != "HEAD"]
    places = held.get(address[-1], [])
    if not by_name or address[-1].startswith("attributes_"):  # these by section only: the machine type must agree
        places = [p for p in places if _agreement(p, address) > 1]
    best = max((_agreement(p, address) for p in places), default=0)
    contents = {p.read_bytes(): p for p in places if _agreement(p, address) == best}
    if len(contents) > 1:
        named = " and ".join(str(p) for p in contents.values())
        raise BadData(f"{named} differ, and either may be {table.path}", "name the folder of one year with --from-dir")
    return next(iter(contents), None)


def _agreement(path: Path, address: list[str]) -> int:
    """How many of the last components of `path` are those of `address`."""
    pairs = zip(reversed(path.parts), reversed(address), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _from_web(table: Table, http: httpx.Client | None, truth_url: str | None, retry: Retry) -> bytes:
    url = table.url
    if http is None:
        raise NotFound(f"{'/'.join(url.split('/')[-2:])} is not in the folder, and nobody else was asked")
    if truth_url:
        url = truth_url.rstrip("/") + urlsplit(table.url).path
    return get_bytes(http, url, retry=retry)
