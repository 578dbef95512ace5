"""A run that holds every kind of file that a run can hold, made by typing the commands."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.helpers.typed import typed

LINES = (
    "download synthetic --size tiny --machine-type fan --machine-type valve",
    "extract-features",
    "train --epochs 1",
    "train --model autoencoder --epochs 1 --seed 2",
    "embed",
    "score --method nn --method mse --seed 3",
    "smooth --method mse -k 2 -k 3 --level clip --neighbours source",
    "smooth --method mse -k 4 --level clip --append",
    "smooth --method nn --fraction 0.5:1.0:0.25 --repeats 2 -k 1 -k 2 --seed 1",
    "tune --method mse -k 1,2 --clusters 1 --choose 00 --report 01 --level clip",
    "threshold --rule quantile:quantile=0.8 --from-training",
    "evaluate --bootstrap 10",
)
IN_FOLDS = tuple(f"{line} --folds 2" if line.startswith("train") else line for line in LINES)
"""The same with models that were cross-fitted."""
FILES = {
    "features/waveform/fan",
    "features/waveform/valve",
    "model",
    "autoencoder",
    "embeddings",
    "scores/nn",
    "scores/mse",
    "window-scores/mse",
    "detectors/nn",
    "detectors/mse",
    "scores/mse+smooth.k=2,data=source,level=clip",
    "scores/mse+smooth.k=3,data=source,level=clip",
    "scores/mse+smooth.k=4,data=all,level=clip",
    "pools/mse+smooth.k=4,data=all,level=clip",
    "fractions",
    "tuning",
    "scores/gmm.tuned",
    "scores/mse+smooth.tuned",
    "thresholds",
    "results",
}
"""Names of all that these commands make."""
OF_FOLDS = {f"{model}/fold-{fold}" for model in ("model", "autoencoder") for fold in (1, 2)} | {"fold-embeddings"}
"""What is there besides where models were cross-fitted."""


def make(place: Path, lines: Sequence[str] = LINES) -> Path:
    """Type `lines` in the folder `place`, which is returned: `data` and `runs/synthetic` come of it."""
    return typed(place, *lines)


def copy(place: Path, to: Path) -> Path:
    """Copy what `make` made in `place`; returns the folder of the run."""
    for name in ("data", "runs"):
        shutil.copytree(place / name, to / name)
    return to / "runs" / "synthetic"
