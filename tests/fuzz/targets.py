"""What there is to damage: every file of a run that holds every kind, and the commands that read it.

Files and commands are found by walking the chain of stages: a new kind and a new stage are fuzzed by themselves.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from asdcli import artifacts
from asdcli.pipeline import chain, run_note
from asdcli.pipeline.chain import CHAIN, Files, Stage
from asdcli.training import loop
from asdcli.views.errors_table import write_errors
from tests.helpers.heard import Interrupting
from tests.helpers.loopback import machine_zip, wav
from tests.helpers.whole_run import IN_FOLDS

RUN, PARTS = "runs/synthetic", "runs/parts"
DETECT = "(python) detector"
"""Stands among commands for loading the run's detector from Python and scoring a clip with it."""

DOCTOR, SHOW = "doctor", "show"
"""What they print is no result, but what they have to say of files."""

PACKAGE = f"{RUN}/submission/dev"
SUBMIT = f"submit --label Doe_Lab --subset dev --edition dcase2023 {RUN}/scores/nn.parquet"

_PUT_TOGETHER = {
    "extract-features": f"extract-features --run {PARTS} --dataset synthetic",
    "embed": f"embed --embedder logmel --run {PARTS}",
}
_SHARDS = {"extract-features": 3, "embed": 2}  # three cut a machine type of two
_SLOW = ("train", "embed --force", "score --method nn --method mse", SUBMIT)
_MORE = {
    chain.CLIPS: ("download synthetic --size tiny", DOCTOR),
    chain.MODEL: (f"{DETECT} nn",),
    chain.AUTOENCODER: (f"{DETECT} mse",),
    chain.SCORES: (
        f"threshold {RUN}/scores/mse.parquet --rule quantile:quantile=0.5",
        "threshold --decisions decisions.csv",
        SUBMIT,
        f"evaluate {RUN}/scores --metric auc-pauc --compare nn mse",
    ),
    chain.DETECTORS: (f"{DETECT} nn", f"{DETECT} mse", "score --method nn --method mse --seed 3"),
    chain.POOLS: ("smooth --method mse -k 4 --level clip --append",),
    chain.THRESHOLDS: (
        "threshold --decisions decisions.csv",
        f"threshold {RUN}/scores/mse.parquet --rule quantile:quantile=0.5",
        SUBMIT,
        f"{DETECT} nn",
    ),
}
"""What reads files beyond the stages that make others of them."""


@dataclass(frozen=True)
class Target:
    """One file.

    Attributes:
        path: below the working folder. sort: name of its kind, or what it is.
        commands: that read it, cheap ones first. slow: how many of them, from the end, take seconds.
        sealed: whether a changed byte must be noticed; of what others made, only a crash is a fault.
        without: files that must not be there for it to be read.
    """

    path: str
    sort: str
    commands: tuple[str, ...]
    slow: int = 0
    sealed: bool = True
    without: tuple[str, ...] = ()


def targets(place: Path) -> list[Target]:
    """All of them in a working folder that `prepare` has filled."""
    found = {target.path: target for target in (*_of_run(place), *_of_others(place))}
    return [_sorted(target) for target in found.values()]


def prepare(place: Path) -> None:
    """Add to a run of `whole_run` what its commands do not make: leftovers, notes, and files that people bring."""
    run = place / RUN
    upstream = artifacts.read_header(run / "embeddings.parquet", artifacts.EMBEDDINGS)
    left_out = artifacts.Header.make(artifacts.ERRORS, dataset="synthetic", inputs={"embeddings": upstream})
    write_errors(run / "errors-score-from-mine.parquet", [("fan/x", "fan/x.wav", "it is silent")], left_out)
    _interrupt_a_training(place)
    _type(place, f"extract-features --features logmel --run {PARTS} --dataset synthetic -q")
    for stage, line in _PUT_TOGETHER.items():
        _type(place, f"{line} --shard 1/{_SHARDS[stage]} -q")
    zips = place / "zips"
    zips.mkdir()
    (zips / "dev_fan.zip").write_bytes(machine_zip("fan"))
    _bring(place)
    _type(place, SUBMIT)
    _type(place, "download dcase2022 --machine-type fan --from-dir zips -q")
    (place / "data/current").write_text("synthetic\n")


def line_of(stage: Stage) -> str | None:
    """The line of `IN_FOLDS` that is this stage's command; of several, the last."""
    found = None
    for line in IN_FOLDS:
        fitting = [s for s in CHAIN if set(s.command.split()[1:]) <= set(line.split())]
        if max(fitting, key=lambda s: len(s.command), default=None) is stage:
            found = line
    return found


def _of_run(place: Path) -> Iterator[Target]:
    run = place / RUN
    for stage in CHAIN:
        for files in stage.writes:
            root = place / "data/synthetic" if files.of_dataset else run
            for path in sorted(root.glob(files.pattern)):
                looks = (DOCTOR, f"{DOCTOR} --verify", f"{SHOW} {path.relative_to(place)}")
                again = filter(None, [line_of(stage)])  # which finds it up to date, or not as it was written
                commands = tuple(dict.fromkeys((*_readers(files, path.relative_to(root)), *again, *looks)))
                for file in _files_of(path):
                    target = Target(file.relative_to(place).as_posix(), files.kind.name, commands)
                    yield replace(target, **_how(file))


def _how(file: Path) -> dict:
    """What is particular about some files."""
    if file.name == loop.METRICS:
        return {"sort": "metrics", "sealed": False}
    if file.parent.name == "pools":
        return {"without": (f"{RUN}/scores/{file.name}",)}
    return {}


def _files_of(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]


def _readers(files: Files, relative: Path) -> Iterator[str]:
    """The commands of every stage that reads such a file, and of whatever else does."""
    for more, lines in _MORE.items():
        if more.kind == files.kind and more.hold(relative.as_posix()):
            yield from lines
    for stage in CHAIN:
        if any(read.kind == files.kind and read.hold(relative.as_posix()) for read in stage.reads):
            line = line_of(stage)
            if line:
                yield f"{line} --force"


def _sorted(target: Target) -> Target:
    """Cheap commands first."""
    slow = [c for c in target.commands if c.startswith(_SLOW)]
    cheap = [c for c in target.commands if c not in slow]
    return replace(target, commands=(*cheap, *slow), slow=len(slow))


def _of_others(place: Path) -> Iterator[Target]:
    noted = tuple(f"{command} --run {RUN}" for command in ("evaluate", "threshold", DOCTOR))
    yield Target(f"{RUN}/run.json", "run note", noted, sealed=False)
    yield Target("data/current", "last dataset", ("evaluate", DOCTOR), sealed=False)
    yield Target("data/synthetic/synthetic.json", "stamp", ("download synthetic --size tiny", DOCTOR), sealed=False)
    for of, line in (("features/waveform/*.npz", "extract-features"), ("embeddings/*.parquet", "embed")):
        for path in sorted((place / PARTS / "shards").glob(of)):
            name = path.relative_to(place).as_posix()
            kind = artifacts.read_header(path, artifacts.ANY).kind
            yield Target(name, kind, (_PUT_TOGETHER[line], f"{DOCTOR} --run {PARTS}", f"{SHOW} {name}"))
    line = "train --model autoencoder --epochs 2 --seed 2 --run runs/interrupted"
    yield Target(f"runs/interrupted/autoencoder/{loop.CHECKPOINT}", "checkpoint", (line,))
    yield Target(
        "data/dcase2022/.parts/dev_fan.zip.json",
        "marker",
        ("download dcase2022 --machine-type fan --verify", "download dcase2022 --machine-type fan --from-dir zips"),
        sealed=False,
    )
    zipped = ("download dcase2022 --machine-type fan --from-dir zips --data elsewhere",)
    yield Target("zips/dev_fan.zip", "zip", zipped, sealed=False)
    attributes = next((place / "data/dcase2022").rglob("attributes_*.csv")).relative_to(place)
    again = "download dcase2022 --machine-type fan --from-dir zips"
    yield Target(attributes.as_posix(), "attributes", (again,), sealed=False, without=("data/dcase2022/clips.parquet",))
    recording = "data/synthetic/" + pq.read_table(place / "data/synthetic/clips.parquet")["path"][0].as_py()
    yield Target(recording, "recording", ("extract-features --force", "extract-features --force --round"), sealed=False)
    yield Target("mine/recordings/a.wav", "recording", ("index mine/recordings --force",), sealed=False)
    for manifest in ("mine/manifest.csv", "mine/manifest.parquet"):
        line = f"index mine/recordings --manifest {manifest} --force"
        yield Target(manifest, "manifest", (line,), sealed=False)
    for file in sorted(p for p in (place / PACKAGE).rglob("*") if p.is_file()):
        path = file.relative_to(place).as_posix()
        check = f"submit --check {path if file.suffix == '.zip' else PACKAGE} --subset dev --edition dcase2023"
        evaluate = (f"evaluate --submission {path.rpartition('/')[0]}",) if file.suffix == ".csv" else ()
        yield Target(path, "submission", (SUBMIT, check, *evaluate), sealed=False)
    line = "embed --from mine/unlabelled.csv --labels mine/labels.csv --run runs/mine --force"
    yield Target("mine/labels.csv", "labels", (line,), sealed=False)
    for suffix in ("csv", "npz", "parquet"):
        line = f"embed --from mine/vectors.{suffix} --run runs/mine --force"
        yield Target(f"mine/vectors.{suffix}", "vectors", (line,), sealed=False)
        line = f"score --from mine/scores.{suffix} --name mine --force"
        yield Target(f"mine/scores.{suffix}", "brought scores", (line,), sealed=False)


def _bring(place: Path) -> None:
    """Vectors, scores, recordings and manifests as people have them."""
    mine = place / "mine"
    (mine / "recordings").mkdir(parents=True)
    labels = ("clip_id", "machine_type", "section", "split", "domain", "condition")
    table = pq.read_table(place / RUN / "scores/nn.parquet").replace_schema_metadata(None)
    scores = table.select(["clip_id", "anomaly_score"])
    vectors = table.select(labels).append_column("v0", table["anomaly_score"])
    pacsv.write_csv(table.select(labels), mine / "labels.csv")
    pacsv.write_csv(vectors.select(["clip_id", "v0"]), mine / "unlabelled.csv")
    for name, own in (("scores", scores), ("vectors", vectors)):
        pq.write_table(own, mine / f"{name}.parquet")
        pacsv.write_csv(own, mine / f"{name}.csv")
    arrays = {name: np.array([x or "" for x in table[name].to_pylist()]) for name in labels}
    values = table["anomaly_score"].to_numpy()
    np.savez(mine / "scores.npz", clip_id=arrays["clip_id"], anomaly_score=values)
    np.savez(mine / "vectors.npz", **arrays, vectors=values[:, None])
    names = [f"{name}.wav" for name in "abcd"]
    for seed, name in enumerate(names):
        (mine / "recordings" / name).write_bytes(wav(0.2, seed=seed))
    conditions = ["normal", "normal", "normal", "anomaly"]
    manifest = pa.table({"path": names, "split": ["train", "train", "test", "test"], "condition": conditions})
    pq.write_table(manifest, mine / "manifest.parquet")
    pacsv.write_csv(manifest, mine / "manifest.csv")


def _interrupt_a_training(place: Path) -> None:
    """A run of the same packs with a checkpoint after the first of two epochs."""
    from asdcli.pipeline.workspace import Workspace
    from asdcli.stages import train

    run = place / "runs/interrupted"
    shutil.copytree(place / RUN / "features", run / "features")
    run_note.remember(run, "synthetic")
    space = Workspace(place / "data", run, "synthetic")
    with pytest.raises(KeyboardInterrupt):
        train.run(
            space.clips,
            space.features,
            space.autoencoder,
            model="autoencoder",
            seed=2,
            epochs=2,
            progress=Interrupting(0.75),
        )


def _type(place: Path, line: str) -> None:
    from asdcli.cli import call

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert call(line.split()) in (0, 3), line  # 3: a submission in which something is still missing
