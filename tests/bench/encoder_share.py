"""Embed clips by small encoders of random weights as `asd embed` does, and by a bare loop: processor seconds as JSON.

Rounds of both stand by turns, so that what else the machine does falls on both alike; of each the least is taken.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asdcli.embedders import EMBEDDERS
from asdcli.features.pack import WaveformPack
from asdcli.progress import SILENT
from tests.helpers.tiny_encoders import tiny

CLIPS, SECONDS, RATE, ROUNDS = 16, 10, 16_000, 3
BATCHES = (1, 2, 4, 8, 16)
USUAL = 64  # what `asd embed` takes at once
SHAPES: dict[str, dict[str, Any]] = {  # those of the authors' base models, a quarter as wide and of four blocks
    "ast": {
        "hidden_size": 192,
        "num_hidden_layers": 4,
        "num_attention_heads": 3,
        "intermediate_size": 768,
        "max_length": 1024,
        "num_mel_bins": 128,
    },
    "beats": {
        "embed_dim": 128,
        "encoder_layers": 4,
        "encoder_embed_dim": 192,
        "encoder_ffn_embed_dim": 768,
        "encoder_attention_heads": 3,
        "conv_pos": 128,
        "conv_pos_groups": 16,
    },
}


def measured(name: str, folder: Path) -> dict[str, Any]:
    """Seconds a clip of `asd embed`, of the bare loop at its best batch size, and of what the encoder is given."""
    tiny(name, folder / name, **SHAPES[name])
    found = EMBEDDERS.build(f"{name}:checkpoint={folder / name}").found(SILENT)
    frozen = found.loaded(torch.device("cpu"), USUAL, SILENT)
    rng = np.random.default_rng(0)
    waves = [rng.integers(-9000, 9000, SECONDS * RATE, dtype=np.int16) for _ in range(CLIPS)]
    pack = WaveformPack.of(waves, [f"clip-{i}" for i in range(CLIPS)], RATE)
    n_samples = found.ear.n_samples(found.settings)
    hearing = found.ear.hearing(found.settings, found.checkpoint.preprocessor)
    whole = torch.from_numpy(rng.normal(size=(CLIPS, n_samples)).astype(np.float32) / 10)

    def bare(size: int) -> None:
        for some in heard.split(size):
            frozen.encoder.tokens(some, None)

    with torch.inference_mode():
        heard = hearing(whole)
        bare(1)
        works: dict[Any, Callable[[], object]] = {size: lambda size=size: bare(size) for size in BATCHES}  # type: ignore[misc]
        works["front"] = lambda: hearing(whole)
        works["ours"] = lambda: frozen.embed(pack, np.ones(CLIPS, dtype=bool))
        least = _least(works)
    batch = min(BATCHES, key=lambda size: least[size])
    return {"name": name, "ours": least["ours"], "front": least["front"], "bare": least[batch], "batch": batch}


def _least(works: dict[Any, Callable[[], object]]) -> dict[Any, float]:
    """Processor seconds a clip of each, the least of all rounds."""
    least = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.process_time()
            work()
            least[name] = min(least[name], (time.process_time() - start) / CLIPS)
    return least


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps([measured(name, Path(sys.argv[1])) for name in SHAPES]))
