"""The detectors of pyod that can be named, with their own parameters, before any of them is imported.

These are the ones that score a clip the same alone and in company, and twice alike with one seed. ECOD, COPOD, SOS,
ROD, LMDD, DIF and RGraph look at the other clips that are scored with it, so that a clip would have no score of its
own; networks are left to `asd train`.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
from typing import Any

from asdcli.errors import AsdError, unknown_name
from asdcli.spec import Registry

INSTALL = "install it beside asd: pip install 'asdcli[pyod]'"
_OURS = ("random_state", "n_jobs", "verbose")  # the seed is asd's; neither of the others changes a score

MODULES = {
    "ABOD": "abod",
    "CBLOF": "cblof",
    "GMM": "gmm",
    "HBOS": "hbos",
    "HDBSCAN": "hdbscan",
    "IForest": "iforest",
    "INNE": "inne",
    "KDE": "kde",
    "KNN": "knn",
    "KPCA": "kpca",
    "LODA": "loda",
    "LOF": "lof",
    "MCD": "mcd",
    "OCSVM": "ocsvm",
    "PCA": "pca",
    "QMCD": "qmcd",
    "Sampling": "sampling",
}
"""Name of a detector -> its module in `pyod.models`."""


class Detectors(Registry):
    """Registry of classes that say which parameters a detector has; `detector(spelling, seed)` makes one."""

    def __init__(self) -> None:
        super().__init__("detector of pyod", {})

    def names(self) -> list[str]:
        return list(MODULES)

    def load(self, name: str) -> type:
        """A dataclass of the detector's parameters, each as it is spelled.

        Raises:
            UsageError: no such detector. AsdError: pyod is not installed, or lacks something.
        """
        if name not in MODULES:
            raise unknown_name(self.kind, name, MODULES)
        return _parameters(name)

    def detector(self, spelling: str, seed: int) -> Any:
        """The detector, not fitted yet. Errors as `build`, and those of its class for a value that it cannot have."""
        name, _ = self.parse(spelling)
        given = dataclasses.asdict(self.build(spelling))
        plain = self.load(name)
        typed = {f.name: given[f.name] for f in dataclasses.fields(plain) if given[f.name] != f.default}
        cls = _class(name)
        ours = {"random_state": seed, "verbose": 0}
        known = inspect.signature(cls).parameters
        own = {key: value for key, value in ours.items() if key in known}
        return cls(**{key: _value(text) for key, text in typed.items()}, **own)


PYOD = Detectors()


@functools.cache
def _parameters(name: str) -> type:
    fields = [
        (p.name, str, _text(p.default))
        for p in inspect.signature(_class(name)).parameters.values()
        if p.name not in _OURS
    ]
    return dataclasses.make_dataclass(name, fields, frozen=True)


def _class(name: str) -> Any:
    try:
        return getattr(importlib.import_module(f"pyod.models.{MODULES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "pyod").partition(".")[0] == "pyod":
            raise AsdError(f"{name} is a detector of pyod, which is not installed", INSTALL) from None
        raise AsdError(f"{name} is a detector of pyod, which lacks {error.name}", INSTALL) from None
    except ImportError as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise AsdError(f"{name} is a detector of pyod, which cannot be imported: {why}", INSTALL) from None


def _text(value: Any) -> str:
    """A default as people type it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _value(text: str) -> Any:
    """What was typed, as a number where it is one."""
    words = {"none": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
