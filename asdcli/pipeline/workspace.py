"""Where things lie: a data root with datasets, and a run folder with everything one experiment makes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from asdcli import catalogue
from asdcli.errors import AsdError, MissingArtifact, UsageError
from asdcli.filenames import fault, stem
from asdcli.files import require_file
from asdcli.pipeline import run_note

DATA_ROOT, RUNS_ROOT = Path("data"), Path("runs")
_CURRENT = "current"


@dataclass(frozen=True)
class Workspace:
    """The paths of one dataset and one run. Nothing is created by naming it.

    Attributes:
        data: the data root.
        run: the run's folder.
        dataset: a folder of the data root.
        assumed: nobody named the dataset, and no run that was named says it: it is the one last worked on.
        run_assumed: nobody named the run: it is called as the dataset.
        selects: what is done here makes the dataset the one that later commands take by default.
    """

    data: Path
    run: Path
    dataset: str
    assumed: bool = field(default=False, compare=False)
    run_assumed: bool = field(default=False, compare=False)
    selects: bool = field(default=True, compare=False)

    def renamed(self, dataset: str) -> Workspace:
        """The same for another dataset, and for the run of its name unless a run was named."""
        run = RUNS_ROOT / _fit_for_a_name(dataset) if self.run_assumed else self.run
        return replace(self, run=run, dataset=dataset)

    @property
    def dataset_root(self) -> Path:
        return self.data / self.dataset

    @property
    def clips(self) -> Path:
        return self.dataset_root / "clips.parquet"

    @property
    def features(self) -> Path:
        """Folder of the packs that are read, `<kind>/<machine type>.npz`: the run's own, or those of another run.

        Which one that is stands in the run's note; a note that cannot be read is told of by `remember`.
        """
        try:
            return (run_note.packs_of(self.run) or self.run) / "features"
        except AsdError:
            return self.own_features

    @property
    def own_features(self) -> Path:
        """Folder of the packs that are made here."""
        return self.run / "features"

    @property
    def shards(self) -> Path:
        """Folder of what shards have made and nobody has put together yet, laid out as the run."""
        return self.run / "shards"

    @property
    def model(self) -> Path:
        return self.run / "model"

    @property
    def autoencoder(self) -> Path:
        """Beside the model that embeds: scores of one are smoothed in the space of the other."""
        return self.run / "autoencoder"

    @property
    def embeddings(self) -> Path:
        return self.run / "embeddings.parquet"

    @property
    def scores_dir(self) -> Path:
        return self.run / "scores"

    def scores(self, spelling: str) -> Path:
        """`varmin:k=16,val=test-all` lies in `scores/varmin.k=16,val=test-all.parquet` (no colon: Windows)."""
        return self.scores_dir / f"{stem(spelling)}.parquet"

    def window_scores(self, spelling: str) -> Path:
        """Scores of the windows that a clip's score is the mean, or the highest, of."""
        return self.run / "window-scores" / self.scores(spelling).name

    def detector(self, spelling: str) -> Path:
        """What the method has learnt, to score new clips with."""
        return self.run / "detectors" / f"{stem(spelling)}.npz"

    def pool(self, spelling: str) -> Path:
        """Everything that was ever smoothed so, with its neighbours."""
        return self.run / "pools" / self.scores(spelling).name

    @property
    def tuning(self) -> Path:
        return self.run / "tuning.parquet"

    @property
    def label_free_tuning(self) -> Path:
        """What was chosen without a label, beside what was chosen by labels."""
        return self.run / "tuning-label-free.parquet"

    @property
    def fractions(self) -> Path:
        return self.run / "fractions.parquet"

    @property
    def submission(self) -> Path:
        return self.run / "submission"

    @property
    def thresholds(self) -> Path:
        return self.run / "thresholds.parquet"

    @property
    def history(self) -> Path:
        """Every check of the run's detectors, and what operators said of recordings: no artifact."""
        return self.run / "history.db"

    @property
    def results(self) -> Path:
        return self.run / "results.parquet"

    def plot(self, spelling: str, suffix: str) -> Path:
        """A figure; `p-values:p=group` lies in `plots/p-values.p=group.svg`."""
        return self.run / "plots" / f"{stem(spelling)}.{suffix}"

    def errors(self, stage: str) -> Path:
        return self.run / f"errors-{stage}.parquet"

    def remember(self) -> None:
        """Write the dataset's name into the run, and make both the ones that later commands take by default."""
        run_note.remember(self.run, self.dataset)
        if self.selects:
            select(self.data, self.dataset)

    def remember_if_there(self) -> None:
        """The same before the work: a dataset that was mistyped is not the next command's default."""
        if self.clips.exists():
            self.remember()

    def words_to_data(self) -> list[str]:
        """The option that leads a command to the data root, if one is needed."""
        return ["--data", str(self.data)] if self.data != DATA_ROOT else []

    def words(self) -> list[str]:
        """The options that lead a command here, as few as are needed."""
        words = self.words_to_data()
        if self.run != RUNS_ROOT / self.dataset:
            return [*words, "--run", str(self.run)]
        try:
            known = _last_dataset(self.data) == self.dataset
        except AsdError:
            known = False
        return words if known else [*words, "--dataset", self.dataset]


def select(data: Path, dataset: str) -> None:
    """Make `dataset` the one that later commands on this data root take by default."""
    run_note.write_if_changed(data / _CURRENT, dataset + "\n")


def needed(space: Workspace | None) -> Workspace:
    """The workspace where a step cannot do without. Raises UsageError."""
    if space is None:
        raise UsageError("there is no run to work on", "name one with --run, or every file that is read and written")
    return space


def resolve(
    *,
    data: Path | None = None,
    run: Path | None = None,
    dataset: str | None = None,
    otherwise: str | None = None,
    begins: bool = False,
) -> Workspace:
    """Find dataset and run from what the user gave.

    Args:
        data: the data root; None means `data`.
        run: the run's folder; None means `runs/<dataset>`.
        dataset: None means the run's own, else the one last worked on under `data`, else the only one there.
        otherwise: for what needs no dataset on disk: where none is found it is called as the run is, or this.
        begins: what is named may not be there yet: it is about to be made.

    Raises:
        UsageError: the run belongs to another dataset than the one named, there is more than one to choose from, or a
            name that no folder can have.
        MissingArtifact: there is no dataset at all, or the data root or dataset that was named is not there.
    """
    if data is not None and not begins and not data.is_dir():
        raise MissingArtifact(
            f"there is no data root {data}", "choose another --data, or make it: asd download EDITION, asd index DIR"
        )
    named, data = dataset, data or DATA_ROOT
    if run is not None:
        remembered = run_note.dataset_of(run)
        if remembered and dataset and remembered != dataset:
            raise UsageError(f"run {run} belongs to dataset {remembered!r}, not {dataset!r}", "choose another --run")
        dataset = dataset or remembered
    assumed = dataset is None
    try:
        dataset = dataset or _last_dataset(data)
    except MissingArtifact:
        if otherwise is None:
            raise
        dataset = run.resolve().name if run else otherwise
    own = RUNS_ROOT / _fit_for_a_name(dataset)
    if named and run is None and not begins and otherwise is None and run_note.dataset_of(own) != named:
        _require(data, named)
    return Workspace(data=data, run=run or own, dataset=dataset, assumed=assumed, run_assumed=run is None)


def _fit_for_a_name(dataset: str) -> str:
    if why := fault(dataset):
        raise UsageError(f"{dataset!r} cannot be a dataset's name: {why}", "name one below the data root: --dataset")
    return dataset


def _require(data: Path, dataset: str) -> None:
    """Raises MissingArtifact where a dataset that was named is not there."""
    if not (data / dataset / "clips.parquet").exists():
        there = _datasets(data)
        hint = f"there are: {', '.join(there)}" if there else "start with: asd download synthetic"
        if dataset in catalogue.names():
            hint = f"fetch it: {catalogue.load(dataset).made_by or f'asd download {dataset}'}"
        raise MissingArtifact(f"no dataset {dataset!r} under {data}", hint)


def _datasets(data: Path) -> list[str]:
    return sorted(p.parent.name for p in data.glob("*/clips.parquet"))


def _last_dataset(data: Path) -> str:
    note = data / _CURRENT
    if note.exists():
        return require_file(note).read_text(encoding="utf-8", errors="replace").strip()
    found = _datasets(data)
    if len(found) == 1:
        return found[0]
    if not found:
        raise MissingArtifact(f"no dataset under {data}", "start with: asd download synthetic")
    raise UsageError(f"several datasets under {data}: {', '.join(found)}", "choose one with --dataset")
