"""Parts of a page without a browser: pictures, budgets, what is put where in HTML, and what is worth a look first."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from asdcli.errors import BadData
from asdcli.page import pictures
from asdcli.page.content import PageContent
from asdcli.page.first_look import first_look, queue
from asdcli.page.listening import Part, ticks
from asdcli.page.parts import ClipList, SeriesPart
from asdcli.page.render import for_script, render
from asdcli.page.stores import BesidePage, WithinPage


def pixels(png: bytes) -> tuple[np.ndarray, np.ndarray]:
    """(n_rows, n_columns) indices and (n_colours, 3) of an indexed PNG whose rows have no filter."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(png):
        (n,) = struct.unpack(">I", png[at : at + 4])
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + n]
        assert struct.unpack(">I", png[at + 8 + n : at + 12 + n]) == (zlib.crc32(name + data),)
        chunks[name] = data
        at += 12 + n
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:], np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)


def test_a_picture_of_levels_has_low_bands_below_and_the_loudest_brightest() -> None:
    frames = np.full((4, 3), -200.0)
    frames[2, 0] = -10.0
    frames[1, 2] = -10.0 - pictures.RANGE_DB / 2
    image, palette = pixels(pictures.levels(frames))
    assert image.shape == (3, 4) and image[2, 2] == len(palette) - 1 and image[0, 0] == 0
    assert abs(int(image[0, 1]) - (len(palette) - 1) / 2) <= 0.5
    assert palette[0].tolist() == [0x00, 0x20, 0x4D] and palette[-1].tolist() == [0xFF, 0xEA, 0x46]


def test_frames_that_share_a_column_are_averaged() -> None:
    image, palette = pixels(pictures.differences(np.tile([[0.0], [pictures.BEYOND]], (160, 1))))
    assert image.shape == (1, 160) and (image == round(0.75 * (len(palette) - 1))).all()


def test_the_budget_counts_what_stands_in_the_page_and_files_go_in_together_or_not_at_all() -> None:
    store = WithinPage(100)
    (one,) = store.put(png=b"x" * 30) or []
    assert one == "data:image/png;base64," + base64.b64encode(b"x" * 30).decode() and store.left == 100 - len(one)
    assert store.put(opus=b"", png=b"x" * 30) is None and store.left == 100 - len(one)


def test_files_beside_the_page_are_numbered_and_those_of_an_earlier_page_go(tmp_path: Path) -> None:
    for n in (3, 2):
        store = BesidePage(tmp_path / "a page", force=False)
        assert store.put(flac=b"0", png=b"1") == ["a%20page/00001.flac", "a%20page/00001.png"]
        for i in range(1, n):
            store.put(flac=f"{n} {i}".encode())
        store.close()
    assert sorted(p.name for p in (tmp_path / "a page").glob("0*")) == ["00001.flac", "00001.png", "00002.flac"]
    (tmp_path / "a page/00002.flac").write_bytes(b"somebody else's")
    store = BesidePage(tmp_path / "a page", force=False)
    store.put(flac=b"0", png=b"1")
    with pytest.raises(BadData, match="is there already"):
        store.put(flac=b"another")


def test_of_a_long_recording_stays_what_is_interesting() -> None:
    assert Part.of(600.0, 12.0, 100.0) == Part(98.0, 12.0, 600.0)
    assert Part.of(600.0, 12.0, 599.0) == Part(588.0, 12.0, 600.0)
    assert Part.of(5.0, 12.0, 3.0) == Part(0.0, 5.0, 5.0)


def test_ticks_stand_where_the_bands_are() -> None:
    found = {text: share for share, text in ticks(16_000)}
    assert list(found) == ["0.1", "0.25", "0.5", "1", "2", "4", "8"]
    assert found["8"] == pytest.approx(1, abs=0.01) and found["1"] == pytest.approx(15 / 45.245640471924965, abs=0.01)


NASTY = "</script><script>alert(1)</script><!-- & ]]> \u2028 \udcff \x1b[0m ' \" \u202e"


def test_json_in_a_script_ends_nothing_and_reads_as_it_was() -> None:
    text = for_script({"name": NASTY})
    assert text.isascii() and not set("<>&") & set(text)
    assert json.loads(text) == {"name": NASTY}


def _content(name: str) -> PageContent:
    return PageContent("tested", name, [(name, name)], [name], [name], (), (), (), (), (), signatures=[name])


def test_what_others_called_things_is_text_everywhere_and_the_policy_names_the_script_by_its_digest() -> None:
    page = render(_content(NASTY)).decode()
    assert page == render(_content(NASTY)).decode()
    assert page.count("<script") == page.count("</script>") == 2 and "alert(1)</script>" not in page
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    policy = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert (
        policy and "default-src &#39;none&#39;" in policy[1] and "unsafe" not in policy[1] and "http" not in policy[1]
    )
    for text in (*scripts, style):
        assert f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}" in policy[1]
    assert "\\u202e" in page and "\u202e" not in page  # as on the terminal


def _part(scores: list[float], side: list[float], threshold: float | None) -> SeriesPart:
    n = len(scores)
    rank = [1 + sum(other > one for other in scores) for one in scores]
    return SeriesPart(scores, [None] * n, [None] * n, side, rank, threshold, None, None, (0, 1), (), {})


def test_worst_miss_and_worst_false_alarm_come_before_the_highest_score_and_machines_take_turns() -> None:
    condition = ["normal", "normal", "anomaly", "anomaly", "anomaly", "normal"]
    clips = ClipList(["n0", "n1", "a0", "a1", "a2", "n2"], condition=condition)
    part = _part([0.9, 0.6, 0.1, 0.2, 0.95, 0.3], [0.6, 0.5, 1.0, 0.9, 0.0, 0.0], 0.5)
    machines = {"fan": (clips, part), "valve": (ClipList(["v"], condition=[None]), _part([0.4], [0.0], 0.5))}
    order = [clip for _, clip in queue(machines)]
    assert order == ["a0", "v", "n0", "a2", "a1", "n1", "n2"]
    told = [one.why for one in first_look(machines, 4)]
    assert told == [
        "missed anomaly: 100 % of the normal clips score higher",
        "the highest score, 0.4",
        "false alarm: 60 % of the anomalous clips score lower",
        "the highest score, 0.95, an anomaly",
    ]


def test_without_a_threshold_what_lies_on_the_wrong_side_of_half_of_the_others_is_no_decision() -> None:
    clips = ClipList(["n", "a"], condition=["normal", "anomaly"])
    (first, second) = first_look({"fan": (clips, _part([0.9, 0.1], [1.0, 1.0], None))})
    assert first.why.startswith("anomaly: 100 %") and second.why.startswith("normal clip: 100 %")
