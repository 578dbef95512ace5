"""The training clips of all machine types, where they can be cropped for the device."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from asdcli.errors import BadData
from asdcli.features.banks import Bank, bank_of
from asdcli.features.pack import WaveformPack
from asdcli.training import TrainingData

_AT_ONCE = 4  # packs, whose checksums are compared

Gathered = tuple[Bank, list[int], int]

_LAST: dict[Hashable, Gathered] = {}
"""What was gathered last on a device that is not the CPU, clips and noise: the next seed trains on the same."""


def gather(data: TrainingData, device: torch.device) -> Gathered:
    """The training clips that the packs hold: on a GPU end to end where they fit, else where they lie.

    Several trainings of one process on the same clips share them there, where reading and moving them takes longer than
    an epoch.

    Returns the bank, the row of `data.clips` of each of its clips, and the sample rate.
    """
    if device.type == "cpu" or data.contents is None:
        return _gathered(data, device)
    key = (device, data.contents, tuple(data.clips["clip_id"].to_pylist()))
    found = _LAST.pop(key, None) or _gathered(data, device)
    _LAST[key] = found
    for old in [*_LAST][:-2]:
        del _LAST[old]
    return found


def _gathered(data: TrainingData, device: torch.device) -> Gathered:
    row_of = {clip_id: row for row, clip_id in enumerate(data.clips["clip_id"].to_pylist())}
    clips: list[np.ndarray] = []
    rows: list[int] = []
    rates = {}
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        packs: list[WaveformPack] = list(threads.map(data.load, data.machine_types))
    for machine_type, pack in zip(data.machine_types, packs, strict=True):
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
