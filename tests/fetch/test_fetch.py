"""One file over HTTP from a server that misbehaves, and one zip that does."""

from __future__ import annotations

import email.utils
import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from asdcli.errors import DownloadError
from asdcli.fetch import DiskError, NotFound, Retry, Source, Watcher, client, require_space, transfer, unzip
from tests.helpers import full_disk
from tests.helpers.loopback import Act, Loopback, md5, wav, zipped

FAST = Retry(tries=4, base_s=0.001, cap_s=0.01, retry_after_cap_s=0.02)
CONTENT = zipped({"fan/train/a.wav": wav(8.0)})  # about 256 kB
HALF = len(CONTENT) // 2
PATH = "/a.zip"


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback({PATH: CONTENT}) as running:
        yield running


def get(server: Loopback, folder: Path, *, good_md5: bool = True, size: int | None = None, retry: Retry = FAST) -> Path:
    source = Source("a.zip", (server.url + PATH,), md5(CONTENT) if good_md5 else None, size)
    target = folder / "a.zip"
    with client() as http:
        transfer(http, source, target, retry=retry)
    return target


def leave_half(server: Loopback, folder: Path) -> None:
    """A part of HALF bytes, left by a server that cuts every time."""
    server.always[PATH] = Act(cut_after=HALF, ignore_range=True)
    with pytest.raises(DownloadError, match="failed 1 times in a row: the connection was cut"):
        get(server, folder, retry=Retry(tries=1))
    del server.always[PATH]
    assert (folder / "a.zip.part").stat().st_size == HALF
    server.seen.clear()


def only_the_file(folder: Path) -> bool:
    return [p.name for p in folder.iterdir()] == ["a.zip"] and (folder / "a.zip").read_bytes() == CONTENT


def test_a_whole_file_arrives_and_nothing_else_stays(server: Loopback, tmp_path: Path) -> None:
    get(server, tmp_path, size=len(CONTENT))
    assert only_the_file(tmp_path)
    assert len(server.seen) == 1


def test_a_cut_transfer_goes_on_where_it_stopped(server: Loopback, tmp_path: Path) -> None:
    server.acts[PATH] += [Act(cut_after=1000), Act(cut_after=2000)]
    get(server, tmp_path)
    assert only_the_file(tmp_path)
    assert [s.range for s in server.seen] == [None, "bytes=1000-", "bytes=3000-"]
    assert server.seen[1].if_range == f'"{md5(CONTENT)}"'


def test_a_cut_counts_as_progress_so_many_cuts_still_end_in_a_file(server: Loopback, tmp_path: Path) -> None:
    server.acts[PATH] += [Act(cut_after=1000)] * 20
    get(server, tmp_path)
    assert only_the_file(tmp_path)
    assert len(server.seen) == 21 > FAST.tries


def test_without_range_support_it_starts_over_and_does_not_append(server: Loopback, tmp_path: Path) -> None:
    leave_half(server, tmp_path)
    server.always[PATH] = Act(ignore_range=True)
    get(server, tmp_path)
    assert only_the_file(tmp_path)
    assert server.seen[0].range == f"bytes={HALF}-"


def test_a_file_that_changed_on_the_server_is_fetched_from_the_start(server: Loopback, tmp_path: Path) -> None:
    leave_half(server, tmp_path)
    server.files[PATH] = zipped({"fan/train/a.wav": wav(8.0, seed=5)})
    source = Source("a.zip", (server.url + PATH,), None)
    with client() as http:  # another expected checksum makes the old part worthless at once
        transfer(http, source, tmp_path / "a.zip", retry=FAST)
    assert (tmp_path / "a.zip").read_bytes() == server.files[PATH]
    assert [s.range for s in server.seen] == [None]


def test_a_stale_part_without_etags_is_found_out_by_its_checksum(tmp_path: Path) -> None:
    old = zipped({"fan/train/a.wav": wav(8.0, seed=5)})
    with Loopback({PATH: old}, etags=False) as server:
        leave_half(server, tmp_path)
        server.files[PATH] = CONTENT
        get(server, tmp_path)
        assert only_the_file(tmp_path)
        assert [s.range for s in server.seen] == [f"bytes={HALF}-", None]


def test_a_part_that_is_already_whole_is_taken_after_a_416(server: Loopback, tmp_path: Path) -> None:
    leave_half(server, tmp_path)
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    get(server, tmp_path)
    assert only_the_file(tmp_path)
    assert [s.range for s in server.seen] == [f"bytes={len(CONTENT)}-"]


def test_a_part_longer_than_the_file_is_thrown_away_after_a_416(server: Loopback, tmp_path: Path) -> None:
    leave_half(server, tmp_path)
    (tmp_path / "a.zip.part").write_bytes(CONTENT + b"x")
    get(server, tmp_path)
    assert only_the_file(tmp_path)
    assert [s.range for s in server.seen] == [f"bytes={len(CONTENT) + 1}-", None]


def test_a_part_of_known_full_size_is_checked_without_asking(server: Loopback, tmp_path: Path) -> None:
    leave_half(server, tmp_path)
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    get(server, tmp_path, size=len(CONTENT))
    assert only_the_file(tmp_path)
    assert server.seen == []


@pytest.mark.parametrize("status", [429, 503, 504, 500])
def test_a_busy_server_is_asked_again(server: Loopback, tmp_path: Path, status: int) -> None:
    server.acts[PATH] += [Act(status=status, headers={"Retry-After": "1"}), Act(status=status)]
    get(server, tmp_path)
    assert only_the_file(tmp_path)
    assert len(server.seen) == 3


def test_a_busy_server_is_given_up_after_the_last_try_and_the_part_stays(server: Loopback, tmp_path: Path) -> None:
    leave_half(server, tmp_path)
    server.always[PATH] = Act(status=503)
    with pytest.raises(DownloadError, match=r"failed 4 times in a row: the server is busy \(HTTP 503\)") as error:
        get(server, tmp_path)
    assert "goes on from the part" in (error.value.hint or "")
    assert (tmp_path / "a.zip.part").stat().st_size == HALF


def test_retry_after_is_obeyed_in_seconds_and_as_a_date_up_to_a_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asdcli.fetch.headers.time.time", lambda: 1_700_000_000.0)
    retry = Retry(base_s=1.0, cap_s=8.0, retry_after_cap_s=60.0)
    assert retry.wait_s(1, "7") == 7.0
    assert retry.wait_s(1, "100000") == 60.0
    assert retry.wait_s(1, email.utils.formatdate(1_700_000_010, usegmt=True)) == 10.0
    for failures, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (9, 8.0)):
        for unreadable in (None, "soon"):
            assert longest / 2 <= retry.wait_s(failures, unreadable) <= longest


@pytest.mark.parametrize(
    "page",
    [
        Act(body=b"<html>Are you a robot?</html>", headers={"Content-Type": "text/html; charset=utf-8"}),
        Act(body=b"\n<!DOCTYPE html><html></html>", headers={"Content-Type": "application/octet-stream"}),
    ],
)
@pytest.mark.parametrize("with_part", [False, True])
def test_a_web_page_in_place_of_the_zip_is_refused_at_once(
    server: Loopback, tmp_path: Path, page: Act, with_part: bool
) -> None:
    if with_part:
        leave_half(server, tmp_path)
    server.always[PATH] = page
    with pytest.raises(DownloadError, match=r"a web page came from http.* in place of a\.zip"):
        get(server, tmp_path)
    assert len(server.seen) == 1
    assert not (tmp_path / "a.zip").exists()


def test_something_that_is_no_zip_is_refused(server: Loopback, tmp_path: Path) -> None:
    server.always[PATH] = Act(body=b"%PDF-1.4 hello")
    with pytest.raises(DownloadError, match="no zip archive"):
        get(server, tmp_path)


def test_a_wrong_checksum_is_named_with_both_sums_and_leaves_nothing(server: Loopback, tmp_path: Path) -> None:
    other = zipped({"fan/train/a.wav": wav(1.0, seed=9)})
    server.files[PATH] = other
    with pytest.raises(DownloadError, match=f"expected md5 {md5(CONTENT)}, got {md5(other)}; it was removed"):
        get(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_content_length_that_is_too_long_is_found_out(server: Loopback, tmp_path: Path) -> None:
    server.acts[PATH].append(Act(content_length=len(CONTENT) + 500))
    get(server, tmp_path)  # taken for a cut; the next answer is 416, and the checksum is right
    assert only_the_file(tmp_path)


def test_a_content_length_that_is_too_short_is_found_out(server: Loopback, tmp_path: Path) -> None:
    server.always[PATH] = Act(content_length=HALF)
    with pytest.raises(DownloadError, match="expected md5"):
        get(server, tmp_path)
    with pytest.raises(DownloadError, match=f"offers {HALF} bytes, but a.zip has {len(CONTENT)}"):
        get(server, tmp_path, size=len(CONTENT))


def test_a_server_that_goes_on_elsewhere_than_asked_is_not_believed(server: Loopback, tmp_path: Path) -> None:
    server.acts[PATH].append(Act(cut_after=HALF))
    n = len(CONTENT)
    server.acts[PATH].append(Act(status=206, body=CONTENT[9:], headers={"Content-Range": f"bytes 9-{n - 1}/{n}"}))
    get(server, tmp_path, good_md5=False)  # no checksum would notice
    assert only_the_file(tmp_path)


def test_the_second_place_is_asked_only_after_a_404(server: Loopback, tmp_path: Path) -> None:
    urls = (f"{server.url}/records/1/files/a.zip", server.url + PATH)
    with client() as http:
        transfer(http, Source("a.zip", urls, md5(CONTENT)), tmp_path / "a.zip", retry=FAST)
        assert only_the_file(tmp_path)
        with pytest.raises(NotFound, match="HTTP 404"):
            transfer(http, Source("b.zip", urls[:1]), tmp_path / "b.zip", retry=FAST)
        server.always["/forbidden"] = Act(status=403)
        with pytest.raises(DownloadError, match="HTTP 403"):
            transfer(http, Source("c.zip", (f"{server.url}/forbidden", urls[1])), tmp_path / "c.zip", retry=FAST)


def test_no_server_at_all_is_told_within_a_few_tries(tmp_path: Path) -> None:
    with Loopback() as gone:
        url = gone.url
    with client() as http, pytest.raises(DownloadError, match="failed 4 times in a row: no connection"):
        transfer(http, Source("a.zip", (url + PATH,)), tmp_path / "a.zip", retry=Retry(tries=50, base_s=0.001))


def test_the_watcher_counts_every_byte_of_the_part_once(server: Loopback, tmp_path: Path) -> None:
    leave_half(server, tmp_path)
    server.acts[PATH] += [Act(cut_after=1000), Act(ignore_range=True)]
    counted: list[int] = []
    source = Source("a.zip", (server.url + PATH,), md5(CONTENT))
    with client() as http:
        transfer(http, source, tmp_path / "a.zip", retry=FAST, watcher=Watcher(count=counted.append))
    assert sum(counted) == len(CONTENT)
    assert counted[0] == HALF
    assert min(counted) == -(HALF + 1000)  # thrown away when the server began anew


def test_a_full_disk_is_named_and_the_part_stays(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_disk.for_file(monkeypatch, "a.zip.part")
    with pytest.raises(DiskError, match=r"the disk is full while writing .*a\.zip\.part"):
        get(server, tmp_path)
    assert (tmp_path / "a.zip.part").exists()


def test_a_file_larger_than_the_disk_is_refused_before_it_is_fetched(server: Loopback, tmp_path: Path) -> None:
    server.always[PATH] = Act(content_length=10**18)
    with pytest.raises(DiskError, match=r"a\.zip needs .* GB, but .* free"):
        get(server, tmp_path)
    with pytest.raises(DiskError, match="clips needs"):
        require_space(tmp_path / "not" / "yet" / "there", 10**18, "clips")


def test_a_folder_that_cannot_be_written_is_named(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DiskError, match=r"cannot write .*/file: File exists"):
        get(server, tmp_path / "file")


def test_two_downloads_do_not_mix_their_bytes(server: Loopback, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    leave_half(server, tmp_path)
    with (tmp_path / "a.zip.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="another download is writing"):
            get(server, tmp_path)
    get(server, tmp_path)
    assert only_the_file(tmp_path)


def unpack(tmp_path: Path, content: bytes, top: str = "fan") -> list[str]:
    archive = tmp_path / "a.zip"
    archive.write_bytes(content)
    return [m.path for m in unzip(archive, tmp_path / "raw", top=top)]


def test_unpacking_puts_the_machine_types_folder_in_place(tmp_path: Path) -> None:
    content = zipped({"fan/train/a.wav": b"A", "fan/test/b.wav": b"B", "__MACOSX/fan/._a": b"", "fan/.DS_Store": b""})
    assert unpack(tmp_path, content) == ["test/b.wav", "train/a.wav"]
    assert [p.name for p in (tmp_path / "raw").iterdir()] == ["fan"]
    assert (tmp_path / "raw/fan/train/a.wav").read_bytes() == b"A"


def test_training_and_test_zips_share_a_folder(tmp_path: Path) -> None:
    unpack(tmp_path, zipped({"fan/train/a.wav": b"A", "fan/attributes_00.csv": b"x"}))
    unpack(tmp_path, zipped({"fan/test/b.wav": b"B"}))
    unpack(tmp_path, zipped({"fan/train/a.wav": b"again"}))
    files = {p.relative_to(tmp_path / "raw").as_posix() for p in (tmp_path / "raw").rglob("*.*")}
    assert files == {"fan/train/a.wav", "fan/attributes_00.csv", "fan/test/b.wav"}
    assert (tmp_path / "raw/fan/train/a.wav").read_bytes() == b"again"


@pytest.mark.parametrize(
    "name", ["../evil.wav", "fan/../../evil.wav", "/evil.wav", "fan\\..\\evil.wav", "C:/fan/evil.wav", "fan/a:b.wav"]
)
def test_a_path_that_leads_out_of_the_folder_unpacks_nothing(tmp_path: Path, name: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("fan/train/a.wav", b"A")
        info = zipfile.ZipInfo("x")
        info.filename = name  # ZipInfo() itself would tidy it up
        archive.writestr(info, b"evil")
    with pytest.raises(DownloadError, match="nothing of it was unpacked"):
        unpack(tmp_path, out.getvalue())
    assert [p.name for p in tmp_path.rglob("*.wav")] == []


def test_a_link_in_a_zip_unpacks_nothing(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("fan/train")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc")
        archive.writestr("fan/train/passwd", b"evil")
    with pytest.raises(DownloadError, match="holds the link"):
        unpack(tmp_path, out.getvalue())


def test_a_truncated_zip_is_refused_and_the_old_folder_stays(tmp_path: Path) -> None:
    unpack(tmp_path, zipped({"fan/train/a.wav": b"good"}))
    with pytest.raises(DownloadError, match="damaged zip"):
        unpack(tmp_path, CONTENT[:-500])
    assert (tmp_path / "raw/fan/train/a.wav").read_bytes() == b"good"
    assert [p.name for p in (tmp_path / "raw").iterdir()] == ["fan"]


def test_a_zip_with_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    flipped = bytearray(CONTENT)
    flipped[HALF] ^= 1
    with pytest.raises(DownloadError, match=r"damaged zip.*CRC"):
        unpack(tmp_path, bytes(flipped))
    assert not (tmp_path / "raw/fan").exists()


def test_a_zip_of_another_machine_type_or_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="not below pump/"):
        unpack(tmp_path, CONTENT, top="pump")
    with pytest.raises(DownloadError, match="holds no files"):
        unpack(tmp_path, zipped({}))


def test_names_that_stand_twice_do_not_hide_each_other(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("fan/a.wav", b"1")
        archive.writestr("fan/a.wav", b"2")
    with pytest.raises(DownloadError, match="lists 2 files but 1 came out"):
        unpack(tmp_path, out.getvalue())
