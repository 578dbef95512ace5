"""The documentation is what the code says: reference pages are up to date, commands parse, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
import typer

from asdcli.cli import build

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "README.md"])
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(#[^)]*)?\)")


def _writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_reference", ROOT / "docs" / "write_reference.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", list(_writer().PAGES))
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    page = ROOT / "docs" / "reference" / name
    assert page.read_text(encoding="utf-8") == _writer().PAGES[name](), "old: run `make docs-reference`"


def _commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S):
            for line in block.splitlines():
                for part in line.split("  #")[0].split("&&"):
                    if part.strip().startswith("asd "):
                        found.append((page.relative_to(ROOT).as_posix(), part.strip()))
    return sorted(set(found))


@pytest.mark.parametrize(("page", "command"), _commands())
def test_a_command_of_the_documentation_parses(page: str, command: str) -> None:
    group = typer.main.get_command(build())
    name, *arguments = shlex.split(command)[1:]
    assert name in group.commands, page  # type: ignore[attr-defined]
    group.commands[name].make_context(name, arguments)  # type: ignore[attr-defined]  # raises on a wrong option


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_link_between_pages_leads_somewhere(page: Path) -> None:
    for target, _ in LINK.findall(page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_a_make_target_that_the_documentation_names_exists() -> None:
    rules = (ROOT / "Makefile").read_text()
    for page in PAGES:
        for target in re.findall(r"(?:^|`)make ([a-z0-9-]+)", page.read_text(encoding="utf-8"), flags=re.M):
            edition = re.fullmatch(r"(dcase20\d\d|synthetic)(-[a-z-]+)?", target)
            assert edition or re.search(rf"^{re.escape(target)}:", rules, flags=re.M), f"{page.name}: make {target}"
