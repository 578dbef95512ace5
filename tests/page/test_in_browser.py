"""The page in a real browser: it opens without a complaint, sorts, filters, drags, plays, and is readable."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asdcli.metrics.decisions import Confusion, decide
from asdcli.views.scores import read_scores
from asdcli.views.thresholds import Thresholds
from tests.helpers.browser import Opened, chromium, opened
from tests.helpers.typed import typed
from tests.known_faults.made_up import RATE, BandFault, machine, pcm, with_fault

READABLE = Path(__file__).with_name("readable.js")
SECONDS = 1.5
HOSTILE = (
    "<img src=x onerror=window.hacked=1>",
    "\"'><script>window.hacked=2<",
    "${window.hacked=3} {{7*7}} &amp; --><!--",
    "שלום مرحبا 機械",
    "🔧 pump \u202egnp.exe",
)
PUMP = "motor & 'שלום' 🔧"
"""A machine's name."""
LINES = (
    "index recordings --name mine --group-by block:5",
    "extract-features --features logmel",
    "embed --embedder logmel",
    "score -m nn -m varmin:k=4,val=train-all",
    "threshold --quantile 0.8",
    "report --budget 0.7",
)


def write(path: Path, sound: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, pcm(sound), RATE, subtype="PCM_16")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two machines, one of a hostile name, with hostile names of clips; some hiss. Their page is the last line."""
    place = tmp_path_factory.mktemp("page")
    for m, name in enumerate(("fan", PUMP)):
        for i in range(12):
            write(place / f"recordings/{name}/train/normal {i:02d}.wav", machine(100 * m + i, SECONDS))
        for i in range(5):
            hiss = with_fault(machine(100 * m + 50 + i, SECONDS), BandFault(1200, 1600, 0.5, 3 * i), i)
            write(place / f"recordings/{name}/test/abnormal/{HOSTILE[i] if m else f'hiss {i}'}.wav", hiss)
            write(place / f"recordings/{name}/test/normal/well {i}.wav", machine(100 * m + 70 + i, SECONDS))
    return typed(place, *LINES)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def page(browser: Any, made: Path) -> Iterator[Opened]:
    with opened(browser, made / "runs/mine/report.html") as one:
        yield one
        assert not one.complaints


@pytest.fixture
def fresh(page: Opened) -> Opened:
    page.tab.reload()
    page.tab.wait_for_selector("html[data-ready=yes]", state="attached")
    return page


def names(page: Opened) -> list[str]:
    """What the list shows, in its order."""
    found = page.run(
        "[...document.querySelectorAll('.grid .body .row')].map(r => [r.getAttribute('aria-rowindex'), "
        "r.querySelector('.name bdi').textContent])"
    )
    return [name for _, name in sorted(found, key=lambda one: int(one[0]))]


def figures(page: Opened, m: int) -> dict[str, str]:
    """The tiles below the scores of a machine."""
    return dict(
        page.run(
            "m => [...document.querySelectorAll(`#machine-${m} .tile`)].map(t => "
            "[t.dataset.figure, t.querySelector('strong').textContent])",
            m,
        )
    )


def scores(made: Path, m: int, method: str = "nn") -> tuple[np.ndarray, np.ndarray, float]:
    """Of the test clips of a machine: scores, which are anomalous, and the threshold."""
    (one,) = (s for s in read_scores([made / "runs/mine/scores"]) if s.method == method)
    name = sorted(("fan", PUMP))[m]
    rows = [r for r in one.table.to_pylist() if r["machine_type"] == name and r["split"] == "test"]
    limit = Thresholds.read(made / "runs/mine/thresholds.parquet").of(one, name)
    assert limit is not None
    return np.array([r["anomaly_score"] for r in rows]), np.array([r["condition"] == "anomaly" for r in rows]), limit


def show_machine(page: Opened, m: int) -> None:
    page.tab.locator(f"#machine-{m}").scroll_into_view_if_needed()
    page.tab.wait_for_selector(f"#machine-{m} [role=slider]", state="attached")


def test_it_opens_without_a_complaint_and_asks_no_network_for_anything(page: Opened) -> None:
    for m in (0, 1):
        show_machine(page, m)
    assert page.complaints == []
    assert page.run("performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length") == 0
    assert "official" in page.text("#first") and "Look and listen here first" in page.text("#first")


def test_hostile_names_are_shown_as_they_are_and_execute_nothing(fresh: Opened) -> None:
    fresh.tab.fill("#find", "abnormal")
    shown = {*names(fresh)}
    assert {*HOSTILE[:4], "🔧 pump \\u202egnp.exe"} <= shown
    for name in (*HOSTILE[:4], "🔧 pump \\u202egnp.exe"):
        fresh.tab.fill("#find", name.lower())
        assert names(fresh) == [name]
        fresh.tab.click(".grid .body .row")
        assert fresh.text("#player h2") == name
    assert PUMP in fresh.text("#player .chips") and PUMP in fresh.text("#machines")
    for m in (0, 1):
        show_machine(fresh, m)
    assert fresh.run("typeof window.hacked") == "undefined" and not fresh.complaints
    assert fresh.run("document.querySelectorAll('main img, main script, main [onload]').length") == 0


def test_the_list_sorts_by_a_column_and_back(fresh: Opened, made: Path) -> None:
    values = np.concatenate([scores(made, m)[0] for m in (0, 1)])
    button = ".grid .head .score button"
    for order in (sorted(values, reverse=True), sorted(values)):
        fresh.tab.click(button)
        shown = fresh.run("[...document.querySelectorAll('.grid .body .row .score')].map(c => c.textContent)")
        assert [float(one) for one in shown] == pytest.approx(order[: len(shown)], rel=1e-3)
    assert fresh.tab.get_attribute(".grid .head .score", "aria-sort") == "ascending"


def test_wrong_decisions_stand_first_and_filters_leave_what_they_say(fresh: Opened, made: Path) -> None:
    wrong = 0
    for m in (0, 1):
        values, anomalous, limit = scores(made, m)
        found = Confusion.of(decide(values, limit), anomalous)
        wrong += found.false_negative + found.false_positive
    assert wrong  # else nothing is tried
    told = fresh.run("[...document.querySelectorAll('.grid .body .row .decision')].map(c => c.textContent.trim())")
    is_wrong = [bool(re.search("missed|false alarm", one)) for one in told]
    assert is_wrong == sorted(is_wrong, reverse=True) and sum(is_wrong) == wrong
    fresh.tab.select_option("#kind", "wrong")
    assert fresh.text(".count") == f"{wrong} of 20 clips"
    fresh.tab.select_option("#kind", "anomaly")
    fresh.tab.fill("#find", "hiss")
    assert fresh.text(".count") == "5 of 20 clips"


def test_a_dragged_threshold_has_the_numbers_that_python_counts(fresh: Opened, made: Path) -> None:
    show_machine(fresh, 0)
    values, anomalous, limit = scores(made, 0)

    def agrees(threshold: float) -> None:
        found = Confusion.of(decide(values, threshold), anomalous)
        shown = figures(fresh, 0)
        assert shown["precision"] == _percent(found.precision) and shown["recall"] == _percent(found.recall)
        assert shown["false-alarms"] == _percent(found.false_positive / found.n_normal)
        if np.isfinite(threshold):
            assert float(shown["threshold"]) == pytest.approx(threshold, rel=1e-3)
        assert shown["alarms"] == str(found.true_positive + found.false_positive)

    agrees(limit)
    cuts = np.unique([*values, limit])
    box = fresh.tab.locator("#machine-0 .drag").bounding_box()
    x, y = box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2
    fresh.tab.mouse.move(x, y)
    fresh.tab.mouse.down()
    fresh.tab.mouse.move(x + 40, y)
    fresh.tab.mouse.up()
    index = int(fresh.tab.get_attribute("#machine-0 [role=slider]", "aria-valuenow"))
    assert 0 < index <= len(cuts) and cuts[index - 1] != limit
    agrees(cuts[index - 1])
    fresh.tab.focus("#machine-0 [role=slider]")
    for key, at in (("End", len(cuts)), ("ArrowLeft", len(cuts) - 1), ("Home", 0), ("ArrowRight", 1)):
        fresh.tab.keyboard.press(key)
        assert fresh.tab.get_attribute("#machine-0 [role=slider]", "aria-valuenow") == str(at)
        assert fresh.run("document.activeElement.getAttribute('role')") == "slider"
        agrees(cuts[at - 1] if at else -np.inf)
    assert "recall 100 %" in fresh.tab.get_attribute("#machine-0 [role=slider]", "aria-valuetext").lower()
    fresh.tab.click("text=Back to the threshold that was set >> visible=true")
    agrees(limit)


def test_another_method_has_its_own_threshold_and_scores(fresh: Opened, made: Path) -> None:
    show_machine(fresh, 0)
    fresh.tab.select_option("#series", "1")
    values, anomalous, limit = scores(made, 0, "varmin:k=4,val=train-all")
    assert figures(fresh, 0)["recall"] == _percent(Confusion.of(decide(values, limit), anomalous).recall)
    assert fresh.tab.input_value("#compare-a") == "1" and fresh.tab.input_value("#compare-b") == "0"
    assert fresh.tab.locator("#machine-0 figcaption", has_text="VarMin").is_visible()
    assert fresh.run("document.querySelectorAll('#compared tbody tr').length") == 10


def test_a_clip_plays_beside_its_nearest_normal_one_and_the_keys_turn_from_one_to_the_other(fresh: Opened) -> None:
    fresh.tab.click("button.clip >> nth=0")
    fresh.until("document.querySelector('audio').currentTime > 0.05")
    assert fresh.run("[...document.querySelectorAll('audio')].map(a => a.paused)") == [False, True]
    fresh.tab.keyboard.press("b")
    fresh.until("document.querySelectorAll('audio')[1].currentTime > 0.05")
    assert fresh.run("[...document.querySelectorAll('audio')].map(a => a.paused)") == [True, False]
    fresh.until(
        "document.getElementById('deck-B').getAttribute('aria-pressed') === 'true'"
    )  # painted with the next frame
    fresh.tab.keyboard.press(" ")
    fresh.until("document.getElementById('play').textContent === 'Play'")
    fresh.until(
        "() => { const c = document.getElementById('spectrum-A'); const d = c.getContext('2d')"
        ".getImageData(60, 20, 40, 40).data; return new Set(d).size > 4; }"
    )
    assert "What differs from normal" in fresh.text("#player")
    fresh.tab.click("#spectrum-A", position={"x": 200, "y": 60})
    fresh.until("document.querySelector('audio').currentTime > 0.3")
    fresh.tab.keyboard.press("Escape")
    assert fresh.tab.locator("#player").is_hidden()
    assert fresh.run("document.activeElement.className") == "clip"


def test_the_keyboard_alone_reaches_a_clip_of_the_list_and_of_the_map(fresh: Opened) -> None:
    fresh.tab.focus(".grid")
    fresh.tab.keyboard.press("ArrowDown")
    fresh.tab.keyboard.press("ArrowDown")
    wanted = names(fresh)[2]
    fresh.tab.keyboard.press("Enter")
    assert fresh.text("#player h2") == wanted
    fresh.tab.keyboard.press("Escape")
    show_machine(fresh, 0)
    fresh.tab.focus("#machine-0 .map")
    fresh.tab.keyboard.press("ArrowRight")
    fresh.tab.keyboard.press("Enter")
    assert fresh.tab.locator("#player").is_visible()


def test_a_learned_recording_has_no_second_one_beside_it_and_nothing_in_its_place(fresh: Opened) -> None:
    show_machine(fresh, 0)
    fresh.tab.focus("#machine-0 .map")
    for _ in range(30):
        fresh.tab.keyboard.press("ArrowRight")
        fresh.tab.keyboard.press("Enter")
        if "learned from" in fresh.text("#player"):
            break
        fresh.tab.focus("#machine-0 .map")
    assert "A normal recording that others are held against." in fresh.text("#player")
    assert "null" not in fresh.text("#player")


def test_a_long_verdict_is_wrapped_and_no_table_of_the_first_screen_is_cut(browser: Any, made: Path) -> None:
    with opened(browser, made / "runs/mine/report.html", width=1280) as page:
        cells = ["varmin:k=16,val=train-cluster+smooth:k=16", "source", "10.0 %", "100.0 % (98 to 100 %)", "100.0 %"]
        page.run(
            "cells => document.querySelectorAll('[aria-label=\"False alarms\"] tbody tr').forEach(row => "
            "cells.forEach((text, i) => { row.children[i].textContent = text; }))",
            [*cells, "no promise: set on clips that the model was trained on"],
        )
        cut = page.run("[...document.querySelectorAll('#first .scroll')].map(e => e.scrollWidth - e.clientWidth)")
        assert len(cut) >= 3 and "no promise" in page.text("#first") and not any(cut)


def test_on_paper_all_plots_are_drawn_and_the_list_is_a_table_with_everything_in_it(browser: Any, made: Path) -> None:
    with opened(browser, made / "runs/mine/report.html", width=717, theme="dark") as page:
        page.tab.emulate_media(media="print")
        page.run("window.dispatchEvent(new Event('beforeprint'))")
        assert page.run("document.documentElement.scrollWidth") <= 717
        assert page.run("[...document.querySelectorAll('section.machine')].every(one => one.querySelector('svg'))")
        rows = page.run(
            "[...document.querySelectorAll('.grid .body .row')].map(r => { const box = r.getBoundingClientRect(); "
            "return [box.top, box.bottom, [...r.children].every(c => getComputedStyle(c).display !== 'none' "
            "&& c.scrollWidth <= c.clientWidth + 1)]; })"
        )
        assert len(rows) == 20 and all(whole for _, _, whole in rows)
        assert all(below[0] >= above[1] - 1 for above, below in itertools.pairwise(rows))
        named = page.run("[...document.querySelectorAll('#compared tbody th')].map(c => c.innerText.trim())")
        assert len(named) == 10 and all(named)
        assert (
            page.run("getComputedStyle(document.querySelector('.badge.miss, .badge.false')).color")
            == "rgb(179, 38, 30)"
        )


@pytest.mark.parametrize(("theme", "width"), [("light", 390), ("dark", 1300)])
def test_every_text_is_large_enough_has_contrast_and_fits(browser: Any, made: Path, theme: str, width: int) -> None:
    with opened(browser, made / "runs/mine/report.html", theme=theme, width=width) as page:
        for m in (0, 1):
            show_machine(page, m)
        page.tab.click("button.clip >> nth=0")
        found = page.run(READABLE.read_text(encoding="utf-8"))
        assert found["texts"] > 100
        assert found["small"] == [] and found["faint"] == []
        assert page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        assert not page.complaints


def test_a_list_of_many_clips_holds_a_screenful_of_rows(browser: Any, made: Path, tmp_path: Path) -> None:
    text = (made / "runs/mine/report.html").read_text(encoding="utf-8")
    payload = re.search(r'<script type="application/json" id="payload">(.*?)</script>', text, re.S)
    assert payload
    known = json.loads(payload[1])
    for one in known["machines"]:
        n = len(one["clips"]["name"])
        for columns in (one["clips"], *one["series"]):
            for name, values in columns.items():
                if isinstance(values, list) and len(values) == n:
                    columns[name] = values * 160
        one["clips"]["name"] = [f"{name} {i}" for i, name in enumerate(one["clips"]["name"])]
    many = tmp_path / "many.html"
    many.write_text(text.replace(payload[1], json.dumps(known).replace("<", "\\u003c")), encoding="utf-8")
    with opened(browser, many) as page:
        assert page.text(".count") == "3,200 of 3,200 clips"
        assert page.tab.get_attribute(".grid", "aria-rowcount") == "3201"
        for at in (0, 20_000, 10**6):
            page.run("at => { document.querySelector('.grid').scrollTop = at; }", at)
            page.tab.wait_for_timeout(60)
            assert 10 < page.run("document.querySelectorAll('.grid .body .row').length") < 50
        assert "row-3199" in page.run("[...document.querySelectorAll('.grid .body .row')].map(r => r.id)")


def _percent(share: float) -> str:
    shown = 100 * share
    return f"{shown:.0f} %" if shown >= 10 or shown == 0 else f"{float(f'{shown:.2g}'):g} %"
