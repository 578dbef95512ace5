"""Everything that is wrong with a folder of challenge CSVs, in one pass and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from asdcli.errors import BadData
from asdcli.submission import meta
from asdcli.submission.formats import DECISION, SCORE, CsvPart, SubmissionFormat, parse_file_name
from asdcli.submission.rows import Row, scan
from asdcli.wording import listed

Expected = Mapping[CsvPart, Sequence[str] | int | None]
"""What must be there: part -> the file names of its clips, or only their number, or None where that is unknown."""

SHOWN = 5
"""Clips named of those that a file lacks or has too many of."""


def check(folder: Path, style: SubmissionFormat, expected: Expected) -> list[str]:
    """One sentence for each thing that is wrong; none when the folder can be handed in.

    Args:
        folder: where the CSVs lie.
        style: the edition's format.
        expected: every part of the edition's test set.
    """
    problems: list[str] = []
    files = {p.name: p for p in sorted(folder.glob("*.csv"))}
    for part, clips in expected.items():
        listed: dict[str, list[Row]] = {}
        for kind in style.kinds:
            name = style.file_name(kind, part)
            path = files.pop(name, None)
            if path is None:
                problems.append(f"{name} is missing")
                continue
            try:
                listed[kind], wrong = scan(path, decisions=kind == DECISION)
            except BadData as error:
                problems.append(error.message)
                continue
            problems += [*wrong, *_against(name, listed[kind], clips)]
        if len(listed) == 2:
            odd = {r.name for r in listed[SCORE]} ^ {r.name for r in listed[DECISION]}
            if odd:
                name = style.file_name(DECISION, part)
                problems.append(f"{name}: {len(odd)} clips have only a score or only a decision, first {min(odd)}")
    problems += [_stranger(name, style, expected) for name in files]
    problems += _wrong_with_meta(folder)
    return problems


def _wrong_with_meta(folder: Path) -> list[str]:
    label = folder.resolve().name
    found = sorted(p.name for p in folder.glob("*.meta.yaml"))
    if found != [f"{label}.meta.yaml"]:
        return [f"the meta file must be {label}.meta.yaml; found {', '.join(found) or 'none'}"]
    path = folder / found[0]
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return [f"{path.name}: it is not UTF-8"]
    return [f"{path.name}: {problem}" for problem in meta.problems(text, label)]


def _against(name: str, rows: list[Row], clips: Sequence[str] | int | None) -> Iterator[str]:
    for row in rows:
        if "/" in row.name or "\\" in row.name:
            yield f"{name}, line {row.line}: {row.name} has a folder in it"
        elif not row.name.endswith(".wav"):
            yield f"{name}, line {row.line}: {row.name} does not end in .wav"
    if clips is None:
        return
    count = clips if isinstance(clips, int) else len(clips)
    if len(rows) != count:
        yield f"{name}: {len(rows)} clips instead of {count}"
    if isinstance(clips, int):
        return
    have, want = {r.name for r in rows}, set(clips)
    yield from _some(name, sorted(want - have), "missing")
    yield from _some(name, sorted(have - want), "no clip of this part")


def _some(name: str, clips: list[str], what: str) -> Iterator[str]:
    if clips:
        yield f"{name}: {what}: {listed(clips, SHOWN)}"


def _stranger(name: str, style: SubmissionFormat, expected: Expected) -> str:
    """What is wrong with a CSV that no part asks for."""
    parsed = parse_file_name(name)
    if parsed is None:
        example = style.file_name(SCORE, next(iter(expected)))
        return f"{name} is no name of this edition; one looks like {example}"
    kind, part = parsed
    if part.machine_type not in {p.machine_type for p in expected}:
        return f"{name}: this part of the edition has no machine type {part.machine_type!r}"
    if kind not in style.kinds:
        return f"{name}: this edition takes no decisions"
    return f"{name} is not named as this edition asks: {style.file_name(kind, part)}"
