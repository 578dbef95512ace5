"""Where an edition's files come from: Zenodo, a mirror, or a folder of zips; and what they must be.

A mirror may serve `<base>/records/<record>/files/<zip>` as Zenodo does, or plainly `<base>/<zip>` (a folder of zips
behind any file server): the first is asked first, the second after a 404. A `md5sums.txt` beside a mirror's or a
folder's zips says what they are and wins over the catalogue, which knows the official files; a record's own list
(`<base>/api/records/<record>`) fills in what neither knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from asdcli.editions.archives import Archive
from asdcli.errors import DownloadError, MissingArtifact
from asdcli.fetch import NotFound, Retry, Source, Unreachable, get_bytes, head_size
from asdcli.progress import SILENT, Progress

if TYPE_CHECKING:
    import httpx

ZENODO = "https://zenodo.org"
SUMS = "md5sums.txt"
Sums = dict[str, str]
"""Name -> md5."""

Listed = dict[str, tuple[int, str | None]]
"""Name -> size in bytes, and md5 where it is one."""


@dataclass(frozen=True)
class Offer:
    """A part as it can be had: where from, how large (bytes, None unknown), or why not."""

    part: Archive
    source: Source
    size: int | None
    problem: DownloadError | None = None


@dataclass
class Mirror:
    """Files over HTTP from Zenodo or from `base_url`."""

    http: httpx.Client
    base_url: str | None = None
    retry: Retry = field(default_factory=Retry)
    progress: Progress = SILENT
    _listed: dict[str, Listed] = field(default_factory=dict)
    _sums: dict[str, Sums] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return (self.base_url or ZENODO).rstrip("/")

    def offer(self, part: Archive) -> Offer:
        """How `part` can be had. Raises DownloadError when the server cannot be asked at all."""
        record, name = part.record.record, part.zip_name
        urls = [f"{self.base}/records/{record}/files/{name}"]
        sums: Sums = {}
        if self.base_url is not None:
            urls.append(f"{self.base}/{name}")
            sums = self._md5sums(f"{self.base}/records/{record}/files") | self._md5sums(self.base)
        size, listed = self._list(part).get(name, (None, None))
        md5 = sums.get(name) or part.md5 or listed
        if listed is not None and listed != md5:
            size = None  # the list speaks of another version of the file
        problem = None
        hint = size
        if size is None:
            hint, problem = self._probe(name, urls)
        return Offer(part, Source(name, tuple(urls), md5, size), hint, problem)

    def _list(self, part: Archive) -> Listed:
        """Name -> (size, md5) of a record's files; empty where the server has no such list."""
        record = part.record.record
        if record not in self._listed:
            url = f"{self.base}/api/records/{record}"
            try:
                self._listed[record] = parse_list(get_bytes(self.http, url, retry=self.retry, say=self.progress.note))
            except NotFound:
                self._listed[record] = {}
            except ValueError:
                self.progress.warn(f"{url} is no list of files; going on without it")
                self._listed[record] = {}
            except Unreachable:
                raise
            except DownloadError as error:
                self.progress.warn(f"{error.message}; going on without this record's list of sizes and checksums")
                self._listed[record] = {}
        return self._listed[record]

    def _md5sums(self, folder: str) -> Sums:
        if folder not in self._sums:
            try:
                text = get_bytes(self.http, f"{folder}/{SUMS}", retry=self.retry).decode(errors="replace")
            except Unreachable:
                raise
            except NotFound:  # most mirrors have none
                text = ""
            except DownloadError as error:
                self.progress.warn(f"{error.message}; going on without its checksums")
                text = ""
            self._sums[folder] = parse_sums(text)
            if self._sums[folder]:
                self.progress.note(f"checksums from {folder}/{SUMS}, in place of the catalogue's")
        return self._sums[folder]

    def _probe(self, name: str, urls: list[str]) -> tuple[int | None, DownloadError | None]:
        """The size that a HEAD request tells, or that the file is nowhere."""
        for url in urls:
            try:
                return head_size(self.http, url, retry=self.retry), None
            except NotFound:
                continue
        hint = (
            "this mirror has only a part of the edition: ask for the rest without --base-url" if self.base_url else None
        )
        return None, NotFound(f"{name} is not at {' or '.join(urls)}", hint)


@dataclass
class Folder:
    """Zips that somebody already holds, anywhere below `path`."""

    path: Path
    progress: Progress = SILENT

    def __post_init__(self) -> None:
        if not self.path.is_dir():
            raise MissingArtifact(f"no folder {self.path}", "--from-dir names the folder that holds the zips")

    @cached_property
    def zips(self) -> dict[str, Path]:
        """Name -> place; of two zips of one name the first in path order counts."""
        return {p.name: p for p in sorted(self.path.rglob("*.zip"), reverse=True) if p.is_file()}

    def offer(self, part: Archive) -> Offer:
        name = part.zip_name
        if name not in self.zips:
            problem = NotFound(f"{name} is not in {self.path}", "ask for the rest without --from-dir")
            return Offer(part, Source(name, ()), None, problem)
        place = self.zips[name]
        size = place.stat().st_size
        md5 = self._md5sums(place.parent).get(name) or part.md5
        return Offer(part, Source(name, (str(place),), md5, size), size)

    def _md5sums(self, folder: Path) -> Sums:
        file = folder / SUMS
        if not file.is_file():
            return {}
        return parse_sums(file.read_text(errors="replace"))


class _ListedFile(BaseModel):
    key: str
    size: Annotated[int, Field(strict=True, ge=0, lt=10**15)]
    checksum: str


class _List(BaseModel):
    files: list[_ListedFile]


def parse_list(answer: bytes) -> Listed:
    """Read a record's own list of files. Raises ValueError for what is none."""
    try:
        files = _List.model_validate_json(answer).files
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    sums = (re.fullmatch("md5:([0-9a-fA-F]{32})", f.checksum) for f in files)
    return {f.key: (f.size, found[1].lower() if found else None) for f, found in zip(files, sums, strict=True)}


def parse_sums(text: str) -> Sums:
    """Read the output of `md5sum`: name -> md5; other lines are ignored."""
    return {name: md5.lower() for md5, name in re.findall(r"^([0-9a-fA-F]{32}) [ *](?:\./)?(\S+)\s*$", text, re.M)}
