"""Ground truth that cannot be had: each table is named, and a machine without network hears of it once."""

from __future__ import annotations

import socket
from pathlib import Path

from asdcli import catalogue
from asdcli.catalogue.truth import tables
from asdcli.editions import ground_truth
from asdcli.errors import DownloadError
from asdcli.fetch import client
from asdcli.fetch.retry import Retry
from asdcli.vocabulary import Subset
from tests.helpers.heard import Heard


def test_where_nobody_answers_all_tables_that_are_missing_are_named_and_nobody_is_asked_again(tmp_path: Path) -> None:
    wanted = tables(catalogue.load("dcase2023"), [Subset.EVAL])
    assert len(wanted) > 3
    there = tmp_path / wanted[1].path
    there.parent.mkdir(parents=True)
    there.write_text("section_00_0000.wav,0\n")
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        heard = Heard()
        with client() as http:
            failed = ground_truth.fetch(
                wanted,
                tmp_path,
                http=http,
                truth_url=f"http://127.0.0.1:{taken.getsockname()[1]}//",
                retry=Retry(tries=1, base_s=0.0),
                progress=heard,
            )
    assert set(failed) == {table.path for table in wanted} - {wanted[1].path}
    (error,) = {id(e): e for e in failed.values()}.values()
    assert isinstance(error, DownloadError)
    assert not any((tmp_path / path).exists() for path in failed)


def test_nothing_is_asked_for_what_is_there(tmp_path: Path) -> None:
    wanted = tables(catalogue.load("dcase2023"), [Subset.EVAL])
    for table in wanted:
        (tmp_path / table.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / table.path).write_text("section_00_0000.wav,0\n")
    assert ground_truth.fetch(wanted, tmp_path, http=None) == {}
