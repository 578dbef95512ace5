"""Fixtures that every test may use: no surprises of the caller's shell, signals as in one, and the shared material."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from asdcli.training import crowd
from tests.helpers.environment import forget_asd
from tests.helpers.whole_run import IN_FOLDS, copy, make

os.environ.update(COLUMNS="160", NO_COLOR="1")
forget_asd()
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background of a script it is ignored, by children too
# a slow or busy machine is no failure: nothing here is measured in time
crowd.crowd = lambda _threads: None  # nor is it told of, among the words that tests read
settings.register_profile("asd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("asd")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with papers, published tables and real clips beside the checkout; skips where it is absent."""
    root = Path(__file__).resolve().parents[2] / "shared"
    root = Path(os.environ.get("ASD_SHARED", root))
    if not (root / "published").is_dir():
        pytest.skip(f"needs the shared material, absent here: {root}")
    return root


@pytest.fixture
def asd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run one `asd` command line in-process, in a temporary working folder, and give its exit code."""
    from asdcli.cli import call as call_asd

    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> int:
        return call_asd([str(a) for a in arguments])

    return call


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a tiny dataset and a run with nearly every kind of file, made once; to be read."""
    return make(tmp_path_factory.mktemp("everything"))


@pytest.fixture(scope="session")
def everything_in_folds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a model that was cross-fitted: then every kind is there."""
    return make(tmp_path_factory.mktemp("folds"), IN_FOLDS)


@pytest.fixture
def folded_run(everything_in_folds: Path, tmp_path: Path) -> Path:
    """A copy of that run in the test's own working folder."""
    return copy(everything_in_folds, tmp_path)


@pytest.fixture
def whole_run(everything: Path, tmp_path: Path) -> Path:
    """A copy of that run in the test's own working folder."""
    return copy(everything, tmp_path)
