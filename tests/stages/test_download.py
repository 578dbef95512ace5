"""`asd download` through its front door and as a stage, against servers that behave and that do not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from asdcli import artifacts, catalogue
from asdcli.editions.request import Request
from asdcli.errors import DownloadError, UsageError
from asdcli.fetch import DiskError, Retry
from asdcli.stages import download, verify
from asdcli.vocabulary import Subset
from asdcli.writing import owners
from tests.helpers import full_disk
from tests.helpers.heard import Heard
from tests.helpers.loopback import Act, Loopback, machine_zip, md5, record, wav, zipped
from tests.helpers.waiting import PATIENCE_S, wait_until

FAST = Retry(tries=3, base_s=0.001, cap_s=0.01, retry_after_cap_s=0.02)
DEV = catalogue.load("dcase2022").records[0].record
TYPES = ("bearing", "fan")
ZIPS = {f"dev_{m}.zip": machine_zip(m) for m in TYPES}
CLIPS_A_TYPE = 3 + 2 * 3


def zenodo(zips: dict[str, bytes], rec: str = DEV) -> dict[str, bytes]:
    """The paths under which Zenodo serves a record."""
    return {f"/records/{rec}/files/{n}": c for n, c in zips.items()} | {f"/api/records/{rec}": record(zips)}


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(zenodo(ZIPS)) as running:
        yield running


def request(server: Loopback | None = None, **options: object) -> Request:
    base = {"edition": "dcase2022", "machine_types": TYPES, "base_url": server.url if server else None}
    return Request(**{**base, **options})  # type: ignore[arg-type]


def clips_of(root: Path) -> list[dict]:
    return artifacts.read_table(root / "clips.parquet", artifacts.CLIPS)[0].to_pylist()


def test_a_download_ends_in_a_table_of_clips_and_no_archives(server: Loopback, tmp_path: Path) -> None:
    heard, root = Heard(), tmp_path / "dcase2022"
    outcome = download.run(request(server), root, retry=FAST, progress=heard)
    assert outcome.facts.clips == 2 * CLIPS_A_TYPE
    assert heard.counted >= sum(map(len, ZIPS.values()))
    assert {p.name for p in root.iterdir()} == {".parts", "clips.parquet", "dev_data"}
    table, header = artifacts.read_table(root / "clips.parquet", artifacts.CLIPS)
    assert header.dataset == "dcase2022"
    assert header.params["edition"] == "dcase2022"
    rows = table.to_pylist()
    assert [r["clip_id"] for r in rows] == sorted(r["clip_id"] for r in rows)
    assert rows[0] == {
        "clip_id": "dev_data/raw/bearing/test/section_00_source_test_anomaly_0000_vel_0",
        "path": "dev_data/raw/bearing/test/section_00_source_test_anomaly_0000_vel_0.wav",
        "machine_type": "bearing",
        "section": "00",
        "subset": "dev",
        "split": "test",
        "domain": "source",
        "condition": "anomaly",
        "attributes": [("vel", "0")],
        "attribute_string": "vel_0",
        "duration_s": 0.05,
        "sample_rate": 16000,
        "channels": 1,
        "condition_from": "name",
        "group": None,  # it tests
        "group_from": None,
        "since": None,
    }


def test_the_same_download_gives_the_same_bytes(server: Loopback, tmp_path: Path) -> None:
    for name in ("one", "two"):
        download.run(request(server), tmp_path / name / "dcase2022", retry=FAST)
    one, two = ((tmp_path / n / "dcase2022/clips.parquet").read_bytes() for n in ("one", "two"))
    assert one == two


def test_what_is_there_is_skipped_without_asking_the_server(server: Loopback, tmp_path: Path) -> None:
    download.run(request(server), tmp_path, retry=FAST)
    written = (tmp_path / "clips.parquet").stat().st_mtime_ns
    server.seen.clear()
    assert len(download.plan(request(server), tmp_path).there) == 2
    assert download.run(request(server), tmp_path, retry=FAST).status == "current"
    assert server.seen == []
    assert (tmp_path / "clips.parquet").stat().st_mtime_ns == written


def test_what_a_killed_unpacking_left_is_replaced(server: Loopback, tmp_path: Path) -> None:
    raw = tmp_path / "dev_data/raw"
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    unpacking = f".dev_gone.zip.{owners.host_mark()}-{dead.stdout.strip()}-0.tmp"  # of an archive not asked for again
    for left in (raw / unpacking / "fan/train", raw / "fan/train"):
        left.mkdir(parents=True)
        (left / "section_00_source_train_normal_0000_vel_0.wav").write_bytes(b"half")
    download.run(request(server), tmp_path, retry=FAST)
    verify.run(request(server), tmp_path)
    assert sorted(p.name for p in raw.iterdir()) == sorted(TYPES)


def test_force_fetches_again(server: Loopback, tmp_path: Path) -> None:
    download.run(request(server), tmp_path, retry=FAST)
    assert download.run(request(server, force=True), tmp_path, retry=FAST).status == "done"
    assert len(server.gets(f"/records/{DEV}/files/dev_fan.zip")) == 2


def test_a_new_machine_type_joins_the_table(server: Loopback, tmp_path: Path) -> None:
    download.run(request(server, machine_types=("fan",)), tmp_path, retry=FAST)
    assert {r["machine_type"] for r in clips_of(tmp_path)} == {"fan"}
    download.run(request(server), tmp_path, retry=FAST)
    assert {r["machine_type"] for r in clips_of(tmp_path)} == set(TYPES)


def test_a_missing_archive_is_named_at_the_end_and_the_others_are_kept(server: Loopback, tmp_path: Path) -> None:
    wanted = request(server, machine_types=(*TYPES, "valve"))
    with pytest.raises(
        DownloadError, match=r"1 of 3 archives of dcase2022 could not be had:\n.*dev_valve\.zip is not at"
    ):
        download.run(wanted, tmp_path, retry=FAST)
    assert len(clips_of(tmp_path)) == 2 * CLIPS_A_TYPE
    server.files |= zenodo({"dev_valve.zip": machine_zip("valve")})
    server.seen.clear()
    download.run(wanted, tmp_path, retry=FAST)
    assert len(clips_of(tmp_path)) == 3 * CLIPS_A_TYPE
    assert not server.gets(f"/records/{DEV}/files/dev_fan.zip")


def test_a_damaged_archive_is_named_and_the_others_are_kept(server: Loopback, tmp_path: Path) -> None:
    server.files[f"/records/{DEV}/files/dev_fan.zip"] = machine_zip("fan", seconds=0.06)[:-100] + bytes(100)
    heard = Heard()
    with pytest.raises(DownloadError, match=r"1 of 2 archives.*\n.*dev_fan\.zip"):
        download.run(request(server), tmp_path, retry=FAST, progress=heard)
    assert {r["machine_type"] for r in clips_of(tmp_path)} == {"bearing"}
    assert not (tmp_path / "dev_data/raw/fan").exists()
    assert any("dev_fan.zip" in w for w in heard.warnings)


def test_a_zip_slip_in_an_archive_writes_nothing_outside(server: Loopback, tmp_path: Path) -> None:
    evil = zipped({"fan/train/a.wav": wav(), "fan/../../../../../evil.wav": b"x"})
    server.files |= zenodo({**ZIPS, "dev_fan.zip": evil})
    with pytest.raises(DownloadError, match="unsafe path"):
        download.run(request(server), tmp_path / "a/b/dcase2022", retry=FAST)
    assert not list(tmp_path.rglob("evil.wav"))


def test_a_plain_folder_of_zips_is_a_mirror(tmp_path: Path) -> None:
    with Loopback({f"/{n}": c for n, c in ZIPS.items()}) as server:
        heard = Heard()
        download.run(request(server), tmp_path, retry=FAST, progress=heard)
        assert len(clips_of(tmp_path)) == 2 * CLIPS_A_TYPE
        assert sum("no checksum is known" in n for n in heard.notes) == 2


def test_md5sums_at_a_mirror_win_over_the_catalogue(tmp_path: Path) -> None:
    content = machine_zip("fan")
    wanted = Request("dcase2023", machine_types=("fan",))
    with Loopback({"/dev_fan.zip": content}) as server:
        mirrored = replace(wanted, base_url=server.url)
        with pytest.raises(DownloadError, match="expected md5 9348591e96fb0ad499a1e33b082562fc"):
            download.run(mirrored, tmp_path, retry=FAST)
        server.files["/md5sums.txt"] = f"{md5(content)}  dev_fan.zip\n".encode()
        heard = Heard()
        download.run(mirrored, tmp_path, retry=FAST, progress=heard)
        assert len(clips_of(tmp_path)) == CLIPS_A_TYPE
        assert any("md5sums.txt, in place of the catalogue's" in n for n in heard.notes)


def test_a_records_own_list_catches_a_wrong_file_where_the_catalogue_has_no_checksum(
    server: Loopback, tmp_path: Path
) -> None:
    other = machine_zip("fan", n=4)
    same_size = other[: len(ZIPS["dev_fan.zip"])]
    server.files[f"/records/{DEV}/files/dev_fan.zip"] = same_size
    with pytest.raises(DownloadError, match=f"expected md5 {md5(ZIPS['dev_fan.zip'])}, got {md5(same_size)}"):
        download.run(request(server), tmp_path, retry=FAST)


def test_at_most_two_transfers_run_at_once_and_a_rate_limit_is_waited_out(tmp_path: Path) -> None:
    types = ("bearing", "fan", "gearbox", "slider", "valve")
    zips = {f"dev_{m}.zip": machine_zip(m, seconds=1.0) for m in types}
    with Loopback(zenodo(zips)) as server:
        for name in zips:
            server.acts[f"/records/{DEV}/files/{name}"].append(Act(status=429, headers={"Retry-After": "0"}))
            server.always[f"/records/{DEV}/files/{name}"] = Act(pause_s=0.001)
        download.run(request(server, machine_types=types), tmp_path, retry=FAST)
        assert server.most_at_once <= 2
        assert len(clips_of(tmp_path)) == 5 * CLIPS_A_TYPE


def test_kept_archives_are_used_again(server: Loopback, tmp_path: Path) -> None:
    download.run(request(server, keep_archives=True), tmp_path, retry=FAST)
    assert {p.name for p in (tmp_path / "archives").iterdir()} == set(ZIPS)
    shutil.rmtree(tmp_path / "dev_data")
    server.seen.clear()
    download.run(request(server, keep_archives=True), tmp_path, retry=FAST)
    assert not [s for s in server.seen if s.path.endswith(".zip")]
    assert len(clips_of(tmp_path)) == 2 * CLIPS_A_TYPE


def test_a_folder_of_zips_needs_no_network(tmp_path: Path) -> None:
    held = tmp_path / "held/deep"
    held.mkdir(parents=True)
    for name, content in ZIPS.items():
        (held / name).write_bytes(content)
    download.run(request(from_dir=tmp_path / "held"), tmp_path / "root")
    assert len(clips_of(tmp_path / "root")) == 2 * CLIPS_A_TYPE
    assert {p.name for p in held.iterdir()} == set(ZIPS)  # never ours to remove
    (held / "md5sums.txt").write_text(f"{md5(b'other')}  dev_fan.zip\n")
    with pytest.raises(DownloadError, match=r"dev_fan\.zip is not the file it should be"):
        download.run(request(from_dir=tmp_path / "held", machine_types=("fan",)), tmp_path / "again")
    with pytest.raises(DownloadError, match=r"dev_valve\.zip is not in"):
        download.run(request(from_dir=tmp_path / "held", machine_types=("valve",)), tmp_path / "again")
    assert not (tmp_path / "again/clips.parquet").exists()


def test_a_folder_stands_for_the_network_of_the_truth_too_and_its_tables_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = tmp_path / "held"
    held.mkdir()
    with eval_server() as server:
        for path, content in server.files.items():
            if path.endswith(".zip") or ("section_03" in path and "ground_truth_data" in path):
                place = held / Path(*path.split("/")[-2:])
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(content)

    def unwanted() -> None:
        raise AssertionError("the network is asked")

    monkeypatch.setattr(download, "client", unwanted)
    wanted = request(from_dir=held, machine_types=("ToyCar",), subsets=(Subset.EVAL,))
    heard = Heard()
    download.run(wanted, tmp_path / "root", progress=heard)
    assert {r["condition"] for r in clips_of(tmp_path / "root") if r["split"] == "test"} == {"normal", "anomaly"}
    assert any(w.startswith("5 tables of ground truth could not be had") for w in heard.warnings)
    quiet = Heard()
    download.run(replace(wanted, truth=False), tmp_path / "quiet", progress=quiet)
    assert {r["condition"] for r in clips_of(tmp_path / "quiet") if r["split"] == "test"} == {"normal", "anomaly"}
    assert not [w for w in quiet.warnings if "ground truth" in w]


def test_without_truth_nobody_is_asked_for_it(tmp_path: Path) -> None:
    with eval_server() as server:
        download.run(replace(eval_request(server), truth_url=None, truth=False), tmp_path, retry=FAST)
        assert not [s.path for s in server.seen if "evaluator" in s.path]
    assert {r["condition"] for r in clips_of(tmp_path) if r["split"] == "test"} == {None}
    with pytest.raises(UsageError, match="exclude each other"):
        download.run(replace(eval_request(server), truth=False), tmp_path)


def test_lists_of_renamed_files_come_with_the_evaluation_part_and_change_no_clip(tmp_path: Path) -> None:
    train, test = catalogue.load("dcase2024").records[1:]
    files = zenodo({"eval_data_Scanner_train.zip": machine_zip("Scanner", splits=("train",))}, train.record)
    files |= zenodo({"eval_data_Scanner_test.zip": zipped({"Scanner/test/section_00_0000.wav": wav()})}, test.record)
    folder = "/nttcslab/dcase2024_task2_evaluator/HEAD/ground_truth_"
    name = "ground_truth_Scanner_section_00_test.csv"
    files |= {f"{folder}data/{name}": b"section_00_0000.wav,1\n", f"{folder}domain/{name}": b"section_00_0000.wav,0\n"}
    renamed = b"section_00_0000.wav,section_00_source_test_anomaly_0000_vel_3\n"
    wanted = Request("dcase2024", (Subset.EVAL,), ("Scanner",))
    heard = Heard()
    with Loopback(files) as server:
        wanted = replace(wanted, base_url=server.url, truth_url=server.url)
        download.run(wanted, tmp_path, retry=FAST, progress=heard)
        assert not [w for w in heard.warnings if " last " not in w]  # these recordings are short
        before = (tmp_path / "clips.parquet").read_bytes()
        server.files[f"{folder}attributes/{name}"] = renamed
        download.run(wanted, tmp_path, retry=FAST)
    assert (tmp_path / "ground_truth/attributes/eval/Scanner" / name).read_bytes() == renamed
    assert (tmp_path / "clips.parquet").read_bytes() == before


def test_verify_names_what_is_missing_or_changed_and_how_to_repair_it(server: Loopback, tmp_path: Path) -> None:
    download.run(request(server), tmp_path, retry=FAST)
    assert verify.run(request(server), tmp_path).facts.files == 2 * (CLIPS_A_TYPE + 1)
    folder = tmp_path / "dev_data/raw/fan/train"
    one, two, three = sorted(folder.iterdir())
    one.unlink()
    two.write_bytes(two.read_bytes()[:-2])
    changed = bytearray(three.read_bytes())
    changed[-1] ^= 1
    three.write_bytes(changed)
    with pytest.raises(DownloadError) as error:
        verify.run(request(server), tmp_path)
    for file, words in ((one, "is missing"), (two, "bytes, not"), (three, "was changed")):
        assert f"{file} " in error.value.message
        assert words in error.value.message
    assert error.value.hint == f"repair it: asd download dcase2022 --force --machine-type fan --base-url {server.url}"
    download.run(request(server, force=True, machine_types=("fan",)), tmp_path, retry=FAST)
    verify.run(request(server), tmp_path)
    with pytest.raises(DownloadError, match=r"dev_valve\.zip is not unpacked"):
        verify.run(request(server, machine_types=("valve",)), tmp_path)


def test_a_full_disk_stops_the_download_and_the_next_one_goes_on(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as disk:
        full_disk.for_file(disk, "dev_bearing.zip.part")
        with pytest.raises(DiskError, match="the disk is full"):
            download.run(request(server, connections=1), tmp_path, retry=FAST)
    assert not (tmp_path / "clips.parquet").exists()
    download.run(request(server), tmp_path, retry=FAST)
    assert len(clips_of(tmp_path)) == 2 * CLIPS_A_TYPE


def test_impossible_requests_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    for wanted, words in (
        (Request("dcase2019"), "unknown edition"),
        (request(machine_types=("fann",)), "unknown machine type"),
        (request(base_url="ftp://x"), "no http address"),
        (request(base_url="http://x", from_dir=tmp_path), "exclude each other"),
        (Request("synthetic2021"), "rendered"),
    ):
        with pytest.raises(UsageError, match=words):
            download.run(wanted, tmp_path / "root")
    assert not list((tmp_path / "root").glob("*"))


def eval_server() -> Loopback:
    """dcase2022's evaluation part of ToyCar: hidden names, and truth that contradicts the list of renamed files."""
    train, test = catalogue.load("dcase2022").records[1:]
    tests = {f"ToyCar/test/section_03_{i:04d}.wav": wav(seed=i) for i in range(4)}
    files = zenodo({"eval_data_ToyCar_train.zip": machine_zip("ToyCar", splits=("train",))}, train.record)
    files |= zenodo({"eval_data_ToyCar_test.zip": zipped(tests)}, test.record)
    for section in ("03", "04", "05"):
        for kind, flags in (("data", "0110"), ("domain", "0011")):
            rows = [f"section_{section}_{i:04d}.wav,{flag}" for i, flag in enumerate(flags)]
            name = f"ground_truth_{kind}/ground_truth_ToyCar_section_{section}_test.csv"
            files[f"/Kota-Dohi/dcase2022_evaluator/HEAD/{name}"] = "\n".join(rows).encode()
    return Loopback(files)


def eval_request(server: Loopback) -> Request:
    return request(server, machine_types=("ToyCar",), subsets=(Subset.EVAL,), truth_url=server.url)


def test_evaluation_clips_get_condition_and_domain_from_the_truth(tmp_path: Path) -> None:
    with eval_server() as server:
        download.run(eval_request(server), tmp_path, retry=FAST)
    rows = [r for r in clips_of(tmp_path) if r["split"] == "test"]
    assert [(r["condition"], r["domain"]) for r in rows] == [
        ("normal", "source"),
        ("anomaly", "source"),
        ("anomaly", "target"),
        ("normal", "target"),
    ]
    assert {r["subset"] for r in clips_of(tmp_path)} == {"eval"}
    assert (tmp_path / "ground_truth/condition/eval/ToyCar").is_dir()


def test_without_truth_clips_stay_unlabelled_and_the_next_run_fills_them_in(tmp_path: Path) -> None:
    with eval_server() as server:
        truth = {p: server.files.pop(p) for p in list(server.files) if "evaluator" in p}
        heard = Heard()
        download.run(eval_request(server), tmp_path, retry=FAST, progress=heard)
        assert {r["condition"] for r in clips_of(tmp_path) if r["split"] == "test"} == {None}
        assert any(
            "6 tables of ground truth" in w and "the same command asks for them again" in w for w in heard.warnings
        )
        server.files |= truth
        assert download.run(eval_request(server), tmp_path, retry=FAST).status == "done"
    assert {r["condition"] for r in clips_of(tmp_path) if r["split"] == "test"} == {"normal", "anomaly"}


def test_truth_that_lacks_a_clip_is_told_with_its_name(tmp_path: Path) -> None:
    with eval_server() as server:
        path = next(p for p in server.files if "ground_truth_data" in p and "section_03" in p)
        server.files[path] = server.files[path].rpartition(b"\n")[0]
        heard = Heard()
        download.run(eval_request(server), tmp_path, retry=FAST, progress=heard)
    assert any("lacks 1 clip;" in w and "eval_data/raw/ToyCar/test/section_03_0003" in w for w in heard.warnings)


def test_truth_that_makes_no_sense_is_not_kept(tmp_path: Path) -> None:
    with eval_server() as server:
        for path in [p for p in server.files if "evaluator" in p]:
            server.files[path] = b"section_03_0000.wav,maybe\n"
        heard = Heard()
        download.run(eval_request(server), tmp_path, retry=FAST, progress=heard)
    assert any("'maybe', expected 0 or 1" in w for w in heard.warnings)
    assert not list(tmp_path.rglob("ground_truth/**/*.csv"))


def test_released_attributes_are_merged_only_when_asked(tmp_path: Path) -> None:
    hidden = {f"slider/train/section_00_source_train_normal_{i:04d}_noAttribute.wav": wav(seed=i) for i in range(2)}
    rows = ["source_file_name,target_file_name"]
    rows += [f"section_00_source_train_normal_{i:04d}_vel_{i}.wav,{n.rpartition('/')[2]}" for i, n in enumerate(hidden)]
    folder = "/nttcslab/dcase2023_task2_baseline_ae/HEAD/datasets/ground_truth_attributes/dcase2024t2/dev_data/slider/"
    files = zenodo({"dev_slider.zip": zipped(hidden)}, catalogue.load("dcase2024").records[0].record)
    files |= {f"{folder}attributes_00_{s}_correspondence.csv": "\n".join(rows).encode() for s in ("train", "test")}
    with Loopback(files) as server:
        plain = Request("dcase2024", machine_types=("slider",), base_url=server.url, truth_url=server.url)
        download.run(plain, tmp_path, retry=FAST)
        assert [r["attribute_string"] for r in clips_of(tmp_path)] == [None, None]
        download.run(replace(plain, released_attributes=True), tmp_path, retry=FAST)
        assert [r["attribute_string"] for r in clips_of(tmp_path)] == ["vel_0", "vel_1"]
        assert [r["attributes"] for r in clips_of(tmp_path)] == [[("vel", "0")], [("vel", "1")]]
        download.run(plain, tmp_path, retry=FAST)
        assert [r["attribute_string"] for r in clips_of(tmp_path)] == [None, None]


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_download_goes_on_from_its_part(tmp_path: Path, how: signal.Signals, code: int) -> None:
    zips = {"dev_fan.zip": machine_zip("fan", seconds=8.0)}  # about 2.3 MB
    path = f"/records/{DEV}/files/dev_fan.zip"
    part = tmp_path / "dcase2022/archives/dev_fan.zip.part"
    with Loopback(zenodo(zips)) as server:
        server.always[path] = Act(hold_after=1_000_000)
        arguments = ["dcase2022", "--machine-type", "fan", "--data", str(tmp_path), "--base-url", server.url]
        with subprocess.Popen(
            [sys.executable, "-m", "asdcli", "download", *arguments], stderr=subprocess.PIPE, text=True
        ) as process:
            wait_until(lambda: part.exists() and part.stat().st_size >= 200_000, process)
            process.send_signal(how)
            words = process.communicate(timeout=PATIENCE_S)[1]
        assert process.returncode == code
        assert "Traceback" not in words
        kept = part.stat().st_size
        assert not (tmp_path / "dcase2022/clips.parquet").exists()
        server.always.clear()
        server.seen.clear()
        download.run(request(server, machine_types=("fan",)), tmp_path / "dcase2022", retry=FAST)
        assert [s.range for s in server.gets(path)] == [f"bytes={kept}-"]
    assert len(clips_of(tmp_path / "dcase2022")) == CLIPS_A_TYPE


def test_dry_run_shows_sizes_and_writes_nothing(
    asd: Callable[..., int], server: Loopback, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["download", "dcase2022", "--base-url", server.url, "--machine-type", "fan", "--data", tmp_path / "d"]
    assert asd(*arguments, "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "dev_fan.zip" in shown
    assert "1 archives to fetch" in shown
    assert asd(*arguments, "--dry-run", "--json") == 0
    plan = json.loads(capsys.readouterr().out)["facts"]
    assert plan["bytes"] == len(ZIPS["dev_fan.zip"])
    assert not (tmp_path / "d").exists()


def test_the_command_line_downloads_verifies_and_remembers(
    asd: Callable[..., int], server: Loopback, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "download",
        "dcase2022",
        "--base-url",
        server.url,
        "--machine-type",
        "fan",
        "--machine-type",
        "bearing",
    ]
    assert asd(*arguments, "--json", "--quiet") == 0
    assert json.loads(capsys.readouterr().out)["facts"]["clips"] == 2 * CLIPS_A_TYPE
    assert (tmp_path / "data/current").read_text().strip() == "dcase2022"
    assert asd(*arguments) == 0
    assert "up to date" in capsys.readouterr().err
    assert asd(*arguments, "--verify") == 0
    assert "is complete" in capsys.readouterr().err
    assert asd(*arguments, "--machine-type", "fann") == 2
    assert "did you mean 'fan'" in capsys.readouterr().err
    assert asd(*arguments, "--machine-type", "valve") == 1
    assert "dev_valve.zip is not at" in capsys.readouterr().err


def test_options_of_the_other_kind_are_refused(asd: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert asd("download", "synthetic", "--dry-run") == 2
    assert asd("download", "dcase2020", "--size", "tiny") == 2
    assert asd("download", "dcase2020", "--dry-run", "--verify") == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_data_folder_that_is_a_file_is_a_named_error(
    asd: Callable[..., int], server: Loopback, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    arguments = ["download", "dcase2022", "--base-url", server.url, "--data", tmp_path / "file"]
    assert asd(*arguments) == 1
    words = capsys.readouterr().err
    assert "cannot write" in words
    assert "hint:" in words
    assert server.seen == []  # told before the network is asked


def test_the_synthetic_dataset_is_indexed_like_any_other(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["download", "synthetic", "--size", "tiny", "--machine-type", "fan"]
    assert asd(*arguments) == 0
    rows = clips_of(tmp_path / "data/synthetic")
    assert {r["machine_type"] for r in rows} == {"fan"}
    assert {r["condition"] for r in rows} == {"normal", "anomaly"}
    header = artifacts.read_header(tmp_path / "data/synthetic/clips.parquet", artifacts.CLIPS)
    assert header.params == {"edition": "synthetic", "released_attributes": False, "size": "tiny", "seed": 0}
    capsys.readouterr()
    assert asd(*arguments) == 0
    assert "up to date" in capsys.readouterr().err
    assert asd("download", "synthetic", "--size", "small") == 1
    assert "holds another synthetic dataset" in capsys.readouterr().err


def test_downloading_never_imports_torch(server: Loopback, tmp_path: Path) -> None:
    code = (
        "import sys; from asdcli.cli import call;"
        f"rc = call(['download', 'dcase2022', '--machine-type', 'fan', '--quiet', '--base-url', {server.url!r},"
        f" '--data', {str(tmp_path)!r}]);"
        "print(rc, [m for m in ('torch', 'sklearn', 'librosa', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ.copy())
    assert done.stdout.strip() == "0 []", done.stderr


def test_the_real_small_edition_downloads_whole(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data/dcase2020-mini"
    with Loopback({f"/{p.name}": p.read_bytes() for p in folder.iterdir() if p.suffix in (".zip", ".txt")}) as server:
        download.run(Request("dcase2020", base_url=server.url), tmp_path / "dcase2020", retry=FAST)
    rows = clips_of(tmp_path / "dcase2020")
    assert len(rows) == 203
    assert {(r["machine_type"] == "ToyCar", r["duration_s"]) for r in rows} == {(True, 11.0), (False, 10.0)}
    assert {(r["sample_rate"], r["channels"], r["domain"]) for r in rows} == {(16000, 1, None)}
    slider = [r for r in rows if (r["machine_type"], r["section"], r["split"]) == ("slider", "00", "train")]
    assert len(slider) == 75
