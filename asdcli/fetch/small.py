"""Small answers over HTTP: record lists, checksums, ground truth, sizes."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from asdcli.errors import DownloadError
from asdcli.fetch.client import in_circles
from asdcli.fetch.disk import megabytes
from asdcli.fetch.headers import whole
from asdcli.fetch.retry import CONNECT_TRIES, TRANSIENT, Retry
from asdcli.fetch.transfer import NotFound

if TYPE_CHECKING:
    import httpx

_T = TypeVar("_T")

MOST = 8 * 10**6
"""Bytes of an answer; the largest table of the organisers has some 10**5."""

PATIENCE_S = 300.0
"""Seconds that one answer may take to come: a server that sends a byte now and then never falls silent."""


class Unreachable(DownloadError):
    """No connection to the server at all."""


def get_bytes(http: httpx.Client, url: str, *, retry: Retry, say: Callable[[str], None] = lambda _: None) -> bytes:
    """The body at `url`.

    Raises:
        NotFound: HTTP 404 or 410.
        Unreachable: no connection after the last try.
        DownloadError: another refusal, more than `MOST` bytes, or a web page in place of data.
    """
    body = _ask(http, "GET", url, retry, say, _body)
    if body.lstrip()[:1] == b"<":
        raise DownloadError(f"a web page came from {url} in place of data", "open the address in a browser to see it")
    return body


def head_size(http: httpx.Client, url: str, *, retry: Retry) -> int | None:
    """The size in bytes that the server states for `url`, None where it states none. Errors as `get_bytes`."""
    return _ask(
        http, "HEAD", url, retry, lambda _: None, lambda response: whole(response.headers.get("Content-Length"))
    )


def _ask(
    http: httpx.Client,
    method: str,
    url: str,
    retry: Retry,
    say: Callable[[str], None],
    take: Callable[[httpx.Response], _T],
) -> _T:
    """What `take` makes of the answer, asked for until there is one."""
    import httpx

    failures = 0
    while True:
        retry_after, kind = None, DownloadError
        try:
            with http.stream(method, url) as response:
                status = response.status_code
                if status in (404, 410):
                    raise NotFound(f"nothing at {url} (HTTP {status})")
                if status == 200 or (method == "HEAD" and status in (403, 405, 501)):  # some servers refuse HEAD
                    return take(response)
                if status not in TRANSIENT:
                    raise DownloadError(
                        f"{url} answers HTTP {status}", "open the address in a browser to see what it wants"
                    )
                why, retry_after = f"HTTP {status}", response.headers.get("Retry-After")
        except httpx.TransportError as error:
            why, kind = f"no connection ({error})", Unreachable
        except httpx.TooManyRedirects:
            raise in_circles(url) from None
        failures += 1
        if failures >= min(retry.tries, CONNECT_TRIES if kind is Unreachable else retry.tries):
            raise kind(
                f"{url} failed {failures} times in a row: {why}",
                "check the network and run the same command again, or name a mirror with --base-url",
            )
        seconds = retry.wait_s(failures, retry_after)
        say(f"{url}: {why}; trying again in {seconds:.0f} s")
        time.sleep(seconds)


def _body(response: httpx.Response) -> bytes:
    """All that comes, unpacked where the server packs unasked. Never more than `MOST` bytes are held."""
    deadline, body = time.monotonic() + PATIENCE_S, bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MOST:
            raise _too_much(response)
        if time.monotonic() > deadline:
            raise DownloadError(f"{response.url} does not come to an end in {PATIENCE_S:.0f} s", "try again later")
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing == "identity":
        return bytes(body)
    if packing not in ("gzip", "x-gzip", "deflate"):
        raise DownloadError(f"{response.url} comes packed as {packing[:40]!r}, which was not asked for")
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = unpacking.decompress(bytes(body), MOST + 1)
    except zlib.error:
        plain = b""
    if len(plain) > MOST:
        raise _too_much(response)
    if not unpacking.eof:
        raise DownloadError(f"{response.url} is damaged: it cannot be unpacked", "try again later")
    return plain


def _too_much(response: httpx.Response) -> DownloadError:
    return DownloadError(
        f"{response.url} sends more than {megabytes(MOST)}: it is no list or table",
        "a proxy or mirror serves another file: try again without it",
    )
