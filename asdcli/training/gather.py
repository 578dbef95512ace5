"""The training clips of all machine types, where they can be cropped for the device."""

from __future__ import annotations

import numpy as np
import torch

from asdcli.errors import BadData
from asdcli.features.banks import Bank, bank_of
from asdcli.features.pack import WaveformPack
from asdcli.training import TrainingData


def gather(data: TrainingData, device: torch.device) -> tuple[Bank, list[int], int]:
    """The training clips that the packs hold: on a GPU end to end where they fit, else where they lie.

    Returns the bank, the row of `data.clips` of each of its clips, and the sample rate.
    """
    row_of = {clip_id: row for row, clip_id in enumerate(data.clips["clip_id"].to_pylist())}
    clips: list[np.ndarray] = []
    rows: list[int] = []
    rates = {}
    for machine_type in data.machine_types:
        pack: WaveformPack = data.load(machine_type)
        rates[machine_type] = pack.sample_rate
        chosen = [i for i, clip_id in enumerate(pack.clip_ids.tolist()) if clip_id in row_of]
        rows += [row_of[clip_id] for clip_id in pack.clip_ids[chosen].tolist()]
        clips += [pack.clip(i) for i in chosen]
    if len(set(rates.values())) > 1:
        raise BadData(
            "sample rates differ: " + ", ".join(f"{m} {r} Hz" for m, r in rates.items()),
            "extract all machine types alike: asd extract-features --resample",
        )
    if not rows:
        raise BadData("the waveform packs hold none of the training clips", "asd extract-features --force")
    return bank_of(clips, device), rows, next(iter(rates.values()))
