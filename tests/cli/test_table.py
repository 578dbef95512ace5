"""`asd table` through its front door: many runs, one table, in every format, whatever is wrong with some of them."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.cli import call
from asdcli.pipeline import run_note
from asdcli.scorers import PAPER
from asdcli.views.published import varmin
from asdcli.views.tuning import ReportTable, TuningFacts
from tests.helpers import many_runs, score_files
from tests.helpers.many_runs import FIXED, TRAINABLE

Asd = Callable[..., int]
METHODS = ("nn", "kmeans", "rescale:k=8", "varmin:k=8,val=test-all")


def skill(method: str, seed: int) -> float:
    """Methods differ a little, by seed and by themselves."""
    return 1.0 + 0.2 * METHODS.index(method) + 0.1 * ((3 * seed + METHODS.index(method)) % 4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two editions, both trainings and three seeds; of one seed only some methods, of one none evaluated."""
    root = tmp_path_factory.mktemp("many")
    for dataset in ("dcase2023", "dcase2024"):
        clips, rows = many_runs.write_clips(root, dataset)
        for model in (FIXED, TRAINABLE) if dataset == "dcase2023" else (FIXED,):
            for seed in range(3):
                some = METHODS[:2] if (dataset, seed) == ("dcase2024", 1) else METHODS
                many_runs.write_run(root, dataset, clips, rows, model=model, seed=seed, methods=some, skill=skill)
    return root


@pytest.fixture
def tree(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them in the working folder."""
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def here(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """They themselves, only to be read."""
    monkeypatch.chdir(made)
    return made


def told(capsys: pytest.CaptureFixture[str], *words: object) -> list[dict[str, Any]]:
    """The tables that a command line prints as JSON."""
    capsys.readouterr()
    assert call(["table", *map(str, words), "--format", "json"]) == 0
    tables: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["tables"]
    return tables


def cell(sheet: dict[str, Any], method: str, dataset: str, subset: str) -> dict[str, Any]:
    (found,) = [c for c in sheet["cells"] if (c["method"], c["dataset"], c["subset"]) == (method, dataset, subset)]
    return dict(found)


def values(
    root: Path, dataset: str, label: str, method: str, subset: str, seeds: Sequence[int] = (0, 1, 2)
) -> list[float]:
    return [many_runs.results(root / "runs" / dataset / label / f"seed-{seed}")[method, subset] for seed in seeds]


def test_a_cell_is_mean_and_spread_over_seeds_of_what_the_runs_measured(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed, trainable = told(capsys, "varmin")
    assert [fixed["name"], trainable["name"]] == ["varmin-1", "varmin-2"]
    assert "centers=fixed" in fixed["title"] and "centers=trainable" in trainable["title"]
    for sheet, label in ((fixed, "fixed"), (trainable, "trainable")):
        for method in METHODS:
            found = cell(sheet, method, "dcase2023", "eval")
            own = values(here, "dcase2023", label, method, "eval")
            assert (found["mean"], found["std"]) == pytest.approx(many_runs.spread(own))
            assert (found["n"], found["seeds"], found["missing"]) == (3, [0, 1, 2], None)
    assert [c["method"] for c in fixed["cells"]][::4] == list(PAPER)  # rows in the paper's order, four columns


def test_best_is_bold_and_what_the_seeds_do_not_tell_apart_is_marked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = told(capsys, "varmin")[0]
    own = {m: values(here, "dcase2023", "fixed", m, "dev") for m in METHODS}
    blind = max(METHODS[:3], key=lambda m: sum(own[m]))
    for method in METHODS:
        found = cell(fixed, method, "dcase2023", "dev")
        assert found["best"] == (method == blind or (method == METHODS[3] and sum(own[method]) > sum(own[blind])))
        if method == blind:
            assert (found["p"], found["tied"]) == (None, False)
        else:
            p = stats.ttest_rel(own[method], own[blind]).pvalue
            assert found["p"] == pytest.approx(p) and found["tied"] == (p >= 0.05)
    assert {c["tied"] for c in fixed["cells"] if c["n"]} == {True, False}  # both are seen here


def test_what_is_missing_says_the_command_that_makes_it_and_what_is_partly_there_says_n(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = told(capsys, "varmin")[0]
    partly, wholly = cell(fixed, "rescale:k=8", "dcase2024", "dev"), cell(fixed, "smote", "dcase2024", "dev")
    assert (partly["n"], partly["seeds"]) == (2, [0, 2])
    run = "--run runs/dcase2024/fixed/seed-1"
    assert partly["missing"].startswith("asd score --method smote --method rescale:k=8 ")
    assert partly["missing"].endswith(f" {run} && asd evaluate {run}")
    assert (wholly["n"], wholly["mean"], wholly["std"]) == (0, None, None)
    assert wholly["missing"].count(" ; ") == 2  # a command a run
    assert call(["table", "varmin"]) == 0
    shown = capsys.readouterr().out
    lines = [line for line in shown.splitlines() if "Previous" in line]
    assert re.search(r"\d\d\.\d\d ± \d+\.\d\d \(n=2\) \[\d\]", lines[0])
    assert re.search(r"^\[\d\] missing; it is made by: asd score .*seed-1", shown, flags=re.M)


def test_editions_without_a_run_are_named_with_the_command_that_begins_one(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = told(capsys, "varmin")[0]
    assert {c["dataset"] for c in fixed["cells"]} == {"dcase2023", "dcase2024"}
    (note,) = [n for n in fixed["notes"] if n.startswith("no run is of dcase2021, dcase2022")]
    assert "asd run --edition dcase2021" in note and "--model discriminative:centers=fixed" in note
    one = told(capsys, "varmin", "--only", "dcase2022", "--only", "dcase2023")[0]
    assert [c["dataset"] for c in one["cells"][:4]] == ["dcase2022", "dcase2022", "dcase2023", "dcase2023"]
    assert "asd run --edition dcase2022" in cell(one, "nn", "dcase2022", "dev")["missing"]


def test_the_published_value_and_the_difference_stand_beside_each_cell(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = cell(told(capsys, "varmin", "--published")[1], "nn", "dcase2023", "eval")
    assert (found["published_mean"], found["published_std"]) == (63.68, 3.49)
    assert found["difference_in_std"] == pytest.approx((found["mean"] - 63.68) / 3.49)
    assert call(["table", "varmin", "--published", "--only", "dcase2023"]) == 0
    shown = capsys.readouterr().out
    for printed in [p for (table, _, dataset, _), p in varmin().items() if (table, dataset) == ("1", "dcase2023")]:
        assert f"{printed.mean:.2f} ± {printed.std:.2f}" in shown
    assert "published: M. Matsumoto" in shown


def test_every_table_ends_in_its_notes_and_lines(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixed, trainable = told(capsys, "varmin")
    assert "not as in the paper, dcase2023: seeds 0-2 (paper: 10 trials)" in fixed["notes"]
    assert any("does not say whether with n or n − 1" in note for note in fixed["notes"])
    line = fixed["signatures"][0]
    assert re.fullmatch(
        r"dcase2023\|dev\|table:varmin-1\|runs:3\|machines:7\|methods:4\|seeds:0-2\|"
        r"embedder:discriminative:centers=fixed\|made:[0-9a-f]{6}\|asd:\S+",
        line,
    )
    assert len(fixed["signatures"]) == 4 and len(trainable["signatures"]) == 2
    assert len({re.search("made:(.*?)[|]", s)[1] for s in (line, trainable["signatures"][0])}) == 2  # type: ignore[index]


def test_all_five_formats_say_the_same(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheets = told(capsys, "varmin")
    for suffix in ("txt", "md", "tex", "csv", "json"):
        assert call(["table", "varmin", "-o", f"t.{suffix}", "-q"]) == 0
    assert json.loads((tree / "t.json").read_text())["tables"] == sheets
    rows = list(csv.DictReader(io.StringIO((tree / "t.csv").read_text())))
    assert len(rows) == sum(len(sheet["cells"]) for sheet in sheets)
    assert [float(r["mean"]) for r in rows if r["mean"]] == [c["mean"] for s in sheets for c in s["cells"] if c["n"]]
    texts = {suffix: (tree / f"t.{suffix}").read_text() for suffix in ("txt", "md", "tex")}
    for sheet in sheets:
        for found in filter(lambda c: c["n"], sheet["cells"]):
            figure = f"{found['mean']:.2f} ± {found['std']:.2f}"
            assert figure in texts["txt"] and figure in texts["md"]
            assert figure.replace("±", r"$\pm$") in texts["tex"]
        for line in sheet["signatures"]:
            assert line in texts["txt"] and line in texts["md"]
            assert line.replace("|", r"\textbar{}") in texts["tex"].replace(r"\allowbreak{}", "")
    capsys.readouterr()
    assert call(["table", "varmin", "--format", "latex"]) == 0
    assert capsys.readouterr().out == texts["tex"]


def test_the_same_runs_give_the_same_bytes_wherever_they_are_found(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["table", "varmin", "-o", "a.csv", "-q"]) == 0
    assert (
        call(["table", "varmin", "runs/dcase2024", "runs/dcase2023", "runs/dcase2024/fixed", "-o", "b.csv", "-q"]) == 0
    )
    assert (tree / "a.csv").read_bytes() == (tree / "b.csv").read_bytes()
    before = [{**c, "missing": None} for s in told(capsys, "varmin") for c in s["cells"]]
    shutil.move(tree / "runs" / "dcase2023" / "trainable", tree / "runs" / "dcase2023" / "fixed" / "misnamed")
    moved = told(capsys, "varmin")  # folders' names say nothing, but where a command is to work
    assert [{**c, "missing": None} for s in moved for c in s["cells"]] == before


def test_a_run_that_is_damaged_stale_undone_or_foreign_is_named_and_the_others_stand(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tree / "runs" / "dcase2023" / "fixed"
    results = runs / "seed-0" / "results.parquet"
    results.write_bytes(results.read_bytes()[:200])
    shutil.copy(runs / "seed-2" / "scores" / "kmeans.parquet", runs / "seed-1" / "scores" / "kmeans.parquet")
    (tree / "runs" / "dcase2024" / "fixed" / "seed-0" / "results.parquet").unlink()
    (tree / "runs" / "foreign" / "scores").mkdir(parents=True)
    (tree / "runs" / "shared" / "features").mkdir(parents=True)  # a sweep's packs, which others read
    (tree / "runs" / "shared" / "run.json").write_text('{"dataset": "dcase2023"}')
    (tree / "runs" / "odd").mkdir()
    (tree / "runs" / "odd" / "run.json").write_text("{}")
    fixed = told(capsys, "varmin")[0]
    notes = "\n".join(fixed["notes"])
    again = "asd evaluate --run runs/dcase2023/fixed/seed-0 --force"
    assert re.search(rf"runs/dcase2023/fixed/seed-0 is left out: .*results.parquet .*: {again}", notes)
    assert re.search(r"seed-1 is left out: its results are stale \(.*kmeans.*\): asd evaluate --run", notes)
    assert "seed-0 is left out: it was not evaluated: asd evaluate --run runs/dcase2024/fixed/seed-0" in notes
    assert "runs/foreign is left out: it holds no scores" in notes and "runs/odd is left out: " in notes
    assert "shared" not in notes
    assert cell(fixed, "nn", "dcase2023", "dev")["seeds"] == [2]
    assert cell(fixed, "nn", "dcase2023", "dev")["std"] is None
    assert cell(fixed, "nn", "dcase2024", "dev")["seeds"] == [1, 2]
    assert call([*again.split()[1:], "-q"]) == 0  # what the note says is true
    assert cell(told(capsys, "varmin")[0], "nn", "dcase2023", "dev")["seeds"] == [0, 2]


def test_another_training_or_the_same_seed_twice_is_never_mixed_in(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips, rows = many_runs.write_clips(tree, "dcase2023")
    short = {"model": f"{FIXED},epochs=4", "label": "short", "methods": METHODS, "skill": skill}
    for seed in range(5):
        many_runs.write_run(tree, "dcase2023", clips, rows, seed=seed, **short)  # type: ignore[arg-type]
    many_runs.write_run(tree, "dcase2023", clips, rows, seed=1, label="twice", methods=("nn",), precision="bf16")
    fixed = told(capsys, "varmin")[0]
    assert cell(fixed, "nn", "dcase2023", "dev")["seeds"] == [0, 1, 2]  # fewer, but as in the paper
    notes = "\n".join(fixed["notes"])
    assert f"not in Table 1: 5 runs of {FIXED},epochs=4 on dcase2023, another training" in notes
    assert "twice/seed-1 is left out: runs/dcase2023/fixed/seed-1 is of the same seed (1)" in notes
    only = told(capsys, "varmin", "runs/dcase2023/short", "runs/dcase2023/twice")[0]
    assert cell(only, "nn", "dcase2023", "dev")["seeds"] == [1]
    only = told(capsys, "varmin", "runs/dcase2023/short")[0]
    assert any("epochs 4 (paper: 16); seeds 0-4 (paper: 10 trials)" in note for note in only["notes"])


def test_a_stand_in_says_so_in_its_caption_and_notes(
    whole_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(whole_run.parents[1])
    (sheet,) = told(capsys, "varmin", "--published")
    assert sheet["title"].endswith("on synthetic machines as a stand-in")
    notes = "\n".join(sheet["notes"])
    assert "synthetic machines stand in for recordings" in notes and "epochs 1 (paper: 16)" in notes
    assert "Table 2 is left out: no run is of discriminative:centers=trainable: asd run --edition synthetic " in notes
    assert cell(sheet, "nn", "synthetic", "dev")["published_mean"] is None
    (signed,) = sheet["signatures"]
    assert signed.startswith("synthetic|dev|table:varmin-1|runs:1|machines:2|methods:1|")
    evaluated = artifacts.read_header(whole_run / "results.parquet", artifacts.RESULTS).diagnostics["signatures"]
    (of_nn,) = [line for line in evaluated if "|method:nn|" in line]
    made = re.compile(r"\|made:\w+\|")
    assert made.search(signed)[0] == made.search(of_nn)[0]  # type: ignore[index]  # of one number it is its own
    assert told(capsys, "dns")[1]["notes"][-1] == "nothing is reported of seed 0: there were no labels of sections 01"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("varmni",), 2, "unknown table 'varmni'"),
        (("varmin", "--format", "xml"), 2, "unknown format 'xml'"),
        (("varmin", "-o", "table.doc"), 2, "does not say its format"),
        (("varmin", "nowhere"), 1, "no folder nowhere"),
        (("varmin", "data"), 1, "no run in data"),
        (("varmin", "--only", "dcase2020"), 1, "no run is of discriminative:centers=fixed"),
    ],
)
def test_what_cannot_be_had_is_refused_in_words(
    here: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, message: str
) -> None:
    assert call(["table", *words]) == code
    said = capsys.readouterr()
    assert said.out == "" and message in said.err and "hint:" in said.err


def test_a_file_that_asd_did_not_write_is_left_alone(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "t.md").write_text("mine")
    assert call(["table", "varmin", "-o", "t.md"]) == 1
    assert (tree / "t.md").read_text() == "mine"
    assert call(["table", "varmin", "-o", "t.md", "--force", "-q"]) == 0
    assert (tree / "t.md").read_text().startswith("**Table 1")


# --- any runs and methods ------------------------------------------------------------------------------------------

COMPARE = ("compare", "runs/dcase2023/fixed", "-m", "kmeans", "-m", METHODS[3], "--bootstrap", "60")


def test_a_comparison_is_of_what_the_runs_measured_with_intervals_and_paired_differences(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sheet,) = told(capsys, *COMPARE, "--baseline", "nn")
    for subset in ("dev", "eval"):
        own = {m: values(here, "dcase2023", "fixed", m, subset) for m in METHODS}
        for method in ("nn", "kmeans", METHODS[3]):
            found = cell(sheet, method, "dcase2023", subset)
            assert (found["model"], found["n"], found["seeds"]) == (FIXED, 3, [0, 1, 2])
            assert found["mean"] == pytest.approx(sum(own[method]) / 3)
            assert found["low"] < found["mean"] < found["high"]
            if method == "nn":
                assert found["difference"] is None
                continue
            gained = [a - b for a, b in zip(own[method], own["nn"], strict=True)]
            assert found["difference"] == pytest.approx(sum(gained) / 3)
            assert found["difference_low"] < found["difference_high"] and found["difference_n"] == 3
            # scores of one seed are alike but for what anomalies gain: pairing takes out what they share
            assert found["difference_high"] - found["difference_low"] < found["high"] - found["low"]
    assert {c["method"] for c in sheet["cells"]} == {"nn", "kmeans", METHODS[3]}


def test_an_interval_is_that_of_clips_and_seeds_drawn_from_the_tables(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from asdcli.metrics import bootstrap
    from asdcli.metrics.specs import SPECS
    from asdcli.views.scores import by_section, read_scores

    (sheet,) = told(capsys, *COMPARE, "--seed", "5")
    drawn = []
    for seed in range(3):
        (one,) = read_scores([here / f"runs/dcase2023/fixed/seed-{seed}/scores/kmeans.parquet"])
        drawn.append(
            100 * bootstrap.resampled_scores(SPECS["dcase2022"], by_section(one)[0]["eval"], n_resamples=60, seed=5)
        )
    expected = bootstrap.interval(bootstrap.over_seeds(np.stack(drawn), seed=5))
    found = cell(sheet, "kmeans", "dcase2023", "eval")
    assert (found["low"], found["high"]) == pytest.approx(expected)


def test_a_difference_is_of_the_seeds_that_both_have(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = ("-m", "rescale:k=8", "--baseline", "nn", "--bootstrap", "20")
    (sheet,) = told(capsys, "compare", "runs/dcase2024", *both)
    found, base = (cell(sheet, method, "dcase2024", "dev") for method in ("rescale:k=8", "nn"))
    assert (found["seeds"], base["seeds"], found["difference_n"]) == ([0, 2], [0, 1, 2], 2)
    own, other = (values(here, "dcase2024", "fixed", m, "dev", (0, 2)) for m in ("rescale:k=8", "nn"))
    assert found["difference"] == pytest.approx((sum(own) - sum(other)) / 2)


def test_a_column_can_be_a_machine_type(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow.parquet as pq

    (sheet,) = told(
        capsys, "compare", "runs/dcase2023/fixed/seed-0", "-m", "nn", "--by", "machine-type", "--bootstrap", 5
    )
    rows = pq.read_table(here / "runs/dcase2023/fixed/seed-0/results.parquet").to_pylist()
    of = {
        (r["subset"], r["machine_type"]): 100 * r["value"]
        for r in rows
        if r["method"] == "nn" and r["term"] == "official" and r["machine_type"]
    }
    assert {(c["subset"], c["machine_type"]): c["mean"] for c in sheet["cells"]} == pytest.approx(of)
    assert "of one seed an interval is over clips alone" in sheet["notes"]


def test_rows_of_other_clips_are_compared_on_those_that_all_have(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips, rows = many_runs.write_clips(tree, "dcase2023")
    fewer = [row for row in rows if row["machine_type"] != "fan"]
    many_runs.write_run(tree, "dcase2023", clips, fewer, model=f"{FIXED},epochs=4", label="fewer", evaluated=False)
    (sheet,) = told(capsys, "compare", "runs/dcase2023/fixed", "runs/dcase2023/fewer", "-m", "nn", "--bootstrap", 5)
    assert any(
        re.fullmatch("dcase2023: 20 test clips not scored by all and left out of every row", n) for n in sheet["notes"]
    )
    assert {c["model"] for c in sheet["cells"]} == {FIXED, f"{FIXED},epochs=4"}


def test_a_comparison_says_what_is_missing_stale_or_damaged(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tree / "runs/dcase2024/fixed/seed-0/scores/nn.parquet"
    table.write_bytes(table.read_bytes()[:100])
    (sheet,) = told(capsys, "compare", "runs/dcase2024", "-m", "nn", "-m", "rescale:k=8", "--bootstrap", 5)
    assert cell(sheet, "nn", "dcase2024", "dev")["seeds"] == [1, 2]
    found = cell(sheet, "rescale:k=8", "dcase2024", "dev")
    assert found["missing"] == "asd score --method rescale:k=8 --run runs/dcase2024/fixed/seed-1"
    assert any("seed-0 is left out: runs/dcase2024/fixed/seed-0/scores/nn.parquet is not" in n for n in sheet["notes"])


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("compare", "--baseline", "nm"), 2, "unknown method 'nm'"),
        (("compare", "--by", "clip"), 2, "unknown kind of column 'clip'"),
        (("compare", "--published"), 2, "nothing is published"),
        (("varmin", "--baseline", "nn"), 2, "--baseline is of asd table compare"),
        (("varmin", "-m", "nn"), 2, "--method is of asd table compare"),
        (("compare", "--only", "synthetic"), 1, "no run is of the datasets"),
    ],
)
def test_what_a_comparison_cannot_do_is_refused_in_words(
    here: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, message: str
) -> None:
    assert call(["table", *words]) == code
    said = capsys.readouterr()
    assert said.out == "" and message in said.err and "hint:" in said.err


# --- the smoothing paper -------------------------------------------------------------------------------------------

GMM, AE, OURS, ORACLE = "gmm", "mse", "mse+smooth", "mse+smooth (oracle)"
LABELS = {GMM: "SerialOE", AE: "AE", OURS: "Proposed", ORACLE: "Proposed (Oracle)"}


def tuned(root: Path, seed: int, k: int, figures: dict[str, list[float]], **params: Any) -> Path:
    """A run in which so much was tuned: two machine types, the whole, and the section of ToyCar where GMM is worst."""
    run = root / "runs" / "tuned" / f"{seed}"
    clips = Header.make(artifacts.CLIPS, dataset="dcase2021", params={"edition": "dcase2021"}).with_content("clips")
    embedder = score_files.of_model(clips, "serial-oe:epochs=3", seed=seed, content=f"oe{seed}")
    autoencoder = score_files.of_model(clips, "autoencoder:profile=paper", seed=seed, content=f"ae{seed}")
    scores = Header.make(artifacts.SCORES, dataset="dcase2021", params={"method": AE}, inputs={"model": autoencoder})
    embeddings = score_files.of_vectors(clips, f"v{seed}", model=embedder)
    choices = {GMM: {"ToyCar": "clusters=4,data=all", "fan": "clusters=2,data=source"}}
    choices[OURS] = {"ToyCar": "k=128,data=source", "fan": f"k={k},data=source"}
    facts = TuningFacts(
        choices,
        {GMM: {"ToyCar": None, "fan": None}, OURS: {"ToyCar": "k=2048,data=all", "fan": "k=1024,data=source"}},
        ReportTable(["method", "ToyCar", "fan", "all", "ToyCar-05"], [[name, *of] for name, of in figures.items()]),
    )
    header = Header.make(
        artifacts.TUNING,
        dataset="dcase2021",
        seed=0,
        params={
            "method": AE,
            "metric": "auc-pauc",
            "choose": ["00", "01", "02"],
            "report": ["03", "04", "05"],
            **params,
        },
        inputs={"scores": scores.with_content(f"mse{seed}"), "embeddings": embeddings},
        diagnostics=dataclasses.asdict(facts),
    )
    rows = [{"method": GMM, "machine_type": "fan", "params": "clusters=2,data=source", "chosen": True, "oracle": False}]
    schema = pa.schema([(c.name, c.type) for c in artifacts.TUNING.columns])
    artifacts.write_table(run / "tuning.parquet", artifacts.TUNING, pa.Table.from_pylist(rows, schema), header)
    run_note.remember(run, "dcase2021")
    return run


@pytest.fixture
def smoothed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two seeds of the smoothing experiment, with figures that are easy to work with."""
    monkeypatch.chdir(tmp_path)
    first = {GMM: [0.5, 0.8, 0.6, 0.3], AE: [0.55, 0.6, 0.57, 0.7], OURS: [0.6, 0.7, 0.65, 0.75]}
    second = {GMM: [0.52, 0.78, 0.6, 0.32], AE: [0.55, 0.58, 0.57, 0.7], OURS: [0.62, 0.68, 0.65, 0.77]}
    for seed, (k, figures) in enumerate(((512, first), (256, second))):
        tuned(tmp_path, seed, k, {**figures, ORACLE: [0.7, 0.75, 0.72, 0.8]})
    return tmp_path


def test_the_tables_of_the_smoothing_paper_are_what_was_tuned(
    smoothed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen, worth = told(capsys, "dns", "--published")
    assert [chosen["name"], worth["name"]] == ["dns-1", "dns-2"]
    of = {(c["machine_type"], c["method"]): c for c in chosen["cells"]}
    assert (
        of["fan", "SerialOE"]["chosen"] == ["2 source", "2 source"] and of["fan", "SerialOE"]["published"] == "2 source"
    )
    assert of["fan", "Proposed"]["chosen"] == ["512 source", "256 source"]
    assert of["ToyCar", "Proposed (Oracle)"]["published"] == "2048 all"
    worths = {(c["method"], c["column"]): c for c in worth["cells"]}
    assert {column for _, column in worths} == {"fan", "ToyCar", "All-hmean", "ToyCar-5"}
    assert [c["label"] for c in worth["cells"]][:4] == [*LABELS.values()]
    found = worths[GMM, "fan"]
    assert (found["mean"], found["std"]) == pytest.approx((79.0, 2**0.5))  # of 80 and 78
    assert (found["n"], found["seeds"], found["best"], found["published"]) == (2, [0, 1], True, 80.78)
    assert worths[GMM, "ToyCar-5"]["published"] == 33.58 and worths[OURS, "All-hmean"]["std"] == 0
    assert worths[ORACLE, "All-hmean"]["best"] and not worths[OURS, "All-hmean"]["tied"]
    (line,) = worth["signatures"]
    assert line.startswith(
        "dcase2021|03+04+05|table:dns-2|runs:2|machines:2|seeds:0-1|embedder:serial-oe:epochs=3|model:"
    )
    notes = "\n".join(worth["notes"])
    assert "serial-oe epochs 3 (paper: 150); only fan, ToyCar" in notes and "profile" not in notes


def test_the_difference_to_the_smoothing_paper_is_in_points(smoothed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["table", "dns", "--published", "--format", "markdown"]) == 0
    said = capsys.readouterr().out
    (row,) = [line for line in said.splitlines() if line.startswith("| SerialOE |")]
    assert row.split(" | ")[1:4] == ["**79.00 ± 1.41**", "80.78", "−1.78"]
    assert (
        "| fan | 2 source | 2 source | 512 source ×1, 256 source ×1 | 512 source | 1024 source | 1024 source |" in said
    )


def test_what_was_not_tuned_as_in_the_paper_or_not_at_all_is_said(
    smoothed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (smoothed / "runs" / "undone" / "scores").mkdir(parents=True)
    run_note.remember(smoothed / "runs" / "undone", "dcase2021")
    (smoothed / "runs" / "undone" / "scores" / "mse.parquet").write_bytes(b"")
    (smoothed / "runs" / "other" / "scores").mkdir(parents=True)  # of another experiment: nothing to say
    tuned(smoothed, 0, 512, {AE: [0.5, 0.6, 0.5, 0.5]}, level="clip", choose=["00"])
    _, worth = told(capsys, "dns", "runs")
    notes = "\n".join(worth["notes"])
    assert "runs/undone is left out: nothing was tuned in it: asd tune --method mse --run runs/undone" in notes
    assert "choose 00" in notes and "level clip" in notes and "runs/other" not in notes


@pytest.mark.parametrize(
    ("words", "message"),
    [(("dns", "runs/dcase2023"), "nothing was smoothed or tuned"), (("dns", "--only", "x"), "nothing was smoothed")],
)
def test_where_nothing_was_tuned_that_is_said(
    here: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert call(["table", *words]) == 1
    assert message in capsys.readouterr().err
