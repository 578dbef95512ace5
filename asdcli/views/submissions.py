"""A folder of challenge CSVs -> scored clips, joined with clips.parquet by file name."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.catalogue import truth
from asdcli.errors import BadData
from asdcli.progress import SILENT, Progress
from asdcli.submission import rows
from asdcli.submission.formats import DECISION, SCORE, CsvPart, parse_file_name
from asdcli.views.editions import edition_of
from asdcli.views.scores import TRUTH, Scored
from asdcli.vocabulary import Split, Subset


def read_submission(folder: Path, clips: Path, *, names: Sequence[Path] = (), progress: Progress = SILENT) -> Scored:
    """Read the scores (and decisions, where there are any) of one system, under the name of its folder.

    Test files that were renamed with their labels are mapped back by the organisers' lists: those given as `names`, and
    those below the dataset root.

    Args:
        folder: the system's. Tables in it whose names are no edition's are named and left out.
        clips: clips.parquet.
        names: lists of renamed test files.
        progress: is told of what is left out.

    Raises:
        MissingArtifact: no `clips`. BadData: no CSV, a line that is not in order, a name that is no test clip's, or a
        clip that has two scores.
    """
    table, header = artifacts.read_table(clips, artifacts.CLIPS, headerless=True)
    test = table.filter(pc.equal(table["split"], str(Split.TEST)))
    finder = _Finder(test, [*names, *sorted((clips.parent / truth.FOLDER).rglob("*.csv"))])
    values: dict[str, dict[int, float]] = {SCORE: {}, DECISION: {}}
    files = list(_files(folder, progress))
    for path, kind, part in files:
        own = values[kind]
        for row in rows.read(path, decisions=kind == DECISION):
            place = finder.find(part, row.stem)
            if place is None:
                raise BadData(
                    f"{path.name}, line {row.line}: {row.name} is no test clip of {part.machine_type} in {clips}",
                    f"if test files were renamed with their labels, {_lists_of(header)}",
                )
            if place in own:
                raise BadData(f"{path.name}, line {row.line}: {row.name} has a value already")
            own[place] = row.value
    scores, decisions = values[SCORE], values[DECISION]
    if decisions and decisions.keys() != scores.keys():
        odd = test["clip_id"][min(decisions.keys() ^ scores.keys())].as_py()
        raise BadData(
            f"{folder}: {odd} has only a score or only a decision",
            f"see: asd submit --check {shlex.quote(str(folder))}",
        )
    chosen = test.take(pa.array(list(scores), pa.int64())).select(("clip_id", *TRUTH))
    chosen = chosen.append_column("anomaly_score", pa.array(scores.values(), pa.float64()))
    if decisions:
        chosen = chosen.append_column("decision", pa.array([decisions[i] == 1 for i in scores], pa.bool_()))
    name = folder.resolve().name
    source = Header.foreign(artifacts.digest_bytes(*(path.read_bytes() for path, *_ in files)))
    inputs = {"clips": header, "source": source}
    made = Header.make(artifacts.SCORES, dataset=header.dataset, params={"submission": name}, inputs=inputs)
    return Scored(name, name, chosen, made, folder)


def _lists_of(header: Header) -> str:
    """How to come by the organisers' lists of names."""
    given = "give the list of names: --names eval_data_list.csv"
    edition = edition_of(header)
    if edition is None or not any(table.says_other_names for table in edition.truth):
        return given
    return f"fetch the organisers' lists: asd download {edition.name} --subset {Subset.EVAL}; or {given}"


def _files(folder: Path, progress: Progress) -> list[tuple[Path, str, CsvPart]]:
    found, strange = [], []
    for path in sorted(folder.glob("*.csv")):
        if parsed := parse_file_name(path.name):
            found.append((path, *parsed))
        else:
            strange.append(path.name)
    if strange:
        progress.left_out(f"ignored, because the name is none of an edition's: {', '.join(strange)}")
    if not any(kind == SCORE for _, kind, _ in found):
        raise BadData(
            f"no anomaly_score_*.csv in {folder}",
            "name the folder of one system, such as task2/Lastname_Institute_task2_1",
        )
    return found


class _Finder:
    """Rows of the test clips by machine type and file name, renamed files included."""

    def __init__(self, test: pa.Table, lists: Sequence[Path]) -> None:
        self._rows: dict[tuple[str, str], int] = {}
        for i, (clip_id, machine_type) in enumerate(
            zip(test["clip_id"].to_pylist(), test["machine_type"].to_pylist(), strict=True)
        ):
            self._rows[machine_type, clip_id.rpartition("/")[2]] = i
        self._machine_types = sorted({m for m, _ in self._rows})
        self._lists = lists

    def find(self, part: CsvPart, stem: str) -> int | None:
        """The row of a clip, None when it is neither a test clip nor another name of one."""
        key = (part.machine_type, stem)
        found = self._rows.get(key)
        return self._renamed.get(key) if found is None else found

    @cached_property
    def _renamed(self) -> dict[tuple[str, str], int]:
        """The other names of test clips; the lists are read when a first name asks for them."""
        aliases: dict[tuple[str, str], int] = {}
        for path in self._lists:
            own = next((m for m in self._machine_types if m in (*path.stem.split("_"), path.parent.name)), "")
            for named, names in rows.read_aliases(path):
                keys = [(named or own, n) for n in names]
                row = next((self._rows[key] for key in keys if key in self._rows), None)
                if row is not None:
                    aliases |= dict.fromkeys(keys, row)
        return aliases
