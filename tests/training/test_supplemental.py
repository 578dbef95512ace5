"""Supplemental recordings: trained with, mixed in, embedded and looked at where it is asked for; else left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from asdcli import artifacts
from asdcli.errors import BadData, UsageError
from asdcli.features.bank import WaveformBank
from asdcli.pipeline.chain import CHAIN
from asdcli.stages import embed, train
from asdcli.training import model_files
from asdcli.training.noise import NoiseRecordings
from asdcli.views.supplemental import supplemental_clips
from tests.helpers import noise_run, supplemental_run
from tests.helpers.heard import Heard

TINY = "discriminative:network=tests.helpers.tiny_network:TwoBranches"
HOW: dict[str, Any] = {"model": TINY, "epochs": 2, "batch_size": 4, "device": "cpu"}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Not to be written to."""
    return supplemental_run.write(tmp_path_factory.mktemp("supplemental"))


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


def test_recordings_are_told_apart_by_what_is_alone_in_them(places: tuple[Path, Path]) -> None:
    table, _ = artifacts.read_table(places[0], artifacts.CLIPS)
    for kind in ("machine", "noise"):
        names = supplemental_clips(table, ["fan"], kind)["clip_id"].to_pylist()
        assert len(names) == 2 and all(f"fan/supplemental/section_00_source_supplemental_{kind}_" in n for n in names)


def test_ignored_they_change_nothing(places: tuple[Path, Path], tmp_path: Path) -> None:
    train.run(*places, tmp_path / "with", **HOW)
    train.run(*noise_run.write(tmp_path / "plain", n_train=5), tmp_path / "without", **HOW)
    assert weights(tmp_path / "with") == weights(tmp_path / "without")
    _, card, header = model_files.read_model(tmp_path / "with")
    assert card["n_clips"] == 10 and "noise" not in card and "supplemental" not in header.params


def test_used_they_are_trained_on_and_mixed_in_and_the_model_says_so(places: tuple[Path, Path], tmp_path: Path) -> None:
    progress = Heard()
    train.run(*places, tmp_path / "m", supplemental="use", progress=progress, **HOW)
    assert progress.notes == [
        "supplemental: 4 recordings of machines alone trained on, 4 recordings of noise alone mixed into training clips"
    ]
    _, card, header = model_files.read_model(tmp_path / "m")
    assert card["n_clips"] == 14
    assert card["noise"] == {"recordings": 4, "probability": 0.5, "snr_db": [0.0, 20.0]}
    assert header.params["supplemental"] == "use"
    assert train.run(*places, tmp_path / "m", supplemental="use", **HOW).status == "current"
    train.run(*places, tmp_path / "again", supplemental="use", **HOW)
    assert weights(tmp_path / "again") == weights(tmp_path / "m")
    train.run(*places, tmp_path / "silent", supplemental="use", noise=0.0, progress=progress, **HOW)
    assert progress.notes[-1].endswith("left aside, because this model mixes none in")
    assert weights(tmp_path / "silent") != weights(tmp_path / "m")


def test_a_change_of_them_makes_stale_what_used_them_and_nothing_else(
    places: tuple[Path, Path], tmp_path: Path
) -> None:
    table, _ = artifacts.read_table(places[0], artifacts.CLIPS)
    fewer = table.slice(0, len(table) - 1)  # one recording of noise is gone
    (stage,) = [stage for stage in CHAIN if stage.name == "train"]
    assert stage.clips_of is not None
    for word in ("ignore", "use"):
        train.run(*places, tmp_path / word, supplemental=word, **HOW)
        _, _, header = model_files.read_model(tmp_path / word)
        assert stage.clips_of(table, header) == header.inputs["clips"]
        assert (stage.clips_of(fewer, header) == header.inputs["clips"]) == (word == "ignore")
        of_training = header.inputs["features/waveform/fan"] == "the training clips of fan"
        assert of_training == (word == "ignore")  # else the whole pack counts
        assert ("--supplemental" in stage.options_of(header)) == (word == "use")


def test_noise_is_of_the_machine_type_or_of_all_where_it_has_none() -> None:
    samples = np.repeat([1000, 2000, 3000, 4000, 5000], 10).astype(np.int16)  # five recordings of ten samples
    bank = WaveformBank.of(np.split(samples, 5), torch.device("cpu"))
    noise = NoiseRecordings(bank, torch.tensor([0, 2, 0]), torch.tensor([2, 3, 5]))
    classes = torch.tensor([0, 1, 2]).repeat(300)
    drawn = noise.drawn(classes, 25, torch.Generator().manual_seed(0)) * 32768
    assert drawn.shape == (900, 25) and torch.equal(drawn.amin(dim=1), drawn.amax(dim=1))
    values = [set(drawn[classes == c, 0].int().tolist()) for c in range(3)]
    assert values == [{1000, 2000}, {3000, 4000, 5000}, {1000, 2000, 3000, 4000, 5000}]


def test_where_there_are_none_their_use_is_refused(tmp_path: Path) -> None:
    clips, features = noise_run.write(tmp_path, n_train=5)
    with pytest.raises(BadData, match="no supplemental recordings of fan, valve to use") as error:
        train.run(clips, features, tmp_path / "m", supplemental="use", **HOW)
    assert "leave --supplemental out" in str(error.value.hint)
    with pytest.raises(UsageError, match="unknown supplemental 'us'"):
        train.run(clips, features, tmp_path / "m", supplemental="us", **HOW)  # type: ignore[arg-type]


def test_a_model_that_mixes_no_noise_says_that_it_leaves_it_aside(places: tuple[Path, Path], tmp_path: Path) -> None:
    progress = Heard()
    how = {"model": "autoencoder:epochs=1", "device": "cpu", "progress": progress}
    train.run(*places, tmp_path / "m", supplemental="use", **how)
    assert any("4 recordings of noise alone left aside, because this model mixes none in" in n for n in progress.notes)


def test_embedded_they_are_seen_only_where_they_were_trained_on(places: tuple[Path, Path], tmp_path: Path) -> None:
    for word in ("ignore", "use"):
        train.run(*places, tmp_path / word, supplemental=word, **HOW)
        output = tmp_path / f"{word}.parquet"
        embed.run(*places, output, model=tmp_path / word, supplemental="use", device="cpu")
        made, header = artifacts.read_table(output, artifacts.EMBEDDINGS)
        alone = made.filter(pa.array([s == "supplemental" for s in made["split"].to_pylist()]))
        assert len(made) == 26 and len(alone) == 8 and header.params["supplemental"] == "use"
        kinds = [dict(pairs)["supplemental"] for pairs in alone["attributes"].to_pylist()]
        assert [k == "machine" and word == "use" for k in kinds] == alone["seen"].to_pylist()
    with pytest.raises(UsageError, match="unknown supplemental 'us'"):
        embed.run(*places, output, model=tmp_path / word, supplemental="us", device="cpu")  # type: ignore[arg-type]


def test_the_chain_scores_no_supplemental_clip_and_the_map_shows_them(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supplemental_run.write(tmp_path)
    where = ("--dataset", "noise")
    model = ("--model", f"{TINY},batch_size=4,epochs=1", "--device", "cpu")
    assert asd("train", *where, *model, "--supplemental", "use") == 0
    capsys.readouterr()
    assert asd("embed", *where, "--supplemental", "use", "--device", "cpu") == 0
    assert asd("score", *where, "-m", "nn") == 0
    assert "warning" not in capsys.readouterr().err  # nothing is taken for stale
    scored = pq.read_table("runs/noise/scores/nn.parquet")["clip_id"].to_pylist()
    assert scored and not any("supplemental" in name for name in scored)
    assert asd("plot", "map", *where, "-o", "map.svg", "--numbers", "map.csv") == 0
    drawn = Path("map.svg").read_text(encoding="utf-8")
    assert "supplemental machine alone" in drawn and "supplemental noise alone" in drawn
    assert "5 training and 4 test clips, 4 supplemental" in drawn


def test_an_unknown_word_is_refused(
    asd: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supplemental_run.write(tmp_path)
    assert asd("train", "--dataset", "noise", "--supplemental", "us") == 2
    assert "did you mean 'use'" in capsys.readouterr().err
