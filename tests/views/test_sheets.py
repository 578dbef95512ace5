"""A table in Markdown, LaTeX, CSV and JSON: what is shown, and that no name breaks it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from asdcli.views.sheets import Sheet, SheetRow, Shown, as_csv, as_json, latex, markdown, tex

NASTY = "50% of A&B_c #1 {x} ~^\\ $y$ <z> | 'q' \"r\""
SHEET = Sheet(
    name="t-1",
    title=f"A title: {NASTY}",
    keys=("Method",),
    columns=("2023\ndev", NASTY),
    rows=(
        SheetRow(("a_group",)),
        SheetRow(("w/ SMOTE †",), (Shown("67.48 ± 0.48", best=True), Shown("−1.0", tied=True))),
        SheetRow((NASTY,), (Shown("–"), Shown("1.00", best=True, tied=True))),
    ),
    notes=("made by: asd run --method nn",),
    signatures=("dcase2023|dev|made:a_b",),
    records=(
        {"method": "nn", "mean": 67.48, "seeds": [0, 1], "signature": "dcase2023|dev|made:a_b"},
        {"method": "=1+1", "mean": None, "seeds": [], "signature": None},
    ),
)


def test_latex_of_one_table_by_hand() -> None:
    sheet = Sheet(
        "t", "50%", ("m",), ("a\nb",), (SheetRow(("x_1",), (Shown("1 ± 2", best=True, tied=True),)),), ("n",), ("s|t",)
    )
    assert latex([sheet]).splitlines() == [
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table}",
        r"\centering",
        r"\caption{50\%}",
        r"\label{tab:t}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"m & a \\",
        r" & b \\",
        r"\midrule",
        r"x\_1 & \textbf{1 $\pm$ 2}\,$\approx$ \\",
        r"\bottomrule",
        r"\end{tabular}}",
        r"\par\footnotesize\raggedright",
        r"n\par",
        r"\texttt{s\textbar{}\allowbreak{}t}\par",
        r"\end{table}",
    ]


def test_latex_numbers_a_table_itself() -> None:
    titles = {"Table II: AUC": "AUC", "Table 1: mean": "mean", "A table: x": "A table: x"}
    for title, caption in titles.items():
        assert rf"\caption{{{caption}}}" in latex([replace(SHEET, title=title)]).splitlines()


def test_no_name_means_anything_to_latex() -> None:
    written = tex(NASTY)
    assert written.startswith(r"50\% of A\&B\_c \#1 \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{} \$y\$")
    body = latex([SHEET])
    bare = re.sub(r"\\[\\&%$#_{}]|\\[a-z]+", "", body.split("\n", 1)[1])
    rows = [line for line in body.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert all(len(re.findall(r"(?<!\\)&", line)) == 2 for line in rows), rows
    assert bare.count("{") == bare.count("}") and "#" not in bare and "_" not in bare
    assert r"asd run -{}-method" in body  # two hyphens stay two


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("more", ["", r"\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}"])
def test_latex_compiles_and_stays_on_the_page(tmp_path: Path, more: str) -> None:
    signature = "dcase2023|dev|table:varmin-1|machines:7|embedder:discriminative:centers=fixed|method:varmin:k=16,val="
    sheet = replace(SHEET, signatures=(*SHEET.signatures, f"{signature}test-all|made:b29ca4|asd:0.1.0"))
    written = latex([sheet])
    packages = written.splitlines()[0].removeprefix("% ") + more  # what it says that it needs
    document = rf"\documentclass{{article}}{packages}\begin{{document}}{written}\end{{document}}"
    (tmp_path / "t.tex").write_text(document)
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=batchmode", "t.tex"], cwd=tmp_path, capture_output=True
    )
    log = (tmp_path / "t.log").read_text(errors="replace")
    assert done.returncode == 0, log
    assert "Overfull" not in log


def test_markdown_has_as_many_cells_in_every_row_and_marks_what_is_best() -> None:
    lines = [line for line in markdown([SHEET]).splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {4}
    assert lines[2] == "| *a\\_group* |  |  |"
    assert lines[3] == "| w/ SMOTE † | **67.48 ± 0.48** | −1.0 ≈ |"
    assert "**1.00** ≈" in lines[4]
    assert markdown([SHEET]).count("dcase2023|dev|made:a_b") == 1


def test_csv_is_a_row_a_cell_with_its_line_and_nothing_that_a_spreadsheet_would_execute() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv([SHEET]))))
    assert [row["table"] for row in rows] == ["t-1", "t-1"]
    assert (rows[0]["mean"], rows[0]["seeds"], rows[1]["mean"]) == ("67.48", "0 1", "")
    assert rows[1]["method"] == "'=1+1"
    assert [row["signature"] for row in rows] == ["dcase2023|dev|made:a_b", ""]
    assert [row["notes"] for row in rows] == ["made by: asd run --method nn", ""]


def test_json_holds_all_that_is_known() -> None:
    (told,) = json.loads(as_json([SHEET]))["tables"]
    assert told["cells"] == [dict(record) for record in SHEET.records]
    assert (told["notes"], told["signatures"]) == ([*SHEET.notes], [*SHEET.signatures])
