"""Scores to be fused: of several methods and runs on the same clips, joined by clip_id, contradictions refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import BadData, unknown_name
from asdcli.scorers.fuse import Fuse, spelled
from asdcli.views.calibration import calibrations, least_telling
from asdcli.views.scores import TRUTH, Scored
from asdcli.vocabulary import Split, Unit
from asdcli.wording import they_are

LABELS = (*TRUTH, "group")
_SAID = ("attributes", "attribute_string")
_SAME = "fuse scores of the same clips: score the others too, or take the machine types that all have: --machine-type"


@dataclass(frozen=True)
class Fusion:
    """What is to be fused, and how.

    Attributes:
        methods: the parts, two or more, each by a name of its own, in the order of the weights.
        how: they are fused.
        name: what stands in the spelling for the spellings of the parts; None: nothing.
        machine_types: only these; none means all.
    """

    methods: Sequence[Scored]
    how: Fuse
    name: str | None = None
    machine_types: Sequence[str] = ()

    @property
    def spelling(self) -> str:
        """Of the fused method; it says of how many runs that is, where several parts bear one spelling."""
        spellings = [one.spelling for one in self.methods]
        several = len(set(spellings)) < len(spellings)
        runs = len({one.path.resolve().parent for one in self.methods}) if several else None
        return spelled([self.name] if self.name else spellings, replace(self.how, runs=runs))

    def header(self, truth: Header | None = None) -> Header:
        """That of the fused scores; `truth` is that of the labels by which weights are chosen."""
        params: dict[str, Any] = {"method": self.spelling, "of": [one.method for one in self.methods]}
        params |= {"name": self.name} if self.name else {}
        params |= {"machine_types": list(self.machine_types)} if self.machine_types else {}
        inputs = {one.method: one.header for one in self.methods} | ({"clips": truth} if truth else {})
        return Header.make(artifacts.SCORES, dataset=self.methods[0].header.dataset, params=params, inputs=inputs)


@dataclass(frozen=True)
class Parts:
    """The clips that all parts have scored, in the order of clip_id.

    Attributes:
        methods: of the parts, each by a name of its own, with its rows in this order.
        table: the label columns, and `scored_as`: the least telling of the parts'.
        scores: (n_parts, n_clips).
        unit: (n_clips,) number of the unit of each clip, by the places of `units`.
        units: (machine type, section), the section None where units are machine types.
    """

    methods: tuple[Scored, ...]
    table: pa.Table
    scores: npt.NDArray[np.float64]
    unit: npt.NDArray[np.int64]
    units: tuple[tuple[str, str | None], ...]

    def rows_of(self, split: Split) -> npt.NDArray[np.bool_]:
        """(n_clips,) those of one split."""
        return np.asarray(pc.equal(self.table["split"], str(split)).to_numpy())

    def normal(self) -> list[npt.NDArray[np.bool_]]:
        """Of every part, (n_clips,): the normal training clips with its most telling scores, a machine type each."""
        found = []
        for one in self.methods:
            named = [clip_id for _, own in calibrations(one) for clip_id in own.clip_id]
            found.append(pc.is_in(self.table["clip_id"], pa.array(named, pa.string())).to_numpy())
        return found


def join_parts(fusion: Fusion) -> Parts:
    """Join parts by clip_id; what one part does not know of a clip, another may.

    Raises:
        UsageError: an unknown machine type.
        BadData: parts of different datasets, recordings or clips, or labels that contradict one another.
    """
    _require_same_data(fusion.methods)
    own = [_sorted(one, fusion.machine_types) for one in fusion.methods]
    own = _without_lone_training(own)
    table = _with_attributes(own[0].table.select(["clip_id", *LABELS]), own[0])
    for other in own[1:]:
        _require_same_clips(own[0], other)
        for name in LABELS:
            table = table.set_column(table.column_names.index(name), name, _agreed(table, other, name))
    scored_as = [least_telling(of) for of in zip(*(one.table["scored_as"].to_pylist() for one in own), strict=True)]
    table = table.append_column("scored_as", pa.array(scored_as, pa.string()))
    unit, units = _units(table, by_section=all(one.header.params.get("unit") == Unit.SECTION for one in own))
    return Parts(tuple(own), table, np.stack([one.table["anomaly_score"].to_numpy() for one in own]), unit, units)


def _sorted(one: Scored, machine_types: Sequence[str]) -> Scored:
    table = one.table
    known = sorted(pc.unique(table["machine_type"]).to_pylist())
    for name in machine_types:
        if name not in known:
            raise unknown_name(f"machine type of {one.method}", name, known)
    if machine_types:
        table = table.filter(pc.is_in(table["machine_type"], pa.array(machine_types, pa.string())))
    return Scored(one.method, one.spelling, table.sort_by("clip_id").combine_chunks(), one.header, one.path)


def _with_attributes(table: pa.Table, one: Scored) -> pa.Table:
    """The labels of a part, and what its names say of attributes."""
    whole = artifacts.read_table(one.path, artifacts.SCORES, headerless=True)[0]
    place = pc.index_in(table["clip_id"], value_set=whole["clip_id"]).combine_chunks()
    for name in _SAID:
        table = table.append_column(name, whole[name].combine_chunks().take(place))
    return table


def _without_lone_training(own: Sequence[Scored]) -> list[Scored]:
    """Where a part has scores of test clips alone, as smoothed ones are, so has what is fused of it."""
    bare = any(not len(one.split(Split.TRAIN).table) for one in own)
    return [one.split(Split.TEST) if bare else one for one in own]


def _require_same_data(methods: Sequence[Scored]) -> None:
    """Raises BadData where parts are of different datasets, or of other recordings under the same names."""
    first = methods[0]
    known: dict[tuple[str, str], tuple[Scored, set[str]]] = {}
    for one in methods:
        if one.header.dataset != first.header.dataset:
            raise BadData(
                f"{first.method} is of dataset {first.header.dataset!r}, {one.method} of {one.header.dataset!r}",
                "fuse scores of one dataset",
            )
        for (machine_type, made), contents in _packs(one.header).items():
            before, others = known.setdefault((machine_type, made), (one, contents))
            if not contents & others:
                raise BadData(
                    f"{before.method} and {one.method} are of other recordings of {machine_type}: of two data roots, "
                    "or of one that has changed between them",
                    "score both anew, of one data root; what is stale in a run is told by asd doctor",
                )


def _packs(header: Header) -> dict[tuple[str, str], set[str]]:
    """Machine type and how its pack was made -> digests of the packs of that kind that scores come from."""
    found: dict[tuple[str, str], set[str]] = {}
    for entry in header.history:
        if entry["kind"] == artifacts.FEATURES.name and "machine_type" in entry["params"]:
            made = json.dumps(entry["params"], sort_keys=True)
            found.setdefault((str(entry["params"]["machine_type"]), made), set()).add(entry["content"])
    return found


def _require_same_clips(a: Scored, b: Scored) -> None:
    ids_of_a, ids_of_b = a.table["clip_id"], b.table["clip_id"]
    if ids_of_a.equals(ids_of_b):
        return
    told = []
    for ids, others, more, fewer in ((ids_of_a, ids_of_b, a, b), (ids_of_b, ids_of_a, b, a)):
        lost = ids.filter(pc.invert(pc.is_in(ids, value_set=others))).to_pylist()
        if lost:
            told.append(f"{they_are(lost, 'clip')} scored by {more.method} and not by {fewer.method}")
    raise BadData("; ".join(told), _SAME)


def _agreed(table: pa.Table, other: Scored, name: str) -> pa.ChunkedArray:
    """A label of the parts before `other`, and of `other` where they do not know it."""
    known, said = table[name], other.table[name]
    differs = pc.fill_null(pc.not_equal(known, said), False)
    if (i := pc.index(differs, True).as_py()) >= 0:
        raise BadData(
            f"{other.method} says {name} {said[i].as_py()} of {table['clip_id'][i].as_py()}, where what it is to be "
            f"fused with says {known[i].as_py()}",
            "score both anew, of the labels that hold; what is stale in a run is told by asd doctor",
        )
    return pc.coalesce(known, said)


def _units(table: pa.Table, *, by_section: bool) -> tuple[npt.NDArray[np.int64], tuple[tuple[str, str | None], ...]]:
    """The number of each clip's unit, and what the numbers stand for."""
    machine_types = table["machine_type"].to_pylist()
    sections = table["section"].to_pylist() if by_section else [None] * len(table)
    keys = list(zip(machine_types, sections, strict=True))
    units = tuple(sorted(set(keys), key=lambda key: (key[0], key[1] or "")))
    number = {key: i for i, key in enumerate(units)}
    return np.array([number[key] for key in keys], np.int64), units
