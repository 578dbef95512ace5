"""`import asdcli`: cheap, its example is true, and a step from Python is the command's step."""

from __future__ import annotations

import doctest
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import asdcli
from asdcli.errors import MissingArtifact, UsageError
from asdcli.pipeline import notebook
from tests.test_architecture import HEAVY


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_does_what_it_says(here: Path) -> None:
    found = doctest.testmod(notebook, optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    assert found.failed == 0 and found.attempted > 10


def test_importing_asdcli_loads_nothing_until_something_is_asked_for() -> None:
    code = (
        "import sys; before = set(sys.modules); import asdcli; asdcli.__version__, dir(asdcli);"
        "print([m for m in set(sys.modules) - before if m.startswith('asdcli.')],"
        f" [m for m in {sorted(HEAVY | {'numpy', 'typer', 'rich'})!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"


def test_what_is_offered_is_there_and_nothing_else() -> None:
    assert {"open", "download", "index", "Run"} <= set(dir(asdcli))
    assert asdcli.open is notebook.open
    with pytest.raises(AttributeError, match="has no attribute 'scroe'"):
        asdcli.scroe  # noqa: B018


def test_a_step_makes_the_same_bytes_as_its_command(here: Path, asd: Callable[..., int]) -> None:
    asdcli.download("synthetic", size="tiny", machine_types=["fan"])
    run = asdcli.open(here / "mine")
    run.extract_features("logmel")
    run.embed("logmel")
    run.score("varmin:k=2,val=test-all")
    run.threshold("quantile", quantile=0.8)
    run.evaluate(n_resamples=20)
    for line in (
        ["extract-features", "--features", "logmel"],
        ["embed", "--embedder", "logmel"],
        ["score", "-m", "varmin:k=2,val=test-all"],
        ["threshold", "--rule", "quantile", "--quantile", "0.8"],
        ["evaluate", "--bootstrap", "20"],
    ):
        assert asd(*line, "--run", "theirs", "-q") == 0
    ours = {p.relative_to(here / "mine"): p.read_bytes() for p in (here / "mine").rglob("*") if p.is_file()}
    theirs = {p.relative_to(here / "theirs"): p.read_bytes() for p in (here / "theirs").rglob("*") if p.is_file()}
    assert ours == theirs and len(ours) > 5


def test_scores_are_read_by_a_shorter_spelling_and_smoothed_ones_by_their_own(here: Path) -> None:
    asdcli.download("synthetic", size="tiny", machine_types=["fan"])
    run = asdcli.open(here / "mine")
    run.extract_features("logmel")
    run.embed("logmel")
    run.score()
    (smoothed,) = run.smooth(k=2)
    assert run.methods() == ["varmin:k=16,val=train-all", smoothed]
    assert run.scores("varmin").equals(run.scores("varmin:val=train-all,k=16"))
    assert set(run.scores(smoothed)["method"].to_pylist()) == {smoothed}
    assert "scores of varmin:k=16,val=train-all" in repr(run)
    run.score("nn")
    (fused,) = run.fuse("nn", "varmin", by="rank", weights="3,1")
    assert fused == "nn+varmin:k=16,val=train-all+fuse:by=rank,weights=0.75_0.25"
    assert set(run.scores(fused)["method"].to_pylist()) == {fused}
    with pytest.raises(MissingArtifact, match="kmeans"):
        run.scores("kmeans")


def test_what_a_command_would_warn_of_is_a_python_warning(here: Path) -> None:
    asdcli.download("synthetic", size="tiny", machine_types=["fan"])
    run = asdcli.open(here / "mine")
    run.extract_features("logmel")
    run.embed("logmel")
    run.score("nn")
    with pytest.warns(UserWarning, match="the whole pool is averaged"):
        run.smooth(k=4000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.smooth(k=2)


def test_a_run_is_opened_before_there_is_anything_and_says_so(here: Path) -> None:
    run = asdcli.open("runs/new")
    assert repr(run) == "<run runs/new of new: nothing made yet>"
    assert list(here.iterdir()) == []
    with pytest.raises(MissingArtifact) as caught:
        run.extract_features()
    assert caught.value.hint
    if sys.version_info >= (3, 11):  # so that a notebook's traceback ends with it
        assert caught.value.__notes__ == [f"hint: {caught.value.hint}"]
    with pytest.raises(MissingArtifact):
        asdcli.open()
    asdcli.open("runs/new", dataset="one").space.remember()
    with pytest.raises(UsageError, match="belongs to dataset 'one'"):
        asdcli.open("runs/new", dataset="two")
