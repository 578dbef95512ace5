"""`python -m tests.reference_values [FAMILY:checkpoint=…]…`: what asd and the encoder's own library make of one sound.

The sound is one window of seeded noise with a tone. Without a checkpoint, tiny ones of random weights are made for
every family: whoever has real weights names them, and reads in the last column whether asd takes them as their library
does. The first values are printed, to be held against those of other machines and versions.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asdcli.embedders import EMBEDDERS
from asdcli.embedders.pretrained import FoundCheckpoint
from asdcli.features.pack import FULL_SCALE, WaveformPack
from asdcli.models.encoders.architectures import ARCHITECTURES
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
    if found.of.model in ("ced", "dasheng"):
        return _of_dasheng(found, waves)
    if found.of.model == "eat":
        return _of_numpy(found, waves)
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


def _of_dasheng(found: FoundCheckpoint, waves: Sequence[np.ndarray]) -> np.ndarray:
    """The package dasheng, whose network is that of CED too."""
    from dasheng.pretrained.pretrained import Dasheng

    pairs = {key: v if isinstance(v, list | tuple) else (v, v) for key, v in found.settings.items() if "patch" in key}
    network = Dasheng(**{**{key: v for key, v in found.settings.items() if key != "model_type"}, **pairs})
    names = {
        key.removeprefix("encoder."): w for key, w in found.checkpoint.weights().items() if "outputlayer" not in key
    }
    fitting = {key.replace("init_bn.", "init_bn.1.") if "init_bn.1." not in key else key: w for key, w in names.items()}
    network.load_state_dict(fitting)
    if found.of.layer is not None:
        network.blocks, network.norm = network.blocks[: found.of.layer], torch.nn.Identity()
    with torch.inference_mode():
        out = [network.eval()(torch.from_numpy(wave)[None]).mean(dim=1) for wave in waves]
    return np.asarray(torch.cat(out))


def _of_numpy(found: FoundCheckpoint, waves: Sequence[np.ndarray]) -> np.ndarray:
    """EAT, which has no library of its own here: torchaudio's filter bank, and the network once more in float64."""
    from scipy.special import erf
    from torchaudio.compliance import kaldi

    said, s = found.settings, {k: np.asarray(w, np.float64) for k, w in found.checkpoint.weights().items()}
    n_dims, heads, size = said["embed_dim"], said["num_heads"], said["patch_size"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + said["norm_eps"])
        return x * s[f"model.{name}.weight"] + s[f"model.{name}.bias"]

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ s[f"model.{name}.weight"].T + s[f"model.{name}.bias"]

    vectors = []
    for wave in waves:
        frames = kaldi.fbank(torch.from_numpy(wave)[None], num_mel_bins=128, window_type="hanning").double().numpy()
        frames = ((frames + 4.268) / (2 * 4.569))[: len(frames) // size * size]
        patches = frames.reshape(-1, size, 128 // size, size).transpose(0, 2, 1, 3).reshape(-1, size * size)
        x = patches @ s["model.local_encoder.proj.weight"].reshape(n_dims, -1).T + s["model.local_encoder.proj.bias"]
        x = x + s["model.fixed_positional_encoder.positions"][0, : len(x)]
        x = norm(np.concatenate([s["model.extra_tokens"][0], x]), "pre_norm")
        for block in [f"blocks.{i}" for i in range(found.of.layer or said["depth"])]:
            q, k, v = linear(x, f"{block}.attn.qkv").reshape(len(x), 3, heads, -1).transpose(1, 2, 0, 3)
            weights = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(n_dims / heads))
            heard = (weights / weights.sum(-1, keepdims=True)) @ v
            x = norm(x + linear(heard.transpose(1, 0, 2).reshape(len(x), -1), f"{block}.attn.proj"), f"{block}.norm1")
            hidden = linear(x, f"{block}.mlp.fc1")
            hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
            x = norm(x + linear(hidden, f"{block}.mlp.fc2"), f"{block}.norm2")
        vectors.append(x[1:].mean(axis=0))
    return np.array(vectors)


def both(spelling: str, n_clips: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(n_clips, n_dims) by asd, and by the library."""
    found: FoundCheckpoint = EMBEDDERS.build(spelling).found(SILENT)
    pack = sounds(found.ear.n_samples(found.settings), found.ear.sample_rate, n_clips)
    ours = found.loaded(CPU, 4, SILENT).embed(pack, np.zeros(n_clips, bool)).vectors
    return ours, of_library(found, pack)


def main(spellings: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        if not spellings:
            os.environ["XDG_CACHE_HOME"] = scratch  # of pickles that are converted
            for name in ARCHITECTURES:
                tiny(name, Path(scratch, name))
        for spelling in spellings or [f"{name}:checkpoint={Path(scratch, name)}" for name in ARCHITECTURES]:
            ours, library = both(spelling)
            first = " ".join(f"{value:+.5f}" for value in ours[0][:_SHOWN])
            worst = np.abs(ours - library).max()
            print(f"{spelling.split('=')[0]}  {ours.shape[1]} dims  {first} …  differs by {worst:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
