"""`asd submit`, `asd submit --check`, `asd evaluate --submission`: names, rows, package, and all that can be wrong."""

from __future__ import annotations

import json
import shutil
import zipfile

import pytest

from asdcli import artifacts, catalogue
from asdcli.submission import rows as lines
from asdcli.submission.formats import CsvPart, format_of, parse_file_name
from tests.helpers.meta_files import finish
from tests.helpers.score_files import clip_rows, make_run, random_scores, write_clips, write_scores

LABEL = ["--label", "Doe_Lab"]


@pytest.fixture
def package(asd, tmp_path):
    """A complete submission for dcase2024: nine machine types, 200 clips each, and a meta file that is filled in."""
    rows = clip_rows("dcase2024", subset="eval", train=25, each=50)
    make_run(tmp_path, "dcase2024", rows=rows)
    asd("threshold", "-q")
    assert asd("submit", *LABEL) == 3  # its authors have not yet written into the meta file
    folder = tmp_path / "runs/dcase2024/submission/task2/Doe_Lab_task2_1"
    finish(folder)
    assert asd("submit", *LABEL) == 0
    return folder


# ---- names


@pytest.mark.parametrize(
    ("edition", "kind", "part", "name"),
    [
        ("dcase2020", "anomaly_score", CsvPart("ToyCar", "05"), "anomaly_score_ToyCar_id_05_test.csv"),
        ("dcase2021", "anomaly_score", CsvPart("fan", "03", "source"), "anomaly_score_fan_section_03_source_test.csv"),
        (
            "dcase2021",
            "decision_result",
            CsvPart("fan", "03", "target"),
            "decision_result_fan_section_03_target_test.csv",
        ),
        ("dcase2022", "decision_result", CsvPart("valve", "05"), "decision_result_valve_section_05_test.csv"),
        ("dcase2024", "anomaly_score", CsvPart("3DPrinter", "00"), "anomaly_score_3DPrinter_section_00_test.csv"),
    ],
)
def test_files_are_named_as_each_edition_asks_and_read_back(edition, kind, part, name):
    assert format_of(catalogue.load(edition)).file_name(kind, part) == name
    assert parse_file_name(name) == (kind, part)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("anomaly_score_ToyCar_id_05.csv", CsvPart("ToyCar", "05")),
        (
            "anomaly_score_DCASE2024T2ToyCircuit_section_00_test_seed13711_id(0_)_Eval.csv",
            CsvPart("ToyCircuit", "00"),
        ),
    ],
)
def test_older_and_baseline_names_are_read(name, part):
    assert parse_file_name(name) == ("anomaly_score", part)


@pytest.mark.parametrize("name", ["scores.csv", "anomaly_score_fan.csv", "anomaly_score_fan_section_0_test.csv"])
def test_other_names_are_not_read(name):
    assert parse_file_name(name) is None


# ---- the package


@pytest.mark.parametrize("edition", [n for n in catalogue.names() if catalogue.load(n).submission])
def test_every_edition_gets_its_files_with_every_clip_once(asd, tmp_path, edition):
    rows = make_run(tmp_path, edition, subset="eval", train=25, each=2)
    asd("threshold", "-q")
    assert asd("submit", *LABEL, "-q") in (0, 3)  # 3: fewer clips than the real edition has
    folder = tmp_path / f"runs/{edition}/submission/task2/Doe_Lab_task2_1"
    part, style = catalogue.load(edition).eval, format_of(catalogue.load(edition))
    n_files = sum(len(part.sections_for(m)) for m in part.machine_types) * (2 if style.by_domain else 1)
    scores = sorted(folder.glob("anomaly_score_*.csv"))
    assert len(scores) == n_files
    assert len(list(folder.glob("decision_result_*.csv"))) == (n_files if style.decisions else 0)
    names = [r.name for path in scores for r in lines.read(path)]
    assert sorted(names) == sorted(r["clip_id"].rpartition("/")[2] + ".wav" for r in rows if r["split"] == "test")


def test_rows_hold_the_scores_to_the_last_digit_and_the_decisions(package, tmp_path):
    limits = {
        r["machine_type"]: r["threshold"]
        for r in artifacts.read_table(tmp_path / "runs/dcase2024/thresholds.parquet", artifacts.THRESHOLDS)[
            0
        ].to_pylist()
    }
    table, _ = artifacts.read_table(tmp_path / "runs/dcase2024/scores/nn.parquet", artifacts.SCORES)
    known = {
        r["clip_id"].rpartition("/")[2] + ".wav": r["anomaly_score"]
        for r in table.to_pylist()
        if r["machine_type"] == "Scanner" and r["split"] == "test"
    }
    scored = {r.name: r.value for r in lines.read(package / "anomaly_score_Scanner_section_00_test.csv")}
    assert scored == known
    decided = lines.read(package / "decision_result_Scanner_section_00_test.csv", decisions=True)
    assert {r.name: r.value for r in decided} == {n: int(s > limits["Scanner"]) for n, s in known.items()}
    first = (package / "anomaly_score_Scanner_section_00_test.csv").read_text().splitlines()[0]
    assert first == f"section_00_0000.wav,{known['section_00_0000.wav']!r}"


def test_the_zip_holds_the_folder_under_task2_and_has_the_same_bytes_again(asd, package):
    path = package.parents[1] / "Doe_Lab_task2.zip"
    before = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert names == {f"task2/Doe_Lab_task2_1/{p.name}" for p in package.iterdir()}
    assert "task2/Doe_Lab_task2_1/Doe_Lab_task2_1.meta.yaml" in names
    assert asd("submit", *LABEL) == 0
    assert path.read_bytes() == before
    assert not [*package.parents[1].glob(".*.tmp")]


def test_the_meta_file_is_yaml_that_says_what_is_known(asd, tmp_path):
    yaml = pytest.importorskip("yaml")
    rows = clip_rows("dcase2023") + clip_rows("dcase2023", subset="eval")
    make_run(tmp_path, "dcase2023", ["varmin:k=16,val=test-all"], rows=rows)
    asd("threshold", "-q")
    asd("submit", *LABEL, "-q")
    path = tmp_path / "runs/dcase2023/submission/task2/Doe_Lab_task2_1/Doe_Lab_task2_1.meta.yaml"
    meta = yaml.safe_load(path.read_text())
    assert meta["submission"]["label"] == "Doe_Lab_task2_1" and meta["submission"]["authors"][0]["lastname"] is None
    description = meta["system"]["description"]
    assert description["machine_learning_method"] == "varmin:k=16,val=test-all"
    assert description["decision_making"] == "dcase-baseline:quantile=0.9"
    asd("evaluate", "-q")
    results = artifacts.read_table(tmp_path / "runs/dcase2023/results.parquet", artifacts.RESULTS)[0].to_pylist()
    fan = {
        r["term"]: 100 * r["value"]
        for r in results
        if r["subset"] == "dev" and r["machine_type"] == "fan" and r["section"] is None
    }
    reported = meta["results"]["development_dataset"]
    assert len(reported) == 7
    assert reported["fan"] == pytest.approx({t: fan[t] for t in ("auc_source", "auc_target", "pauc")}, abs=1e-3)


def test_up_to_four_methods_make_one_package(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", ["a", "b", "c", "d", "e"], subset="eval", train=25, each=50)
    asd("threshold", "-q")
    scores = [f"runs/dcase2023/scores/{m}.parquet" for m in "abcd"]
    assert asd("submit", *scores, *LABEL) == 3  # metas
    made = sorted(p.name for p in (tmp_path / "runs/dcase2023/submission/task2").iterdir())
    assert made == [f"Doe_Lab_task2_{n}" for n in (1, 2, 3, 4)]
    assert asd("submit", *LABEL) == 2
    capsys.readouterr()
    assert asd("submit", *scores[:3], *LABEL) == 3
    assert "Doe_Lab_task2_4 is of an earlier package and not in the zip" in capsys.readouterr().err
    with zipfile.ZipFile(tmp_path / "runs/dcase2023/submission/Doe_Lab_task2.zip") as archive:
        assert not any("task2_4" in name for name in archive.namelist())


def test_an_incomplete_submission_is_written_and_what_it_lacks_is_said(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", rows=clip_rows("dcase2023", subset="eval", machine_types=["Vacuum"], each=50))
    asd("threshold", "-q")
    assert asd("submit", *LABEL) == 3
    err = capsys.readouterr().err
    assert "anomaly_score_bandsaw_section_00_test.csv is missing" in err and "Vacuum" not in err.split("wrote")[0]
    assert (tmp_path / "runs/dcase2023/submission/Doe_Lab_task2.zip").exists()


def test_a_failed_submission_leaves_the_old_one_whole(asd, package, tmp_path, capsys):
    before = {p.name: p.read_bytes() for p in package.iterdir()}
    rows = clip_rows("dcase2024", subset="eval", train=25, each=50)
    clips = artifacts.read_header(tmp_path / "data/dcase2024/clips.parquet", artifacts.CLIPS)
    write_scores(tmp_path / "runs/dcase2024/scores/nn.parquet", rows, random_scores(rows, 5), clips)
    assert asd("submit", *LABEL) == 1
    assert "thresholds (scores/nn changed)" in capsys.readouterr().err
    assert asd("submit", *LABEL, "--allow-stale") == 1
    assert "was not fitted on the scores of nn" in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in package.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "a submission needs a label"),
        (["--label", "Doe"], 2, "<Lastname>_<Institute>"),
        ([*LABEL, "--edition", "dcase2019"], 2, "unknown edition 'dcase2019'"),
        ([*LABEL, "--subset", "dev"], 1, "no test clips of dev"),
        (LABEL, 1, "there are no thresholds"),
    ],
)
def test_refusals(asd, tmp_path, capsys, arguments, code, message):
    rows = clip_rows("dcase2023", subset="eval", machine_types=["Vacuum"])
    make_run(tmp_path, "dcase2023", rows=rows)
    if "--subset" in arguments:
        asd("threshold", "-q")
    assert asd("submit", *arguments) == code
    assert message in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "runs/dcase2023/submission/task2").exists()


# ---- check


def problems(asd, capsys, folder, *arguments):
    capsys.readouterr()
    code = asd("submit", "--check", folder, "--json", *arguments)
    found = json.loads(capsys.readouterr().out)["facts"]["problems"]
    assert code == (1 if found else 0)
    return found


def test_a_good_folder_has_nothing_wrong(asd, package, capsys):
    assert problems(asd, capsys, package) == []


SCANNER = "anomaly_score_Scanner_section_00_test.csv"
DECIDED = "decision_result_Scanner_section_00_test.csv"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (SCANNER, None, None, f"{SCANNER} is missing"),
        (DECIDED, None, None, f"{DECIDED} is missing"),
        (SCANNER, r"section_00_0007.wav,*", "", f"{SCANNER}: 199 clips instead of 200"),
        (SCANNER, r"section_00_0007.wav,*", "", f"{SCANNER}: missing: section_00_0007.wav"),
        (
            SCANNER,
            r"section_00_0007.wav,*",
            "section_00_0007.wav,nan",
            "line 8: the value of section_00_0007.wav is nan",
        ),
        (
            SCANNER,
            r"section_00_0007.wav,*",
            "section_00_0007.wav,-inf",
            "line 8: the value of section_00_0007.wav is -inf",
        ),
        (SCANNER, r"section_00_0007.wav,*", "section_00_0007.wav,x", "line 8: 'x' is not a number"),
        (
            SCANNER,
            r"section_00_0007.wav,*",
            "section_00_0007.wav",
            "line 8: 1 fields instead of a file name and a value",
        ),
        (SCANNER, r"section_00_0007.wav,*", "section_00_0006.wav,1", "section_00_0006.wav is in line 7 already"),
        (
            SCANNER,
            r"section_00_0007.wav,*",
            "section_00_0900.wav,1",
            f"{SCANNER}: no clip of this part: section_00_0900.wav",
        ),
        (
            SCANNER,
            r"section_00_0007.wav,*",
            "test/section_00_0007.wav,1",
            "line 8: test/section_00_0007.wav has a folder in it",
        ),
        (SCANNER, r"section_00_0007.wav,*", "section_00_0007,1", "line 8: section_00_0007 does not end in .wav"),
        (SCANNER, r"section_00_0000.wav,*", "file,score", "line 1: 'score' is not a number (a header?)"),
        (
            DECIDED,
            r"section_00_0007.wav,*",
            "section_00_0007.wav,2",
            "the decision on section_00_0007.wav is 2, neither 0 nor 1",
        ),
    ],
)
def test_everything_wrong_with_a_file_is_named(asd, package, capsys, file, old, new, message):
    path = package / file
    if old is None:
        path.unlink()
    else:
        start = old.removesuffix("*")
        text = [new if line.startswith(start) else line for line in path.read_text().splitlines()]
        path.write_text("\n".join(text) + "\n")
    assert any(message in p for p in problems(asd, capsys, package))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("anomaly_score_Scaner_section_00_test.csv", "no machine type 'Scaner'"),
        ("anomaly_score_Scanner_id_00_test.csv", f"is not named as this edition asks: {SCANNER}"),
        ("results.csv", "is no name of this edition"),
    ],
)
def test_wrong_names_are_told_from_foreign_files(asd, package, capsys, name, message):
    (package / SCANNER).rename(package / name)
    found = problems(asd, capsys, package)
    assert any(message in p for p in found) and f"{SCANNER} is missing" in found


def test_a_folder_can_be_checked_without_the_dataset(asd, package, capsys, tmp_path):
    alone = shutil.copytree(package, tmp_path / "elsewhere" / package.name)
    shutil.rmtree(tmp_path / "data")
    assert problems(asd, capsys, alone, "--edition", "dcase2024") == []
    (alone / SCANNER).write_text("section_00_0000.wav,1\n")
    found = problems(asd, capsys, alone, "--edition", "dcase2024")
    assert f"{SCANNER}: 1 clips instead of 200" in found


def test_a_meta_file_under_another_name_is_named(asd, package, capsys):
    (package / "Doe_Lab_task2_1.meta.yaml").rename(package / "meta.yaml")
    assert problems(asd, capsys, package) == ["the meta file must be Doe_Lab_task2_1.meta.yaml; found none"]


# ---- evaluating a folder


def test_a_folder_evaluates_to_the_same_number_as_the_scores_it_came_from(asd, package, capsys):
    capsys.readouterr()
    asd("evaluate", "--json")
    ours = json.loads(capsys.readouterr().out)["facts"]["results"][0]
    asd("evaluate", "--submission", package, "--json")
    theirs = json.loads(capsys.readouterr().out)["facts"]["results"][0]
    assert theirs["official"] == ours["official"] and theirs["sections"] == ours["sections"]
    assert theirs["decisions"] == ours["decisions"] != []
    assert theirs["method"] == "Doe_Lab_task2_1"


def test_renamed_test_files_are_mapped_back_by_the_organisers_list(asd, package, capsys, tmp_path):
    capsys.readouterr()
    asd("evaluate", "--submission", package, "--json")
    before = json.loads(capsys.readouterr().out)["facts"]["results"][0]["official"]
    listed = []
    for path in sorted(package.glob("*.csv")):
        machine_type = parse_file_name(path.name)[1].machine_type
        renamed = []
        for line in path.read_text().splitlines():
            name, value = line.split(",")
            new = f"section_00_source_test_normal_{9999 - int(name[-8:-4]):04}_speed_3.wav"
            renamed.append(f"{new},{value}")
            listed.append((machine_type, name, new))
        path.write_text("\n".join(renamed) + "\n")
    assert asd("evaluate", "--submission", package) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "asd download dcase2024 --subset eval; or give the list of names: --names" in told
    text, current = "", None
    for machine_type, name, new in dict.fromkeys(listed):
        text += f"{machine_type}\n" if machine_type != current else ""
        text += f"{name},{new}\n"
        current = machine_type
    (tmp_path / "eval_data_list.csv").write_text(text)
    assert asd("evaluate", "--submission", package, "--names", "eval_data_list.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["facts"]["results"][0]["official"] == before
    # the same tables below the dataset root are found by themselves, one a machine type
    for machine_type in {m for m, _, _ in listed}:
        own = "".join(f"{n},{new[:-4]},{new}\n" for m, n, new in dict.fromkeys(listed) if m == machine_type)
        folder = tmp_path / "data/dcase2024/ground_truth/attributes/eval" / machine_type
        folder.mkdir(parents=True)
        (folder / f"ground_truth_{machine_type}_section_00_test.csv").write_text(own)
    assert asd("evaluate", "--submission", package, "--json") == 0
    assert json.loads(capsys.readouterr().out)["facts"]["results"][0]["official"] == before


def test_names_with_folders_in_front_are_read_as_any_system_writes_them(asd, package, capsys):
    capsys.readouterr()
    asd("evaluate", "--submission", package, "--json")
    before = json.loads(capsys.readouterr().out)["facts"]["results"]
    for number, path in enumerate(sorted(package.glob("*.csv"))):
        front = ("C:\\\\dcase\\\\test\\\\", "test\\\\", "/data/test/", "")[number % 4].replace("\\\\", "\\")
        path.write_text("".join(f"{front}{line}\n" for line in path.read_text().splitlines()))
    assert asd("evaluate", "--submission", package, "--json") == 0
    after = json.loads(capsys.readouterr().out)["facts"]["results"]
    assert (after[0]["official"], after[0]["sections"]) == (before[0]["official"], before[0]["sections"])
    assert any("C:\\dcase\\test\\" in p and "has a folder in it" in p for p in problems(asd, capsys, package))


def test_a_table_whose_name_is_no_editions_is_named_and_left_out(asd, package, capsys):
    odd = SCANNER.replace("section_00", "section_0")
    (package / SCANNER).rename(package / odd)
    (package / DECIDED).unlink()
    capsys.readouterr()
    assert asd("evaluate", "--submission", package) == 3
    told = " ".join(capsys.readouterr().err.split())
    assert f"ignored, because the name is none of an edition's: {odd}" in told
    assert "no scores for Scanner" in told


def test_a_folder_of_2021_keeps_its_domains(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2021", subset="eval", train=25)
    asd("threshold", "-q")
    asd("submit", *LABEL, "-q")
    capsys.readouterr()
    asd("evaluate", "--json")
    ours = json.loads(capsys.readouterr().out)["facts"]["results"][0]
    asd("evaluate", "--submission", "runs/dcase2021/submission/task2/Doe_Lab_task2_1", "--json")
    theirs = json.loads(capsys.readouterr().out)["facts"]["results"][0]
    assert theirs["metric"] == "dcase2021" and theirs["official"] == ours["official"]


def test_missing_clips_of_a_folder_are_named(asd, package, capsys):
    for name in (SCANNER, DECIDED):
        path = package / name
        path.write_text("".join(line for line in path.read_text().splitlines(True) if "_0007." not in line))
    capsys.readouterr()
    assert asd("evaluate", "--submission", package, "--json") == 3
    told = json.loads(capsys.readouterr().out)
    assert any("Scanner/test/section_00_0007" in w and "not scored" in w for w in told["warnings"])
    assert "|clips:1799/1800|" in told["facts"]["results"][0]["signature"]


def test_two_folders_of_one_name_with_other_numbers_have_other_lines(asd, package, capsys):
    made = []
    for old, new in (("", ""), ("\n", "1\n")):
        path = package / SCANNER
        path.write_text(path.read_text().replace(old, new) if old else path.read_text())
        capsys.readouterr()
        assert asd("evaluate", "--submission", package, "--json") == 0
        signature = json.loads(capsys.readouterr().out)["facts"]["results"][0]["signature"]
        made.append(signature.partition(" = ")[0])
    assert made[0] != made[1]


def test_a_folder_without_scores_is_refused(asd, tmp_path, capsys):
    write_clips(tmp_path / "data", "dcase2023", clip_rows("dcase2023", machine_types=["fan"]))
    (tmp_path / "empty").mkdir()
    assert asd("evaluate", "--submission", "empty") == 1
    assert "no anomaly_score_*.csv in empty" in capsys.readouterr().err


def test_a_file_that_is_no_text_is_refused(asd, package, capsys):
    (package / SCANNER).write_bytes(b"\xff\xfe\x00\x01")
    assert asd("evaluate", "--submission", package) == 1
    assert "is not a CSV" in capsys.readouterr().err
    assert any("is not a CSV" in p for p in problems(asd, capsys, package))


# ---- packed again


def contents(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_a_meta_file_that_was_filled_in_stays_when_submitted_again(asd, package):
    path = package / "Doe_Lab_task2_1.meta.yaml"
    before = path.read_bytes()
    assert b"lastname: Doe   # mine" in before
    assert asd("submit", *LABEL) == 0
    assert path.read_bytes() == before
    with zipfile.ZipFile(package.parents[1] / "Doe_Lab_task2.zip") as archive:
        assert archive.read(f"task2/{package.name}/{path.name}") == before


def test_other_thresholds_change_their_line_in_the_meta_file_and_nothing_else(asd, package):
    path = package / "Doe_Lab_task2_1.meta.yaml"
    before = path.read_text()
    asd("threshold", "--rule", "quantile", "-q")
    assert asd("submit", *LABEL) == 0
    gone, come = (
        set(a.splitlines()) - set(b.splitlines()) for a, b in ((before, path.read_text()), (path.read_text(), before))
    )
    assert gone == {'    decision_making: "dcase-baseline:quantile=0.9"'}
    assert come == {'    decision_making: "quantile:quantile=0.9"'}


def test_what_the_authors_changed_stays_and_is_named_when_asd_knows_otherwise(asd, package, capsys):
    path = package / "Doe_Lab_task2_1.meta.yaml"
    path.write_text(
        path.read_text().replace('decision_making: "dcase-baseline:quantile=0.9"', "decision_making: by ear")
    )
    asd("threshold", "--rule", "quantile", "-q")
    capsys.readouterr()
    assert asd("submit", *LABEL) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "system.description.decision_making stays as it was filled in; asd has 'quantile:quantile=0.9'" in said
    assert "decision_making: by ear\n" in path.read_text()


def test_a_rehearsal_leaves_the_finished_package_alone(asd, tmp_path):
    rows = clip_rows("dcase2023") + clip_rows("dcase2023", subset="eval")
    make_run(tmp_path, "dcase2023", rows=rows)
    asd("threshold", "-q")
    place = tmp_path / "runs/dcase2023/submission"
    assert asd("submit", *LABEL, "-q") == 3
    finish(place / "task2/Doe_Lab_task2_1")
    assert asd("submit", *LABEL, "-q") == 3  # fewer clips than the real edition has
    before = contents(place / "task2/Doe_Lab_task2_1"), (place / "Doe_Lab_task2.zip").read_bytes()
    for where in ([], ["-o", place]):
        assert asd("submit", *LABEL, "--subset", "dev", *where, "-q") == 3
    assert (contents(place / "task2/Doe_Lab_task2_1"), (place / "Doe_Lab_task2.zip").read_bytes()) == before
    assert (place / "dev/Doe_Lab_task2.zip").exists()
    assert "anomaly_score_fan_section_00_test.csv" in contents(place / "dev/task2/Doe_Lab_task2_1")


def test_several_systems_with_finished_metas_are_packed(asd, tmp_path, capsys):
    make_run(tmp_path, "dcase2023", ["a", "b"], subset="eval", train=25, each=50)
    asd("threshold", "-q")
    assert asd("submit", *LABEL, "-q") == 3
    metas = [finish(tmp_path / f"runs/dcase2023/submission/task2/Doe_Lab_task2_{n}") for n in (1, 2)]
    for meta, name in zip(metas, ("a.yaml", "b=c.yaml"), strict=True):
        shutil.move(meta, tmp_path / name)
    shutil.rmtree(tmp_path / "runs/dcase2023/submission")
    assert asd("submit", *LABEL, "--meta", "1=a.yaml", "--meta", "2=b=c.yaml") == 0
    for n, name in ((1, "a.yaml"), (2, "b=c.yaml")):
        folder = tmp_path / f"runs/dcase2023/submission/task2/Doe_Lab_task2_{n}"
        assert (folder / f"{folder.name}.meta.yaml").read_bytes() == (tmp_path / name).read_bytes()
    assert asd("submit", "--check", "runs/dcase2023/submission") == 0
    # the wrong way round is said
    assert asd("submit", *LABEL, "--meta", "2=a.yaml", "--meta", "1=b=c.yaml", "--force") == 3
    assert "submission.label is 'Doe_Lab_task2_2', not 'Doe_Lab_task2_1'" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    ("metas", "message"),
    [
        (["a.yaml"], "--meta a.yaml is of which of the 2 systems?"),
        (["a.yaml", "a.yaml"], "--meta a.yaml is of which system?"),
        (["1=a.yaml", "1=a.yaml"], "--meta gives system 1 two files"),
        (["3=a.yaml"], "--meta is of system 3, and there are 2"),
        (["1=b.yaml"], "there is no file b.yaml"),
    ],
)
def test_a_meta_file_of_no_system_is_refused(asd, tmp_path, capsys, metas, message):
    make_run(tmp_path, "dcase2023", ["a", "b"], subset="eval")
    asd("threshold", "-q")
    (tmp_path / "a.yaml").write_text("submission: {}\n")
    assert asd("submit", *LABEL, *(word for m in metas for word in ("--meta", m))) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_files_of_a_package_that_were_changed_since_are_not_overwritten(asd, package, capsys):
    table, zipped = package / SCANNER, package.parents[1] / "Doe_Lab_task2.zip"
    for path in (table, zipped):
        before = path.read_bytes()
        path.write_bytes(before + b"section_00_9999.wav,1\n")
        capsys.readouterr()
        assert asd("submit", *LABEL) == 1
        assert f"{path.name} is there already" in capsys.readouterr().err.replace("\n", " ")
        assert path.read_bytes() != before
        assert asd("submit", *LABEL, "--force") == 0
        assert path.read_bytes() == before


def test_a_finished_meta_file_does_not_replace_one_that_was_filled_in_without_force(asd, package, capsys, tmp_path):
    path = package / "Doe_Lab_task2_1.meta.yaml"
    (tmp_path / "other.yaml").write_text(path.read_text().replace("Jane", "Joan"))
    assert asd("threshold", "--rule", "quantile", "-q") == 0
    assert asd("submit", *LABEL) == 0  # asd writes its new facts into it
    before = path.read_bytes()
    capsys.readouterr()
    assert asd("submit", *LABEL, "--meta", "other.yaml") == 1
    assert f"{path.name} is there already" in capsys.readouterr().err.replace("\n", " ")
    assert path.read_bytes() == before
    assert asd("submit", *LABEL, "--meta", path) == 0 and path.read_bytes() == before
    assert asd("submit", *LABEL, "--meta", "other.yaml", "--force") == 0
    assert path.read_bytes() == (tmp_path / "other.yaml").read_bytes()


def test_nothing_is_written_where_nothing_changed(asd, package):
    def times():
        return {p: p.stat().st_mtime_ns for p in sorted(package.parents[1].rglob("*")) if p.is_file()}

    before = times()
    assert asd("submit", *LABEL) == 0
    assert times() == before


def test_a_technical_report_stays_and_is_packed_and_other_files_only_stay(asd, package):
    report, note = package / "Doe_Lab_task2_1.technical_report.pdf", package / "todo.txt"
    report.write_bytes(b"%PDF")
    note.write_text("call Jane")
    assert asd("submit", *LABEL) == 0
    assert report.read_bytes() == b"%PDF" and note.exists()
    with zipfile.ZipFile(package.parents[1] / "Doe_Lab_task2.zip") as archive:
        names = archive.namelist()
    assert f"task2/{package.name}/{report.name}" in names and not any("todo" in name for name in names)


def test_tables_that_another_edition_asked_for_go(asd, package):
    assert asd("submit", *LABEL, "--edition", "dcase2020", "-q") == 3
    assert asd("submit", *LABEL, "-q") == 0
    assert {p.name for p in package.glob("*.csv")} == {
        f"{kind}_{m}_section_00_test.csv"
        for kind in ("anomaly_score", "decision_result")
        for m in catalogue.load("dcase2024").eval.machine_types
    }


def test_a_zip_and_the_folder_above_are_checked_like_the_system_in_them(asd, package, capsys):
    base = package.parents[1]
    for path in (base, base / "task2", base / "Doe_Lab_task2.zip"):
        assert problems(asd, capsys, path) == []
    (package / DECIDED).unlink()
    assert problems(asd, capsys, base) == [f"{DECIDED} is missing"]
    assert problems(asd, capsys, base / "Doe_Lab_task2.zip") == []


def test_a_zip_without_task2_in_it_and_one_with_strange_entries_are_named(asd, package, capsys, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in package.iterdir():
            archive.write(path, path.name)
        archive.writestr("../../evil.csv", "x")
        archive.writestr("task2/Doe_Lab_task2_1/a.csv", "a")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("task2/Doe_Lab_task2_1/a.csv", "b")
    found = problems(asd, capsys, tmp_path / "a.zip")
    assert (
        f"{SCANNER} does not lie in task2/<system>/" in found
        and "../../evil.csv does not lie in task2/<system>/" in found
    )
    assert "task2/Doe_Lab_task2_1/a.csv is in it twice" in found
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("a.txt", "x")
    assert any("there is no system in it" in p for p in problems(asd, capsys, tmp_path / "c.zip"))
    (tmp_path / "b.zip").write_bytes(b"PK no zip")
    assert asd("submit", "--check", "b.zip") == 1
    assert "b.zip cannot be read as a zip" in capsys.readouterr().err.replace("\n", " ")


def test_a_meta_file_with_gaps_is_refused_by_check(asd, package, capsys):
    path = package / "Doe_Lab_task2_1.meta.yaml"
    path.write_text(path.read_text().replace("name: mine", "name: !!null"))
    assert problems(asd, capsys, package) == ["Doe_Lab_task2_1.meta.yaml: not filled in: submission.name"]


def test_a_damaged_meta_file_is_not_replaced_without_force(asd, package, capsys):
    path = package / "Doe_Lab_task2_1.meta.yaml"
    path.write_text("submission: [\n")
    assert asd("submit", *LABEL) == 1
    assert "Doe_Lab_task2_1.meta.yaml is there already: the meta file is no YAML" in capsys.readouterr().err.replace(
        "\n", " "
    )
    assert path.read_text() == "submission: [\n"
    assert asd("submit", *LABEL, "--force") == 3
