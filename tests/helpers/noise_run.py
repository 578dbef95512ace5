"""A dataset small enough to train on in a test: noise through one resonance a machine type, one tone a domain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from asdcli import artifacts
from asdcli.features.pack import WaveformPack
from asdcli.layouts import with_groups

RATE = 16_000


def rows(machine_type: str, n_train: int = 10, n_test: int = 4) -> list[dict]:
    """Clips of one machine type: eight source and two target training clips in ten, and test clips."""
    found = []
    for i in range(n_train + n_test):
        split = "train" if i < n_train else "test"
        domain = "target" if i % 5 == 4 else "source"
        condition = "anomaly" if split == "test" and i % 2 else "normal"
        name = f"section_00_{domain}_{split}_{condition}_{i:04d}_vel_{1 + (domain == 'target')}"
        found.append(
            {
                "clip_id": f"dev_data/raw/{machine_type}/{split}/{name}",
                "path": f"dev_data/raw/{machine_type}/{split}/{name}.wav",
                "machine_type": machine_type,
                "section": "00",
                "subset": "dev",
                "split": split,
                "domain": domain,
                "condition": condition,
                "attributes": [("vel", name[-1])],
                "attribute_string": name[-5:],
                "duration_s": 1.0,
                "sample_rate": RATE,
                "channels": 1,
            }
        )
    return found


def waveform(row: dict, seconds: float = 1.0) -> np.ndarray:
    """int16 samples that tell machine type and domain by their spectrum."""
    rng = np.random.default_rng(sum(row["clip_id"].encode()))
    t = np.arange(int(RATE * seconds)) / RATE
    hum = {"fan": 400.0, "valve": 1900.0, "pump": 3100.0}[row["machine_type"]]
    tone = 700.0 if row["domain"] == "source" else 2600.0
    x = 0.3 * np.sin(2 * np.pi * hum * t) + 0.2 * np.sin(2 * np.pi * tone * t) + 0.05 * rng.normal(size=len(t))
    return (x * 16_000).astype(np.int16)


def write(
    root: Path,
    machine_types: tuple[str, ...] = ("fan", "valve"),
    *,
    leave_out: int = 0,
    n_train: int = 10,
    seconds: float = 1.0,
    group_by: str | None = None,
) -> tuple[Path, Path]:
    """clips.parquet and features below `root`; the last `leave_out` clips are skipped by extraction. Their paths.

    There are groups where `group_by` says which, else none, as in older tables.
    """
    clips, features = root / "data" / "noise" / "clips.parquet", root / "runs" / "noise" / "features"
    table = [row for m in machine_types for row in rows(m, n_train)]
    header = artifacts.Header.make(artifacts.CLIPS, dataset="noise")
    labelled = pa.Table.from_pylist(table, schema=_SCHEMA)
    labelled = with_groups(labelled, group_by) if group_by else labelled
    header = artifacts.write_table(clips, artifacts.CLIPS, labelled, header)
    for machine_type in machine_types:
        own = [r for r in table if r["machine_type"] == machine_type]
        own = own[: len(own) - leave_out]
        pack = WaveformPack.of([waveform(r, seconds) for r in own], [r["clip_id"] for r in own], RATE)
        made = artifacts.Header.make(
            artifacts.FEATURES, dataset="noise", inputs={"clips": header}, diagnostics={"skipped": leave_out}
        )
        artifacts.write_arrays(features / "waveform" / f"{machine_type}.npz", pack.arrays(), made)
    return clips, features


_SCHEMA = pa.schema([(c.name, c.type) for c in artifacts.CLIPS.columns])
