"""Where an edition's archives can be had, and what is known of them before they are fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdcli.editions.archives import Archive
from asdcli.editions.mirror import Folder, Offer
from asdcli.editions.request import Request
from asdcli.errors import MissingArtifact
from asdcli.fetch import NotFound, Source


@pytest.fixture
def part() -> Archive:
    return Request("dcase2023", machine_types=("fan",)).parts(Path("data"))[0]


def test_a_zip_of_a_folder_is_offered_with_its_size_and_the_catalogues_checksum(part: Archive, tmp_path: Path) -> None:
    place = tmp_path / "deep" / part.zip_name
    place.parent.mkdir()
    place.write_bytes(b"PK of seventeen b")
    of_catalogue = Source(part.zip_name, (str(place),), part.md5, 17)
    assert part.md5 and Folder(tmp_path).offer(part) == Offer(part, of_catalogue, 17)
    (place.parent / "md5sums.txt").write_bytes(b"# sums \xe9\n" + f"{'ab' * 16}  {part.zip_name}\n".encode())
    assert Folder(tmp_path).offer(part).source.md5 == "ab" * 16


def test_of_two_zips_of_one_name_the_first_path_counts(part: Archive, tmp_path: Path) -> None:
    for folder in ("b", "a", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / part.zip_name).write_bytes(folder.encode())
    assert Folder(tmp_path).offer(part).source.urls == (str(tmp_path / "a" / part.zip_name),)


def test_a_zip_that_a_folder_does_not_hold_is_offered_as_a_problem(part: Archive, tmp_path: Path) -> None:
    offer = Folder(tmp_path).offer(part)
    assert (offer.part, offer.source, offer.size) == (part, Source(part.zip_name, ()), None)
    assert isinstance(offer.problem, NotFound)
    assert (offer.problem.message, offer.problem.hint) == (
        f"{part.zip_name} is not in {tmp_path}",
        "ask for the rest without --from-dir",
    )


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingArtifact, match="no folder") as refusal:
        Folder(tmp_path / "none")
    assert refusal.value.hint == "--from-dir names the folder that holds the zips"
