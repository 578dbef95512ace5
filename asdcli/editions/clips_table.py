"""clips.parquet of a dataset root: file names, audio headers, attribute tables and ground truth become one table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from asdcli import artifacts, audio, catalogue
from asdcli.catalogue.edition import Edition
from asdcli.catalogue.truth import Key, read_attributes, read_truth, tables
from asdcli.clips import SPLIT_FOLDERS, SUBSET_FOLDERS, SUFFIXES, Clip, parse_attributes, parse_path, without_suffix
from asdcli.editions.archives import MARKERS
from asdcli.editions.fit import misfits
from asdcli.errors import BadArtifact, BadData
from asdcli.layouts import with_groups
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.vocabulary import Condition, ConditionFrom, Domain, Subset
from asdcli.wording import counted, some

NAMED = 5  # how many culprits a warning names


@dataclass
class Found:
    """What a walk over a dataset root met, in the order of the paths."""

    clips: list[Clip] = field(default_factory=list)
    misnamed: list[BadData] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ClipsFacts:
    """How many machine types and clips there are, and how many clips of each split."""

    machine_types: int
    clips: int
    test: int | None = None
    train: int | None = None
    supplemental: int | None = None


def run(
    root: Path,
    output: Path,
    *,
    edition: str,
    released_attributes: bool = False,
    group_by: str | None = None,
    making: Mapping[str, Any] | None = None,
    progress: Progress = SILENT,
) -> Outcome[ClipsFacts]:
    """Write the table of all clips below `root`, sorted by clip_id, made from names and headers alone.

    Args:
        root: dataset root, holding `{dev,eval}_data/raw/<machine type>/<split>/`.
        output: `clips.parquet`.
        edition: name in the catalogue: grammar, truth tables, channels.
        released_attributes: fill in attributes that the organisers hid during the challenge, where their tables lie
            below `root/ground_truth`.
        group_by: what says which training clips belong together, one of `GROUPINGS`; by default what is known.
        making: further parameters for the header (the synthetic dataset's size and seed).
        progress: is told how far it is, and of what looks wrong.

    Returns:
        An Outcome whose `skipped` counts audio files whose names fit no grammar; each is named in a warning.

    Raises:
        BadData: no clip at all, one clip twice (.wav and .flac), an unreadable table.
        UsageError: a grouping that cannot be, or that nothing is known of.
    """
    known = catalogue.load(edition)
    found = walk(root, known)
    if not found.clips:
        first = found.misnamed[0] if found.misnamed else None
        raise BadData(
            f"no clips of {edition} below {root}" + (f"; the first of {len(found.misnamed)}: {first}" if first else ""),
            first.hint if first else _where_from(root, edition),
        )
    _report(found, progress)
    clips = _with_attributes(found.clips, root)
    named = {c.clip_id for c in clips if c.condition}
    clips = _with_truth(clips, root, known, released_attributes, progress)
    table = with_groups(_table(clips, named, root, known, progress), group_by)
    for sentence in misfits(table, known):
        progress.warn(sentence)
    making = {**(making or {}), **({"group_by": group_by} if group_by else {})}
    artifacts.write_table(output, artifacts.CLIPS, table, header(root, edition, released_attributes, making))
    counts = Counter(str(c.split) for c in clips)
    facts = ClipsFacts(len({c.machine_type for c in clips}), len(clips), **counts)
    return Outcome(output, skipped=len(found.misnamed), facts=facts)


def _where_from(root: Path, edition: str) -> str:
    if (root / MARKERS).is_dir():  # that is what was typed just now
        return f"the archives that were unpacked there hold none where organisers lay them: see {root}"
    return f"fetch them: asd download {edition}"


def header(
    root: Path, edition: str, released_attributes: bool = False, making: Mapping[str, Any] | None = None
) -> artifacts.Header:
    """The header of a root's clips.parquet: it names dataset (the folder) and edition; its inputs are no artifacts."""
    params = {"edition": edition, "released_attributes": released_attributes, **(making or {})}
    return artifacts.Header.make(artifacts.CLIPS, dataset=root.absolute().name, params=params)


def grouping(output: Path) -> str | None:
    """What the table at `output` was asked to be grouped by, if there is one and it was asked."""
    try:
        said = artifacts.read_header(output, artifacts.CLIPS).params.get("group_by") if output.exists() else None
    except BadArtifact:
        return None
    return None if said is None else str(said)


def walk(root: Path, edition: Edition) -> Found:
    """Every audio file below `root` as a Clip, or as a complaint. Raises BadData for one clip_id twice."""
    found = Found()
    by_id: dict[str, str] = {}
    for path in _audio_files(root):
        parts = path.split("/")
        if len(parts) < 5 or parts[0] not in SUBSET_FOLDERS or parts[3] not in SPLIT_FOLDERS:
            found.elsewhere.append(path)
            continue
        try:
            clip = parse_path(path, edition.grammar)
        except BadData as error:
            found.misnamed.append(error)
            continue
        if clip.clip_id in by_id:
            raise BadData(f"{root / path} and {by_id[clip.clip_id]} are the same clip", "remove one of the two files")
        by_id[clip.clip_id] = path
        found.clips.append(clip)
    found.clips.sort(key=lambda c: c.clip_id)
    return found


def _audio_files(root: Path) -> Iterator[str]:
    """POSIX paths below `root` of all audio files outside hidden folders, sorted within each folder."""
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        below = Path(folder).relative_to(root).as_posix()
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield f"{below}/{name}" if below != "." else name


def _report(found: Found, progress: Progress) -> None:
    if found.misnamed:
        n = counted(len(found.misnamed), "file")
        progress.left_out(f"left out {n}: {some([str(e) for e in found.misnamed], NAMED)}")
    if found.elsewhere:
        n = counted(len(found.elsewhere), "audio file")
        progress.note(f"ignored {n} in other folders: {some(found.elsewhere, NAMED)}")


def _with_attributes(clips: list[Clip], root: Path) -> list[Clip]:
    """Pairs from `attributes_<SS>.csv`, which tells keys from values where a name does not; the names' pairs else."""
    pairs: dict[tuple[Subset, str, str], dict[str, str]] = {}
    for subset, machine_type in sorted({(c.subset, c.machine_type) for c in clips}):
        for file in sorted((root / f"{subset}_data" / "raw" / machine_type).glob("attributes_*.csv")):
            pairs |= {(subset, machine_type, stem): said for stem, said in read_attributes(file).items() if said}
    return [
        replace(c, attributes=said) if (said := pairs.get((c.subset, c.machine_type, _stem(c)))) else c for c in clips
    ]


def _with_truth(
    clips: list[Clip], root: Path, edition: Edition, released_attributes: bool, progress: Progress
) -> list[Clip]:
    """Fill what names hide from the truth tables below `root`; what a name says itself is never overwritten."""
    said: dict[str, dict[Key, str]] = {"condition": {}, "domain": {}, "attributes": {}}
    for table in tables(edition, edition.subsets, attributes=released_attributes):
        file = root / table.path
        if file.exists():
            said[table.truth.gives] |= read_truth(file, table)
    full = [_filled(clip, said) for clip in clips]
    spoken_of = {key[:3] for key in said["condition"]}
    lacking = [clip.clip_id for clip in full if clip.condition is None and _key(clip)[:3] in spoken_of]
    disputed = [clip.clip_id for clip in clips if _is_disputed(clip, said)]
    if lacking:
        n = counted(len(lacking), "clip")
        progress.warn(f"the ground truth lacks {n}; without condition: {some(lacking, NAMED)}")
    if disputed:
        n = counted(len(disputed), "clip")
        progress.warn(f"name and ground truth disagree on {n}; the name is kept: {some(disputed, NAMED)}")
    return full


def _filled(clip: Clip, said: Mapping[str, Mapping[Key, str]]) -> Clip:
    condition, domain, attributes = (said[what].get(_key(clip)) for what in ("condition", "domain", "attributes"))
    if condition and clip.condition is None:
        clip = replace(clip, condition=Condition(condition))
    if domain and clip.domain is None:
        clip = replace(clip, domain=Domain(domain))
    if attributes and clip.attribute_string is None:
        clip = replace(clip, attribute_string=attributes, attributes=parse_attributes(attributes))
    return clip


def _is_disputed(clip: Clip, said: Mapping[str, Mapping[Key, str]]) -> bool:
    named = {"condition": clip.condition, "domain": clip.domain}
    return any(name and said[what].get(_key(clip)) not in (None, name) for what, name in named.items())


def _key(clip: Clip) -> Key:
    return (clip.subset, clip.split, clip.machine_type, _stem(clip))


def _table(clips: list[Clip], named: Collection[str], root: Path, edition: Edition, progress: Progress) -> pa.Table:
    """`named` are the clips whose names say their condition; of the others the truth says it."""
    infos: list[tuple[float | None, int | None, int | None]] = []
    unreadable, odd, noted = [], [], []
    for clip in progress.track(clips, total=len(clips), label="index", unit="clips"):
        try:
            info = audio.info(root / clip.path)
        except audio.BadAudio as error:
            # the clip stays in the table: extract-features refuses or skips it by name
            unreadable.append(f"{clip.path} {error.reason}")
            infos.append((None, None, None))
            continue
        infos.append((info.duration_s, info.sample_rate, info.channels))
        if info.note:
            noted.append(f"{clip.path}: {info.note}")
        if (info.sample_rate, info.channels) != (edition.sample_rate, len(edition.channels)):
            odd.append(f"{clip.path} ({info.sample_rate} Hz, {info.channels} channels)")
    if unreadable:
        progress.warn(f"{counted(len(unreadable), 'damaged file')}: {some(unreadable, NAMED)}")
    if noted:
        progress.warn(f"odd headers in {counted(len(noted), 'file')}: {some(noted, NAMED)}")
    if odd:
        expected = f"{edition.sample_rate} Hz and {len(edition.channels)} channels"
        progress.warn(f"not the {expected} of {edition.name} in {counted(len(odd), 'file')}: {some(odd, NAMED)}")
    durations, rates, channels = zip(*infos, strict=True)
    columns: dict[str, Any] = {
        name: [_text(getattr(c, name)) for c in clips]
        for name in ("clip_id", "path", "machine_type", "section", "subset", "split", "domain", "condition")
    }
    columns["attributes"] = [sorted(c.attributes.items()) for c in clips]
    columns["attribute_string"] = [c.attribute_string for c in clips]
    columns |= {"duration_s": durations, "sample_rate": rates, "channels": channels}
    by_whom = ((c.condition, ConditionFrom.NAME if c.clip_id in named else ConditionFrom.TRUTH) for c in clips)
    columns["condition_from"] = [str(by) if condition else None for condition, by in by_whom]
    schema = pa.schema([(c.name, c.type) for c in artifacts.CLIPS.columns if c.name in columns])
    return pa.table([pa.array(columns[f.name], f.type) for f in schema], schema=schema)


def _stem(clip: Clip) -> str:
    return without_suffix(clip.path.rpartition("/")[2])


def _text(value: object) -> str | None:
    return None if value is None else str(value)
