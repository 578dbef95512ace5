"""Small answers over HTTP: record lists, checksums, ground truth, sizes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from asdcli.errors import DownloadError
from asdcli.fetch.retry import CONNECT_TRIES, TRANSIENT, Retry
from asdcli.fetch.transfer import NotFound

if TYPE_CHECKING:
    import httpx


class Unreachable(DownloadError):
    """No connection to the server at all."""


def get_bytes(http: httpx.Client, url: str, *, retry: Retry, say: Callable[[str], None] = lambda _: None) -> bytes:
    """The body at `url`.

    Raises:
        NotFound: HTTP 404 or 410.
        Unreachable: no connection after the last try.
        DownloadError: another refusal, or a web page in place of data.
    """
    response = _ask(http, "GET", url, retry, say)
    if response.content.lstrip()[:1] == b"<":
        raise DownloadError(f"a web page came from {url} in place of data", "open the address in a browser to see it")
    return response.content


def head_size(http: httpx.Client, url: str, *, retry: Retry) -> int | None:
    """The size in bytes that the server states for `url`, None where it states none. Errors as `get_bytes`."""
    response = _ask(http, "HEAD", url, retry, lambda _: None)
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _ask(http: httpx.Client, method: str, url: str, retry: Retry, say: Callable[[str], None]) -> httpx.Response:
    import httpx

    failures = 0
    while True:
        retry_after, kind = None, DownloadError
        try:
            response = http.request(method, url)
            status = response.status_code
            if status in (404, 410):
                raise NotFound(f"nothing at {url} (HTTP {status})")
            if status == 200 or (method == "HEAD" and status in (403, 405, 501)):  # some servers refuse HEAD
                return response
            if status not in TRANSIENT:
                raise DownloadError(
                    f"{url} answers HTTP {status}", "open the address in a browser to see what it wants"
                )
            why, retry_after = f"HTTP {status}", response.headers.get("Retry-After")
        except httpx.TransportError as error:
            why, kind = f"no connection ({error})", Unreachable
        failures += 1
        if failures >= min(retry.tries, CONNECT_TRIES if kind is Unreachable else retry.tries):
            raise kind(
                f"{url} failed {failures} times in a row: {why}",
                "check the network and run the same command again, or name a mirror with --base-url",
            )
        seconds = retry.wait_s(failures, retry_after)
        say(f"{url}: {why}; trying again in {seconds:.0f} s")
        time.sleep(seconds)
