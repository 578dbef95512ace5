"""Whatever a command writes: what asd did not make, or what was changed since, is overwritten only with --force.

The table below names every file that a stage of the chain writes, and the commands that write elsewhere.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

from asdcli.cli import call as asd_run
from asdcli.pipeline.chain import STAGES
from tests.helpers.typed import typed

Asd = Callable[..., int]

RUN, DATA = "runs/synthetic", "data/synthetic"
WINDOWS = ("--method", "nn", "--level", "clip")
SMOOTH = ("smooth", "-k", "2", *WINDOWS)
APPEND = (*SMOOTH, "--append", "-o", "pooled.parquet")
TUNE = ("tune", "-k", "1,2", "--clusters", "2", "--choose", "00", "--report", "00", *WINDOWS)
LABEL_FREE = ("tune", "--objective", "label-free", "-m", "nn", "--pseudo", "shuffled")
FRACTION = ("smooth", "--fraction", "0.5:1:0.5", "--repeats", "1", *WINDOWS)
FUSE = ("fuse", "nn", "mse", "--name", "both")
INDEX = ("index", "other/mine", "--data", "other")
AUTOENCODER = ("train", "--model", "autoencoder", "--epochs", "1")
SUBMIT = ("submit", f"{RUN}/scores/nn.parquet", "--label", "Doe_Lab", "--edition", "dcase2023", "--subset", "dev")
FROM = ("score", "--from", "brought.csv", "--name", "mine")

TABLE: dict[str, list[tuple[tuple[str, ...], dict[str, tuple[str, ...]]]]] = {
    # stage -> a command line that writes it anew, the pattern of the chain -> files that come of it
    "download": [(("download", "synthetic", "--size", "tiny"), {"clips.parquet": (f"{DATA}/clips.parquet",)})],
    "index": [
        (
            (*INDEX, "--seed", "1"),
            {
                "clips.parquet": ("other/mine/clips.parquet",),
                "errors-index.parquet": ("other/mine/errors-index.parquet",),
            },
        )
    ],
    "extract-features": [
        (
            ("extract-features", "--machine-type", "fan", "--channel", "0"),
            {
                "features/*/*.npz": (f"{RUN}/features/waveform/fan.npz",),
                "errors-extract-features.parquet": (f"{RUN}/errors-extract-features.parquet",),
            },
        ),
        (
            ("extract-features", "--machine-type", "fan", "--channel", "0", "--shard", "1/2"),
            {
                "shards/features/*/*.npz": (f"{RUN}/shards/features/waveform/fan.1-of-2.npz",),
                "shards/features/*/errors.*.parquet": (f"{RUN}/shards/features/waveform/errors.1-of-2.parquet",),
            },
        ),
    ],
    "train": [
        (
            ("train", "--epochs", "3"),
            {"model": tuple(f"{RUN}/model/{f}" for f in ("card.json", "weights.safetensors", "metrics.jsonl"))},
        ),
        (
            (*AUTOENCODER, "--seed", "1"),
            {"autoencoder": tuple(f"{RUN}/autoencoder/{f}" for f in ("card.json", "weights.safetensors"))},
        ),
        (
            ("train", "--epochs", "1", "--folds", "2"),
            {"model/fold-*": tuple(f"{RUN}/model/fold-1/{f}" for f in ("card.json", "weights.safetensors"))},
        ),
        ((*AUTOENCODER, "--folds", "2"), {"autoencoder/fold-*": (f"{RUN}/autoencoder/fold-2/card.json",)}),
    ],
    "embed": [
        (("embed", "--embedder", "logmel"), {"embeddings.parquet": (f"{RUN}/embeddings.parquet",)}),
        (("embed",), {"fold-embeddings.parquet": (f"{RUN}/fold-embeddings.parquet",)}),
        (
            ("embed", "--embedder", "logmel", "--shard", "1/2"),
            {"shards/embeddings/*.parquet": (f"{RUN}/shards/embeddings/1-of-2.parquet",)},
        ),
        (("embed", "--from", "vectors.csv"), {"errors-embed.parquet": (f"{RUN}/errors-embed.parquet",)}),
    ],
    "score": [
        (
            ("score", "--method", "nn", "--seed", "1"),
            {
                "scores/*.parquet": (f"{RUN}/scores/nn.parquet",),
                "window-scores/*.parquet": (f"{RUN}/window-scores/nn.parquet",),
                "detectors/*.npz": (f"{RUN}/detectors/nn.npz",),
                "errors-score.parquet": (f"{RUN}/errors-score.parquet",),
            },
        ),
        (
            ("score", "--method", "mse"),
            {
                "scores/*.parquet": (f"{RUN}/scores/mse.parquet",),
                "window-scores/*.parquet": (f"{RUN}/window-scores/mse.parquet",),
                "detectors/*.npz": (f"{RUN}/detectors/mse.npz",),
            },
        ),
    ],
    "score-from": [
        (
            FROM,
            {
                "scores/*.parquet": (f"{RUN}/scores/mine.parquet",),
                "errors-score-from-*.parquet": (f"{RUN}/errors-score-from-mine.parquet",),
            },
        )
    ],
    "smooth": [
        (
            (*SMOOTH, "--embeddings", "other.parquet"),
            {"scores/*+smooth*.parquet": (f"{RUN}/scores/nn+smooth.k=2,data=all,level=clip.parquet",)},
        )
    ],
    "append": [
        (
            APPEND,
            {
                "pools/*.parquet": (f"{RUN}/pools/nn+smooth.k=2,data=all,level=clip.parquet",),
                "scores/*+smooth*.parquet": ("pooled.parquet",),
            },
        )
    ],
    "fraction": [((*FRACTION, "--seed", "1"), {"fractions.parquet": (f"{RUN}/fractions.parquet",)})],
    "tune": [
        (
            (*TUNE, "--seed", "1"),
            {
                "tuning.parquet": (f"{RUN}/tuning.parquet",),
                "scores/*.tuned.parquet": (f"{RUN}/scores/nn+smooth.tuned.parquet", f"{RUN}/scores/gmm.tuned.parquet"),
            },
        )
    ],
    "label-free": [
        ((*LABEL_FREE, "--seed", "1"), {"tuning-label-free.parquet": (f"{RUN}/tuning-label-free.parquet",)})
    ],
    "fuse": [((*FUSE, "--machine-type", "fan"), {"scores/*.parquet": (f"{RUN}/scores/both+fuse.by=z.parquet",)})],
    "threshold": [(("threshold", "--quantile", "0.8"), {"thresholds.parquet": (f"{RUN}/thresholds.parquet",)})],
    "evaluate": [(("evaluate", "--max-fpr", "0.2"), {"results.parquet": (f"{RUN}/results.parquet",)})],
}

SYSTEM = f"{RUN}/submission/dev/task2/Doe_Lab_task2_1"
ELSEWHERE: list[tuple[tuple[str, ...], str]] = [
    (("evaluate", "--csv", "results.csv"), "results.csv"),
    (("threshold", "--decisions", "decisions.csv"), "decisions.csv"),
    (("threshold", "--decisions", "decisions.parquet"), "decisions.parquet"),
    (("plot", "p-values", "--run", "runs/plain"), "runs/plain/plots/p-values.svg"),
    (("plot", "p-values", "--run", "runs/plain", "-o", "p.png"), "p.png"),
    (("plot", "p-values", "--run", "runs/plain", "--numbers", "p.csv"), "p.csv"),
    (("explain", "source_test_normal_0001_spd_1320_bkg_B", "--run", "runs/plain", "-o", "w.png"), "w.png"),
    (SUBMIT, f"{SYSTEM}/anomaly_score_fan_section_00_test.csv"),
    (SUBMIT, f"{SYSTEM}/decision_result_fan_section_00_test.csv"),
    (SUBMIT, f"{RUN}/submission/dev/Doe_Lab_task2.zip"),
    ((*SUBMIT, "--meta", "meta.yaml"), f"{SYSTEM}/Doe_Lab_task2_1.meta.yaml"),
    *(
        ((*line, "-o", "notes.txt"), "notes.txt")
        for line in (
            ("embed",),
            ("score", "--method", "nn"),
            FROM,
            SMOOTH,
            FRACTION,
            TUNE,
            LABEL_FREE,
            ("threshold",),
            ("evaluate",),
        )
    ),
    (("extract-features", "-o", "elsewhere"), "elsewhere/fan.npz"),
    (("train", "--epochs", "1", "-o", "elsewhere"), "elsewhere/weights.safetensors"),
    (("embed", "--format", "npz", "-o", "vectors.npz"), "vectors.npz"),
]

CASES = [(line, path) for entries in TABLE.values() for line, files in entries for of in files.values() for path in of]
TABLES = [(line, path) for line, path in CASES if path.endswith(".parquet") and not re.search("errors|mse", path)]
"""mse is up to date whatever is typed: nothing overwrites it."""
NOTE = b"what I think of it\n"


def named(part: object) -> str:
    return part if isinstance(part, str) else ""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder in which every stage has run."""
    place = typed(tmp_path_factory.mktemp("finished"), "download synthetic --size tiny --machine-type fan")
    shutil.copytree(place / DATA / "dev_data/raw/fan", place / "other/mine/fan")
    typed(
        place,
        INDEX,
        "extract-features --dataset synthetic",
        "extract-features --features logmel",
        "train --epochs 1",
        AUTOENCODER,
        "embed --embedder logmel -o other.parquet",
        "embed",
        "score --method nn --method mse",
        SMOOTH,
        APPEND,
        FRACTION,
        TUNE,
        LABEL_FREE,
        FUSE,
        f"threshold {RUN}/scores/nn.parquet",
        "evaluate",
        "score -m nn --embeddings other.parquet --run runs/plain",
    )
    scores = pq.read_table(place / RUN / "scores/nn.parquet", columns=["clip_id", "anomaly_score"]).to_pylist()
    lines = ["clip_id,anomaly_score", *(f"{row['clip_id']},{row['anomaly_score']}" for row in scores)]
    (place / "brought.csv").write_text("\n".join(lines) + "\n")
    vectors = ["clip_id,machine_type,split,v0", *(f"{row['clip_id']},fan,test,1.5" for row in scores)]
    (place / "vectors.csv").write_text("\n".join(vectors) + "\n")
    (place / "meta.yaml").write_text("submission: {}\n")
    return place


@pytest.fixture
def here(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to work in."""
    place = shutil.copytree(finished, tmp_path / "here", symlinks=True)
    monkeypatch.chdir(place)
    return place


def contents(place: Path) -> dict[str, bytes]:
    return {str(p.relative_to(place)): p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file()}


def refused(here: Path, capsys: pytest.CaptureFixture[str], line: tuple[str, ...], path: Path) -> None:
    """The command writes nothing at all and says why."""
    before = contents(here)
    capsys.readouterr()
    assert asd_run([*line, "--quiet"]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert path.name in told.partition("hint:")[0] and "--force" in told.partition("hint:")[2]
    changed = {name for name, data in contents(here).items() if before.get(name) != data}
    assert changed <= {f"{RUN}/run.json", "data/current", "other/current"}


def test_every_file_that_a_stage_writes_is_in_the_table() -> None:
    written = {name: {files.pattern for files in stage.writes} for name, stage in STAGES.items()}
    tried = {name: {p for _, files in entries for p in files} for name, entries in TABLE.items()}
    assert tried == written


@pytest.mark.parametrize(("line", "path"), [*CASES, *ELSEWHERE], ids=named)
def test_what_asd_did_not_make_is_left_alone(
    here: Path, capsys: pytest.CaptureFixture[str], line: tuple[str, ...], path: str
) -> None:
    place = here / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(NOTE)
    refused(here, capsys, line, place)


@pytest.mark.parametrize(("line", "path"), TABLES, ids=named)
def test_a_table_that_was_changed_since_is_left_alone(
    here: Path, capsys: pytest.CaptureFixture[str], line: tuple[str, ...], path: str
) -> None:
    place = here / path
    if not place.exists():
        pytest.skip("is not there, because every clip has one window")
    table = pq.read_table(place)
    number = next(
        i for i, field in enumerate(table.schema) if pa.types.is_float64(field.type) or field.name == "clip_id"
    )
    column = pc.add(table[number], 1) if pa.types.is_float64(table.schema[number].type) else table[number][::-1]
    pq.write_table(table.set_column(number, table.schema[number], column), place)
    refused(here, capsys, line, place)


def test_weights_that_were_changed_since_are_left_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = here / RUN / "model/weights.safetensors"
    weights = load_file(place)
    name = next(iter(weights))
    save_file({**weights, name: np.asarray(weights[name] + 1)}, place)
    refused(here, capsys, ("train", "--epochs", "3"), place)


@pytest.mark.parametrize("line", [line for name in TABLE for line, _ in TABLE[name] if name != "train"], ids=" ".join)
def test_what_a_stage_made_itself_it_makes_anew(here: Path, line: tuple[str, ...]) -> None:
    assert asd_run([*line, "--quiet"]) == 0


@pytest.mark.parametrize("line", dict.fromkeys(line for line, _ in ELSEWHERE if "-o" not in line), ids=" ".join)
def test_what_a_command_wrote_it_writes_again_until_it_is_changed(here: Path, line: tuple[str, ...]) -> None:
    path = next(here / path for of, path in ELSEWHERE if of == line)
    for _ in range(2):
        assert asd_run([*line, "--quiet"]) in (0, 3)
    path.write_bytes(path.read_bytes() + b"\n")
    assert asd_run([*line, "--quiet"]) == 1
    assert asd_run([*line, "--quiet", "--force"]) in (0, 3)


@pytest.mark.parametrize(
    ("line", "path"), [*{line: path for line, path in CASES if line[0] != "train"}.items(), *ELSEWHERE[-2:]], ids=named
)
def test_with_force_it_is_overwritten(here: Path, line: tuple[str, ...], path: str) -> None:
    place = here / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(NOTE)
    assert asd_run([*line, "--quiet", "--force"]) in (0, 3)
    assert not place.exists() or place.read_bytes() != NOTE


def test_a_model_is_trained_in_place_of_another_with_force(here: Path) -> None:
    place = here / RUN / "autoencoder/weights.safetensors"
    place.write_bytes(NOTE)
    assert asd_run([*AUTOENCODER, "--quiet", "--force"]) == 0
    assert load_file(place)
