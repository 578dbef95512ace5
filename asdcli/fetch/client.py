"""The HTTP client: what it asks for, and where it does not follow."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from asdcli import __version__
from asdcli.errors import DownloadError, UsageError

if TYPE_CHECKING:
    import httpx

_SCHEMES = ("http", "https")


def client() -> httpx.Client:
    """An HTTP client for large files: no content encoding, so that sizes and ranges mean bytes of the file.

    A redirect to anything but HTTP raises DownloadError; asking again would not help.
    """
    import httpx

    return httpx.Client(
        headers={"User-Agent": f"asdcli/{__version__}", "Accept-Encoding": "identity"},
        follow_redirects=True,
        timeout=httpx.Timeout(60.0, connect=15.0),
        event_hooks={"response": [_refuse_redirect]},
    )


def require_address(option: str, url: str) -> None:
    """Raises UsageError where `url`, given as `option`, is no HTTP address."""
    import httpx

    try:
        known = urlsplit(url).scheme in _SCHEMES and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        known = False
    if not known:
        raise UsageError(f"{option} {url!r} is no http address", "like http://127.0.0.1:8000")


def in_circles(url: str) -> DownloadError:
    """The error for redirects without end."""
    return DownloadError(f"{url} redirects in circles", "open the address in a browser to see where it leads")


def _refuse_redirect(response: httpx.Response) -> None:
    if not response.has_redirect_location:
        return
    place = response.headers["Location"]
    try:
        leads = urlsplit(place).scheme in ("", *_SCHEMES)
    except ValueError:
        leads = False
    if not leads:
        raise DownloadError(
            f"{response.request.url} redirects to {place[:200]!r}, which is no http address",
            "a proxy or mirror leads elsewhere: try again without it",
        )
