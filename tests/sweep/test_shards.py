"""`--shards N --engine …`: an engine's shards come to what the command makes alone, whatever fails meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asdcli.stages import extract_shards
from asdcli.sweep.shards import ShardWork
from asdcli.sweep.work import Site
from asdcli.sweep.worker import handed, taken
from asdcli.writing.locks import alone
from tests.helpers.sweeps import EMBEDDER, HERE, ORDER, ObedientInBlocks
from tests.helpers.typed import typed
from tests.sweep.test_sweep import Told, files

EXTRACT = "extract-features --features logmel --dataset synthetic"
EMBED = f"embed --embedder {EMBEDDER} --batch-size 3 --dataset synthetic"
RUN, BY_HAND = Path("runs/synthetic"), Path("runs/byhand")


@pytest.fixture
def byhand(here: Path) -> Path:
    """The packs and embeddings that the plain commands make."""
    typed(here, f"{EXTRACT} --run {BY_HAND}", f"{EMBED} --run {BY_HAND}")
    return BY_HAND


def sharded(told: Told, line: str, n: int, *more: str) -> dict[str, Any]:
    return told(*line.split(), "--shards", str(n), *(more or ("--engine", HERE)))


def test_shards_come_to_the_bytes_of_the_plain_commands(byhand: Path, told: Told) -> None:
    for line, kind in ((EXTRACT, "features"), (EMBED, "embeddings")):
        made = sharded(told, line, 5)
        assert (made["exit_code"], made["status"], made["outputs"][0]["kind"]) == (0, "done", kind)
        assert made["facts"]["shards"] == 5
        again = sharded(told, line, 5)
        assert (again["status"], "shards" in again["facts"]) == ("current", False)
    assert files(RUN) == files(BY_HAND)


def test_with_force_everything_is_made_once_more_and_only_once(
    byhand: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in (EXTRACT, EMBED):
        sharded(told, line, 5)
    read: list[str] = []
    hear, embed = extract_shards.hear, ObedientInBlocks.embed

    def hearing(rows: Any, *rest: Any) -> Any:
        read.extend(row.clip_id for row in rows)
        return hear(rows, *rest)

    def embedding(self: ObedientInBlocks, pack: Any, is_train: Any) -> Any:
        read.extend(pack.clip_ids)
        return embed(self, pack, is_train)

    monkeypatch.setattr(extract_shards, "hear", hearing)
    monkeypatch.setattr(ObedientInBlocks, "embed", embedding)
    for line in (EXTRACT, EMBED):
        read.clear()
        assert sharded(told, line, 4, "--engine", HERE, "--force")["status"] == "done"
        assert len(read) == len(set(read)) > 30
    assert files(RUN) == files(BY_HAND)


def test_a_shard_whose_worker_is_killed_is_named_the_rest_stands_and_a_rerun_completes(
    byhand: Path, told: Told
) -> None:
    sharded(told, EXTRACT, 2)
    Path(ORDER).write_text("die")
    first = sharded(told, EMBED, 3, "--engine", "local:threads=1")
    assert first["exit_code"] == 1
    assert first["error"]["message"] == (
        "1 of 3 shards is not made, so nothing was put together: 1/3: killed by signal 9 (SIGKILL)"
    )
    assert "run the same command again: it makes these alone" in first["error"]["hint"]
    waiting = sorted(path.name for path in (RUN / "shards/embeddings").glob("*.parquet"))
    assert waiting == ["2-of-3.parquet", "3-of-3.parquet"] and not (RUN / "embeddings.parquet").exists()
    assert sharded(told, EMBED, 3)["status"] == "done"
    assert files(RUN) == files(BY_HAND)


def test_what_a_shard_refuses_is_said_with_what_to_do_about_it(byhand: Path, told: Told) -> None:
    sharded(told, EXTRACT, 1)
    Path(ORDER).write_text("refuse")
    error = sharded(told, EMBED, 4)["error"]
    assert error["message"].endswith("1/4: fan: nothing can be made of this")
    assert error["hint"].startswith("bring something else; then run the same command again")


def test_a_shard_that_somebody_else_is_at_is_named_with_who_that_is(byhand: Path, told: Told) -> None:
    sharded(told, EXTRACT, 1)
    with alone(RUN / "shards/embeddings/2-of-3"):
        refused = sharded(told, EMBED, 3)["error"]["message"]
        assert "2/3: runs/synthetic/shards/embeddings/2-of-3 is being written by" in refused
    assert sharded(told, EMBED, 3)["exit_code"] == 0


def test_what_is_wrong_in_all_shards_is_said_of_them_once_and_once_when_they_are_put_together(
    byhand: Path, told: Told
) -> None:
    sharded(told, EXTRACT, 1)
    (RUN / "features/logmel/fan.npz").unlink()
    for n in (1, 4):
        found = sharded(told, EMBED, n, "--engine", HERE, "--force")
        assert [warning.partition(":")[0] for warning in found["warnings"]] == ["no logmel features of fan"] * 2


@pytest.mark.parametrize("line", [EXTRACT, EMBED])
@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("--engine local", "--engine is for shards that are made here or elsewhere"),
        ("--retry 2", "--retry is for shards that are made here or elsewhere"),
        ("--shards 2 --shard 1/2", "--shard is one of several, --shards is all of them"),
        ("--shards 2 --engine lokal", "unknown engine 'lokal'"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    here: Path, told: Told, line: str, more: str, message: str
) -> None:
    refused = told(*line.split(), *more.split())
    assert (refused["exit_code"], refused["error"]["message"]) == (2, message)


def test_vectors_that_are_brought_take_no_shards(here: Path, told: Told) -> None:
    assert told("embed", "--from", "x.csv", "--shards", "2")["error"]["hint"] == "leave --shards out"


def test_what_is_handed_to_a_worker_arrives_as_it_was(here: Path) -> None:
    work = ShardWork("embed", "synthetic", "2/3", {"machine_types": ["fan"], "batch_size": 3, "clips": "a/b"})
    site = Site("synthetic", "data", "runs/synthetic", str(here), command="embed")
    assert taken(handed(work, site)) == (work, site)
