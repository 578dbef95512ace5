"""What does not fit an edition is said: another year's recordings have the same folders and nearly the same names."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from asdcli import artifacts, catalogue
from asdcli.editions import fit
from asdcli.editions.request import Request
from asdcli.errors import DownloadError
from asdcli.stages import download
from asdcli.vocabulary import Subset

SCHEMA = pa.schema([(c.name, c.type) for c in artifacts.CLIPS.columns])


def clips(
    machine_type: str = "ToyCar", *, n_train: int = 1000, n_test: int = 200, seconds: float = 12.0, section: str = "00"
) -> pa.Table:
    rows = []
    for split, n in (("train", n_train), ("test", n_test)):
        for i in range(n):
            name = f"dev_data/raw/{machine_type}/{split}/section_{section}_source_{split}_normal_{i:04d}"
            rows.append(
                {"clip_id": name, "path": f"{name}.wav", "machine_type": machine_type, "section": section}
                | {"subset": "dev", "split": split, "duration_s": seconds}
            )
    return pa.Table.from_pylist(rows, SCHEMA)


def test_names_of_another_year_are_told_with_the_year(monkeypatch: pytest.MonkeyPatch) -> None:
    table = clips()
    ours, theirs = (catalogue.load(name) for name in ("dcase2024", "dcase2023"))
    names = {Subset.DEV: {"ToyCar": fit.digest_of_names(table["path"].to_pylist())}}
    told = "the names of the clips of ToyCar (dev) are not those of dcase2024"
    assert fit.misfits(table, ours) == [told]
    known = {"dcase2023": theirs.model_copy(update={"names": names})}
    monkeypatch.setattr(catalogue, "load", lambda name: known.get(name, ours))
    assert fit.misfits(table, ours) == [f"{told}; they are those of dcase2023"]
    assert fit.misfits(table, ours.model_copy(update={"names": names})) == []
    assert fit.misfits(table.slice(1), ours) == []  # not there whole: nothing can be told


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (clips("fan", n_train=3, seconds=10.0), []),
        (clips("fan", n_train=3, seconds=12.0), ["203 clips of fan (dev) last 12 s; those of dcase2024 last 10 s"]),
        (
            clips("fan", n_train=3, n_test=0, seconds=6.0),
            ["3 clips of fan (dev) last 6 s; those of dcase2024 last 10 s"],
        ),
        (clips("pump", n_train=1), ["dcase2024 has no machine type pump (dev)"]),
        (
            clips("slider", n_train=1, n_test=0, seconds=10.0, section="02"),
            ["slider (dev) has sections that dcase2024 has not: 02"],
        ),
        (
            clips("slider", n_train=1, n_test=201, seconds=10.0),
            ["slider (dev) has 201 test clips in section 00; in dcase2024 there are 200"],
        ),
    ],
)
def test_lengths_counts_and_sections_are_held_against_the_catalogue(table: pa.Table, told: list[str]) -> None:
    assert fit.misfits(table, catalogue.load("dcase2024")) == told


def test_a_zip_of_another_edition_is_refused_by_its_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    md5 = catalogue.load("dcase2023").records[0].md5["ToyCar"]
    assert fit.owner_of_zip(md5, catalogue.load("dcase2024")) == "dcase2023"
    assert fit.owner_of_zip(md5, catalogue.load("dcase2023")) is None
    assert fit.owner_of_zip("0" * 32, catalogue.load("dcase2024")) is None
    (tmp_path / "zips").mkdir()
    (tmp_path / "zips" / "dev_ToyCar.zip").write_bytes(b"the zip of the year before")
    monkeypatch.setattr(download, "md5_of", lambda path: md5)
    request = Request("dcase2024", (Subset.DEV,), ("ToyCar",), from_dir=tmp_path / "zips")
    with pytest.raises(DownloadError, match=r"dev_ToyCar.zip is a zip of dcase2023, not of dcase2024"):
        download.run(request, tmp_path / "data" / "dcase2024")
    assert not (tmp_path / "data" / "dcase2024" / "dev_data").exists()
