"""What is tried: datasets with their seeds, systems with the commands that make them, each trial a run of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

PROMISED = 0.1
HELD_OUT, KNOWN = "thresholds.parquet", "thresholds-of-training.parquet"
"""Thresholds of a run on clips that no model has seen, and on all training clips."""

_RULE = f"quantile:quantile={1 - PROMISED:g}"
_TOYCAR = "dcase2023"
_BLOCK = 20  # of 200 clips of a machine type


@dataclass(frozen=True)
class System:
    """A way from recordings to scores; `train` and `embed` are the words after these commands, None: not taken."""

    name: str
    key: str
    methods: Sequence[str]
    features: str = "waveform"
    train: Sequence[str] | None = None
    embed: Sequence[str] | None = None


SYSTEMS = (
    System("log-mel statistics", "logmel", ("nn", "mahalanobis"), "logmel", embed=("--embedder", "logmel")),
    System("network, fixed centres", "fixed", ("all+",), train=("--centers", "fixed"), embed=()),
    System("network, trainable centres", "trainable", ("all+",), train=("--centers", "trainable"), embed=()),
    System("autoencoder", "autoencoder", ("mse",), train=("--model", "autoencoder")),
)
_SINGLE = replace(SYSTEMS[0], name="log-mel statistics, clip by clip", key="single")
_STATES = replace(SYSTEMS[0], name="log-mel statistics, by operating state", key="states")


@dataclass(frozen=True)
class Trial:
    """One system on one dataset with one seed."""

    system: System
    folder: Path
    data: Path
    dataset: str
    seed: int

    @property
    def run(self) -> Path:
        return self.folder / f"{self.system.key}-{self.seed}"

    def work(self) -> None:
        """Take every step that is not up to date. Groups are held out of whatever is trained."""
        self.run.mkdir(parents=True, exist_ok=True)
        system, seed = self.system, ("--seed", str(self.seed))
        if not (self.run / "features").exists():  # what is extracted serves all runs of these data
            shared = self.folder / f"features-of-{self.data.name}-{self.dataset}"
            shared.mkdir(exist_ok=True)
            (self.run / "features").symlink_to(shared.resolve())
        self._asd("extract-features", "--features", system.features)
        if system.train is not None:
            self._asd("train", *system.train, "--hold-out", "0.1", *seed)
        if system.embed is not None:
            self._asd("embed", *system.embed)
        self._asd("score", *(word for method in system.methods for word in ("--method", method)), *seed)
        self._asd("threshold", "--rule", _RULE)
        if system.train is not None:
            self._asd("threshold", "--rule", _RULE, "--from-training", "-o", str(self.run / KNOWN))
        self._asd("evaluate")

    def _asd(self, *words: str) -> None:
        place = ("--data", str(self.data), "--dataset", self.dataset, "--run", str(self.run), "--quiet")
        asd(*words, *place)


class Failed(Exception):
    """A command that ended with another exit code than 0; it has said why."""

    def __init__(self, words: Sequence[str], code: int) -> None:
        super().__init__(f"asd {' '.join(words)} ended with {code}")
        self.code = code


def asd(*words: str) -> None:
    """Run a command; what it says goes to the terminal. Raises Failed."""
    code = subprocess.run([sys.executable, "-m", "asdcli", *words], stdout=sys.stderr, check=False).returncode
    if code:
        raise Failed(words, code)


def synthetic(folder: Path, seeds: Sequence[int]) -> Iterator[list[Trial]]:
    """Another factory for each seed: its recordings are rendered anew. All systems of a seed together.

    Its clips are drawn alike and on their own, whatever comes before them, so that blocks of them are as new as those
    of known operating states will be. So is each clip alone, and to leave out one takes less off the reference set
    than to leave out twenty. By their attributes they would be what a state is that nobody has recorded yet. Both are
    tried too, where it costs no training.
    """
    where = folder / "synthetic"
    for seed in seeds:
        data = where / f"data-{seed}"
        root = ("--data", str(data), "--quiet")
        asd("download", "synthetic", "--size", "small", "--seed", str(seed), *root)
        for name, length in (("blocks", _BLOCK), ("single", 1)):
            asd("index", str(data / "synthetic"), "--name", name, "--group-by", f"block:{length}", *root)
        yield [
            *(Trial(system, where, data, "blocks", seed) for system in SYSTEMS),
            Trial(_SINGLE, where, data, "single", seed),
            Trial(_STATES, where, data, "synthetic", seed),
        ]


def toycar(folder: Path, data: Path, seeds: Sequence[int]) -> Iterator[list[Trial]]:
    """The same recordings for each seed; log-mel statistics have none."""
    for seed in seeds:
        systems = [system for system in SYSTEMS if system.train is not None or seed == seeds[0]]
        yield [Trial(system, folder / "ToyCar", data, _TOYCAR, seed) for system in systems]


def toycar_data() -> Path | None:
    """The data root that holds ToyCar of 2023, and nothing else of that edition; None where there is none."""
    import pyarrow.parquet as pq

    root = Path(os.environ.get("ASD_DATA", "data"))
    clips = root / _TOYCAR / "clips.parquet"
    if not clips.exists():
        return None
    return root if set(pq.read_table(clips, columns=["machine_type"])[0].to_pylist()) == {"ToyCar"} else None
