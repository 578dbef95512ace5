"""Debian's Chromium, driven by playwright: opens a page from the disk and remembers everything that it complains of."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ARGUMENTS = ("--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio")
_PATIENCE = 500


@dataclass
class Opened:
    """A page that is open.

    Attributes:
        tab: playwright's page.
        complaints: errors of scripts, of the console, of the policy, and requests that were made.
    """

    tab: Any
    complaints: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        return str(self.tab.inner_text(selector))

    def run(self, script: str, *arguments: Any) -> Any:
        return self.tab.evaluate(script, *arguments)

    def until(self, script: str) -> None:
        """Wait until it is true; playwright's own way would need the policy of the page to allow eval."""
        for _ in range(_PATIENCE):
            if self.run(script):
                return
            self.tab.wait_for_timeout(20)
        raise AssertionError(f"never came true: {script}")


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A running browser; skips, with the reason, where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[dev]'")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium: make browser")
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Any, page: Path, *, width: int = 1300, height: int = 900, theme: str = "light") -> Iterator[Opened]:
    """A page of the disk in a window of its own."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, has_touch=width < 800, offline=True
    )
    found = Opened(context.new_page())
    found.tab.set_default_timeout(20_000)
    found.tab.on("console", lambda said: found.complaints.append(said.text) if said.type in ("error", "warning") else 0)
    found.tab.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.tab.on("dialog", lambda dialog: (found.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    found.tab.on("request", lambda request: _note(found, request.url, page))
    found.tab.goto(page.as_uri())
    found.tab.wait_for_selector("html[data-ready=yes]", state="attached")
    yield found
    context.close()


def _note(found: Opened, url: str, page: Path) -> None:
    if not url.startswith(("data:", page.parent.as_uri())):
        found.complaints.append(f"request {url}")
