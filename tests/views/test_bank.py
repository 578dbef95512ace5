"""Who is in the reference set: what comes and goes, what models make of that, and which groups stay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from asdcli.audio import Info
from asdcli.layouts import Recording
from asdcli.views.bank import came_later, joined, put_back, regrouped, taken_out, with_later
from asdcli.views.clips import is_for_models, is_training
from asdcli.views.digests import model_input
from asdcli.views.listing import table_of
from asdcli.vocabulary import Condition, ConditionFrom, Split

DAY = "2024-11-20"
FIRST = [f"audio/2024-10-{1 + i // 3:02d}_{i:02d}.wav" for i in range(12)]
LATER = [f"audio_later/week 47/{i:02d}.wav" for i in range(5)]


def rows(paths: Sequence[str], split: Split = Split.TRAIN, condition: Condition = Condition.NORMAL) -> pa.Table:
    read = [
        Recording(path, "fan", split=split, condition=condition, condition_from=ConditionFrom.OPTION) for path in paths
    ]
    return table_of(read, {path: Info(16_000, 1, 160_000) for path in paths}, "")


def learned(paths: Sequence[str] = FIRST) -> pa.Table:
    table = rows(paths)
    return regrouped(table.append_column("since", pa.nulls(len(table), pa.string())), None)


def named(table: pa.Table, mask: pa.ChunkedArray) -> list[str]:
    found: list[str] = table.filter(mask)["clip_id"].to_pylist()
    return found


def groups(table: pa.Table) -> dict[str, str | None]:
    return dict(zip(table["clip_id"].to_pylist(), table["group"].to_pylist(), strict=True))


@given(st.sets(st.sampled_from([path[:-4] for path in FIRST]), max_size=10), st.integers(1, 5))
def test_what_came_and_went_leaves_no_trace(out: set[str], n: int) -> None:
    before = learned()
    later = [path[:-4] for path in LATER[:n]]
    there = regrouped(taken_out(joined(before, rows(LATER[:n]), DAY), out, DAY), None)
    assert named(there, came_later(there)) == later
    assert {*named(there, is_training(there))} == {*named(before, is_training(before))} - out | {*later}
    assert regrouped(put_back(taken_out(there, later, DAY), out), None).equals(before)


def test_what_joins_was_seen_by_no_model_and_what_left_was() -> None:
    before = learned()
    table = regrouped(taken_out(joined(before, rows(LATER), DAY), [FIRST[0][:-4]], DAY), None, models_stay=True)
    assert named(table, is_for_models(table)) == named(before, is_training(before))
    for by_groups in (False, True):
        assert model_input(table, ["fan"], groups=by_groups) == model_input(before, ["fan"], groups=by_groups)
    answered = regrouped(joined(table, rows(LATER[:1], Split.ANSWERED), DAY), None, models_stay=True)
    assert model_input(answered, ["fan"]) == model_input(before, ["fan"])
    assert LATER[0][:-4] not in named(answered, is_training(answered))


def test_groups_stay_and_later_folders_have_their_own() -> None:
    before = learned()
    table = groups(regrouped(joined(before, rows([*LATER, "audio_later/hall/2024-11-01_1.wav"]), DAY), None))
    assert {name: table[name] for name in groups(before)} == groups(before)
    assert [table[path[:-4]] for path in LATER] == [f"week 47 block {n}" for n in (1, 1, 2, 2, 3)]
    assert table["audio_later/hall/2024-11-01_1"] == "hall block 1"
    plain = learned([f"audio/{i:02d}.wav" for i in range(30)])  # blocks of three: those that come later too
    table = groups(regrouped(joined(plain, rows(LATER), DAY), None))
    assert [table[path[:-4]] for path in LATER] == [f"week 47 block {n}" for n in (1, 1, 1, 2, 2)]
    answered = groups(regrouped(joined(plain, rows(LATER, Split.ANSWERED), DAY), None))
    assert {answered[path[:-4]] for path in LATER} == {"answered week 47"}
    asked = regrouped(joined(learned(), rows(LATER), DAY), "session")
    assert {groups(asked)[path[:-4]] for path in LATER} == {"week 47"}


def test_learned_again_answers_and_what_left_stay_and_what_joined_may_be_learned(tmp_path: Path) -> None:
    table = joined(learned(), rows(LATER), DAY)
    table = joined(table, rows(["audio/2024-10-09_99.wav"], Split.ANSWERED, Condition.ANOMALY), DAY)
    table = regrouped(taken_out(table, [FIRST[3][:-4], FIRST[4][:-4]], DAY), None)
    now = rows([*FIRST[:4], *FIRST[5:], LATER[0], "audio/2024-10-09_99.wav"])
    again = regrouped(with_later(now, table, tmp_path), None)
    is_in = {*named(again, is_training(again))}
    assert is_in == {path[:-4] for path in [*FIRST[:3], *FIRST[5:], *LATER]}
    since = dict(zip(again["clip_id"].to_pylist(), again["since"].to_pylist(), strict=True))
    assert since[LATER[0][:-4]] is None and since[LATER[1][:-4]] == DAY  # the first is among those learned now
    assert FIRST[4][:-4] not in since and since[FIRST[3][:-4]] == DAY  # the fifth is gone
    (fault,) = [row for row in again.to_pylist() if row["condition"] == "anomaly"]
    assert (fault["clip_id"], fault["split"], fault["since"]) == ("audio/2024-10-09_99", "answered", DAY)
