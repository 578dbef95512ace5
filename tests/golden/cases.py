"""What comes of the stored inputs: one function a file. Numbers are compared to a stated tolerance."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asdcli import catalogue
from asdcli.features import frames, mels, standardised_mels
from asdcli.features.pack import FULL_SCALE
from asdcli.metrics import roc
from asdcli.metrics.official import SectionScores, measure, official
from asdcli.metrics.specs import SPECS
from asdcli.metrics.threshold_rules import RULES, set_threshold
from asdcli.scorers import PAPER, SCORERS, takes
from asdcli.scorers.exact_search import neighbours, prepare
from asdcli.scorers.residuals import Residuals
from asdcli.scorers.smoothing import smooth
from asdcli.scorers.unit import UnitVectors
from asdcli.scorers.vectors import Vectors
from asdcli.submission import meta as meta_file
from asdcli.submission import rows
from asdcli.submission.formats import CsvPart, format_of
from asdcli.vocabulary import Domain

FOLDER = Path(__file__).parent
EXACT = 1e-12

Numbers = Mapping[str, Any]
"""Name -> number, list of numbers (of lists …), or None where there is none."""


def stored() -> dict[str, Any]:
    """The inputs as they lie in inputs.json."""
    found: dict[str, Any] = json.loads((FOLDER / "inputs.json").read_text())
    return found


def official_scores() -> Numbers:
    """Every rule: the area of each term of each section, and the official score; areas for several ends of pAUC."""
    sections = [
        SectionScores(
            s["machine_type"],
            s["section"],
            np.array([c["score"] for c in s["clips"]]),
            np.array([c["anomalous"] for c in s["clips"]]),
            np.array([c["domain"] for c in s["clips"]]),
        )
        for s in stored()["sections"]
    ]
    found: dict[str, Any] = {}
    for name, spec in SPECS.items():
        values = measure(spec, sections)
        found |= {f"{name} {v.machine_type} {v.section} {v.term}": v.value for v in values}
        found[f"{name} official"] = official(spec, values)
    for section in sections:
        normal, anomalous = section.scores[~section.anomalous], section.scores[section.anomalous]
        place = f"{section.machine_type} {section.section}"
        found |= {f"pauc to {p} {place}": roc.pauc(normal, anomalous, p) for p in (0.05, 0.3, 1.0)}
    return found


def thresholds() -> Numbers:
    """Every threshold rule on the same scores, all of them and the first ten."""
    scores = np.array(stored()["training_scores"])
    asked = {"false-alarms": "false-alarms:per_day=1,clips_per_day=24"}
    found = {}
    for name in RULES.entries:
        rule = RULES.build(asked.get(name, name))
        for few in (scores, scores[:10]):
            found[f"{RULES.spell(rule)} of {len(few)}"] = set_threshold(rule, few).value
    return found


def scores() -> Numbers:
    """Every method, spelled as in the paper's tables or at its defaults: training clips leave-one-out, test clips."""
    data = stored()
    train, test = (np.array(data[name], np.float32) for name in ("train", "test"))
    unit = UnitVectors(
        "golden",
        Vectors.of(train, np.arange(len(train))),
        Vectors.of(test, len(train) + np.arange(len(test))),
        is_target=np.arange(len(train)) >= 20,
        bands=np.array([[0, 1, 4], [2, 3, 4]]),
    )
    residuals = np.array(data["residuals"], np.float32)
    training = Residuals(residuals.shape[-1], residuals[:5].shape[0] * residuals.shape[1])
    for number, residual in enumerate(residuals[:5]):
        training.add(residual, Domain.TARGET if number > 2 else Domain.SOURCE)
    found = {}
    few = {
        "gmm": "gmm:clusters=2",  # at its default of 8 the mixture of 24 clips is singular, and rounding decides
        "beam": "beam:bands=2",
    }
    own = [name for name in SCORERS.entries if name != "pyod"]  # another library's numbers change with it
    for spelling in dict.fromkeys([*PAPER, *(SCORERS.canonical(few.get(name, name)) for name in own)]):
        scorer = SCORERS.build(spelling)
        if takes(scorer) == "residuals":
            found[spelling] = scorer.fit(training).score(list(residuals)).tolist()
            continue
        fitted = scorer.fit(unit)
        found[f"{spelling} train"] = fitted.score(unit.train).tolist()
        found[f"{spelling} test"] = fitted.score(unit.test).tolist()
    return found


def smoothing() -> Numbers:
    """Eq. 7 for several K in both spaces, over all clips and over the source clips alone."""
    data = stored()
    x, plain = np.array(data["train"]), np.array(data["training_scores"][:24])
    found = {}
    for metric in ("euclidean", "cosine"):
        for name, pool in (("all", None), ("source", np.arange(24) < 20)):
            near = neighbours(prepare(x, metric), 23, pool)
            for k, smoothed in zip((1, 3, 24), smooth(plain, near, (1, 3, 24)), strict=True):
                found[f"{metric} {name} k={k}"] = smoothed.tolist()
    return found


def mel_frames() -> Numbers:
    """Sixteen mels of each front end's conventions, in float64; and the statistics that `logmel` embeds."""
    samples = np.array(stored()["samples"], np.int16)
    wave = torch.from_numpy(samples / FULL_SCALE)[None]
    specs = {
        "librosa": mels.MelSpec(),
        "autoencoder": frames.frontend("paper", 16_000).mel,
        "serial-oe": standardised_mels.mel_spec(16_000),
    }
    found = {n: mels.mel_frames(wave, replace(s, n_mels=16))[0].tolist() for n, s in specs.items()}
    found["statistics"] = mels.statistics(samples, mels.MelSpec(n_mels=16, centre=False)).tolist()
    return found


def csv(edition: str) -> dict[str, bytes]:
    """The CSVs of one section in an edition's naming, scores to the last digit: stored ones, the same everywhere."""
    style = format_of(catalogue.load(edition))
    values = [*json.loads((FOLDER / "scores.json").read_text())["nn test"], 0.1 + 0.2, 1e-300, -5.0]
    clips = [(f"section_00_{i:04d}.wav", value) for i, value in enumerate(values)]
    found = {}
    for kind in style.kinds:
        name = style.file_name(kind, CsvPart("fan", "00", "source" if style.by_domain else None))
        whole = kind == style.kinds[-1] and style.decisions
        found[f"{edition}/{name}"] = rows.text((clip, int(v > 0.1) if whole else v) for clip, v in clips).encode()
    return found


def meta() -> dict[str, bytes]:
    """The meta file, with what is known and what is to be filled in."""
    known = {
        "submission.label": "Doe_Lab_task2_1",
        "system.description.front_end_system": "discriminative:epochs=3",
        "system.description.machine_learning_method": "nn",
        "system.complexity.MACS": 1000,
        "results.development_dataset": {"fan": {"auc_source": 66.6667, "pauc": 50.0}},
    }
    return {"Doe_Lab_task2_1.meta.yaml": meta_file.new(known).encode()}


@dataclass(frozen=True)
class Case:
    """How a file of numbers is made, and to what tolerance it holds, with the reason where that is not EXACT.

    The tolerance is relative above 1 and absolute below.
    """

    make: Callable[[], Numbers]
    tolerance: float = EXACT
    because: str = ""


NUMBERS = {
    "official.json": Case(official_scores),
    "thresholds.json": Case(thresholds, 1e-3, "a gamma fit ends where its optimiser no longer sees a difference"),
    "scores.json": Case(scores),
    "smoothing.json": Case(smoothing),
    "mels.json": Case(mel_frames, 1e-5, "filter banks and statistics are float32"),
}


def texts() -> dict[str, bytes]:
    """Files that are promised to the byte, by path."""
    return {path: text for year in (2020, 2021, 2024) for path, text in csv(f"dcase{year}").items()} | meta()
