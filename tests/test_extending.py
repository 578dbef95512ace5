"""Other people's scorers, networks, losses, features and embedders, through the front door."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from asdcli import artifacts
from tests.helpers import fake_package, noise_run

Asd = Callable[..., int]

SCORER = '''
from dataclasses import dataclass
from sklearn.neighbors import KernelDensity
from asdcli.scorers import Fitted

@dataclass(frozen=True)
class Kernel:
    """Negative log-density of the training windows under Gaussian kernels.

    Attributes:
        width: standard deviation of a kernel.
    """

    width: float = 1.0

    def fit(self, unit):
        return Fitted(self, {"x": unit.train.raw})

    def score(self, learnt, windows):
        return -KernelDensity(bandwidth=self.width).fit(learnt["x"]).score_samples(windows.raw)
'''

NETWORK = '''
"""A network of four bands of the amplitude spectrum."""

import torch
from torch import nn


class Bands(nn.Module):
    """Mean amplitudes of bands of the spectrum, and one linear layer.

    Args:
        width: dimensions of the embeddings.
    """

    shortest_clip = 64

    def __init__(self, n_samples: int, sample_rate: int, *, width: int = 8) -> None:
        super().__init__()
        self.n_samples, self.sample_rate, self.n_dims = n_samples, sample_rate, width
        self.layer = nn.Linear(32, width)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        spectrum = torch.fft.rfft(waveforms).abs()
        return self.layer(nn.functional.adaptive_avg_pool1d(spectrum[:, None], 32)[:, 0].log1p())
'''

LOSS = '''
"""Softmax over classes."""

import torch
from torch import nn


class Softmax(nn.Module):
    """Cross-entropy of a linear layer.

    Args:
        smoothing: share of each label that is spread over all classes.
    """

    def __init__(self, n_dims: int, n_classes: int, *, smoothing: float = 0.0) -> None:
        super().__init__()
        self.layer, self.smoothing = nn.Linear(n_dims, n_classes), smoothing

    def forward(self, embeddings, labels):
        logits = self.layer(embeddings.float())
        return nn.functional.cross_entropy(logits, labels, label_smoothing=self.smoothing), logits
'''

FEATURES = '''
"""Energies of parts of a clip, and an embedder that takes them as they are."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from asdcli.embedders import Embedding
from asdcli.features.pack import VectorPack


@dataclass(frozen=True)
class Energies:
    """Root mean square of equal parts of a clip.

    Attributes:
        n: how many parts.
    """

    n: int = 4

    def of_channel(self, samples, sample_rate):
        return np.array([np.sqrt(np.mean(p.astype(float) ** 2)) for p in np.array_split(samples, self.n)], np.float32)

    def pack(self, clips, sample_rate, expected):
        ids, vectors = zip(*clips)
        return VectorPack(np.stack(vectors), np.array(ids))

    def read(self, arrays):
        return VectorPack.from_arrays(arrays)


@dataclass(frozen=True)
class Plain:
    """The features as they are, over the mean of the training clips."""

    features: ClassVar[str] = "mypkg.energies:Energies,n=3"
    trained: ClassVar[bool] = False

    def embed(self, pack, is_train):
        return Embedding.one_per_clip(pack.vectors / pack.vectors[is_train].mean(axis=0))
'''


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[object, ...]]:
    """A package `mypkg` on sys.path, and the options of a run on tiny data."""
    modules = {"mypkg/net.py": NETWORK, "mypkg/loss.py": LOSS, "mypkg/energies.py": FEATURES}
    offers = {"asdcli.networks": {"bands": "mypkg.net:Bands"}, "asdcli.losses": {"softmax": "mypkg.loss:Softmax"}}
    site = fake_package.write(tmp_path / "site", "mypkg", modules, version="0.3", offers=offers)
    monkeypatch.syspath_prepend(site)
    noise_run.write(tmp_path)
    yield ("--data", tmp_path / "data", "--dataset", "noise", "--run", tmp_path / "runs" / "noise", "-q")
    forget()


def forget() -> None:
    """Import `mypkg` anew the next time."""
    for name in [name for name in sys.modules if name.split(".")[0] == "mypkg"]:
        del sys.modules[name]


def card(tmp_path: Path) -> dict:
    found: dict = json.loads((tmp_path / "runs/noise/model/card.json").read_text())["card"]
    return found


def test_a_network_and_a_loss_of_another_package_train_and_embed(
    asd: Asd, mine: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spelling = "discriminative:network=mypkg.net:Bands,width=6,loss=mypkg.loss:Softmax,smoothing=0.1,batch_size=8"
    assert asd("train", "--model", spelling, "--epochs", 2, "--device", "cpu", *mine) == 0
    named = "discriminative:network=bands,width=6,loss=softmax,smoothing=0.1,epochs=2,batch_size=8"
    assert card(tmp_path)["spec"] == named  # by the names that the package gives them
    assert card(tmp_path)["network"] == "bands:width=6" and card(tmp_path)["loss"] == "softmax:smoothing=0.1"
    assert card(tmp_path)["n_dims"] == 6 and card(tmp_path)["n_samples"] == 16_000
    assert asd("embed", "--device", "cpu", *mine[:-1]) == 0
    assert "the model's network is bands:width=6, of another package" in " ".join(capsys.readouterr().err.split())
    table, header = artifacts.read_table(tmp_path / "runs/noise/embeddings.parquet", artifacts.EMBEDDINGS)
    assert header.params == {"embedder": "discriminative"} and header.recall("model") == named
    assert table.schema.field("vector").type.list_size == 6 and len(table) == 28
    assert asd("score", "--method", "nn", *mine) == asd("evaluate", *mine) == 0
    capsys.readouterr()
    assert asd("train", "--model", named.replace("0.1", "0.2").replace("width", "wide"), *mine) == 2
    told = capsys.readouterr().err
    assert "has no parameter 'wide'" in told and "weight_decay, width, smoothing" in told


def test_a_model_whose_network_is_gone_says_which_package_it_wants(
    asd: Asd, mine: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spelling = "discriminative:network=mypkg.net:Bands,epochs=1,batch_size=8"
    assert asd("train", "--model", spelling, "--device", "cpu", *mine) == 0
    (tmp_path / "site" / "mypkg" / "net.py").write_text("import no_such_thing\n")
    forget()
    assert asd("embed", "--device", "cpu", *mine) == 1
    told = capsys.readouterr().err
    assert "mypkg.net:Bands of mypkg 0.3 cannot be imported: ModuleNotFoundError" in told
    assert "pip install --upgrade mypkg" in told and "Traceback" not in told


def test_features_and_an_embedder_of_another_package_need_no_training(
    asd: Asd, mine: tuple[object, ...], tmp_path: Path
) -> None:
    import soundfile as sf

    for machine_type in ("fan", "valve"):
        for row in noise_run.rows(machine_type):
            wav = tmp_path / "data" / "noise" / row["path"]
            wav.parent.mkdir(parents=True, exist_ok=True)
            sf.write(wav, noise_run.waveform(row), noise_run.RATE)
    assert asd("extract-features", "--features", "mypkg.energies:Energies,n=3", *mine) == 0
    assert (tmp_path / "runs/noise/features/mypkg.energies.Energies,n=3/fan.npz").exists()
    assert asd("embed", "--embedder", "mypkg.energies:Plain", *mine) == 0
    table, header = artifacts.read_table(tmp_path / "runs/noise/embeddings.parquet", artifacts.EMBEDDINGS)
    assert header.params == {"embedder": "mypkg.energies:Plain"}
    np.testing.assert_allclose(np.mean(table["vector"].to_pylist()), 1.0, atol=0.05)


def asd_in_a_shell(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(Path(__file__).parents[1])])}
    line = [sys.executable, "-m", "asdcli", *words, "--run", "runs/mine"]
    return subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("spelling", "file"), [("kernel:width=0.5", "kernel.width=0.5"), ("", "")])
def test_a_scorer_of_an_installed_package_scores_by_its_name_and_as_a_class(
    asd: Asd, tmp_path: Path, spelling: str, file: str
) -> None:
    """The name that its entry point offers it under, and without an entry point `module:Class`."""
    offers = {"asdcli.scorers": {"kernel": "minescorer:Kernel"}} if spelling else None
    spelling, file = spelling or "minescorer:Kernel,width=0.5", file or "minescorer.Kernel,width=0.5"
    fake_package.write(tmp_path / "site", "minescorer", {"minescorer.py": SCORER}, version="0.4", offers=offers)
    rows = [row for machine_type in ("fan", "valve") for row in noise_run.rows(machine_type)]
    labels = ("clip_id", "machine_type", "split", "condition", "section", "domain")
    rng = np.random.default_rng(0)
    with (tmp_path / "v.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow([*labels, "v0", "v1"])
        for row in rows:
            vector = rng.normal(size=2) + 9 * (row["condition"] == "anomaly")
            writer.writerow([*(row[name] for name in labels), *vector])
    assert asd("embed", "--from", tmp_path / "v.csv", "--run", "runs/mine", "-q") == 0
    done = asd_in_a_shell(tmp_path, "score", "-m", spelling)
    assert done.returncode == 0, done.stderr
    table, header = artifacts.read_table(tmp_path / "runs" / "mine" / "scores" / f"{file}.parquet", artifacts.SCORES)
    assert header.params["method"] == spelling and len(table) == 28
    done = asd_in_a_shell(tmp_path, "evaluate")
    assert f"method:{spelling}|" in done.stdout and "= 1.0000" in done.stdout
