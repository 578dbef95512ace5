"""`asd plot`: the same bytes each time, the lines in the file, whose file it is, and what is refused in words."""

from __future__ import annotations

import csv
import json
import logging
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from asdcli.plots import PLOTS, Format
from asdcli.spec.values import choices
from tests.helpers.calibrated_run import make, random_rows, rows

Asd = Callable[..., int]
FORMATS = list(choices(Format))
SIGNATURE = re.compile(
    r"mine\|dev\|machines:2\|embedder:logmel\|method:nn\|seed:0\|made:[0-9a-f]{6}\|figure:p-values\|asd:"
)

pytest.importorskip("matplotlib")


@pytest.fixture
def said(asd: Asd, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """What `asd plot … --json` prints."""

    def said(*words: object) -> dict[str, Any]:
        capsys.readouterr()
        asd("plot", *words, "--json")
        return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]

    return said


def words(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_scores_give_the_same_bytes_whatever_the_users_own_settings_are(asd: Asd, format: str) -> None:
    import matplotlib

    make(random_rows(["fan", "pump"]))
    assert asd("plot", "p-values", "--format", format) == 0
    first = Path(f"runs/mine/plots/p-values.{format}").read_bytes()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "yellow", "savefig.bbox": "tight"}):
        assert asd("plot", "p-values", "-o", f"again.{format}") == 0
        assert matplotlib.rcParams["font.size"] == 30
    assert Path(f"again.{format}").read_bytes() == first
    assert "matplotlib.pyplot" not in sys.modules


def test_another_process_writes_the_same_bytes(asd: Asd, tmp_path: Path) -> None:
    make(random_rows(["fan", "pump"]))
    assert asd("plot", "p-values", "-o", "a.svg") == 0
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "asdcli", "plot", "p-values", "-o", f"{seed}.svg", "-q"]
        root = str(Path(__file__).resolve().parents[2])
        subprocess.run(command, cwd=tmp_path, check=True, env={"PYTHONPATH": root, "PYTHONHASHSEED": seed, "HOME": "."})
        assert Path(f"{seed}.svg").read_bytes() == Path("a.svg").read_bytes()


def test_the_file_says_how_its_numbers_were_made_and_not_when_or_by_which_matplotlib(asd: Asd) -> None:
    make(random_rows(["fan", "pump"]))
    for format in FORMATS:
        assert asd("plot", "p-values", "--format", format) == 0
    svg, png, pdf = (Path(f"runs/mine/plots/p-values.{format}") for format in ("svg", "png", "pdf"))
    root = ET.parse(svg).getroot()
    (described,) = root.iter("{http://purl.org/dc/elements/1.1/}description")
    assert SIGNATURE.match(described.text or "")
    drawn = "".join(text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text"))
    assert SIGNATURE.search(drawn)
    for file in (svg, png, pdf):
        data = file.read_bytes()
        assert not re.search(rb"Date|D:20\d\d|Matplotlib|matplotlib.org", data), file
    assert SIGNATURE.search(text_of_png(png)["Description"]) and text_of_png(png)["Software"].startswith("asdcli ")
    assert SIGNATURE.search(pdf.read_bytes().decode("latin-1"))


def text_of_png(path: Path) -> dict[str, str]:
    """The texts in a PNG, by keyword."""
    data, place, found = path.read_bytes(), 8, {}
    while place < len(data):
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + size]
        if kind == b"tEXt":
            key, _, value = body.partition(b"\0")
            found[key.decode()] = value.decode("latin-1")
        if kind == b"iTXt":
            key, _, rest = body.partition(b"\0")
            packed, value = rest[0], rest[2:].split(b"\0", 2)[2]
            found[key.decode()] = (zlib.decompress(value) if packed else value).decode()
        place += 12 + size
    return found


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_numbers_behind_the_figure_are_a_row_a_clip(said: Callable[..., dict[str, Any]], suffix: str) -> None:
    make(random_rows(["fan", "pump"]))
    told = said("p-values", "--numbers", f"n.{suffix}")
    assert [(o["path"], o["kind"]) for o in told["outputs"]] == [
        ("runs/mine/plots/p-values.svg", "figure"),
        (f"n.{suffix}", "numbers"),
    ]
    if suffix == "csv":
        with Path("n.csv").open(newline="") as file:
            table = list(csv.DictReader(file))
    else:
        table = pq.read_table("n.parquet").to_pylist()
    assert len(table) == 80 and {row["signature"] for row in table} == set(told["facts"]["signatures"])
    for shown in told["facts"]["shown"]:
        own = [r for r in table if all(r[c] == shown[c] for c in ("method", "machine_type", "domain"))]
        assert shown["normal"] == len(own) == 20
        assert shown["smallest_p"] == pytest.approx(min(float(r["p_value"]) for r in own))
        assert shown["promised"] is None and shown["false_alarms_at_threshold"] is None


def test_the_mark_at_the_runs_threshold_is_what_evaluate_measures(
    asd: Asd, said: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    make(random_rows(["fan", "pump"]))
    assert asd("threshold", "--quantile", "0.8") == 0
    shown = said("p-values")["facts"]["shown"]
    capsys.readouterr()
    assert asd("evaluate", "--json") == 0
    promises = json.loads(capsys.readouterr().out)["facts"]["results"][0]["promises"]
    for one in promises:
        own = [s for s in shown if s["domain"] == one["domain"]]
        assert sum(s["false_alarms_at_threshold"] for s in own) == one["false_alarms"]
        assert {round(s["promised"], 6) for s in own} == {round(one["promised"], 6)} == {0.2}
    assert "the run's threshold promises" in "".join(ET.parse("runs/mine/plots/p-values.svg").getroot().itertext())


def test_thresholds_of_other_scores_are_not_shown_and_that_is_said(
    asd: Asd, said: Callable[..., dict[str, Any]]
) -> None:
    make(random_rows(["fan", "pump"]))
    assert asd("threshold") == 0
    make([{**row, "score": row["score"] + 1} for row in random_rows(["fan", "pump"])])
    told = said("p-values")
    assert any("fitted on other scores" in text for text in told["warnings"])
    assert {s["promised"] for s in told["facts"]["shown"]} == {None}


def test_thresholds_of_clips_that_the_model_has_seen_promise_nothing_to_mark(
    asd: Asd, said: Callable[..., dict[str, Any]]
) -> None:
    clips = random_rows(["fan"])
    for i, row in enumerate(clips):
        row["scored_as"] = row["scored_as"] and ("seen" if i % 2 else "held-out")
    make(clips)
    assert asd("threshold", "--from-training") == 0
    assert {(s["promised"], s["scored_as"]) for s in said("p-values")["facts"]["shown"]} == {(None, "held-out")}


def test_a_figure_is_asds_own_until_somebody_changes_it(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    make(random_rows(["fan"]))
    Path("mine.svg").write_text("a drawing of my own")
    assert asd("plot", "p-values", "-o", "mine.svg") == 1
    assert "mine.svg is there already" in words(capsys) and Path("mine.svg").read_text() == "a drawing of my own"
    assert asd("plot", "p-values", "-o", "mine.svg", "--force") == 0
    assert asd("plot", "p-values", "-o", "mine.svg") == 0


def test_each_way_to_draw_a_figure_has_a_file_of_its_own_in_the_run(asd: Asd) -> None:
    make(random_rows(["fan"]))
    for line in (("p-values",), ("p-values", "--p", "group"), ("p-values:p=group", "--format", "pdf")):
        assert asd("plot", *line) == 0
    assert {p.name for p in Path("runs/mine/plots").glob("[!.]*")} == {
        "p-values.svg",
        "p-values.p=group.svg",
        "p-values.p=group.pdf",
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("p-valeus", "unknown figure 'p-valeus'"),
        ("p-values -o figure", "unknown format of a figure ''"),
        ("p-values -o figure.bmp", "unknown format of a figure 'bmp'"),
        ("p-values -o figure.png --format svg", "figure.png is not called as a svg"),
        ("p-values -o a.png --numbers a.png", "cannot both go to a.png"),
        ("p-values --p section", "unknown p-values:p 'section'"),
        ("p-values -m nope", "unknown method 'nope'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(
    asd: Asd, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    make(random_rows(["fan"], 3))
    assert asd("plot", *line.split()) == 2
    assert message in words(capsys)
    assert not list(Path().glob("*.png"))


def test_without_matplotlib_there_is_one_error_and_the_command_that_installs_it(
    asd: Asd, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make(random_rows(["fan"], 3))
    for name in [m for m in sys.modules if m.partition(".")[0] == "matplotlib"] or ["matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert asd("plot", "p-values", "--numbers", "n.csv") == 1
    told = capsys.readouterr().err.splitlines()
    assert told[-2:] == [
        "error: figures are drawn by matplotlib, which is not installed",
        "hint: install it beside asd: pip install 'asdcli[plot]'",
    ]
    assert not Path("n.csv").exists() and not Path("runs/mine/plots").exists()


def test_stale_scores_are_warned_of_and_marked_in_the_line(
    asd: Asd, said: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    clips = [f"{split}-{i}" for split in ("train", "test") for i in range(12)]
    for again in (0, 1):
        columns = {"clip_id": clips, "machine_type": ["fan"] * 24, "split": [c.partition("-")[0] for c in clips]}
        np.savez("v.npz", vectors=rng.normal(size=(24, 4)), condition=["normal"] * 24, **columns)
        assert asd("embed", "--from", "v.npz", "--run", "runs/v", *(["--force"] if again else [])) == 0
        assert again or asd("score", "-m", "nn", "--run", "runs/v") == 0
    told = said("p-values", "--run", "runs/v")
    assert any("made of files that have changed since" in text for text in told["warnings"])
    assert "|stale:embeddings|figure:p-values|" in told["facts"]["signatures"][0]


def test_names_of_anybodys_are_drawn_as_they_are(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    scores = {"train//normal": [1.0, 2, 3], "test//normal": [1.5]}
    make([*rows("a $x^2$ & b", scores), *rows("ポンプ", scores)], ("odd\x1b[31m",))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asd("plot", "p-values", "-o", "a.svg") == 0
        assert "boxes" not in words(capsys)
        assert asd("plot", "p-values", "-o", "a.png") == 0
    assert "drawn as boxes (ポ, ン, プ): --format svg shows them" in words(capsys)
    texts = [t.text for t in ET.parse("a.svg").getroot().iter("{http://www.w3.org/2000/svg}text")]
    assert {"a $x^2$ & b", "ポンプ", "odd\\x1b[31m"} <= set(texts)


def test_nobodys_logger_is_left_silent(asd: Asd) -> None:
    make(random_rows(["fan"], 3))
    before = logging.getLogger("matplotlib").level
    assert asd("plot", "p-values") == 0
    assert logging.getLogger("matplotlib").level == before


def test_a_figure_of_another_package_is_drawn_by_its_path(
    asd: Asd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    make(random_rows(["fan"], 3))
    assert asd("plot", "theirs:Counts,word=clips", "--numbers", "n.csv") == 0
    assert "12 clips" in Path("runs/mine/plots/theirs.Counts,word=clips.svg").read_text()
    assert Path("n.csv").read_text().splitlines()[0] == '"clips"'
    assert PLOTS.names()[0] == "p-values"


THEIRS = '''
from dataclasses import dataclass
from typing import ClassVar
import pyarrow as pa
from asdcli.plots import Numbers, page
from asdcli.views.scores import read_scores, known_test

@dataclass(frozen=True)
class Counts:
    """How many test clips are labelled."""

    reads: ClassVar = ("scores",)
    word: str = "recordings"

    def numbers(self, material, progress):
        (method,) = read_scores([material.files["scores"]])
        return Numbers(pa.table({"clips": [len(known_test(method.table))]}), "counts", (), ("made so",), ())

    def draw(self, numbers):
        figure, [[panel]] = page.laid_out({"counts": 1}, above=0.1, caption=(), signatures=numbers.signatures)
        panel.axes.text(0, 0, f"{numbers.table['clips'][0]} {self.word}")
        return figure
'''
