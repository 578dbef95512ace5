"""The parts of an embedding that come of the branches of a network: how many there are."""

from __future__ import annotations

from asdcli.errors import UsageError

DIMS = 128
"""Dimensions of a branch of the built-in networks."""


def n_branches(n_dims: int, branch: int) -> int:
    """How many branches of `branch` dimensions an embedding of `n_dims` has.

    Raises:
        UsageError: fewer than two, or not a whole number.
    """
    if branch < 1 or n_dims % branch or n_dims // branch < 2:
        raise UsageError(
            f"an embedding of {n_dims} dimensions is not made of two or more branches of {branch}",
            "say how many dimensions a branch of the network has: branch=N",
        )
    return n_dims // branch
