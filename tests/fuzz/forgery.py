"""Files made on purpose: well-formed, under digests and seals that fit, and holding what asd never writes."""

from __future__ import annotations

import io
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from asdcli.artifacts.digest import SEAL, digest_arrays, digest_table, seal_of

_KEY = "asd"
DEEP = "deep"  # stands for what is nested a hundred thousand times, which json.dumps cannot write
WORDS = ("", "\0", "../../evil", "nul", "\x1b[31m", "[bold]", "=cmd()", "é" * 300, "nn", "inf", "²", "\ud800")
JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    3.5,
    10**400,
    math.inf,
    math.nan,
    [],
    {},
    [[]],
    {"a": {}},
    DEEP,
    *WORDS,
)


def forged(path: Path, rng: random.Random) -> dict[str, bytes]:
    """Other content for the file at `path`, of its own format, by name; of weights, a card that fits too.

    Empty where there is nothing to forge.
    """
    forger = _FORGERS.get(path.suffix)
    if forger is None:
        return {}
    content, card = forger(path, rng), path.with_name("card.json")
    cards = {card.name: _resealed(card, content)} if path.name == "weights.safetensors" else {}
    return {path.name: content, **cards}


# --- JSON -----------------------------------------------------------------------------------------------------------


def _json(path: Path, rng: random.Random) -> bytes:
    fields = _changed(json.loads(path.read_bytes()), rng)
    if isinstance(fields, dict) and SEAL in fields:
        fields[SEAL] = seal_of(fields)
    return _written(fields).encode("utf-8", "surrogatepass")


def _changed(value: Any, rng: random.Random) -> Any:
    """`value` with something in it replaced, gone, or new."""
    inner = isinstance(value, (dict, list)) and value and rng.random() < 0.85
    if not inner:
        return rng.choice(JUNK)
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key, copy = rng.choice(list(keys)), value.copy()
    what = rng.random()
    if what < 0.1:
        del copy[key]
    elif what < 0.15 and isinstance(copy, dict):
        copy[rng.choice(WORDS)] = copy.pop(key)
    else:
        copy[key] = _changed(value[key], rng)
    return copy


def _written(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text.replace(f'"{DEEP}"', '{"a": ' * 100_000 + "1" + "}" * 100_000)


def _header(text: bytes, rng: random.Random, content: str | None) -> bytes:
    """A header as JSON: changed in two cases of three, and always under a digest and a seal that fit."""
    fields = json.loads(text)
    if content is not None:
        fields["content"] = content
    if rng.random() < 0.67:
        fields = _changed(fields, rng)
    if isinstance(fields, dict) and rng.random() < 0.9:
        fields[SEAL] = seal_of(fields)
    return _written(fields).encode("utf-8", "surrogatepass")


# --- Parquet --------------------------------------------------------------------------------------------------------


def _parquet(path: Path, rng: random.Random) -> bytes:
    table = pq.read_table(path)
    metadata = table.schema.metadata or {}
    table = table.replace_schema_metadata(None)
    if rng.random() < 0.67 or _KEY.encode() not in metadata:
        table = _other_rows(table, rng)
    if _KEY.encode() in metadata:
        header = _header(metadata[_KEY.encode()], rng, digest_table(table))
        table = table.replace_schema_metadata({_KEY: header})
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def _other_rows(table: pa.Table, rng: random.Random) -> pa.Table:
    place = rng.randrange(table.num_columns)
    name, column = table.column_names[place], table.column(place)
    changes: list[Callable[[], pa.Table]] = [
        lambda: table.slice(0, 0),
        lambda: table.slice(0, 1),
        lambda: pa.concat_tables([table, table.slice(0, 1)]),
        lambda: table.remove_column(place),
        lambda: table.append_column(name, column),
        lambda: table.rename_columns([rng.choice(WORDS[:-1]) if n == name else n for n in table.column_names]),
        lambda: table.set_column(place, name, pa.nulls(len(table), column.type)),
        lambda: table.set_column(place, name, pa.array([None if i else 1 for i in range(len(table))])),
        lambda: table.set_column(place, name, _filled(column, rng)),
        lambda: table.set_column(place, name, _filled(column, rng)),
        lambda: table.set_column(place, name, _filled(column, rng)),
        lambda: table.take(pa.array(rng.sample(range(len(table)), len(table)))),
    ]
    return rng.choice(changes)()


def _filled(column: pa.ChunkedArray, rng: random.Random) -> pa.Array:
    """The column with one value, or all, replaced by what its type can hold."""
    kind, values = column.type, column.to_pylist()
    if pa.types.is_floating(kind):
        other: Any = rng.choice((math.nan, math.inf, -math.inf, 1e308, -1.0, 0.0, None))
    elif pa.types.is_integer(kind):
        other = rng.choice((-1, 0, 2**31 - 1, None))
    elif pa.types.is_string(kind):
        other = rng.choice((*WORDS[:-1], None))
    elif pa.types.is_map(kind):
        other = rng.choice(([("", "")], [("a", None)], None, []))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        bad = (
            rng.choice((-1, 10**6)) if pa.types.is_integer(kind.value_type) else rng.choice((math.nan, math.inf, None))
        )
        other = rng.choice(([], [bad], None, [bad] * len(values[0] or ()) if values else []))
        kind = pa.large_list(kind.value_type)
    else:
        other = None
    where = range(len(values)) if rng.random() < 0.3 else [rng.randrange(len(values))] if values else []
    for row in where:
        values[row] = other
    return pa.array(values, kind)


# --- npz ------------------------------------------------------------------------------------------------------------


def _npz(path: Path, rng: random.Random) -> bytes:
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = arrays.pop(_KEY, None)
    if (rng.random() < 0.67 or header is None) and arrays:
        arrays = _other_arrays(arrays, rng)
    if header is not None:
        text = _header(header.tobytes(), rng, digest_arrays({k: v for k, v in arrays.items() if not v.dtype.hasobject}))
        arrays = {_KEY: np.frombuffer(text, np.uint8), **arrays}
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def _other_arrays(arrays: dict[str, np.ndarray], rng: random.Random) -> dict[str, np.ndarray]:
    name = rng.choice(list(arrays))
    array = arrays[name]
    changes: list[Callable[[], np.ndarray]] = [
        lambda: array[..., None],
        lambda: array.reshape(-1),
        lambda: array.reshape(-1)[:0],
        lambda: array.reshape(-1)[:1].reshape(()) if array.size else array,
        lambda: array.reshape(-1)[:-1],
        lambda: np.concatenate([array.reshape(-1)] * 2),
        lambda: array.astype(np.str_),
        lambda: np.char.encode(array.astype(np.str_), "latin-1", "replace"),
        lambda: np.array([b"\xfcnter"] * max(array.size, 1)),
        lambda: array.astype(object),
        lambda: np.zeros(array.shape, "c16"),
        lambda: np.full(array.shape, rng.choice(WORDS[:-1])),
        *([lambda: _with(array, rng)] * 4),
        *(
            [lambda: array.astype(rng.choice(("f2", "f8", "i1", "u8", "?", ">f4")))]
            if array.dtype.kind in "biuf"
            else []
        ),
    ]
    what = rng.random()
    if what < 0.1:
        return {k: v for k, v in arrays.items() if k != name}
    if what < 0.2:
        return {("x" if k == name else k): v for k, v in arrays.items()}
    return {**arrays, name: rng.choice(changes)()}


def _with(array: np.ndarray, rng: random.Random) -> np.ndarray:
    """The array with one value, or all, replaced by what its type can hold."""
    if not array.size:
        return array
    other = array.copy().reshape(-1)
    where = slice(None) if rng.random() < 0.3 else rng.randrange(len(other))
    if array.dtype.kind == "f":
        other[where] = rng.choice((math.nan, math.inf, 1e30, -1.0))
    elif array.dtype.kind in "iu":
        other[where] = rng.choice((0, 1, np.iinfo(array.dtype).max, np.iinfo(array.dtype).min))
    elif array.dtype.kind == "b":
        other[where] = ~other[where]
    else:
        other[where] = rng.choice(("", "x", "../../evil")) if array.dtype.kind == "U" else b"\xfc"
    return other.reshape(array.shape)


# --- safetensors ------------------------------------------------------------------------------------------------------


def _safetensors(path: Path, rng: random.Random) -> bytes:
    """Other tensors, or of a checkpoint other facts."""
    from safetensors import safe_open
    from safetensors.numpy import save

    with safe_open(path, framework="numpy") as file:
        metadata = dict(file.metadata() or {})
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    if rng.random() < 0.67:
        arrays = _other_arrays(arrays, rng)
        arrays = {k: v for k, v in arrays.items() if v.dtype.kind in "biuf" and v.dtype.isnative}
    if _KEY in metadata:
        saved = {**json.loads(metadata[_KEY]), "content": digest_arrays(arrays)}
        if rng.random() < 0.5:
            saved = _changed(saved, rng)
        if isinstance(saved, dict):
            saved[SEAL] = seal_of(saved)
        metadata[_KEY] = json.dumps(saved)
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata or None)


def _resealed(card: Path, weights: bytes) -> bytes:
    """The card as it would speak of these weights."""
    from safetensors.numpy import load

    fields = json.loads(card.read_bytes())
    fields["content"] = digest_arrays(load(weights))
    fields[SEAL] = seal_of(fields)
    return json.dumps(fields).encode()


# --- text -------------------------------------------------------------------------------------------------------------


def _csv(path: Path, rng: random.Random) -> bytes:
    lines = [line.split(",") for line in path.read_text().splitlines()]
    row = rng.randrange(len(lines))
    place = rng.randrange(len(lines[row]))
    what = rng.random()
    if what < 0.1:
        return "".join(",".join(line) + "\n" for line in lines[: rng.choice((0, 1))]).encode()
    if what < 0.2:
        del lines[row][place]
    elif what < 0.3:
        lines[row].insert(place, "x")
    elif what < 0.4:
        lines.insert(row, lines[row])
    else:
        numbers = ("nan", "-inf", "1e400", "9" * 5000, "-1", "٣", "0x10", '"')
        lines[row][place] = rng.choice((*WORDS[:-1], *numbers))
    encoding = rng.choice(("utf-8", "utf-8-sig", "utf-16", "latin-1"))
    return "\n".join(",".join(line) for line in lines).encode(encoding, "replace")


_FORGERS: dict[str, Callable[[Path, random.Random], bytes]] = {
    ".json": _json,
    ".parquet": _parquet,
    ".npz": _npz,
    ".safetensors": _safetensors,
    ".csv": _csv,
}
