"""How scores were made, as the history in their header has it: by which models, trained how, of what data."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asdcli import artifacts
from asdcli.artifacts import Header
from asdcli.artifacts.header import WHOLE
from asdcli.features.kinds import DEFAULT
from asdcli.wording import listed

_SHORT = 6  # hexadecimal digits of a digest that people read
_PART = ("kind", "dataset", "seed", "params")  # what of a stage takes part in the digest

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """Embeddings, or an autoencoder, that scores come from.

    Attributes:
        spelling: of the model that made the embeddings, of an embedder that needs none, or of the autoencoder.
        content: digest of the embeddings or of the autoencoder.
    """

    spelling: str
    content: str

    @property
    def name(self) -> str:
        """The spelling without its parameters."""
        return re.split("[:,](?=[^:,]*=)", self.spelling, maxsplit=1)[0]

    @property
    def digest(self) -> str:
        return self.content[:_SHORT]


@dataclass(frozen=True)
class Making:
    """How the scores of one table were made.

    Attributes:
        origins: `embeddings` and `autoencoder`, those that there are.
        precisions: number formats asked for in training.
        embedded: number formats of networks that embedded, where it was not fp32.
        seed: of the training, or of the scoring where there was none.
        digest: of all stages' kinds, parameters and seeds and of the data they began with. What the stages made of it
            takes no part: that may differ in a last bit from machine to machine. So the same making on another machine
            has the same digest, and any other parameter, seed or recording another one.
    """

    origins: Mapping[str, Origin] = field(default_factory=dict)
    precisions: tuple[str, ...] = ()
    embedded: tuple[str, ...] = ()
    seed: int | None = None
    digest: str = ""

    @staticmethod
    def of(header: Header) -> Making:
        """That of the score table with this header; of fused scores that of all their parts together."""
        if parts := _parts(header):
            return Making._joined(header, [Making.of(part) for part in parts])
        embeddings, autoencoder = header.stage(artifacts.EMBEDDINGS), _autoencoder(header)
        trained = _model_of(header, embeddings) if embeddings else None
        origins = {}
        if embeddings:
            spelling = _spelling(trained) if trained else str(embeddings["params"].get("embedder"))
            origins["embeddings"] = Origin(spelling, embeddings["content"])
        if autoencoder:
            origins["autoencoder"] = Origin(_spelling(autoencoder), autoencoder["content"])
        models = [model for model in (trained, autoencoder) if model]
        precisions = dict.fromkeys(str(model["params"].get("precision", "auto")) for model in models)
        seed = models[0]["seed"] if models else header.seed
        shorter = embeddings["params"].get("precision") if embeddings else None
        embedded = (str(shorter),) if shorter else ()
        return Making(origins, tuple(precisions), embedded, seed, _digest((*header.history, header.entry())))

    @staticmethod
    def _joined(header: Header, parts: Sequence[Making]) -> Making:
        """Parts named by all their spellings; of several seeds none is told, and digests of parts keep their order."""
        origins: dict[str, Origin] = {}
        for kind in dict.fromkeys(kind for part in parts for kind in part.origins):
            own = [part.origins[kind] for part in parts if kind in part.origins]
            spelling = "+".join(dict.fromkeys(origin.spelling for origin in own))
            contents = list(dict.fromkeys(origin.content for origin in own))
            origins[kind] = Origin(spelling, contents[0] if len(contents) == 1 else _short_digest("\n".join(contents)))
        precisions = tuple(dict.fromkeys(precision for part in parts for precision in part.precisions))
        embedded = tuple(dict.fromkeys(precision for part in parts for precision in part.embedded))
        seeds = {part.seed for part in parts}
        told = [*(part.digest for part in parts), str(header.params.get("method"))]
        seed = seeds.pop() if len(seeds) == 1 else None
        return Making(origins, precisions, embedded, seed, _short_digest("\n".join(told)))


def differing(makings: Mapping[str, Making]) -> dict[str, dict[str, str]]:
    """Where methods that are to stand in one table come from, as far as they come from different places.

    Args:
        makings: by method.

    Returns:
        `embeddings` or `autoencoder` -> method -> what tells its own from the others: the name where no two are alike,
        else the digest.
    """
    found = {}
    for kind in ("embeddings", "autoencoder"):
        own = {method: making.origins[kind] for method, making in makings.items() if kind in making.origins}
        names = {origin.content: origin.name for origin in own.values()}
        if len(names) > 1:
            alike = len(set(names.values())) < len(names)
            found[kind] = {method: origin.digest if alike else origin.name for method, origin in own.items()}
    return found


def said(kind: str, makings: Mapping[str, Making]) -> str:
    """The sentence about methods that differ in `kind`.

    Args:
        kind: `embeddings` or `autoencoder`.
        makings: by method; those that have none of the kind are not named.
    """
    methods: dict[str, list[str]] = {}
    for method, making in makings.items():
        if origin := making.origins.get(kind):
            methods.setdefault(f"{origin.name} {origin.digest}", []).append(method)
    told = ", ".join(f"{call} ({listed(own)})" for call, own in methods.items())
    return f"methods of one table are not of the same {kind}: {told}"


def _parts(header: Header) -> list[Header]:
    """The headers that the parts of fused scores had, in their order, each with its own history; none of others."""
    found = []
    for name in header.params.get("of", ()):
        wanted, own = [header.inputs.get(name, "")], []
        for entry in reversed(header.history):  # what a file was made of stands before it
            if entry["content"] in wanted:
                own.append(entry)
                wanted += _inputs(entry)
        if own:
            part, *before = own
            fields = {n: part[n] for n in ("asdcli", "dataset", "seed", "params", "content")}
            kind = artifacts.SCORES
            of = Header(kind.name, kind.version, **fields, inputs=part.get("inputs", {}), history=tuple(before[::-1]))
            found.append(of)
    return found


def _autoencoder(header: Header) -> Entry | None:
    """The newest autoencoder in the history that did not embed."""
    embedded = {content for e in header.history if e["kind"] == artifacts.EMBEDDINGS.name for content in _inputs(e)}
    models = [e for e in header.history if e["kind"] == artifacts.MODEL.name and e["content"] not in embedded]
    return next((e for e in reversed(models) if _spelling(e).startswith("autoencoder")), None)


def _model_of(header: Header, embeddings: Entry) -> Entry | None:
    """The model that embedded; where an older history does not say, the newest that is no autoencoder."""
    models = [e for e in reversed(header.history) if e["kind"] == artifacts.MODEL.name]
    if "inputs" in embeddings:
        return next((e for e in models if e["content"] in _inputs(embeddings)), None)
    return next((e for e in models if not _spelling(e).startswith("autoencoder")), None)


def _inputs(entry: Entry) -> Sequence[str]:
    return list(entry.get("inputs", {}).values())


def _spelling(model: Entry) -> str:
    return str(model["params"].get("model"))


def _digest(entries: Iterable[Entry]) -> str:
    entries = list(entries)
    wholes = {e["inputs"][WHOLE] for e in entries if WHOLE in e.get("inputs", {})}
    told = {
        json.dumps([*(e[name] for name in _PART), e["content"] if _is_data(e, wholes) else None], sort_keys=True)
        for e in entries
    }
    return _short_digest("\n".join(sorted(told)))


def _short_digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=_SHORT // 2).hexdigest()


def _is_data(entry: Entry, wholes: set[str]) -> bool:
    """Whether the stages began with this: the clips that were read, their recordings as they are, or foreign files."""
    if entry["kind"] == artifacts.CLIPS.name:  # of a table whose parts were read, these: labels may come later
        return entry["content"] not in wholes
    if entry["kind"] == artifacts.FEATURES.name:
        return entry["params"].get("features") == DEFAULT
    return not entry.get("inputs")
