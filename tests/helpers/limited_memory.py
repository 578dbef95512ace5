"""A process that trains and embeds with little memory of its own, and packs that would not fit into it.

`ARROW_DEFAULT_MEMORY_POOL=system python -m tests.helpers.limited_memory ROOT N_MB`: what `write` made below ROOT; exits
with 0 where N_MB were enough beyond what Python, torch and the tables take (pyarrow's own pool would reserve a gigabyte
for these). Of memory counts what a process has by itself (RLIMIT_DATA); pages of files that it has mapped the system
takes back when it needs them.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np

from asdcli import artifacts
from asdcli.artifacts.growing import GrowingArrays
from asdcli.features.pack import WaveformPack
from tests.helpers import noise_run

_MACHINE_TYPES = ("fan", "valve")


def write(root: Path, n_bytes: int) -> tuple[Path, Path]:
    """clips.parquet and packs of so many bytes: each clip is silence, a hole in its file, then a second of sound."""
    clips, features = noise_run.write(root, _MACHINE_TYPES)
    upstream = artifacts.read_header(clips, artifacts.CLIPS)
    rows = {machine_type: noise_run.rows(machine_type) for machine_type in _MACHINE_TYPES}
    silence = n_bytes // np.dtype(np.int16).itemsize // sum(map(len, rows.values()))
    for machine_type, own in rows.items():
        with artifacts.growing_arrays(features / "waveform" / f"{machine_type}.npz", "samples", np.int16) as file:
            for row in own:
                _silence(file, silence)
                file.append(noise_run.waveform(row))
            offsets = np.arange(len(own) + 1) * (silence + noise_run.RATE)
            names = np.array([row["clip_id"] for row in own])
            header = artifacts.Header.make(artifacts.FEATURES, dataset="noise", inputs={"clips": upstream})
            file.finish(WaveformPack(file.values(), offsets, names, noise_run.RATE).arrays(), header)
    return clips, features


def _silence(file: GrowingArrays, n: int) -> None:
    """As `append` of n zeros, which are not written: the file system lends them."""
    file._file.seek(2 * n, 1)
    file._digests.add(memoryview(bytes(2 * n)))
    file._n += n


def main(root: Path, megabytes: int) -> None:
    """Train and embed below `root` with so much more memory than is taken now."""
    import torch

    from asdcli.stages import embed, train

    clips, features = root / "data/noise/clips.parquet", root / "runs/noise/features"
    torch.nn.Linear(2, 2)(torch.ones(1, 2)).sum().backward()  # threads that torch starts once, and pyarrow
    artifacts.read_table(clips, artifacts.CLIPS)
    network = "discriminative:network=tests.helpers.tiny_network:TwoBranches"
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    limit = int(status["VmData"].split()[0]) * 1024 + megabytes * 10**6
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    train.run(clips, features, root / "model", model=network, device="cpu", clip_length=4.0, epochs=2, batch_size=4)
    embed.run(clips, features, root / "embeddings.parquet", model=root / "model", device="cpu", batch_size=4)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
