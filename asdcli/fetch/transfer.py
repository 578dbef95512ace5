"""One file over HTTP into one place: resumed after a cut, retried when the server is busy, checked before it counts.

Only a file that is complete and has the right checksum takes its name; until then it is a `part_file`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from asdcli.errors import DownloadError
from asdcli.fetch.client import in_circles
from asdcli.fetch.disk import guard_disk, megabytes, require_space
from asdcli.fetch.headers import content_range, whole
from asdcli.fetch.part_file import PartFile, Source
from asdcli.fetch.retry import CONNECT_TRIES, TRANSIENT, Retry

if TYPE_CHECKING:
    import httpx

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


class NotFound(DownloadError):
    """The server has no such file."""


class Stopped(Exception):
    """The download was told to stop; what is there stays for the next time."""


@dataclass
class Watcher:
    """How a transfer speaks and is stopped: `count(n)` new bytes (negative when they are thrown away), `say(text)`."""

    count: Callable[[int], None] = lambda _: None
    say: Callable[[str], None] = lambda _: None
    stop: Event = field(default_factory=Event)


class _Again(Exception):
    """A failure that may pass: wait and try again."""

    def __init__(self, why: str, retry_after: str | None = None, tries: int = 1000) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        self.tries = tries


def transfer(
    http: httpx.Client, source: Source, target: Path, *, retry: Retry | None = None, watcher: Watcher | None = None
) -> None:
    """Fetch `source` into `target`, going on from `<target>.part` where there is one.

    Raises:
        NotFound: no place has the file.
        DownloadError: the server gave up on us, gave something else than the file, or the checksum is wrong.
        DiskError: the disk is full or not writable; the part stays.
        Stopped: the watcher stopped it; the part stays.
    """
    retry, watcher = retry or Retry(), watcher or Watcher()
    part = PartFile(target, source)
    watcher.count(part.size)
    for place, url in enumerate(source.urls):
        try:
            _fill(http, source, url, part, retry, watcher)
        except NotFound:
            if place + 1 == len(source.urls):
                raise
        else:
            break
    with guard_disk(target):
        part.path.replace(target)
        part.note.unlink(missing_ok=True)


def _fill(http: httpx.Client, source: Source, url: str, part: PartFile, retry: Retry, watcher: Watcher) -> None:
    """Make `part` the whole, checked file."""
    failures, best, started_over = 0, part.size, False
    while True:
        try:
            resumed = part.size > 0
            if source.size is None or part.size != source.size:
                _attempt(http, source, url, part, watcher)
            wrong = part.fault()
            if wrong is None:
                return
            watcher.count(-part.drop())
            if not resumed or started_over:
                raise DownloadError(
                    f"{source.name} from {url} is not the file it should be: {wrong}; it was removed",
                    "the server or the connection damages files: try again later or use a mirror with --base-url",
                )
            started_over = True  # the part may have been of another version of the file: once more from the start
            watcher.say(f"{source.name}: the resumed file has the wrong checksum; fetching it from the start")
        except _Again as error:
            if part.size > best:
                failures, best = 0, part.size
            failures += 1
            if failures >= min(retry.tries, error.tries):
                raise DownloadError(
                    f"{source.name} from {url} failed {failures} times in a row: {error}",
                    "run the same command again later: it goes on from the part that is there",
                ) from None
            seconds = retry.wait_s(failures, error.retry_after)
            watcher.say(f"{source.name}: {error}; trying again in {seconds:.0f} s")
            watcher.stop.wait(seconds)
        if watcher.stop.is_set():
            raise Stopped


def _attempt(http: httpx.Client, source: Source, url: str, part: PartFile, watcher: Watcher) -> None:
    """One request; returns when the server has sent all it has."""
    import httpx

    have = part.size
    try:
        with http.stream("GET", url, headers=_going_on(part)) as response:
            status = response.status_code
            if have and status == 416:
                _past_the_end(response, source, part, watcher)
                return
            _refuse_status(source.name, url, response)
            total = whole(response.headers.get("Content-Length"))
            if status == 206:
                begins, total = content_range(response.headers.get("Content-Range"))
                if begins != have:
                    watcher.count(-part.drop())
                    raise _Again(f"the server went on at byte {begins} instead of {have}")
            elif have:
                watcher.say(f"{source.name}: the server cannot resume, or has a newer file; fetching it from the start")
                watcher.count(-part.drop())
            _refuse_page(source, url, response, total)
            if total is not None:
                require_space(part.path.parent, total - part.size, source.name)
            part.open(url, response.headers.get("ETag"))
            _receive(response, source, url, part, part.most(total), watcher)
            if total is not None and part.size < total:
                raise _Again(f"the connection ended at {megabytes(part.size)} of {megabytes(total)}")
    except httpx.TransportError as error:
        tries = CONNECT_TRIES if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)) else 1000
        raise _Again(f"{_reason(error)} at {megabytes(part.size)}", tries=tries) from None
    except httpx.TooManyRedirects:
        raise in_circles(url) from None


def _going_on(part: PartFile) -> dict[str, str]:
    """The headers that ask for the rest of the file, if it is still the one that the part is of."""
    if not part.size:
        return {}
    return {"Range": f"bytes={part.size}-"} | ({"If-Range": part.etag} if part.etag else {})


def _receive(response: httpx.Response, source: Source, url: str, part: PartFile, most: int, watcher: Watcher) -> None:
    """Append what comes; a part that has more than `most` bytes is dropped."""
    with part.append() as write:
        for chunk in response.iter_raw():
            if watcher.stop.is_set():
                raise Stopped
            if part.size == 0:
                _refuse_start(source, url, chunk)
            if part.size + len(chunk) > most:
                watcher.count(-part.drop())
                raise _endless(source, url, most)
            write(chunk)
            watcher.count(len(chunk))


def _past_the_end(response: httpx.Response, source: Source, part: PartFile, watcher: Watcher) -> None:
    """416: the part is as long as the file (then its checksum decides) or does not belong to it."""
    total = whole(response.headers.get("Content-Range", "").rpartition("*/")[2])
    complete = part.size == total if total is not None else source.md5 is not None
    if not complete:
        watcher.count(-part.drop())
        raise _Again("the server has a shorter file than the part that was here")


def _refuse_status(name: str, url: str, response: httpx.Response) -> None:
    status = response.status_code
    if status in (404, 410):
        raise NotFound(f"{name} is not at {url} (HTTP {status})")
    if status in TRANSIENT:
        raise _Again(f"the server is busy (HTTP {status})", response.headers.get("Retry-After"))
    if status not in (200, 206):
        raise DownloadError(f"{url} answers HTTP {status}", "open the address in a browser to see what it wants")


def _refuse_page(source: Source, url: str, response: httpx.Response, total: int | None) -> None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind in ("text/html", "application/xhtml+xml"):
        raise _page(source.name, url)
    if source.size is not None and total is not None and total != source.size:
        raise DownloadError(
            f"{url} offers {total} bytes, but {source.name} has {source.size}",
            "a proxy or mirror serves another file: try again without it",
        )


def _refuse_start(source: Source, url: str, chunk: bytes) -> None:
    if source.name.endswith(".zip") and not chunk.startswith(ZIP_STARTS):
        if chunk.lstrip()[:1] == b"<":
            raise _page(source.name, url)
        raise DownloadError(
            f"{url} is no zip archive: it starts with {chunk[:8]!r}",
            "a proxy or mirror serves another file: try again without it",
        )


def _endless(source: Source, url: str, most: int) -> DownloadError:
    return DownloadError(
        f"{url} sends more than the {megabytes(most)} that {source.name} can have; what came was removed",
        "a proxy or mirror serves another file: try again without it",
    )


def _page(name: str, url: str) -> DownloadError:
    return DownloadError(
        f"a web page came from {url} in place of {name}",
        "the server wants a login or a puzzle, or is down for maintenance: try again later, or open the address in a "
        "browser and pass the folder with the zips as --from-dir",
    )


def _reason(error: Exception) -> str:
    words = {
        "ConnectError": "no connection",
        "ConnectTimeout": "no connection in time",
        "ReadTimeout": "the server fell silent",
        "ReadError": "the connection broke",
        "RemoteProtocolError": "the connection was cut",
    }
    return words.get(type(error).__name__, f"{type(error).__name__} {error}".strip())
