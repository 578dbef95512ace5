"""Vectors laid out on a plane, the same plane each time: by principal components, by t-SNE or by UMAP."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asdcli.errors import AsdError
from asdcli.scorers.threads import one_thread
from asdcli.vocabulary import Projector

_PERPLEXITY, _NEIGHBOURS = 30.0, 15  # what t-SNE and UMAP take for a neighbourhood, where there are so many


@dataclass(frozen=True, eq=False)
class Plane:
    """(n, 2) places, and of principal components the share of variance along each axis."""

    places: npt.NDArray[np.float64]
    explained: tuple[float, float] | None = None


def require(by: Projector) -> None:
    """Raises AsdError where a way cannot be gone, because umap-learn is not there or does not work."""
    if by != "umap":
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import umap  # noqa: F401
    except ImportError as error:
        lacking = isinstance(error, ModuleNotFoundError) and error.name == "umap"
        why = "is not installed" if lacking else f"cannot be imported: {error}"
        hint = "install it beside asd: pip install 'asdcli[plot]'; by=tsne and by=pca do without"
        raise AsdError(f"by=umap is computed by umap-learn, which {why}", hint) from None


def project(x: npt.NDArray[np.float64], by: Projector, *, seed: int) -> Plane:
    """Lay vectors out on a plane. The same vectors in the same order and the same seed give the same places.

    Args:
        x: (n, n_dims), compared by their direction: the cosine distance that scores are made of.
        by: how; fewer than five vectors are laid out by principal components whatever is asked for.
        seed: of t-SNE and UMAP.
    """
    return _WAYS[by if len(x) >= 5 else "pca"](x, seed)


def _pca(x: npt.NDArray[np.float64], _: int) -> Plane:
    """Of the vectors brought to unit length; of each axis the loading largest in size is positive."""
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    centred = unit - unit.mean(axis=0)
    with one_thread():
        _u, singular, axes = np.linalg.svd(centred, full_matrices=False)
    axes = np.vstack([axes[:2], np.zeros((max(0, 2 - len(axes)), x.shape[1]))])
    axes = axes * np.where(axes[np.arange(2), np.abs(axes).argmax(axis=1)] < 0, -1, 1)[:, None]
    shares = np.append(singular, [0.0, 0.0])[:2] ** 2 / max(float((singular**2).sum()), 1e-300)
    return Plane(centred @ axes.T, (float(shares[0]), float(shares[1])))


def _tsne(x: npt.NDArray[np.float64], seed: int) -> Plane:
    """L. van der Maaten, G. Hinton, 2008, as scikit-learn has it, beginning with principal components."""
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(x) - 1) / 3)
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        way = TSNE(perplexity=perplexity, metric="cosine", init=_start(x), random_state=seed, n_jobs=1)
        return Plane(np.asarray(way.fit_transform(x), np.float64))


def _umap(x: npt.NDArray[np.float64], seed: int) -> Plane:
    """L. McInnes, J. Healy, J. Melville, 2018, as umap-learn has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import UMAP

        with one_thread():
            neighbours = min(_NEIGHBOURS, len(x) - 1)
            way = UMAP(n_neighbors=neighbours, metric="cosine", init=_start(x), random_state=seed, n_jobs=1)
            return Plane(np.asarray(way.fit_transform(x), np.float64))


def _start(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Where both begin: principal components, small, as scikit-learn would make them by a random search."""
    places = _pca(x, 0).places
    return np.ascontiguousarray(1e-4 * places / max(float(places[:, 0].std()), 1e-12), dtype=np.float32)


_WAYS: dict[str, Callable[[npt.NDArray[np.float64], int], Plane]] = {"pca": _pca, "tsne": _tsne, "umap": _umap}
