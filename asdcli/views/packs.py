"""The feature packs that a stage reads: which machine types have one, and whether they fit clips.parquet."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from asdcli import artifacts, audio
from asdcli.errors import BadArtifact, MissingArtifact, unknown_name
from asdcli.features.kinds import DEFAULT, FEATURES
from asdcli.filenames import stem
from asdcli.progress import Progress
from asdcli.wording import they_are

TRAINING = "training"
"""Where the header of a pack has the digest of its training clips."""
LEVELS = "levels"
"""Where it says how loud they are."""
BANK = "bank"
"""Where it says, by a digest, which clips these are; nothing where all that was learned still is."""
SUSPECTS = "suspects"
"""Where it says what looks wrong with which clips."""
SAMPLES = "samples"
"""The array of a pack of waveforms that holds their samples, longer than all else."""
LEVEL = "level_db"
"""The array of a pack that holds the level of each clip, (n_clips,), NaN where a dead microphone recorded it."""


@dataclass(frozen=True)
class Packs:
    """The packs of one kind, `folder/<machine_type>.npz`, and their headers by machine type."""

    kind: str
    folder: Path
    headers: dict[str, artifacts.Header]

    @property
    def machine_types(self) -> list[str]:
        return list(self.headers)

    @property
    def inputs(self) -> dict[str, artifacts.Header]:
        """The headers under the names by which they stand in `Header.inputs`."""
        return {f"features/{self.kind}/{name}": header for name, header in self.headers.items()}

    @property
    def training_inputs(self) -> dict[str, artifacts.Header]:
        """The same for what sees only the training clips: new test clips do not make it stale."""
        return {name: _training_part(header) for name, header in self.inputs.items()}

    def load(self, machine_type: str, clips: pa.Table) -> Any:
        """The pack of one machine type. `clips` are all its rows of clips.parquet.

        Its long arrays are views of the file: they take no memory but what the system lends for what is looked at.

        Raises:
            BadArtifact: the pack is damaged, or of other clips, not counting those that were skipped when it was made.
        """
        path = self.folder / f"{machine_type}.npz"
        # a pack would take longer to digest than a GPU takes to embed it: the checksums of its entries are compared,
        # now, in one walk over the file
        arrays, header = artifacts.read_arrays(path, artifacts.FEATURES, verify=False, map_long=True)
        try:
            arrays.pop(LEVEL, None)  # of older packs nobody knows it
            pack = FEATURES.build(self.kind).read(arrays)
        except (KeyError, ValueError) as error:
            raise artifacts.damaged(path, artifacts.FEATURES, str(error)) from None
        missing, strangers = lacking(pack, clips), sorted({*pack.clip_ids.tolist()} - {*clips["clip_id"].to_pylist()})
        skipped = header.diagnostics.get("skipped")
        if strangers or len(missing) > (skipped if isinstance(skipped, int) else 0):
            raise BadArtifact(
                f"{path} does not fit clips.parquet: it lacks {len(missing)} clips and holds {len(strangers)} others, "
                f"such as {(strangers or missing)[0]}",
                f"make it again: {_command(self.kind)}",
                path,
            )
        return pack


def lacking(pack: Any, clips: pa.Table) -> list[str]:
    """The clips of a machine type that its pack lacks, because extract-features left them out."""
    return sorted({*clips["clip_id"].to_pylist()} - {*pack.clip_ids.tolist()})


def tell(lost: Sequence[str], what: str, progress: Progress) -> None:
    """Name the clips that packs lack; `what` they are not: `embedded`."""
    if lost:
        progress.left_out(f"{they_are(lost, 'clip')} not {what}: extract-features left them out")


def _training_part(pack: artifacts.Header) -> artifacts.Header:
    """Older packs do not say what of them is for training: all of it may be."""
    digest = pack.diagnostics.get(TRAINING)
    return pack.part(digest) if digest and isinstance(digest, str) else pack


def written_since(pack: Path, recordings: Iterable[Path]) -> list[Path]:
    """The recordings that were written after the pack was; those that are gone do not count.

    A header holds no clocks: this is asked of the file system, as make does. Of a file that keeps its date when it is
    put in another's place nothing is seen; nor is a whole project that was copied taken for a new one.
    """
    packed = pack.stat().st_mtime_ns
    files = dict.fromkeys(map(audio.file_of, recordings))
    return [path for path in files if path.exists() and path.stat().st_mtime_ns > packed]


def paths(folder: Path, kind: str, machine_types: Sequence[str] | None) -> list[Path]:
    """The packs of `kind` that are there, of these machine types or all."""
    place = folder / stem(FEATURES.canonical(kind))
    return [path for path in sorted(place.glob("*.npz")) if not machine_types or path.stem in machine_types]


def find(folder: Path, kind: str, clips: pa.Table, asked: Sequence[str] | None, progress: Progress) -> Packs:
    """The packs of `kind` below `folder` of the machine types of `clips`, or of those asked for.

    Machine types without a pack are left out with a warning, unless they were asked for.

    Raises:
        UsageError: a machine type that `clips` does not have ("did you mean").
        MissingArtifact: no pack at all, or none of a machine type that was asked for.
    """
    known = sorted(set(clips["machine_type"].to_pylist()))
    for name in asked or ():
        if name not in known:
            raise unknown_name("machine type", name, known)
    wanted = [name for name in known if not asked or name in asked]
    kind = FEATURES.canonical(kind)
    place = folder / stem(kind)
    paths = {name: place / f"{name}.npz" for name in wanted}
    missing = [name for name, path in paths.items() if not path.exists()]
    if missing and (asked or len(missing) == len(wanted)):
        raise MissingArtifact(
            f"no {kind} features of {', '.join(missing) or 'any machine type'} in {place}",
            f"make them first: {_command(kind)}",
        )
    if missing:
        progress.left_out(f"no {kind} features of {', '.join(missing)}: left out ({_command(kind)} makes them)")
    headers = {n: artifacts.read_header(p, artifacts.FEATURES) for n, p in paths.items() if n not in missing}
    return Packs(kind, place, headers)


def _command(kind: str) -> str:
    return "asd extract-features" + ("" if kind == DEFAULT else f" --features {shlex.quote(kind)}")
