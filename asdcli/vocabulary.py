"""The field's words as types (see the dictionary in the README)."""

from __future__ import annotations

from enum import Enum
from typing import Literal


class Word(str, Enum):
    """One of a few words; reads as it is written."""

    def __str__(self) -> str:
        return self.value


DEVICES = ("auto", "cpu", "cuda", "mps")
"""Where a network can run; `cuda:N` names one of several."""
FP32 = "fp32"
PRECISIONS = ("auto", FP32, "bf16")
"""The number format in which it is trained, or embeds."""
SYNTHETIC = "synthetic"
"""The dataset that is rendered, not fetched."""
BOTH, MEAN, RESIDUAL = "both", "mean", "residual"
"""What may stand for a channel: the first two, one after another, the mean of all, or the first without the second."""
IMPORTED = "imported"
"""What stands in a header for the embedder of vectors that somebody brought."""
PEAK, FIXED = "peak", "fixed"
"""A gain that is measured, or given: `fixed:0.5`."""


class Domain(Word):
    """Acoustic condition before (`source`) or after (`target`) the domain shift."""

    SOURCE = "source"
    TARGET = "target"


class Condition(Word):
    """The truth about a clip."""

    NORMAL = "normal"
    ANOMALY = "anomaly"


class ConditionFrom(Word):
    """Who says the condition of a clip."""

    FOLDER = "folder"
    NAME = "name"
    MANIFEST = "manifest"
    TRUTH = "truth"  # the organisers' tables
    SPLIT = "split"  # it is said to train, and training clips are normal by the rules of the field
    OPTION = "option"  # the user, who typed asd learn, --condition-word or --unlabelled
    ADDED = "added"  # the user, who typed asd reference add, after the rest was learned
    OPERATOR = "operator"  # whoever answered what asd check had found, by asd confirm
    ASSUMED = "assumed"  # nobody: nothing of its machine type is labelled


class ScoredAs(Word):
    """What had been seen of a normal training clip when it was scored, the most telling about new clips first."""

    HELD_OUT = "held-out"  # nothing: the model was trained on other groups, and the scorer fitted without its group
    CROSS_FITTED = "cross-fitted"  # the same, of a model of its own: the one that scores new clips has seen all
    CONFIRMED = "confirmed"  # nothing: it is in no reference set, and an operator called it normal after it was checked
    LEFT_OUT_GROUP = "left-out group"  # nothing: no model was trained, and the scorer was fitted without its group
    LEFT_OUT_CLIP = "left-out clip"  # its group: only the clip itself was left out
    SEEN = "seen"  # the clip: the model was trained on it


class Split(Word):
    """The role of a clip's folder."""

    TRAIN = "train"
    TEST = "test"
    SUPPLEMENTAL = "supplemental"
    ANSWERED = "answered"  # of no folder: an operator said what a checked recording is


class Subset(Word):
    """Development or evaluation part of an edition."""

    DEV = "dev"
    EVAL = "eval"


class Unit(Word):
    """The clips that share one reference set and one alpha."""

    MACHINE_TYPE = "machine-type"
    SECTION = "section"


Unlabelled = Literal["train", "test"]
"""Where recordings may go of which nothing is said."""

GROUPINGS = ("attributes", "session", "block:N", "COLUMN")
"""What may tell which training clips belong together; COLUMN stands for any column or key of an attribute."""

NONE = "none"
"""What is said of a word that says nothing of the condition."""

PValue = Literal["clip", "group"]
"""What a p-value takes new clips for: for clips like any other, or for clips of a new group."""
Data = Literal["source", "all"]
"""Whose samples may be neighbours, or make a mixture."""
Distance = Literal["euclidean", "cosine"]
Projector = Literal["pca", "tsne", "umap"]
"""How vectors are laid out on a plane."""
HIGHEST = "max"
"""Of the scores of a clip's windows the highest."""
OfWindows = Literal["mean", "max"]
"""What a clip has of the scores of its windows."""
Supplemental = Literal["ignore", "use"]
"""What becomes of an edition's supplemental recordings."""
SupplementalKind = Literal["machine", "noise"]
"""What alone is in a supplemental recording."""
ValidationSet = Literal["train-all", "train-random", "train-cluster", "test-all", "held-out"]
PseudoAnomaly = Literal["shuffled", "machine-type", "section", "attributes", "domain"]
"""What stands for anomalies where there are none: vectors with their dimensions dealt anew, or other normal clips."""
