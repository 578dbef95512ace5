"""Samples cut into the pools whose members may be neighbours of one another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asdcli.errors import BadData
from asdcli.progress import SILENT, Progress
from asdcli.scorers import exact_search
from asdcli.scorers.exact_search import Neighbours
from asdcli.scorers.smooth import OwnWindows, Pool, Smooth
from asdcli.views.samples import Samples
from asdcli.vocabulary import Data, Domain


def pools_of(table: pa.Table, pool: Pool) -> dict[tuple[str, str | None], np.ndarray]:
    """(machine type, section or None) -> ascending rows of the samples that may be neighbours of one another."""
    machine_types = table["machine_type"].to_pylist()
    sections = table["section"].to_pylist() if pool == "section" else [None] * len(table)
    rows: dict[tuple[str, str | None], list[int]] = {}
    for row, key in enumerate(zip(machine_types, sections, strict=True)):
        rows.setdefault(key, []).append(row)
    return {key: np.array(rows[key]) for key in sorted(rows, key=lambda k: (k[0], k[1] or ""))}


def in_pool(table: pa.Table, data: Data) -> np.ndarray:
    """(n,) bool, the samples whose scores may be averaged into others'.

    Raises:
        BadData: `source` is asked for and no domain is known.
    """
    if data == "all":
        return np.ones(len(table), bool)
    domains = table["domain"]
    if domains.null_count == len(table):
        raise BadData(
            "no domain of these test clips is known: there is no source pool", "smooth among all: --neighbours all"
        )
    return pc.fill_null(pc.equal(domains, str(Domain.SOURCE)), False).to_numpy(zero_copy_only=False)


def kept_apart(table: pa.Table, own_windows: OwnWindows) -> np.ndarray | None:
    """(n,) the clip of each sample where windows of one clip are no neighbours; None where they may be."""
    if own_windows == "in":
        return None
    clips = table["clip_id"].combine_chunks().dictionary_encode()
    return clips.indices.to_numpy()


def data_to_try(table: pa.Table, asked: Data | None, progress: Progress) -> tuple[Data, ...]:
    """What is asked for; else both, or only `all` where no domain is known."""
    if asked is not None:
        return (asked,)
    if table["domain"].null_count == len(table):
        progress.note("no domain of these clips is known: there is no source pool to try")
        return ("all",)
    return ("source", "all")


def search_pools(
    samples: Samples, smooth: Smooth, k: int, progress: Progress = SILENT
) -> Iterator[tuple[np.ndarray, Neighbours]]:
    """The rows of each pool and the K - 1 nearest neighbours of each of its samples."""
    members = in_pool(samples.table, smooth.data)
    groups = pools_of(samples.table, smooth.pool).values()
    for rows in progress.track(groups, total=len(samples.table), label="neighbours", unit="samples"):
        yield rows, neighbours_in_pool(samples, rows, members[rows], smooth, k - 1)
        progress.advance(len(rows))


def neighbours_in_pool(
    samples: Samples, rows: np.ndarray, members: np.ndarray, smooth: Smooth, width: int
) -> Neighbours:
    """The `width` samples whose scores each of the samples `rows` is averaged with.

    Args:
        samples: all of them.
        rows: (n_rows,) of one pool.
        members: (n_rows,) bool, which of them may be neighbours.
        smooth: distance, and whether windows of the same clip count.
        width: how many, without the sample itself.
    """
    x = exact_search.prepare(samples.vectors[rows], smooth.metric)
    apart = kept_apart(samples.table.take(pa.array(rows)), smooth.own_windows)
    found = exact_search.neighbours(x, width, members, apart)
    return exact_search.alone(found, ~members) if smooth.outside == "keep" else found
