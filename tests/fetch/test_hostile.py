"""Servers that mean harm: answers without end, bombs, redirects to elsewhere, headers that say nonsense."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asdcli import catalogue
from asdcli.editions.mirror import parse_list, parse_sums
from asdcli.editions.request import Request
from asdcli.errors import DownloadError
from asdcli.fetch import NotFound, Retry, Source, client, get_bytes, head_size, part_file, small, transfer, unzip
from asdcli.fetch.headers import content_range, seconds, whole
from asdcli.stages import download
from tests.helpers.heard import Heard
from tests.helpers.loopback import Act, Loopback, machine_zip, md5, record, zipped

FAST = Retry(tries=3, base_s=0.001, cap_s=0.01, retry_after_cap_s=0.02)
PATH = "/a.zip"
SIZES = 16 * small.MOST
"""Of what a server may have sent, buffers of the system included, before the client has left."""


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


def small_answer(server: Loopback) -> bytes:
    with client() as http:
        return get_bytes(http, server.url + PATH, retry=FAST)


def archive(server: Loopback, folder: Path, *, size: int | None = None) -> None:
    with client() as http:
        transfer(http, Source("a.zip", (server.url + PATH,), None, size), folder / "a.zip", retry=FAST)


# --- how much -----------------------------------------------------------------------------------------------------


def test_a_small_answer_without_end_is_left_after_its_limit(server: Loopback) -> None:
    server.always[PATH] = Act(endless=b"0" * (1 << 16))
    with pytest.raises(DownloadError, match=r"sends more than 8\.0 MB: it is no list or table"):
        small_answer(server)
    assert server.sent_endlessly < SIZES
    assert len(server.seen) == 1


def test_a_small_answer_that_only_trickles_is_left(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "PATIENCE_S", -1.0)
    server.always[PATH] = Act(endless=b"0")
    with pytest.raises(DownloadError, match="does not come to an end"):
        small_answer(server)


def test_an_answer_that_was_packed_unasked_is_unpacked(server: Loopback) -> None:
    server.always[PATH] = Act(body=gzip.compress(b"a,b\n"), headers={"Content-Encoding": "gzip"})
    assert small_answer(server) == b"a,b\n"


@pytest.mark.parametrize(
    ("body", "packing", "why"),
    [
        (gzip.compress(bytes(10 * small.MOST), mtime=0), "gzip", "sends more than 8.0 MB"),
        (gzip.compress(b"a,b\n", mtime=0)[:-9], "gzip", "it cannot be unpacked"),
        (b"a,b\n", "deflate", "it cannot be unpacked"),
        (b"a,b\n", "br", "packed as 'br', which was not asked for"),
    ],
)
def test_a_packed_answer_that_is_a_bomb_or_damaged_is_refused(
    server: Loopback, body: bytes, packing: str, why: str
) -> None:
    server.always[PATH] = Act(body=body, headers={"Content-Encoding": packing})
    with pytest.raises(DownloadError, match=why):
        small_answer(server)
    assert len(server.seen) == 1


def test_an_archive_without_end_is_cut_at_its_size_and_removed(server: Loopback, tmp_path: Path) -> None:
    server.always[PATH] = Act(endless=b"PK\x03\x04" + bytes(1 << 16))
    with pytest.raises(DownloadError, match=r"sends more than the 200 kB that a\.zip can have"):
        archive(server, tmp_path, size=200_000)
    assert not list(tmp_path.iterdir())


def test_an_archive_of_unknown_size_has_an_end_too(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_file, "LARGEST", 300_000)
    server.always[PATH] = Act(endless=b"PK\x03\x04" + bytes(1 << 16))
    with pytest.raises(DownloadError, match="sends more than the 300 kB"):
        archive(server, tmp_path)
    assert not list(tmp_path.iterdir())


# --- zips ---------------------------------------------------------------------------------------------------------


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return out.getvalue()


def test_a_zip_that_promises_far_more_than_recordings_can_be_is_not_unpacked(tmp_path: Path) -> None:
    bomb = packed({f"fan/train/{i}.wav": bytes(1 << 20) for i in range(4)})
    (tmp_path / "a.zip").write_bytes(bomb)
    with pytest.raises(DownloadError, match=r"promises 4 files of 4\.2 MB: no recordings shrink so"):
        unzip(tmp_path / "a.zip", tmp_path / "raw", top="fan")
    assert not (tmp_path / "raw").exists()


def test_a_zip_of_countless_files_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asdcli.fetch.archive._MOST_FILES", 9)
    (tmp_path / "a.zip").write_bytes(zipped({f"fan/{i}.wav": b"" for i in range(10)}))
    with pytest.raises(DownloadError, match="promises 10 files"):
        unzip(tmp_path / "a.zip", tmp_path / "raw", top="fan")


def test_a_file_that_holds_more_than_it_promises_unpacks_nothing(tmp_path: Path) -> None:
    content = packed({"fan/a.wav": bytes(range(256)) * 400})
    promised = (256 * 400).to_bytes(4, "little")
    assert content.count(promised) == 2  # in the file's own head and in the directory
    (tmp_path / "a.zip").write_bytes(content.replace(promised, (10).to_bytes(4, "little")))
    with pytest.raises(DownloadError, match="damaged zip"):
        unzip(tmp_path / "a.zip", tmp_path / "raw", top="fan")
    assert not (tmp_path / "raw/fan").exists()


# --- where to ---------------------------------------------------------------------------------------------------


ELSEWHERE = ["file:///etc/passwd", "ftp://127.0.0.1/a.zip", "data:text/plain,a", "javascript:1", "http://[::1"]


@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_redirect_to_what_is_no_http_address_ends_at_once(server: Loopback, tmp_path: Path, place: str) -> None:
    server.always[PATH] = Act(status=302, headers={"Location": place})
    asked: list[Callable[[], object]] = [lambda: small_answer(server), lambda: archive(server, tmp_path)]
    for number, ask in enumerate(asked, 1):
        with pytest.raises(DownloadError, match=r"redirects to .* which is no http address"):
            ask()
        assert len(server.seen) == number
    assert not (tmp_path / "a.zip").exists()


def test_redirects_in_circles_end_without_another_try(server: Loopback, tmp_path: Path) -> None:
    server.always[PATH] = Act(status=302, headers={"Location": PATH})
    for ask in (lambda: small_answer(server), lambda: archive(server, tmp_path)):
        server.seen.clear()
        with pytest.raises(DownloadError, match="redirects in circles"):
            ask()
        assert len(server.seen) == 21  # httpx follows twenty


def test_a_redirect_to_another_place_on_the_server_is_followed(server: Loopback) -> None:
    server.files["/b"] = b"a,b\n"
    server.always[PATH] = Act(status=302, headers={"Location": "/b"})
    assert small_answer(server) == b"a,b\n"


# --- headers --------------------------------------------------------------------------------------------------


def test_a_number_in_a_header_is_one_that_a_computer_counts_in() -> None:
    assert [whole(text) for text in ("0", " 12 ", "007")] == [0, 12, 7]
    for text in (None, "", "²", "٣", "-1", "1.5", "1e3", "9" * 20, "9" * 5000, "0x10"):
        assert whole(text) is None


@pytest.mark.parametrize("text", ["²", "-5", "nan", "inf", "9" * 5000, "Mon, 99 Foo 0000", "Thu, 01 Jan 99999 0:0:0"])
def test_a_retry_after_that_says_nothing_is_not_obeyed(text: str) -> None:
    assert seconds(text) is None
    assert 0.5 <= Retry(base_s=1.0).wait_s(1, text) <= 1.0


def test_a_content_range_of_strange_numbers_says_nothing() -> None:
    assert content_range("bytes 5-9/10") == (5, 10)
    assert content_range("bytes 5-9/*") == (5, None)
    for text in (None, "bytes ²-9/10", f"bytes {'9' * 5000}-9/10", "5-9/10"):
        assert content_range(text) == (-1, None)


def test_a_busy_server_with_a_strange_retry_after_is_asked_again(server: Loopback) -> None:
    server.acts[PATH].append(Act(status=503, headers={"Retry-After": "\xb2"}))
    server.files[PATH] = b"a,b\n"
    assert small_answer(server) == b"a,b\n"


def test_what_is_not_there_is_told_apart_from_what_is_refused(server: Loopback) -> None:
    with pytest.raises(NotFound), client() as http:
        head_size(http, server.url + PATH, retry=FAST)
    server.always[PATH] = Act(status=451)
    with pytest.raises(DownloadError, match="answers HTTP 451"):
        small_answer(server)


# --- lists ----------------------------------------------------------------------------------------------------


LISTED = {"key": "a.zip", "size": 3, "checksum": f"md5:{'A' * 32}"}


def test_a_record_list_is_read() -> None:
    assert parse_list(json.dumps({"id": 1, "files": [LISTED]}).encode()) == {"a.zip": (3, "a" * 32)}
    assert parse_list(json.dumps({"files": [{**LISTED, "checksum": "sha256:0"}]}).encode()) == {"a.zip": (3, None)}
    assert parse_list(record({})) == {}


STRANGE = [
    b"",
    b"[]",
    b"\xff",
    b'{"files": {}}',
    b'{"files": [[[]]]}',
    b'{"files": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"files": [{"key": "a", "size": Infinity, "checksum": ""}]}',
    b'{"files": [{"key": "a", "size": NaN, "checksum": ""}]}',
    *(
        json.dumps({"files": [{**LISTED, **wrong}]}).encode()
        for wrong in ({"size": -1}, {"size": "3"}, {"size": True}, {"size": 10**30}, {"key": []}, {"checksum": None})
    ),
]


@pytest.mark.parametrize("answer", STRANGE, ids=lambda answer: repr(answer[:40]))
def test_a_record_list_that_is_none_is_told_as_such(answer: bytes) -> None:
    with pytest.raises(ValueError):
        parse_list(answer)


@pytest.mark.parametrize("strange", [Act(body=STRANGE[6]), Act(body=STRANGE[5]), Act(endless=b"0" * (1 << 16))])
def test_a_download_goes_on_without_lists_that_are_none_and_says_so(tmp_path: Path, strange: Act) -> None:
    rec = catalogue.load("dcase2022").records[0].record
    content = machine_zip("fan")
    with Loopback({f"/records/{rec}/files/dev_fan.zip": content}) as server:
        server.always |= {f"/api/records/{rec}": strange, f"/records/{rec}/files/md5sums.txt": strange}
        heard = Heard()
        request = Request("dcase2022", machine_types=("fan",), base_url=server.url)
        download.run(request, tmp_path, retry=FAST, progress=heard)
    assert any(f"/api/records/{rec}" in said and "going on without" in said for said in heard.warnings)


def test_sums_are_found_in_whatever_a_server_sends() -> None:
    sums = f"{md5(b'a')}  a.zip\nnonsense\n{md5(b'b')} *./b.zip\n{'0' * 31}  c.zip\n\0\n"
    assert parse_sums(sums) == {"a.zip": md5(b"a"), "b.zip": md5(b"b")}
