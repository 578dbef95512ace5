"""The chain of stages as data: each stage once, with its command, what it reads and writes in a run, and its options.

Doctor, the freshness rule and `asd show` walk it; the README's table, the Makefile and `Kind.made_by` are held against
it by tests. A new stage is one entry here and a `Kind`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pyarrow as pa

from asdcli import artifacts
from asdcli.artifacts import Header, Kind
from asdcli.filenames import stem
from asdcli.files import FOLDS
from asdcli.metrics.specs import LABEL_FREE
from asdcli.pipeline import options
from asdcli.pipeline.workspace import Workspace
from asdcli.scorers.fuse import FUSED
from asdcli.views.digests import model_input, pack_input, trained_machine_types
from asdcli.views.packs import TRAINING


@dataclass(frozen=True)
class Files:
    """Files of one kind, as they lie in a run.

    Attributes:
        pattern: below the run, such as `features/*/*.npz`; a model is a folder.
        of_dataset: they lie below the dataset root instead.
    """

    kind: Kind
    pattern: str
    of_dataset: bool = False

    def find(self, space: Workspace) -> list[Path]:
        """Those that are there, by name."""
        return sorted((space.dataset_root if self.of_dataset else space.run).glob(self.pattern))

    def hold(self, relative: str) -> bool:
        """Whether a path below the run is one of them."""
        same_depth = relative.count("/") == self.pattern.count("/")
        return same_depth and fnmatchcase(relative, self.pattern)


CLIPS = Files(artifacts.CLIPS, "clips.parquet", of_dataset=True)
FEATURES = Files(artifacts.FEATURES, "features/*/*.npz")
FEATURES_SHARDS = Files(artifacts.FEATURES_SHARD, "shards/features/*/*.npz")
ERRORS_OF_SHARDS = Files(artifacts.ERRORS, "shards/features/*/errors.*.parquet")
MODEL = Files(artifacts.MODEL, "model")
AUTOENCODER = Files(artifacts.MODEL, "autoencoder")
FOLD_MODELS = Files(artifacts.MODEL, f"model/{FOLDS}")
FOLD_AUTOENCODERS = Files(artifacts.MODEL, f"autoencoder/{FOLDS}")
EMBEDDINGS = Files(artifacts.EMBEDDINGS, "embeddings.parquet")
EMBEDDINGS_SHARDS = Files(artifacts.EMBEDDINGS_SHARD, "shards/embeddings/*.parquet")
FOLD_EMBEDDINGS = Files(artifacts.FOLD_EMBEDDINGS, "fold-embeddings.parquet")
SCORES = Files(artifacts.SCORES, "scores/*.parquet")
WINDOW_SCORES = Files(artifacts.WINDOW_SCORES, "window-scores/*.parquet")
DETECTORS = Files(artifacts.DETECTOR, "detectors/*.npz")
POOLS = Files(artifacts.POOL, "pools/*.parquet")
SMOOTHED = Files(artifacts.SCORES, "scores/*+smooth*.parquet")
FRACTIONS = Files(artifacts.FRACTIONS, "fractions.parquet")
TUNING = Files(artifacts.TUNING, "tuning.parquet")
LABEL_FREE_TUNING = Files(artifacts.TUNING, "tuning-label-free.parquet")
TUNED = Files(artifacts.SCORES, "scores/*.tuned.parquet")
THRESHOLDS = Files(artifacts.THRESHOLDS, "thresholds.parquet")
RESULTS = Files(artifacts.RESULTS, "results.parquet")

Names = Sequence[str]
"""Paths below the run without suffix; what a file may be called there."""


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: its key in `STAGES`.
        command: what is typed; `asd smooth --append` is a stage of its own.
        reads, writes: files of a run; what the stage is for stands first among those that it writes.
        options_of: header of a file -> the words that make it again after `command`.
        names: header, name of an input there -> what that input may be called in the run; nothing where it comes from
            elsewhere. By default they are called alike.
        clips_of: clips.parquet, header -> digest of the rows that the file is made of; None: the whole table.
        part: where the header of an input has the digest of the part that the stage looks at; clips of the other part
            may come and go. What of the clips matters is then for `clips_of` alone to say.
        placed: its options name its inputs themselves, each in its place, and paths take that of those from elsewhere.
        made: whether it made the file with this header, where another stage writes into the same folder.
        repeats: the option whose values one command takes together.
        apart: parameters by which its files are told apart; one command makes those of all kinds that have them alike.
        commands_of: header of a file that several commands made together -> a header for each of them.
        always: part of every run from download to official score.
    """

    name: str
    command: str
    reads: tuple[Files, ...]
    writes: tuple[Files, ...]
    options_of: Callable[[Header], list[str]] = options.none
    names: Callable[[Header, str], Names] = lambda _, name: (name,)
    clips_of: Callable[[pa.Table, Header], str] | None = None
    part: str | None = None
    placed: bool = False
    made: Callable[[Header], bool] = lambda _: True
    repeats: str | None = None
    apart: tuple[str, ...] = ("method",)
    commands_of: Callable[[Header], list[Header]] = lambda header: [header]
    always: bool = False


def _pack_clips(clips: pa.Table, header: Header) -> str:
    return pack_input(clips, str(header.params.get("machine_type")))


def _model_clips(clips: pa.Table, header: Header) -> str:
    groups, supplemental = bool({"hold_out", "folds"} & {*header.params}), "supplemental" in header.params
    return model_input(clips, trained_machine_types(header), groups=groups, supplemental=supplemental)


def _of_packs(_: Header, name: str) -> Names:
    """A pack lies under its machine type, or a file name made of it."""
    return tuple(dict.fromkeys((name, "/".join(stem(part) for part in name.split("/")))))


def _of_network(header: Header, name: str) -> Names:
    if "embeddings" in header.inputs or name.partition("/")[0] != MODEL.pattern:
        return _of_packs(header, name)
    return (name.replace(MODEL.pattern, AUTOENCODER.pattern, 1),)


def _of_vectors(header: Header, name: str) -> Names:
    return () if name in ("source", "labels", *options.OF_WEIGHTS) else _of_packs(header, name)


def _of_samples(header: Header, name: str) -> Names:
    """Smoothed scores are made of scores of windows or clips, or of a pool."""
    method = str(header.params.get("method", ""))
    if name == "pool":
        return (f"pools/{stem(method)}",)
    if name == "scores":
        made_of = [e for e in header.history if e.get("content") == header.inputs[name]]
        smoothed = stem(str(made_of[-1]["params"].get("method") if made_of else method.partition("+")[0]))
        return (f"window-scores/{smoothed}", f"scores/{smoothed}")
    return (name,)


def _of_methods(_: Header, name: str) -> Names:
    """What is made of several methods' scores names each by its spelling."""
    return (name,) if name in ("clips", "thresholds") else (f"scores/{stem(name)}",)


def _errors(stage: str) -> Files:
    return Files(artifacts.ERRORS, f"errors-{stage}.parquet")


CHAIN = (
    Stage("download", "asd download", (), (CLIPS,), always=True),
    Stage(
        "index",
        "asd index",
        (),
        (CLIPS, Files(artifacts.ERRORS, "errors-index.parquet", of_dataset=True)),
        options.of_index,
        made=lambda header: "layout" in header.params,
    ),
    Stage(
        "extract-features",
        "asd extract-features",
        (CLIPS,),
        (FEATURES, _errors("extract-features"), FEATURES_SHARDS, ERRORS_OF_SHARDS),
        options.of_features,
        clips_of=_pack_clips,
        repeats="--machine-type",
        always=True,
    ),
    Stage(
        "train",
        "asd train",
        (CLIPS, FEATURES),
        (MODEL, AUTOENCODER, FOLD_MODELS, FOLD_AUTOENCODERS),
        options.of_model,
        names=_of_vectors,
        clips_of=_model_clips,
        part=TRAINING,
        always=True,
    ),
    Stage(
        "embed",
        "asd embed",
        (CLIPS, FEATURES, MODEL, FOLD_MODELS),
        (EMBEDDINGS, FOLD_EMBEDDINGS, _errors("embed"), EMBEDDINGS_SHARDS),
        options.of_embeddings,
        names=_of_vectors,
        always=True,
    ),
    Stage(
        "score",
        "asd score",
        (EMBEDDINGS, FOLD_EMBEDDINGS, CLIPS, FEATURES, AUTOENCODER, FOLD_AUTOENCODERS),
        (SCORES, WINDOW_SCORES, DETECTORS, _errors("score")),
        options.of_scores,
        names=_of_network,
        repeats="--method",
        always=True,
    ),
    Stage(
        "score-from",
        "asd score --from",
        (CLIPS,),
        (SCORES, _errors("score-from-*")),
        options.of_brought,
        names=_of_vectors,
        made=lambda header: "source" in header.inputs,
    ),
    Stage(
        "smooth",
        "asd smooth",
        (WINDOW_SCORES, SCORES, EMBEDDINGS),
        (SMOOTHED,),
        options.of_smoothed,
        names=_of_samples,
        repeats="-k",
    ),
    Stage(
        "append",
        "asd smooth --append",
        (WINDOW_SCORES, SCORES, EMBEDDINGS),
        (POOLS, SMOOTHED),
        options.of_smoothed,
        names=_of_samples,
        made=lambda header: header.kind == artifacts.POOL.name or "pool" in header.inputs,
    ),
    Stage(
        "fraction",
        "asd smooth --fraction",
        (CLIPS, WINDOW_SCORES, SCORES, EMBEDDINGS),
        (FRACTIONS,),
        options.of_fractions,
        names=_of_samples,
    ),
    Stage(
        "tune",
        "asd tune",
        (CLIPS, WINDOW_SCORES, SCORES, EMBEDDINGS),
        (TUNING, TUNED),
        options.of_tuned,
        names=_of_samples,
        made=lambda header: header.params.get("objective") != LABEL_FREE,
        apart=(),
    ),
    Stage(
        "label-free",
        f"asd tune --objective {LABEL_FREE}",
        (CLIPS, EMBEDDINGS, FOLD_EMBEDDINGS),
        (LABEL_FREE_TUNING,),
        options.of_label_free,
        names=lambda _, name: () if "/" in name else (name,),
        placed=True,
        made=lambda header: header.params.get("objective") == LABEL_FREE,
    ),
    Stage(
        "fuse",
        "asd fuse",
        (SCORES, CLIPS),
        (SCORES,),
        options.of_fused,
        names=_of_methods,
        placed=True,
        made=lambda header: FUSED in str(header.params.get("method")),
    ),
    Stage(
        "threshold",
        "asd threshold",
        (SCORES,),
        (THRESHOLDS,),
        options.of_thresholds,
        names=_of_methods,
        commands_of=options.by_rule,
    ),
    Stage(
        "evaluate",
        "asd evaluate",
        (SCORES, CLIPS, THRESHOLDS),
        (RESULTS,),
        options.of_results,
        names=_of_methods,
        always=True,
    ),
)
"""In the order in which they run. Where two write into one folder, the later one's files are the more special."""

STAGES = {stage.name: stage for stage in CHAIN}
