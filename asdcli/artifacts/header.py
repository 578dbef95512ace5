"""The `asd` header: what a file is, and from what and how it was made.

No clock, host name or absolute path stands in it: the same inputs, parameters and seed give the same header.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from asdcli import __version__
from asdcli.artifacts.digest import SEAL, seal_of
from asdcli.artifacts.kinds import Kind
from asdcli.errors import BadArtifact

WHOLE = "whole"
"""Under this name a part of a file has the whole file's digest among its inputs."""

_KEPT = ("kind", "asdcli", "dataset", "seed", "params", "inputs", "content")
_SHAPE: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "version": (int,),
    "asdcli": (str,),
    "dataset": (str,),
    "seed": (int, type(None)),
    "params": (dict,),
    "inputs": (dict,),
    "history": (list,),
    "diagnostics": (dict,),
    "content": (str,),
    "seal": (str,),
}
_SHAPE_OF_ENTRY = {name: _SHAPE[name] for name in _KEPT}
_ALWAYS = ("kind", "version")
_ALWAYS_OF_ENTRY = [name for name in _KEPT if name != "inputs"]  # which entries of older files have not


@dataclass(frozen=True)
class Header:
    """Provenance of one artifact.

    `content` is the digest of the artifact's content, `inputs` the content digests of what it was made from (by role),
    and `history` one entry a stage before it, oldest first, each with its own `inputs` (older files have none there).
    `diagnostics` are facts found on the way (alpha, counts): they take no part in deciding whether a file is current.
    `seal` is the digest of all the rest, in headers that came from a file; those of the first versions have none, and
    their tables another digest of content.
    """

    kind: str
    version: int
    asdcli: str = __version__
    dataset: str = ""
    seed: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    history: tuple[dict[str, Any], ...] = ()
    diagnostics: dict[str, Any] = field(default_factory=dict)
    content: str = ""
    seal: str = field(default="", compare=False)

    @staticmethod
    def make(
        kind: Kind,
        *,
        dataset: str,
        seed: int | None = None,
        params: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Header] | None = None,
        diagnostics: Mapping[str, Any] | None = None,
    ) -> Header:
        """The header of a new artifact of `kind` made from the artifacts whose headers are `inputs`."""
        inputs = inputs or {}
        history: dict[str, dict[str, Any]] = {}
        for upstream in inputs.values():
            for entry in (*upstream.history, upstream.entry()):
                history.setdefault(json.dumps(entry, sort_keys=True), entry)  # there may be thousands
        return Header(
            kind=kind.name,
            version=kind.version,
            dataset=dataset,
            seed=seed,
            params=_plain(params or {}),
            inputs={role: h.content for role, h in inputs.items()},
            history=tuple(history.values()),
            diagnostics=_plain(diagnostics or {}),
        )

    @staticmethod
    def foreign(content: str, kind: Kind | None = None) -> Header:
        """That of a file which asd did not make: nothing is known of it but the digest of its bytes.

        Args:
            content: this digest.
            kind: what it holds; None for a file that is no table of ours.
        """
        name, version = (kind.name, kind.version) if kind else ("foreign file", 1)
        return Header(name, version, asdcli="foreign", content=content)

    def entry(self) -> dict[str, Any]:
        """What later headers keep of this one in their history."""
        return {name: getattr(self, name) for name in _KEPT}

    def stage(self, kind: Kind) -> dict[str, Any] | None:
        """The newest entry of `kind` in this artifact's own history (itself included), or None."""
        found = [e for e in (*self.history, self.entry()) if e["kind"] == kind.name]
        return found[-1] if found else None

    def recall(self, param: str) -> Any:
        """The value of `param` in this header or the nearest stage before it that has one, else None."""
        for entry in (self.entry(), *reversed(self.history)):
            if param in entry["params"]:
                return entry["params"][param]
        return None

    @property
    def n_folds(self) -> int:
        """How many models were cross-fitted beside the model of this header; 0 of one of those, and of most."""
        folds = self.params.get("folds", 0)
        return folds if isinstance(folds, int) and "fold" not in self.params else 0

    def same_making(self, other: Header) -> bool:
        """Whether both were made of the same inputs in the same way."""
        names = ("kind", "version", "dataset", "seed", "params", "inputs")
        return all(getattr(self, n) == getattr(other, n) for n in names)

    def with_content(self, digest: str) -> Header:
        return dataclasses.replace(self, content=digest)

    def part(self, digest: str) -> Header:
        """This file as an input of which only a part matters (some rows): `digest` is that of the part."""
        return dataclasses.replace(self, content=digest, inputs={WHOLE: self.content})

    def to_json(self, *, indent: int | None = None, **more: Any) -> str:
        """The header, `more` fields beside it, and the seal on both."""
        fields = {**dataclasses.asdict(self), **more}
        fields[SEAL] = seal_of(fields)
        return json.dumps(fields, sort_keys=True, ensure_ascii=False, allow_nan=True, indent=indent)

    @staticmethod
    def from_json(text: str | bytes, *, where: str) -> Header:
        """Read a header; unknown fields are ignored. Raises BadArtifact naming `where` for anything else.

        A seal that does not fit its fields is damage, whoever wrote them.
        """
        try:
            raw = json.loads(text)
            sealed = not isinstance(raw, dict) or SEAL not in raw or raw[SEAL] == seal_of(raw)
        except (ValueError, RecursionError) as error:
            raise _unusable(where, f"it cannot be read ({type(error).__name__})") from None
        if not sealed:
            raise _unusable(where, "it is not as it was written")
        if wrong := _misshapen(raw, _SHAPE, _ALWAYS):
            raise _unusable(where, wrong)
        for entry in raw.get("history", ()):
            if wrong := _misshapen(entry, _SHAPE_OF_ENTRY, _ALWAYS_OF_ENTRY):
                raise _unusable(where, f"in its history {wrong}")
        fields = {name: raw[name] for name in _SHAPE if name in raw}
        return Header(**{**fields, "history": tuple(fields.get("history", ()))})


def _misshapen(fields: Any, shape: Mapping[str, tuple[type, ...]], always: Sequence[str]) -> str | None:
    """What is wrong with the types of a header's fields, or which of `always` is not there; None where nothing is.

    Unknown fields may be anything.
    """
    if not isinstance(fields, dict):
        return f"there is no mapping but {type(fields).__name__}"
    for name, types in shape.items():
        if name in fields and (not isinstance(fields[name], types) or isinstance(fields[name], bool)):
            return f"{name!r} is {fields[name]!r:.40}"
    for role, digest in fields.get("inputs", {}).items():
        if not isinstance(digest, str):
            return f"the input {role!r} is {digest!r:.40}"
    return next((f"{name!r} is missing" for name in always if name not in fields), None)


def _unusable(where: str, why: str) -> BadArtifact:
    text = f"the asd header of {where} is damaged: {why}"
    return BadArtifact(text, "remove the file and make it again", Path(where))


def _plain(value: Any) -> Any:
    """`value` as JSON would give it back, so that a header equals its stored self."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if hasattr(value, "item"):  # numpy scalars
        return value.item()
    return value
