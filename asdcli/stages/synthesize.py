"""The synthetic dataset as a dataset root: rendered, then indexed like any other edition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdcli import artifacts
from asdcli.editions import clips_table
from asdcli.errors import unknown_name
from asdcli.outcome import Outcome
from asdcli.progress import SILENT, Progress
from asdcli.synthesis.sizes import DEFAULT, SIZES
from asdcli.synthesis.writing import write
from asdcli.writing.locks import alone_with


@alone_with("root")
def run(
    root: Path,
    *,
    size: str = DEFAULT,
    seed: int = 0,
    machine_types: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Render the clips that are missing below `root` and write `root/clips.parquet`.

    Raises:
        UsageError: unknown size or machine type.
        BadData: `root` holds a synthetic dataset of another size or seed, or a clips.parquet that is not asd's.
    """
    if size not in SIZES:
        raise unknown_name("size", size, SIZES)
    output = root / "clips.parquet"
    artifacts.claim(output, artifacts.CLIPS, force=force)
    write(root, size=size, seed=seed, machine_types=machine_types, progress=progress)
    edition = SIZES[size].edition
    making = {"size": size, "seed": seed}
    made = clips_table.header(root, edition, making=making)
    if not force and artifacts.is_current(output, artifacts.CLIPS, made) and _same_machine_types(root, output):
        return Outcome(output, "current")
    return clips_table.run(root, output, edition=edition, making=making, progress=progress)


def _same_machine_types(root: Path, output: Path) -> bool:
    """Whether the table knows exactly the machine types that lie below `root`."""
    table, _ = artifacts.read_table(output, artifacts.CLIPS, columns=["machine_type"])
    there = {p.name for p in root.glob("*_data/raw/*") if p.is_dir()}
    return there == set(table["machine_type"].unique().to_pylist())
