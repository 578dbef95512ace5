"""The thresholds of a run: one a method and machine type."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.errors import MissingArtifact
from asdcli.views.promises import Promise
from asdcli.views.scores import Scored

SCHEMA = pa.schema([(c.name, c.type) for c in artifacts.THRESHOLDS.columns])


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of one thresholds.parquet: by method and machine type, one for both domains and all sections.

    `rules` are those that set them, `promises` what they promise, where they do.
    """

    values: dict[tuple[str, str], float]
    rules: dict[tuple[str, str], str]
    promises: dict[tuple[str, str], Promise]
    header: Header

    @staticmethod
    def read(path: Path) -> Thresholds:
        """Raises MissingArtifact or BadArtifact when `path` holds no thresholds."""
        table, header = artifacts.read_table(path, artifacts.THRESHOLDS)
        keys = list(zip(table["method"].to_pylist(), table["machine_type"].to_pylist(), strict=True))
        values, rules = (dict(zip(keys, table[c].to_pylist(), strict=True)) for c in ("threshold", "rule"))
        said = zip(keys, table["promised"].to_pylist(), table["scored_as"].to_pylist(), strict=True)
        promises = {key: Promise(share, how) for key, share, how in said if share is not None}
        return Thresholds(values, rules, promises, header)

    def has(self, method: Scored) -> bool:
        return any(m == method.spelling for m, _ in self.values)

    def fitted_on(self, method: Scored) -> bool:
        """Whether they were fitted on exactly this score table."""
        return self.header.inputs.get(method.spelling) == method.header.content

    def of(self, method: Scored, machine_type: str) -> float | None:
        return self.values.get((method.spelling, machine_type))

    def promise(self, method: Scored, machine_type: str) -> Promise | None:
        return self.promises.get((method.spelling, machine_type))

    def rules_of(self, method: Scored) -> str:
        """The rules by which a method's clips are decided, the machine types named where there is more than one."""
        machine_types: dict[str, list[str]] = {}
        for (name, machine_type), rule in self.rules.items():
            if name == method.spelling:
                machine_types.setdefault(rule, []).append(machine_type)
        if len(machine_types) == 1:
            return next(iter(machine_types))
        return "; ".join(f"{rule} ({', '.join(m)})" for rule, m in machine_types.items())


@dataclass(frozen=True)
class OtherMethods:
    """What stays of a table of thresholds when `methods` get new ones: the rows and the header of the others."""

    rows: pa.Table
    found: Header

    @staticmethod
    def at(path: Path, methods: Sequence[Scored]) -> OtherMethods:
        """Those in the table at `path`; none where there is no such table, or one of another dataset.

        Raises:
            BadArtifact: a table that cannot be read, whose rows would be lost.
        """
        try:
            table, header = artifacts.read_table(path, artifacts.THRESHOLDS)
        except MissingArtifact:
            return OtherMethods.none(methods)
        if header.dataset != methods[0].header.dataset:
            return OtherMethods.none(methods)
        others = pc.invert(pc.is_in(table["method"], pa.array([m.method for m in methods])))
        return OtherMethods(table.filter(others).select(SCHEMA.names), header)

    @staticmethod
    def none(methods: Sequence[Scored]) -> OtherMethods:
        """Nothing: no other method has thresholds."""
        made = Header.make(artifacts.THRESHOLDS, dataset=methods[0].header.dataset)
        return OtherMethods(SCHEMA.empty_table(), made)

    def header(self, methods: Sequence[Scored], rule: str, *, from_training: bool = False) -> Header:
        """The header of these rows and the thresholds of `methods` by `rule` together."""
        dataset = methods[0].header.dataset
        made = Header.make(artifacts.THRESHOLDS, dataset=dataset, inputs={m.method: m.header for m in methods})
        inputs, history = dict(made.inputs), list(made.history)
        rules = dict.fromkeys(inputs, rule)
        for name in pc.unique(self.rows["method"]).to_pylist():
            inputs[name] = self.found.inputs.get(name, "")
            rules[name] = self.found.params.get("rules", {}).get(name) or self.found.params.get("rule", "")
            history += [e for e in _behind(self.found, inputs[name]) if e not in history]
        seen = {m.method for m in methods if from_training}
        seen |= set(self.found.params.get("from_training", ())) - {m.method for m in methods}
        params = {**_params(rules), **({"from_training": sorted(seen)} if seen else {})}
        return dataclasses.replace(made, params=params, inputs=inputs, history=tuple(history))


def _params(rules: Mapping[str, str]) -> dict[str, Any]:
    """The rule of all methods, or the rule of each where they differ."""
    one = set(rules.values())
    return {"rule": one.pop()} if len(one) == 1 else {"rules": dict(sorted(rules.items()))}


def _behind(header: Header, content: str) -> list[dict[str, Any]]:
    """The entries of a history from which `content` was made, itself included, in their order.

    Entries of older files do not say what they were made from: then all are kept.
    """
    if any("inputs" not in entry for entry in header.history):
        return list(header.history)
    wanted = {content}
    for entry in reversed(header.history):  # what a file was made from stands before it
        if entry["content"] in wanted:
            wanted |= set(entry["inputs"].values())
    return [e for e in header.history if e["content"] in wanted]
