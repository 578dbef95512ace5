"""`asd reference add` and `asd confirm` killed amid their writing, or typed twice at once: nothing is lost or mixed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL

import numpy as np
import pytest

from asdcli import artifacts
from asdcli.pipeline.learning import learning
from asdcli.pipeline.workspace import resolve
from asdcli.progress import SILENT
from tests.helpers import signalled
from tests.helpers.machines import healthy, sound, write
from tests.helpers.typed import copied, typed

Asd = Callable[..., int]
RUN = Path("runs/fan")
ADD = ["reference", "add", "fan/week"]
SAY = ["confirm", "fan/week/00.wav", "fan/week/01.wav", "normal", "--reference"]


def digests(place: Path) -> dict[str, str]:
    files = [place / "data/fan/clips.parquet", *sorted((place / RUN).rglob("*.parquet")), *(place / RUN).rglob("*.npz")]
    return {str(p.relative_to(place)): artifacts.read_header(p, artifacts.ANY).content for p in files}


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fan that was learned, and four recordings of this week that were checked."""
    place = tmp_path_factory.mktemp("cut")
    healthy(place / "fan" / "October", 20)
    rng = np.random.default_rng(14)
    for i in range(4):
        write(place / "fan" / "week" / f"{i:02d}.wav", sound(rng))
    return typed(place, ["learn", "fan/October", "--run", str(RUN)], ["check", "fan/week", "--why", "0"])


@pytest.fixture(scope="module")
def whole(learned: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What either command makes of it where nobody disturbs it."""
    return {words[0]: digests(typed(copied(learned, tmp_path_factory.mktemp(words[0])), words)) for words in (ADD, SAY)}


@pytest.mark.parametrize(("words", "nth"), [(ADD, 2), (ADD, 5), (SAY, 1), (SAY, 4)])
def test_killed_amid_a_writing_the_same_command_ends_where_it_would_have(
    asd: Asd, learned: Path, whole: dict[str, dict[str, str]], tmp_path: Path, words: list[str], nth: int
) -> None:
    copied(learned, tmp_path)
    call = "asdcli.writing.whole:_temporary"  # every file is begun by it
    killed = signalled.asd(*words, "-q", number=SIGKILL, call=call, nth=nth, cwd=tmp_path)
    assert killed.returncode == -SIGKILL, killed.stderr
    assert digests(tmp_path) != whole[words[0]]
    assert asd(*words, "-q") == 0
    assert digests(tmp_path) == whole[words[0]]
    left = [p.name for p in tmp_path.rglob("*") if p.name.endswith((".tmp", ".lock"))]
    assert left == []


@pytest.mark.parametrize("words", [ADD, ["reference", "remove", "2024-10-01_0001"], SAY])
def test_of_two_at_once_one_is_refused_and_changes_nothing(
    asd: Asd, learned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    copied(learned, tmp_path)
    before = digests(tmp_path)
    with learning(resolve(run=RUN), SILENT):
        assert asd(*words) == 1
        said = capsys.readouterr().err
        assert "runs/fan is being changed by" in said and "hint: type it again when that has ended" in said
        assert asd("reference", "list") == 0  # who only reads is not in the way
    assert digests(tmp_path) == before
