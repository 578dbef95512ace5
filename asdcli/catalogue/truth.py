"""The tables that organisers publish beside the audio, quirks included: ground truth of evaluation clips, attributes.

Which tables an edition has stands in the catalogue. Truth is joined by base name, never by position.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from asdcli.catalogue.edition import Edition, Truth
from asdcli.clips import NO_ATTRIBUTE, parse_name, without_suffix
from asdcli.errors import BadData
from asdcli.files import require_file
from asdcli.vocabulary import Condition, Domain, Split, Subset

FOLDER = "ground_truth"
"""Where truth tables lie below the dataset root."""

Key = tuple[Subset, Split, str, str]
"""(subset, split, machine type, base name without suffix): what a truth table's row speaks of."""


@dataclass(frozen=True)
class Table:
    """One published file: where it is on the web, where below the dataset root, of what it speaks, in which grammar."""

    truth: Truth
    url: str
    path: str
    machine_type: str | None
    split: Split
    grammar: str


def tables(
    edition: Edition,
    subsets: Iterable[Subset],
    machine_types: Iterable[str] | None = None,
    *,
    attributes: bool = False,
    other_names: bool = False,
) -> list[Table]:
    """The truth tables of an edition.

    Args:
        edition: whose.
        subsets: of which parts.
        machine_types: of which of their machine types; None means all.
        attributes: those that give attributes too.
        other_names: of these, those that say what test files are called with their labels in the name.
    """
    chosen = None if machine_types is None else set(machine_types)
    found: dict[str, Table] = {}
    for truth in edition.truth:
        part = edition.part(truth.subset)
        if truth.subset not in set(subsets) or part is None:
            continue
        if truth.gives == "attributes" and not (attributes or (other_names and truth.says_other_names)):
            continue
        one_for_all = "{machine_type}" not in truth.url
        for machine_type in truth.machine_types or part.machine_types:
            if chosen is not None and machine_type not in chosen:
                continue
            for section in part.sections_for(machine_type):
                for domain in Domain:
                    for split in truth.splits:
                        url = truth.url.format(machine_type=machine_type, section=section, domain=domain, split=split)
                        place = "" if one_for_all else f"{machine_type}/"
                        path = f"{FOLDER}/{truth.gives}/{truth.subset}/{place}{url.rpartition('/')[2]}"
                        of = None if one_for_all else machine_type
                        found.setdefault(url, Table(truth, url, path, of, split, edition.grammar))
    return list(found.values())


def read_truth(file: Path, table: Table) -> dict[Key, str]:
    """What one table says: key -> condition, domain or attribute string, as `table.truth.gives` tells.

    Raises:
        BadData: an unreadable row, a word that is no condition or domain, or one clip with two answers.
    """
    said: dict[Key, str] = {}
    for line, machine_type, name, answer in _rows(file, table):
        if machine_type is None:
            raise BadData(f"{file}, line {line}: a clip before any machine type")
        value = _value(answer, table, f"{file}, line {line}")
        key = (table.truth.subset, table.split, machine_type, without_suffix(PurePosixPath(name).name))
        if said.setdefault(key, value) != value:
            raise BadData(f"{file}, line {line}: {name} was {said[key]!r} before and is {value!r} now")
    return said


def _rows(file: Path, table: Table) -> Iterator[tuple[int, str | None, str, str]]:
    """(line, machine type, clip name, answer) of each row."""
    machine_type = table.machine_type
    for line, row in _csv(file):
        match table.truth.format:
            case "list" if len(row) == 1:
                machine_type = row[0]
            case "flags" | "list" | "renamed" if any(row[1:]):
                # of several answers the last is the most telling: the flag, or the name with all attributes
                yield line, machine_type, row[0], [cell for cell in row[1:] if cell][-1]
            case "correspondence" if row[:2] == ["source_file_name", "target_file_name"]:
                continue
            case "correspondence" if len(row) == 2:
                yield line, machine_type, row[1], row[0]
            case _:
                raise BadData(f"{file}, line {line}: cannot read {','.join(row)!r}", "fetch it again: delete the file")


def _value(answer: str, table: Table, where: str) -> str:
    gives = table.truth.gives
    if gives == "attributes":
        return parse_name(answer, table.grammar).attribute_string or ""
    words: dict[str, str] = (
        {"0": Condition.NORMAL, "1": Condition.ANOMALY}
        if gives == "condition"
        else {"0": Domain.SOURCE, "1": Domain.TARGET}
    )
    if answer not in words:
        raise BadData(f"{where}: {gives} is {answer!r}, expected 0 or 1")
    return str(words[answer])


def read_attributes(file: Path) -> dict[str, dict[str, str]]:
    """Read an `attributes_<SS>.csv`: base name without suffix -> attribute pairs (empty where hidden).

    Columns are read by position, because header names repeat; folders in front of a name are ignored, because they are
    sometimes wrong; a last value may carry the name's `.wav`; a name may lack it; a header may stand alone.

    Raises:
        BadData: the file is no CSV text.
    """
    found: dict[str, dict[str, str]] = {}
    for _, row in _csv(file):
        if row[0] == "file_name":
            continue
        cells = [without_suffix(cell) for cell in row[1:]]
        pairs = {p: v for p, v in zip(cells[::2], cells[1::2], strict=False) if p and p != NO_ATTRIBUTE}
        found[without_suffix(PurePosixPath(row[0]).name)] = pairs
    return found


def _csv(file: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, stripped cells) of every row that is not blank."""
    try:
        with require_file(file).open(newline="", encoding="utf-8-sig") as text:
            for row in (reader := csv.reader(text)):
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield reader.line_num, cells
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadData(f"{file} is no CSV text: {error}", "delete the file and fetch it again") from None
