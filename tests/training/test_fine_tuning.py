"""Fine-tuning of an encoder: it learns what the frozen one does not hear, only by what is to learn, and resumes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from asdcli import artifacts
from asdcli.embedders import EMBEDDERS
from asdcli.embedders.rebuilt import rebuilt
from asdcli.embedders.trained import Trained
from asdcli.errors import UsageError
from asdcli.features.pack import WaveformPack
from asdcli.models.losses import LOSSES
from asdcli.progress import SILENT
from asdcli.stages import embed, train
from asdcli.training import MODELS, Setting, TrainingData, loop, model_files
from asdcli.training.recipes.discriminative import DiscriminativeTask
from tests.helpers import noise_run
from tests.helpers.heard import Heard, Interrupting
from tests.helpers.tiny_encoders import tiny

pytest.importorskip("transformers")
CPU = torch.device("cpu")
MACHINES = ("fan", "valve")


@pytest.fixture(scope="module")
def ast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ast")
    tiny("ast", folder)
    return folder


class Machines:
    """Two faint tones say which machine and domain a clip is of; a loud one, and how loud it all is, say nothing."""

    def __init__(self) -> None:
        self.rows = {machine: noise_run.rows(machine, 20, 20) for machine in MACHINES}
        self.packs = {machine: self._pack(rows) for machine, rows in self.rows.items()}
        own = [row for rows in self.rows.values() for row in rows if row["split"] == "train"]
        clips = pa.Table.from_pylist(own, schema=pa.schema([(c.name, c.type) for c in artifacts.CLIPS.columns]))
        self.data = TrainingData(clips, list(MACHINES), self.packs.__getitem__)

    def _pack(self, rows: list[dict]) -> WaveformPack:
        waves = [(8000 * self._wave(row)).astype(np.int16) for row in rows]
        return WaveformPack.of(waves, [row["clip_id"] for row in rows], noise_run.RATE)

    def _wave(self, row: dict) -> np.ndarray:
        rng, t = np.random.default_rng(sum(row["clip_id"].encode())), np.arange(noise_run.RATE) / noise_run.RATE
        said = 400.0 if row["machine_type"] == "fan" else 1900.0, 700.0 if row["domain"] == "source" else 2600.0
        faint = 0.03 * sum(np.sin(2 * np.pi * hz * t) for hz in said) + rng.normal(0, 0.02, len(t))
        return (faint + 0.5 * np.sin(2 * np.pi * rng.uniform(3500, 7500) * t)) * rng.uniform(0.05, 1)

    def recognised(self, embedder: object) -> float:
        """The share of test clips whose nearest training clip is of their machine and domain."""
        vectors = [embedder.embed(pack, np.ones(len(pack), bool)).vectors for pack in self.packs.values()]
        unit = np.concatenate(vectors) / np.linalg.norm(np.concatenate(vectors), axis=1, keepdims=True)
        every = [row for rows in self.rows.values() for row in rows]
        of = np.array([f"{row['machine_type']} {row['domain']}" for row in every])
        known = np.array([row["split"] == "train" for row in every])
        nearest = of[known][(unit[~known] @ unit[known].T).argmax(axis=1)]
        return float((nearest == of[~known]).mean())

    def task(self, spelling: str, progress: Heard | None = None) -> DiscriminativeTask:
        found: DiscriminativeTask = MODELS.build(f"discriminative:{spelling}").task(
            self.data, Setting(0, CPU, "fp32", progress or SILENT)
        )
        return found


@pytest.fixture(scope="module")
def machines() -> Machines:
    return Machines()


@pytest.mark.parametrize("how", ["lora=8,targets=all", "warmup=5,layer_decay=0.9"])
def test_a_fine_tuned_encoder_recognises_what_the_frozen_one_does_not(
    machines: Machines, ast: Path, tmp_path: Path, how: str
) -> None:
    frozen = EMBEDDERS.build(f"ast:checkpoint={ast}").found(SILENT).loaded(CPU, 8, SILENT)
    network = f"network=ast,checkpoint={ast},pool=attentive,dims=16,{how}"
    task = machines.task(f"{network},mixup=0,lr=0.01,epochs=10,batch_size=8")
    loop.fit(task, epochs=10, folder=tmp_path, header=artifacts.Header.make(artifacts.MODEL, dataset="noise"))
    tuned = Trained({None: task.module.network.eval()}, CPU)
    assert machines.recognised(frozen) <= 0.8
    assert machines.recognised(tuned) >= 0.9


def test_with_lora_nothing_changes_but_adapters_and_head(machines: Machines, ast: Path) -> None:
    task = machines.task(f"network=ast,checkpoint={ast},lora=2,pool=attentive,dims=16,batch_size=8,weight_decay=0.1")
    before = {name: value.clone() for name, value in task.module.state_dict().items()}
    task.module.train()
    assert sum(1 for _ in task.steps(0)) == 5
    changed = {name for name, value in task.module.state_dict().items() if not torch.equal(value, before[name])}
    adapters = {f"network.encoder.layers.{i}.attention.{of}_proj." for i in range(3) for of in "qv"}
    assert {name for name in changed if ".encoder." in name} == {a + part for a in adapters for part in ("up", "down")}
    head = {name for name in before if name.startswith(("network.pooling.", "network.project."))}
    assert {name for name in changed if ".encoder." not in name} == head


def test_the_warm_up_and_the_rates_of_layers_reach_the_optimizer(machines: Machines, ast: Path) -> None:
    task = machines.task(f"network=ast,checkpoint={ast},dims=8,batch_size=8,lr=0.0016,warmup=8,layer_decay=0.5")
    seen = [[group["lr"] for group in task.optimizers[0].param_groups] for epoch in (0, 1) for _ in task.steps(epoch)]
    assert len(seen) == 10  # 40 clips
    assert [rates[0] for rates in seen] == pytest.approx([0.0002 * min(i, 8) for i in range(1, 11)])
    assert seen[-1] == pytest.approx([0.0016 / 2**n for n in range(5)])  # the head, three blocks, what is before


@pytest.mark.parametrize("loss", LOSSES.entries)
def test_every_loss_takes_its_embeddings(machines: Machines, ast: Path, loss: str) -> None:
    own = {"adaproj": ",subspace=3", "subspace": ",branch=8", "featex": ",branch=8"}.get(loss, "")
    task = machines.task(f"network=ast,checkpoint={ast},lora=2,dims=16,batch_size=20,loss={loss}{own}")
    step = next(task.steps(0))
    assert torch.isfinite(step.loss) and step.items == 20


def test_a_large_rate_is_told_of_and_of_a_network_that_begins_anew_it_is_not(machines: Machines, ast: Path) -> None:
    for network, n in ((f"network=ast,checkpoint={ast}", 1), ("network=tests.helpers.tiny_network:TwoBranches", 0)):
        progress = Heard()
        machines.task(network, progress)
        assert len([note for note in progress.notes if "1e-4 is usual" in note]) == n


def test_clips_cannot_be_shorter_than_a_window_of_the_encoder(machines: Machines, ast: Path) -> None:
    with pytest.raises(UsageError, match=r"clip length 0.5 s is too short for the network: it takes 15920 samples"):
        machines.task(f"network=ast,checkpoint={ast},clip_length=0.5")


def test_a_training_of_an_encoder_ends_with_the_same_weights_whether_interrupted_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of BEATs: it has dropout, blocks that share weights, and a library that draws lots of its own."""
    pytest.importorskip("openbeats")
    noise = noise_run.write(tmp_path, n_train=5)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tiny("beats", tmp_path / "w", encoder_layerdrop=0.5)
    network = f"network=beats,checkpoint={tmp_path / 'w'},lora=2,pool=attentive,dims=8"
    model = f"discriminative:{network},loss=featex,branch=4,centers=trainable,warmup=7,layer_decay=0.9"
    how = {"epochs": 3, "batch_size": 4, "device": "cpu", "precision": "fp32", "lr": 1e-4}
    train.run(*noise, tmp_path / "whole", model=model, **how)
    with pytest.raises(KeyboardInterrupt):
        train.run(*noise, tmp_path / "cut", model=model, progress=Interrupting(0.75), **how)
    progress = Heard()
    torch.rand(1)
    train.run(*noise, tmp_path / "cut", model=model, progress=progress, **how)
    assert any("going on after epoch" in note for note in progress.notes)
    whole, cut = (tmp_path / name / "weights.safetensors" for name in ("whole", "cut"))
    assert whole.read_bytes() == cut.read_bytes()


def test_the_model_is_of_the_checkpoint_and_does_not_need_it(
    noise: tuple[Path, Path], ast: Path, tmp_path: Path
) -> None:
    weights, model = tmp_path / "w", tmp_path / "model"
    shutil.copytree(ast, weights)
    spelling = f"discriminative:network=ast,checkpoint={weights},lora=2,pool=attentive,dims=8,lr=0.0001"
    how = {"model": spelling, "epochs": 1, "batch_size": 20, "device": "cpu", "precision": "fp32"}
    train.run(*noise, model, **how)
    assert train.run(*noise, model, **how).status == "current"
    saved, card, header = model_files.read_model(model)
    digest = artifacts.digest_file(weights / "model.safetensors")
    assert header.inputs["checkpoint"] == card["encoder"]["made_of"]["checkpoint"] == digest
    assert {"config", "preprocessor"} <= header.inputs.keys()
    assert not any(name.endswith((".up", ".down")) for name in saved)
    weights.rename(tmp_path / "away")
    embed.run(*noise, tmp_path / "e.parquet", model=model, device="cpu")
    table, _ = artifacts.read_table(tmp_path / "e.parquet", artifacts.EMBEDDINGS)
    assert len(table["vector"][0]) == 8
    (network,) = rebuilt(card, saved)[0].values()
    assert all(torch.equal(value, saved[f"network.{name}"]) for name, value in network.state_dict().items())
    tiny("ast", weights, seed=1)
    assert train.run(*noise, model, **how).status != "current"
