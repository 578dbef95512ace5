"""A page as one HTML file: template, style and scripts of `assets/` put together with what the page says.

Nothing of it comes from elsewhere, and the page itself forbids it: its Content-Security-Policy allows the style and
the script that it was made with, by their digests, pictures and sounds within the page or in the folder beside it, and
nothing else. What people called their machines and recordings is text in every place where it stands.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from importlib import resources

import jinja2

from asdcli import __version__
from asdcli.page.content import PageContent
from asdcli.visible import visible

SCRIPTS = (
    "core",
    "drawing",
    "distribution",
    "roc",
    "map",
    "alpha",
    "machine",
    "sounds",
    "why",
    "player",
    "list",
    "compare",
    "start",
)
"""In the order in which they run."""
_STYLES = ("page", "parts")


def render(content: PageContent, *, beside: bool = False) -> bytes:
    """The HTML file; the same content gives the same bytes.

    Args:
        content: what the page says.
        beside: sounds and pictures lie in a folder beside it.
    """
    style = "\n".join(_asset(f"{name}.css") for name in _STYLES)
    script = "\n".join(["'use strict';", "(() => {", *(_asset(f"{name}.js") for name in SCRIPTS), "})();"])
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["visible"] = visible
    html = environment.from_string(_asset("template.html.j2")).render(
        page=content,
        policy=policy(style, script, beside=beside),
        style=jinja2.utils.markupsafe.Markup(style),
        script=jinja2.utils.markupsafe.Markup(script),
        payload=jinja2.utils.markupsafe.Markup(for_script(content.payload())),
        version=__version__,
    )
    return html.encode("utf-8", "replace")


def policy(style: str, script: str, *, beside: bool) -> str:
    """The Content-Security-Policy of a page with this style and script."""
    own = "data: 'self' file:" if beside else "data:"
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            f"img-src {own}",
            f"media-src {own}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def for_script(value: object) -> str:
    """JSON that ends no script element, begins no comment, and is ASCII: what HTML could see in it is written out."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@functools.cache
def _asset(name: str) -> str:
    return resources.files("asdcli.page").joinpath("assets").joinpath(name).read_text(encoding="utf-8")
