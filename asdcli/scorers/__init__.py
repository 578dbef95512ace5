"""Score back-ends: what is known of a unit's training clips becomes anomaly scores; larger is more anomalous.

A unit is what shares one reference set (a machine type, or one of its sections). A scorer is a frozen dataclass whose
fields are its parameters. Its `fit` looks at a unit and gives back what it learnt, as data; its `score` reads that and
gives windows of clips their scores. A whole one, to be put into a package of one's own or, with a line in `SCORERS`,
here:

    @dataclass(frozen=True)
    class Centre:
        \"\"\"A(x) = |x - mu|, mu the mean of the unit's training windows.\"\"\"

        def fit(self, unit: UnitVectors) -> Fitted:
            return Fitted(self, {"mean": unit.train.raw.mean(axis=0)})

        def score(self, learnt: Mapping[str, Any], windows: Vectors) -> np.ndarray:
            return np.linalg.norm(windows.raw - learnt["mean"], axis=1)

What it may add: class attributes (see `Scorer`), and diagnostics for people to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from asdcli.errors import UsageError
from asdcli.spec import Registry
from asdcli.vocabulary import Unit

if TYPE_CHECKING:
    import numpy as np

    from asdcli.scorers.vectors import Vectors

SCORERS = Registry(
    "method",
    {
        "nn": "asdcli.scorers.nearest:Nearest",
        "kmeans": "asdcli.scorers.kmeans:KMeans",
        "smote": "asdcli.scorers.smote:Smote",
        "rescale": "asdcli.scorers.rescale:Rescale",
        "varmin": "asdcli.scorers.varmin:VarMin",
        "gmm": "asdcli.scorers.gmm:Mixture",
        "mahalanobis": "asdcli.scorers.mahalanobis:Mahalanobis",
        "gwrp": "asdcli.scorers.gwrp:Gwrp",
        "domain-density": "asdcli.scorers.domain_density:DomainDensity",
        "domain-zscore": "asdcli.scorers.domain_zscore:DomainZScore",
        "lof": "asdcli.scorers.lof:LocalOutlierFactor",
        "pca": "asdcli.scorers.pca:PrincipalComponents",
        "beam": "asdcli.scorers.beam:Beam",
        "pyod": "asdcli.scorers.pyod_detectors:PyodDetector",
        "mse": "asdcli.scorers.reconstruction:MeanSquaredError",
        "selective-mahalanobis": "asdcli.scorers.reconstruction:SelectiveMahalanobis",
    },
    group="asdcli.scorers",
    needs=("fit", "score"),
    short={
        "ratio": "rescale:k=1",
        "difference": "rescale:form=difference",
        "cluster-exit": "rescale:exit=0.04",
    },
    leading={"pyod": "detector"},
)

DEFAULT = "varmin:k=16,val=train-all"

PAPER = (
    "nn",
    "kmeans",
    "smote",
    *(
        method
        for k in (8, 16)
        for method in (
            f"rescale:k={k}",
            *(f"varmin:k={k},val={val}" for val in ("train-all", "train-random", "train-cluster", "test-all")),
        )
    ),
)
"""The thirteen rows of the variance-minimisation paper's Tables 1 and 2: what `--method all` runs."""
MORE = (*PAPER, *(f"varmin:k={k},val=held-out" for k in (8, 16)))
"""The same and what the paper has not: what `--method all+` runs."""

FOR_ENCODERS = ("nn", "rescale:k=1", "domain-density", DEFAULT)
"""What `asd bench` scores by where nothing else is asked for: none needs more than vectors and the training clips."""

Takes = Literal["embeddings", "residuals"]


class Scorer(Protocol):
    """A method of anomaly scoring: a frozen dataclass, compared and spelled by its parameters.

    Class attributes that it may have:

        takes: `embeddings` (the default): `fit` is given a `UnitVectors`, and `score` windows as `Vectors`.
            `residuals`: `fit` is given the `Residuals` of a machine type's training clips, and `score` a list of
            windows of residuals (n_vectors, n_frames_a_vector, n_mels), what an autoencoder missed.
        unit: what shares one reference set where nothing else is asked for; a machine type is the default.
        terms: a method that takes what `score` takes and gives the `Terms` that a score is the minimum of, which
            `asd explain` shows.
        needs_training: False where residuals of training clips need not be computed, because `fit` does not look.
        restored: a method that takes arrays as they came from `Fitted.state`, and the training windows of given
            numbers, and gives what `fit` learnt: for methods that learnt what other methods fitted.
    """

    def fit(self, unit: Any) -> Fitted:
        """Look at the unit's training windows (and at its unlabelled test windows only where the method says so)."""
        ...

    def score(self, learnt: Mapping[str, Any], windows: Any) -> np.ndarray:
        """The anomaly score of each window (n_windows,) float64 by what `fit` learnt; larger is more anomalous.

        A window of a training clip is scored without that clip (leave-one-out) where the method compares clips; it is
        infinite where nothing else is left to compare it with.
        """
        ...


@dataclass(frozen=True, eq=False)
class Fitted:
    """A scorer that has seen its unit: data and no code, so that it can lie in a file.

    Attributes:
        scorer: the method with its parameters.
        learnt: arrays, numbers, reference sets and what other methods fitted, by name, without a dot in the names.
        diagnostics: what was found, for people: `rules` names the fallbacks taken (see `rules.RULES`; one that has no
            text there speaks for itself), beside the method's figures.
    """

    scorer: Scorer
    learnt: Mapping[str, Any] = field(default_factory=dict)
    diagnostics: Mapping[str, Any] = field(default_factory=dict)

    def score(self, windows: Any) -> np.ndarray:
        """The anomaly score of each window, as `Scorer.score` says."""
        return self.scorer.score(self.learnt, windows)

    @property
    def rules(self) -> list[str]:
        """The fallbacks that were taken."""
        return list(self.diagnostics.get("rules", ()))

    def state(self) -> dict[str, np.ndarray]:
        """All that was learnt, as arrays. Training windows stand in it by their number: see `Reference.state`.

        Raises:
            TypeError: the scorer learnt something that is no array of numbers or text.
        """
        import numpy as np

        from asdcli.scorers.reference import Reference

        arrays: dict[str, np.ndarray] = {}
        for name, value in self.learnt.items():
            if isinstance(value, (Reference, Fitted)):
                arrays |= {f"{name}.{part}": array for part, array in value.state().items()}
                continue
            arrays[name] = np.asarray(value)
            if arrays[name].dtype.hasobject:
                raise TypeError(f"{type(self.scorer).__name__} learnt {name!r}, a {type(value).__name__}: no array")
        return arrays

    @staticmethod
    def from_state(scorer: Scorer, state: Mapping[str, np.ndarray], windows: Callable[[np.ndarray], Vectors]) -> Fitted:
        """What `state` was made of, without diagnostics; it scores as before, to the bit.

        Args:
            scorer: the method.
            state: as `state()` gave it.
            windows: the training windows of given numbers, such as `unit.train.take`.
        """
        from asdcli.scorers.reference import Reference

        restored: Any = getattr(scorer, "restored", None)
        if restored is not None:
            return Fitted(scorer, restored(state, windows))
        learnt: dict[str, Any] = {name: array for name, array in state.items() if "." not in name}
        for name in dict.fromkeys(key.partition(".")[0] for key in state if "." in key):
            parts = {key.partition(".")[2]: array for key, array in state.items() if key.startswith(f"{name}.")}
            learnt[name] = Reference.from_state(parts, windows)
        return Fitted(scorer, learnt)


def takes(scorer: Scorer) -> Takes:
    """What the method looks at: `embeddings` where it does not say."""
    found: Takes = getattr(scorer, "takes", "embeddings")
    return found


def own_unit(scorer: Scorer) -> Unit:
    """What shares one reference set where nothing else is asked for."""
    return Unit(getattr(scorer, "unit", Unit.MACHINE_TYPE))


def scorers_of(spellings: Iterable[str], what: Takes) -> dict[str, Scorer]:
    """Canonical spelling -> scorer, without repetition.

    Raises:
        UsageError: an unknown method or parameter, or a method that looks at something else than `what`.
    """
    found: dict[str, Scorer] = {}
    for spelling in spellings:
        scorer: Scorer = SCORERS.build(spelling)
        if takes(scorer) != what:
            raise UsageError(f"method {spelling!r} looks at {takes(scorer)}, and these are {what}")
        found[SCORERS.spell(scorer)] = scorer
    return found
