"""A tiny run whose machine types have supplemental recordings, of the machine alone and of noise alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.features.pack import WaveformPack
from asdcli.views.digests import pack_input
from asdcli.views.packs import TRAINING
from tests.helpers import noise_run


def write(root: Path, n_train: int = 5, n_alone: int = 2) -> tuple[Path, Path]:
    """clips.parquet and waveform packs below `root`: their paths. A machine type has `n_alone` clips of each kind."""
    clips, features = noise_run.write(root, n_train=n_train)
    table, _ = artifacts.read_table(clips, artifacts.CLIPS)
    added = [row for machine_type in ("fan", "valve") for row in rows(machine_type, n_alone)]
    table = pa.concat_tables([table, pa.Table.from_pylist(added, schema=table.schema)])
    header = artifacts.Header.make(artifacts.CLIPS, dataset="noise")
    header = artifacts.write_table(clips, artifacts.CLIPS, table, header)
    for machine_type in ("fan", "valve"):
        own = [row for row in table.to_pylist() if row["machine_type"] == machine_type]
        pack = WaveformPack.of([sound(row) for row in own], [row["clip_id"] for row in own], noise_run.RATE)
        part = header.part(pack_input(table, machine_type))
        params = {"machine_type": machine_type}
        made = artifacts.Header.make(
            artifacts.FEATURES,
            dataset="noise",
            params=params,
            inputs={"clips": part},
            diagnostics={TRAINING: f"the training clips of {machine_type}"},
        )
        artifacts.write_arrays(features / "waveform" / f"{machine_type}.npz", pack.arrays(), made)
    return clips, features


def rows(machine_type: str, n: int) -> list[dict]:
    """Supplemental clips as the catalogue's grammar reads them."""
    found = []
    for kind in ("machine", "noise"):
        for i in range(n):
            name = f"section_00_source_supplemental_{kind}_{i:04d}_vel_1"
            like = noise_run.rows(machine_type, 1, 0)[0]
            found.append(
                {
                    **like,
                    "clip_id": f"dev_data/raw/{machine_type}/supplemental/{name}",
                    "path": f"dev_data/raw/{machine_type}/supplemental/{name}.wav",
                    "split": "supplemental",
                    "condition": "normal" if kind == "machine" else None,
                    "attributes": [("supplemental", kind), ("vel", "1")],
                }
            )
    return found


def sound(row: dict) -> np.ndarray:
    """int16 samples; of noise alone no tone."""
    if dict(row["attributes"]).get("supplemental") != "noise":
        return noise_run.waveform(row)
    rng = np.random.default_rng(sum(row["clip_id"].encode()))
    return (rng.normal(size=noise_run.RATE) * 3000).astype(np.int16)
