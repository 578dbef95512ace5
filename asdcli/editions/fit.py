"""Whether recordings are those of an edition: what of them does not fit what the catalogue knows, in sentences."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import catalogue
from asdcli.catalogue.edition import Edition
from asdcli.clips import without_suffix
from asdcli.vocabulary import Split, Subset

_LENGTH_S = 0.05  # recordings of one length differ by less


def misfits(table: pa.Table, edition: Edition) -> list[str]:
    """One sentence for everything in a table of clips that does not fit the edition.

    Machine types that are there in part are looked at as far as they are there.
    """
    found: list[str] = []
    for subset in edition.subsets:
        of_subset = table.filter(pc.equal(table["subset"], str(subset)))
        for machine_type in sorted(set(of_subset["machine_type"].to_pylist())):
            rows = of_subset.filter(pc.equal(of_subset["machine_type"], machine_type))
            found += _of_machine_type(rows, edition, subset, machine_type)
    return found


def digest_of_names(paths: Iterable[str]) -> str:
    """The digest that the catalogue has of the names of a machine type's clips."""
    names = sorted(without_suffix(path.rpartition("/")[2]) for path in paths)
    return hashlib.blake2b("\n".join(names).encode(), digest_size=16).hexdigest()


def owner_of_zip(md5: str, edition: Edition) -> str | None:
    """The other edition whose record has a zip with this md5; None where none has, or the edition itself has it."""
    if md5 in _sums(edition):
        return None
    return next((name for name in catalogue.names() if md5 in _sums(catalogue.load(name))), None)


def _of_machine_type(rows: pa.Table, edition: Edition, subset: Subset, machine_type: str) -> Iterator[str]:
    whose, part = f"{machine_type} ({subset})", edition.part(subset)
    if part is None or machine_type not in part.machine_types:
        yield f"{edition.name} has no machine type {whose}"
        return
    sections = sorted({s for s in rows["section"].to_pylist() if s is not None} - {*part.sections_for(machine_type)})
    if sections:
        yield f"{whose} has sections that {edition.name} has not: {', '.join(sections)}"
    counts = Counter(zip(rows["split"].to_pylist(), rows["section"].to_pylist(), strict=True))
    for (split, section), n in sorted(counts.items(), key=str):
        known = part.clips.get(Split(split))
        if known is not None and n > known:
            yield f"{whose} has {n} {split} clips in section {section}; in {edition.name} there are {known}"
    yield from _of_lengths(rows, edition, subset, machine_type)
    yield from _of_names(rows, edition, subset, machine_type)


def _of_lengths(rows: pa.Table, edition: Edition, subset: Subset, machine_type: str) -> Iterator[str]:
    known = edition.clip_lengths_s.get(subset, {}).get(machine_type)
    lengths = [seconds for seconds in rows["duration_s"].to_pylist() if seconds is not None]
    odd = [seconds for seconds in lengths if known is not None and seconds > known + _LENGTH_S]
    if known is not None and lengths and max(lengths) < known - _LENGTH_S:
        odd = lengths
    if odd:
        whose = f"{len(odd)} clips of {machine_type} ({subset})"
        yield f"{whose} last {max(odd):g} s; those of {edition.name} last {known:g} s"


def _of_names(rows: pa.Table, edition: Edition, subset: Subset, machine_type: str) -> Iterator[str]:
    """Names tell only where a machine type is there whole."""
    known, part = edition.names.get(subset, {}).get(machine_type), edition.part(subset)
    whole = sum(part.clips.values()) * len(part.sections_for(machine_type)) if part else 0
    rows = rows.filter(pc.not_equal(rows["split"], str(Split.SUPPLEMENTAL)))
    if known is None or len(rows) != whole or (found := digest_of_names(rows["path"].to_pylist())) == known:
        return
    listed = {name: catalogue.load(name).names.get(subset, {}).get(machine_type) for name in catalogue.names()}
    others = [name for name, digest in listed.items() if digest == found]
    they = f"; they are those of {others[0]}" if others else ""
    yield f"the names of the clips of {machine_type} ({subset}) are not those of {edition.name}{they}"


def _sums(edition: Edition) -> set[str]:
    return {md5 for record in edition.records for md5 in record.md5.values()}
