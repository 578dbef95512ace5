"""The documentation is what the code says: reference pages are up to date, commands parse, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import typer

from asdcli.cli import build
from tests.helpers import noise_run

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


def test_the_page_about_performance_is_what_the_runs_say_that_were_kept() -> None:
    from tests.bench import performance

    assert performance.PAGE.read_text(encoding="utf-8") == performance.page(), "old: python -m tests.bench.performance"
    assert all(performance.chart(run).exists() for run in performance.runs())


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


def test_every_command_is_shown_somewhere() -> None:
    shown = {shlex.split(command)[1] for _, command in _commands()}
    known = set(typer.main.get_command(build()).commands)  # type: ignore[attr-defined]
    assert known == shown


def test_the_examples_of_extending_run(
    asd: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    (tmp_path / "site" / "mypkg").mkdir(parents=True)
    for name, code in re.findall(r"```python\n# mypkg/(\w+)\.py\n(.*?)```", text, flags=re.S):
        (tmp_path / "site" / "mypkg" / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "site")
    noise_run.write(tmp_path)
    where = ("--data", tmp_path / "data", "--dataset", "noise", "--run", tmp_path / "runs" / "noise", "-q")
    commands = re.findall(r"^asd (?:train|embed|score) ?.*$", text, flags=re.M)
    assert len(commands) == 3
    for command in sorted(commands, key=_stage):
        more = ("--epochs", 1, "--device", "cpu") if command.startswith("asd train") else ()
        assert asd(*shlex.split(command)[1:], *more, *where) == 0, command
    assert asd("evaluate", *where) == 0


def _stage(command: str) -> int:
    return ("train", "embed", "score").index(shlex.split(command)[1])


def test_every_picture_is_shown_with_words_for_those_who_do_not_see_it_and_is_small() -> None:
    there = {path: path.stat().st_size for path in (ROOT / "docs" / "pictures").iterdir()}
    shown = {}
    for page in PAGES:
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            shown[(page.parent / target).resolve()] = words
    assert set(there) == set(shown) and all(len(words.split()) > 8 for words in shown.values())
    assert max(there.values()) < 250_000 and sum(there.values()) < 1_500_000


def test_the_recordings_of_the_pictures_are_those_that_the_page_speaks_of() -> None:
    from docs import write_pictures

    text = (ROOT / "docs" / "your-recordings.md").read_text(encoding="utf-8")
    weeks = [*write_pictures.week_47(), *write_pictures.week_48()]
    for name in (write_pictures.HISS, write_pictures.KNOCKS, write_pictures.HISS_AGAIN, write_pictures.FALSE_ALARM):
        assert weeks.count(name) == 1 and name in text
    assert write_pictures.TEN_MINUTES in text and f"{len(weeks) + 1 - len(write_pictures.week_48())} recordings" in text


def test_the_documentation_builds_without_a_dead_link(tmp_path: Path) -> None:
    build_site = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(build_site, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "index.html").exists()


def test_the_citation_names_the_version_of_the_package() -> None:
    import asdcli

    assert f"\nversion: {asdcli.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
