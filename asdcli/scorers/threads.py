"""One thread for everything that scikit-learn computes: the same sums always, however many threads there are.

That is more than numpy's products, for which `blas.single_threaded` does: its loops of OpenMP too, and its warnings.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator

from threadpoolctl import ThreadpoolController


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Matrix products and clusterings on one thread, and no warning where one has not converged: diagnostics say it.

    To work on several threads at once, enter it around them: what it changes belongs to the whole process.
    """
    from sklearn.exceptions import ConvergenceWarning

    with _libraries().limit(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


@functools.cache
def _libraries() -> ThreadpoolController:
    """Looking for them takes 2 ms, which many small fits would pay again and again."""
    import sklearn.cluster  # noqa: F401  # brings all that it computes with

    return ThreadpoolController()
