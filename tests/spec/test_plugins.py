"""Classes of other packages: by the name that they are offered under, or as module:Class."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from asdcli.errors import PluginError, UsageError
from asdcli.scorers import SCORERS
from asdcli.spec import Registry
from tests.helpers import fake_package
from tests.spec.test_spelling import Toy

GROUP = "asdcli.toys"
LOF = """
from dataclasses import dataclass

@dataclass(frozen=True)
class LOF:
    k: int = 8
    def fit(self, unit): ...

@dataclass(frozen=True)
class Blunt:
    k: int = 8

@dataclass(frozen=True)
class Needy:
    path: str
    def fit(self, unit): ...

class Plain:
    def fit(self, unit): ...

lof = LOF()
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on sys.path; the modules that a test imports from it are forgotten."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] in ("mypkg", "a_pkg", "b_pkg")]:
        del sys.modules[name]


def toys(**entries: str) -> Registry:
    return Registry("toy", {"toy": f"{Toy.__module__}:Toy", **entries}, group=GROUP, needs=("fit",))


def test_a_class_of_anybody_is_built_and_spelled_as_module_class(site: Path) -> None:
    fake_package.write(site, "mypkg", {"mypkg/lof.py": LOF})
    for spelling in ("mypkg.lof:LOF,k=3", "mypkg.lof:LOF:k=3", " mypkg.lof:LOF , k = 3 "):
        made = toys().build(spelling)
        assert (type(made).__name__, made.k) == ("LOF", 3)
        assert toys().spell(made) == toys().canonical(spelling) == "mypkg.lof:LOF,k=3"
    assert toys().canonical("mypkg.lof:LOF:k=8") == "mypkg.lof:LOF"


def test_a_built_in_class_goes_by_its_name_however_it_was_spelled() -> None:
    assert SCORERS.canonical("asdcli.scorers.nearest:Nearest,k=4") == "nn:k=4"


def test_a_plug_in_goes_by_the_name_that_its_package_gives_it(site: Path) -> None:
    modules = {"mypkg/lof.py": LOF, "mypkg/__init__.py": "from mypkg.lof import LOF"}
    fake_package.write(site, "mypkg", modules, offers={GROUP: {"lof": "mypkg:LOF"}})
    assert toys().names() == ["toy", "lof"]
    made = toys().build("lof:k=3")
    assert toys().spell(made) == toys().canonical("mypkg.lof:LOF,k=3") == "lof:k=3"
    assert [p.package for p in toys().plugins()] == ["mypkg 1.0"]
    with pytest.raises(UsageError) as caught:
        toys().build("lofe")
    assert "did you mean 'lof'" in str(caught.value.hint)


def test_other_packages_are_only_looked_at_for_names_that_are_not_built_in(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asdcli.spec import plugins

    monkeypatch.setattr(plugins, "offered", lambda group: pytest.fail("looked for plug-ins"))
    registry = Registry("toy", {"toy": f"{Toy.__module__}:Toy"}, group=GROUP)
    assert registry.spell(registry.build("toy:k=3")) == "toy:k=3,val=train-all"


def test_the_built_in_wins_over_a_plug_in_of_its_name_which_can_still_be_asked_for(site: Path) -> None:
    fake_package.write(site, "mypkg", {"mypkg.py": LOF}, offers={GROUP: {"toy": "mypkg:LOF"}})
    registry = toys()
    assert registry.load("toy") is Toy and registry.names() == ["toy"]
    (plugin,) = registry.plugins()
    assert registry.hidden(plugin) == "toy of mypkg 1.0 is hidden by the built-in toy: name it mypkg:LOF"
    assert registry.spell(registry.build("mypkg:LOF,k=3")) == "mypkg:LOF,k=3"


def test_a_name_that_two_packages_offer_has_to_be_spelled_as_a_class(site: Path) -> None:
    for name in ("a-pkg", "b-pkg"):
        module = name.replace("-", "_")
        fake_package.write(site, name, {f"{module}.py": LOF}, offers={GROUP: {"lof": f"{module}:LOF"}})
    registry = toys()
    with pytest.raises(UsageError, match=r"'lof' is offered by a-pkg 1\.0 and by b-pkg 1\.0") as caught:
        registry.build("lof")
    assert caught.value.hint == "name the class: a_pkg:LOF or b_pkg:LOF"
    assert registry.spell(registry.build("b_pkg:LOF")) == "b_pkg:LOF"
    assert registry.names() == ["toy"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def broken(", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("LOF = 3", "is a int, not a class"),
        ("", "has no 'LOF'"),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_named_with_its_package_and_the_reason(
    site: Path, source: str, reason: str
) -> None:
    fake_package.write(site, "mypkg", {"mypkg.py": source}, version="2.1", offers={GROUP: {"lof": "mypkg:LOF"}})
    with pytest.raises(PluginError) as caught:
        toys().build("lof")
    assert "mypkg:LOF of mypkg 2.1" in caught.value.message and reason in caught.value.message
    assert "pip install --upgrade mypkg" in str(caught.value.hint)
    assert toys().build("toy:k=3").k == 3  # others are not disturbed


@pytest.mark.parametrize(
    ("spelling", "error", "message"),
    [
        ("nopkg.lof:LOF", UsageError, "there is no module 'nopkg'"),
        ("mypkg.nolof:LOF", UsageError, "there is no module 'mypkg.nolof'"),
        ("mypkg.lof:LUF", UsageError, "mypkg.lof has no 'LUF'"),
        ("mypkg.lof:lof", UsageError, "is a LOF, not a class"),
        ("mypkg.lof:Blunt", UsageError, "mypkg.lof:Blunt is no toy: it has no fit"),
        ("mypkg.lof:LOF,kk=3", UsageError, "has no parameter 'kk'"),
        ("mypkg.lof:Needy", UsageError, "needs path"),
        ("mypkg.broken:LOF", PluginError, "cannot be imported: ZeroDivisionError"),
        ("json:JSONDecodeError", UsageError, "is no toy: it has no fit"),
    ],
)
def test_a_class_that_cannot_be_used_is_refused_by_name(
    site: Path, spelling: str, error: type[Exception], message: str
) -> None:
    fake_package.write(site, "mypkg", {"mypkg/lof.py": LOF, "mypkg/broken.py": "1 / 0"})
    with pytest.raises(error) as caught:
        toys().build(spelling)
    assert message in str(caught.value)


def test_a_module_that_lies_in_the_working_folder_is_pointed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here_only.py").write_text(LOF)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(tmp_path))])
    with pytest.raises(UsageError) as caught:
        toys().build("here_only:LOF")
    assert "PYTHONPATH=." in str(caught.value.hint)


def test_an_object_that_no_spelling_reaches_has_no_name(site: Path) -> None:
    @dataclass(frozen=True)
    class Local:
        def fit(self, unit: object) -> None: ...

    fake_package.write(site, "mypkg", {"mypkg.py": LOF})
    plain = toys().build("mypkg:Plain")
    for method, message in ((Local(), "has a name"), (Toy(), "toy"), (plain, "is no dataclass")):
        with pytest.raises(UsageError, match=message):
            Registry("toy", {}, needs=("fit",)).spell(method)
