"""`python -m tests.reference_values [FAMILY:checkpoint=…]…`: what asd and the encoder's own library make of one sound.

The sound is one window of seeded noise with a tone. Without a checkpoint, tiny ones of random weights are made for
every family: whoever has real weights names them, and reads in the last column whether asd takes them as their library
does. The first values are printed, to be held against those of other machines and versions.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asdcli.embedders import EMBEDDERS
from asdcli.embedders.families import FAMILIES
from asdcli.embedders.pretrained import FoundCheckpoint
from asdcli.features.pack import FULL_SCALE, WaveformPack
from asdcli.progress import SILENT
from tests.helpers.tiny_encoders import tiny

CPU = torch.device("cpu")
_SHOWN = 4


def sounds(n_samples: int, sample_rate: int, n_clips: int = 1) -> WaveformPack:
    """Clips of seeded noise with a tone each."""
    rng = np.random.default_rng(20)
    time = np.arange(n_samples) / sample_rate
    tones = [2000 * np.sin(2 * np.pi * 440 * (i + 1) * time) for i in range(n_clips)]
    clips = [(tone + rng.normal(0, 3000, n_samples)).astype(np.int16) for tone in tones]
    return WaveformPack.of(clips, [f"clip{i}" for i in range(n_clips)], sample_rate)


def of_library(found: FoundCheckpoint, pack: WaveformPack) -> np.ndarray:
    """(n_clips, n_dims): the library's own feature extractor and forward pass, and the mean over all places.

    For the spelling's layer, by the hidden states that the library returns.
    """
    waves = [(pack.clip(i) / FULL_SCALE).astype(np.float32) for i in range(len(pack))]
    if found.of.model == "beats":
        return _of_openbeats(found, waves)
    from transformers import AutoFeatureExtractor, AutoModel

    folder, name = found.checkpoint.files["checkpoint"].parent, found.of.model
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    whole: Any = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    model = {"clap": "audio_model", "whisper": "encoder"}.get(name)
    heard = extractor(waves, sampling_rate=pack.sample_rate, return_tensors="pt")
    heard.pop("attention_mask", None)
    if "is_longer" in heard:  # where no clip is longer than the window, the extractor says by lot that one is
        heard["is_longer"] = torch.zeros_like(torch.as_tensor(heard["is_longer"]))
    with torch.inference_mode():
        out = (getattr(whole, model) if model else whole)(**heard, output_hidden_states=True)
    states = out.last_hidden_state if found.of.layer is None else out.hidden_states[found.of.layer]
    if name == "clap":
        return np.asarray(states.mean(dim=(2, 3)))
    return np.asarray((states[:, 2:] if name == "ast" else states).mean(dim=1))


def _of_openbeats(found: FoundCheckpoint, waves: Sequence[np.ndarray]) -> np.ndarray:
    from openbeats.model import OpenBeats

    warnings.simplefilter("ignore", FutureWarning)  # of torch, about what the package calls
    path = str(found.checkpoint.files["checkpoint"])
    encoder = OpenBeats.from_pretrained(path, max_layer=found.of.layer).encoder
    lengths = torch.tensor([len(wave) for wave in waves])
    with torch.inference_mode():
        return np.asarray(encoder(torch.from_numpy(np.stack(waves)), lengths)[0].mean(dim=1))


def both(spelling: str, n_clips: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(n_clips, n_dims) by asd, and by the library."""
    found: FoundCheckpoint = EMBEDDERS.build(spelling).found(SILENT)
    pack = sounds(found.family.n_samples(found.settings), found.family.sample_rate, n_clips)
    ours = found.loaded(CPU, 4, SILENT).embed(pack, np.zeros(n_clips, bool)).vectors
    return ours, of_library(found, pack)


def main(spellings: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        if not spellings:
            for name in FAMILIES:
                tiny(name, Path(scratch, name))
        for spelling in spellings or [f"{name}:checkpoint={Path(scratch, name)}" for name in FAMILIES]:
            ours, library = both(spelling)
            first = " ".join(f"{value:+.5f}" for value in ours[0][:_SHOWN])
            worst = np.abs(ours - library).max()
            print(f"{spelling.split('=')[0]}  {ours.shape[1]} dims  {first} …  differs by {worst:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
