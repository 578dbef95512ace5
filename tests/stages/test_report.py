"""`asd report`, through its front door: what is written where, the same bytes, what is on it, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from asdcli.views.embeddings import read_embeddings
from asdcli.views.nearest_clips import nearest_clips
from tests.helpers.machines import healthy, sound, write
from tests.helpers.vectors_run import make, rows, vectors

Asd = Callable[..., int]
PAYLOAD = re.compile(r'<script type="application/json" id="payload">(.*?)</script>', re.S)


def payload(page: Path) -> dict[str, Any]:
    found = PAYLOAD.search(page.read_text(encoding="utf-8"))
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


def scored(asd: Asd, name: str = "mine", *, seed: int = 0) -> None:
    """A run of two machines with vectors made by numpy, two methods and thresholds; its recordings are not there."""
    clips = [*rows("fan"), *rows("pump")]
    make(clips, name, x=vectors(clips, seed), seen=False)
    assert asd("score", "--run", f"runs/{name}", "-m", "nn", "-m", "varmin:k=4,val=train-all", "-q") == 0
    assert asd("threshold", "--run", f"runs/{name}", "--quantile", "0.8", "-q") == 0


def test_a_page_says_what_the_commands_say(asd: Asd, capsys: pytest.CaptureFixture[str]) -> None:
    scored(asd)
    assert asd("evaluate", "--json") == 0
    capsys.readouterr()
    assert asd("report", "--audio", "none", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outputs"][0]["path"] == "runs/mine/report.html" and told["outputs"][0]["kind"] == "report"
    assert told["facts"] == {"clips": 48, "machines": 2, "methods": 2, "heard": 0, "explained": 0}
    text = Path("runs/mine/report.html").read_text(encoding="utf-8")
    results = pq.read_table("runs/mine/results.parquet").to_pylist()
    official = [r for r in results if r["term"] == "official" and r["machine_type"] is None]
    assert len(official) == 2
    for row in official:
        assert f"= {row['value']:.4f}" in text and f"<bdi>{row['value']:.4f}</bdi>" in text
    assert "asd score --method nn" in text and "asd embed --embedder logmel" in text
    assert "No clip can be heard" in text


def test_the_payload_has_every_clip_with_score_p_value_and_side(asd: Asd) -> None:
    scored(asd)
    assert asd("report", "--audio", "none", "-q") == 0
    found = payload(Path("runs/mine/report.html"))
    assert [one["name"] for one in found["series"]] == ["nn", "varmin:k=4,val=train-all"]
    fan = found["machines"][0]
    part = fan["series"][0]
    n = len(fan["clips"]["name"])
    assert n == 24 and all(len(part[name]) == n for name in ("score", "p", "p_group", "side", "rank", "nearest"))
    assert sorted(part["rank"])[0] == 1 and part["score"][part["rank"].index(1)] == max(part["score"])
    assert part["threshold"] in part["cuts"]["at"] and len(part["cuts"]["recall"]) == len(part["cuts"]["at"]) + 1
    assert sum(sum(heap["counts"]) + heap["beyond"] for heap in part["heaps"]) == 24 + 28
    assert fan["series"][1]["weights"] and not part["weights"]
    assert [heap["condition"] for heap in part["heaps"]] == ["learned", "normal", "normal", "anomaly", "anomaly"]
    assert {curve["domain"] for curve in part["curves"]} == {None, "source", "target"}


def test_the_same_inputs_give_the_same_bytes_and_a_file_of_others_stays(asd: Asd) -> None:
    scored(asd)
    page = Path("runs/mine/report.html")
    assert asd("report", "--audio", "none", "-q") == 0
    before = page.read_bytes()
    assert asd("report", "--audio", "none", "-q") == 0 and page.read_bytes() == before
    page.write_text("mine")
    assert asd("report", "--audio", "none", "-q") == 1 and page.read_text() == "mine"
    assert asd("report", "--audio", "none", "-q", "--force") == 0 and page.read_bytes() == before


def test_nearest_clips_are_those_by_brute_force(asd: Asd) -> None:
    embedded = read_embeddings(make([*rows("fan"), *rows("pump", source=1, target=0)], windows=2))
    found = nearest_clips(embedded)
    ids, split = embedded.column("clip_id"), embedded.column("split")
    machine = embedded.column("machine_type")
    x = embedded.vectors / np.linalg.norm(embedded.vectors, axis=1, keepdims=True)
    for row, name in enumerate(ids):
        others = (split == "train") & (machine == machine[row]) & (ids != name)
        if not others.any():
            assert name not in found  # the only recording of its machine
            continue
        windows = np.flatnonzero(others[embedded.clip])
        alike = (x[embedded.clip == row] @ x[windows].T).max(axis=0)
        assert found[name] == ids[embedded.clip[windows[alike.argmax()]]]


def test_two_runs_stand_side_by_side_and_runs_of_two_datasets_are_refused(
    asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(asd)
    for name in ("a", "b"):
        shutil.copytree("runs/mine", f"runs/{name}")
    assert asd("report", "runs/a", "runs/b", "-m", "nn", "--audio", "none", "-q") == 0
    found = payload(Path("runs/report.html"))
    assert len(found["series"]) == 2 and found["runs"] == ["a", "b"]
    Path("runs/b/run.json").write_text('{"dataset": "other"}\n')
    capsys.readouterr()
    assert asd("report", "runs/a", "runs/b", "--audio", "none") == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "a page is of one dataset, and these runs are of mine, other" in told


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--audio", "loud"], 2, "unknown --audio 'loud'"),
        (["--budget", "0"], 2, "--budget must lie in (0, 1000] MB"),
        (["--every", "soon"], 2, "no time from one recording to the next"),
        (["-m", "nnn"], 2, "unknown method 'nnn'"),
        (["runs/none"], 1, "there are no scores in runs/none"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    asd: Asd, capsys: pytest.CaptureFixture[str], words: list[str], code: int, told: str
) -> None:
    scored(asd)
    capsys.readouterr()
    assert asd("report", "--audio", "none", *words) == code
    assert told in " ".join(capsys.readouterr().err.split())
    assert not Path("runs/mine/report.html").exists()


def test_learned_recordings_are_listed_with_what_learn_says_and_all_can_be_heard_beside_the_page(asd: Asd) -> None:
    folder = healthy(Path("fan 3/October normal"), 24)
    write(folder / "2024-10-04_0099.wav", sound(np.random.default_rng(9), whine=0.3))
    assert asd("learn", folder, "-q") == 0
    (run,) = Path("runs").iterdir()
    assert asd("report", run, "--audio", "folder", "-q") == 0
    found = payload(run / "report.html")
    (machine,) = found["machines"]
    assert found["kind"] == "learned" and len(machine["clips"]["name"]) == 25
    text = (run / "report.html").read_text(encoding="utf-8")
    assert "fan 3: 25 recordings in 4 days" in text and "Benjamini" not in text
    assert len(found["sounds"]) == 25
    for one in found["sounds"].values():
        assert (run / one["audio"]).read_bytes().startswith(b"fLaC")
        assert (run / one["picture"]).read_bytes().startswith(b"\x89PNG")
    first_verdict = text.index("recordings in 4 days")
    assert "fan 3</bdi>: the one least like the others" in text and "25 normal ones that were learned" in text
    assert first_verdict < text.index('id="machines"')
    assert "media-src data: &#39;self&#39; file:" in text and len(list((run / "report-audio").glob("*.flac"))) == 25


def test_checked_recordings_become_a_page_with_verdicts_times_reasons_and_what_operators_said(
    asd: Asd, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asd("learn", healthy(Path("fan 3/October normal"), 24), "-q") == 0
    week = healthy(Path("fan 3/week 47"), 4, seed=5, days=1)
    write(week / "2024-10-01_0009.wav", sound(np.random.default_rng(9), whine=0.4))
    write(week / "2024-10-01_0010.wav", np.zeros(4000, np.int16))
    words = ("check", week, "--html", "week.html", "--why", "none")
    assert asd(*words, "--exit-code", "-q") == 4
    before = Path("week.html").read_bytes()
    assert asd(*words, "-q") == 3 and Path("week.html").read_bytes() == before
    found = payload(Path("week.html"))
    (machine,) = found["machines"]
    clips, part = machine["clips"], machine["series"][0]
    assert found["kind"] == "checked" and len(clips["name"]) == 6
    verdicts = dict(zip(clips["name"], clips["verdict"], strict=True))
    assert verdicts["2024-10-01_0009.wav"] == "suspicious" and verdicts["2024-10-01_0010.wav"] == "not judged"
    row = clips["name"].index("2024-10-01_0009.wav")
    assert part["rank"][row] == 1 and part["score"][row] > part["threshold"] and clips["when"][row][:10] == "2024-10-01"
    reason = found["reasons"]["2024-10-01_0009.wav"]
    assert any("kHz" in one for one in reason["words"]) and reason["nearest"][0][0] in found["sounds"]
    assert part["score"][clips["name"].index("2024-10-01_0010.wav")] is None
    assert next(heap["label"] for heap in part["heaps"]) == "learned, normal (24)"
    text = Path("week.html").read_text(encoding="utf-8")
    n = list(verdicts.values()).count("suspicious")
    assert (
        f"fan 3: {n} of 5 recordings {'is' if n == 1 else 'are'} suspicious" in text
        and "What operators said" not in text
    )
    assert asd("confirm", week / "2024-10-01_0009.wav", "normal", "-q") == 0
    assert asd(*words, "-q", "--force") == 3
    text = Path("week.html").read_text(encoding="utf-8")
    assert "What operators said" in text
    clips = payload(Path("week.html"))["machines"][0]["clips"]
    assert dict(zip(clips["name"], clips["condition"], strict=True))["2024-10-01_0009.wav"] == "normal"
    Path("week.html").write_text("mine")
    capsys.readouterr()
    assert asd(*words) == 1 and Path("week.html").read_text() == "mine"
    assert "week.html is there already" in capsys.readouterr().err
