"""Every kind of file of a finished run, damaged and forged: commands refuse it in words or give what they gave before.

The short form of `make fuzz`, always with the same cases: a few of each file, each shown to one command.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from asdcli import artifacts
from tests.fuzz import damage, forgery
from tests.fuzz.judge import Bench
from tests.fuzz.targets import DETECT, Target, prepare, targets

shares = st.floats(0, 0.999)
lengths = st.sampled_from((1, 16, 512, 4096))
damages = st.one_of(
    st.builds(damage.Flip, shares, st.integers(0, 7)),
    st.builds(damage.Cut, shares),
    st.builds(damage.Zeroed, shares, lengths),
    st.builds(damage.Spliced, shares, shares, lengths),
    st.builds(damage.Inserted, shares, st.binary(min_size=1, max_size=8)),
)
few = settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # to shrink a case of seconds takes hours, and it is named anyway
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def bench(everything_in_folds: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    whole, place = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("place")
    shutil.copytree(everything_in_folds, whole, dirs_exist_ok=True)
    prepare(whole)
    shutil.copytree(whole, place, dirs_exist_ok=True, symlinks=True)
    return Bench(place, whole=whole)


def cheap(bench: Bench) -> list[Target]:
    return [t for t in targets(bench.whole) if len(t.commands) > t.slow and not t.commands[0].startswith(DETECT)]


def test_every_kind_of_artifact_is_among_the_targets(bench: Bench) -> None:
    assert {target.sort for target in targets(bench.whole)} >= set(artifacts.KINDS)


def test_a_damaged_file_is_refused_in_words_or_changes_nothing(bench: Bench) -> None:
    @few
    @given(damages, st.integers(0, 99))
    def one(of: damage.Damage, which: int) -> None:
        for target in cheap(bench):
            content = (bench.whole / target.path).read_bytes()
            command = target.commands[which % (len(target.commands) - target.slow)]
            judged = bench.judge(target, {Path(target.path).name: of(content)}, command, sealed=True)
            assert not judged.verdict.is_fault, (target.path, command, judged)

    one()


def test_a_forged_file_never_ends_in_a_traceback(bench: Bench) -> None:
    @few
    @given(st.integers(0, 2**32), st.integers(0, 99))
    def one(seed: int, which: int) -> None:
        for target in cheap(bench):
            files = forgery.forged(bench.whole / target.path, random.Random(seed))
            command = target.commands[which % (len(target.commands) - target.slow)]
            judged = files and bench.judge(target, files, command, sealed=False)
            assert not judged or not judged.verdict.is_fault, (target.path, seed, command, judged)

    one()
