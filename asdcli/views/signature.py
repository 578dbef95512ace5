"""The line that goes wherever a number goes: how it was made, so that none made otherwise can pass for it.

    dcase2023|dev|machines:7|embedder:discriminative:centers=fixed|method:nn|seed:0|made:3fa2c1|asd:0.1.0 = 0.6612

Fields, in this order; a field that has nothing to say is left out:

    dataset|subset      what was evaluated
    machines            how many machine types
    clips               420/1400: only so many of the test clips of known condition have a score; 420/?: no table of
                        clips tells how many there should be
    embedder            the model that made the embeddings, as `asd train --model` takes it, or an embedder that
                        needs none; most of what is at its default is not spelled
    model               the autoencoder that scores by itself
    precision           of the training, where one was asked for
    method              as `asd score --method` takes it
    seed                of the training, or of the scoring where nothing was trained
    made                digest of all stages' parameters and seeds and of the data they began with (`views.making`)
    embeddings, autoencoder
                        their digest, where methods of one table are not of the same
    stale               what has changed since the scores were made of it
    metric, max-fpr     where they are not those of the edition
    figure              what draws many numbers of a method, as `asd plot` takes it; these follow on no line
    mean                which one, of a number that is a mean over editions; these then stand in the place of one
    table, runs, methods, seeds
                        of a table over many runs, as `asd table` takes it: how many runs and methods, and which seeds;
                        its numbers follow on no line
    undefined           1/6: so many terms could not be computed and are left out of the means
    asd                 version
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from asdcli import __version__
from asdcli.views.making import Making

_LONGEST = 80  # characters of a model that are written out


def line(
    place: str,
    making: Making,
    method: str,
    number: float | None,
    *,
    counts: Mapping[str, Any],
    apart: Iterable[str] = (),
    rest: Mapping[str, Any],
) -> str:
    """The line of one number: that of `many`, and the number.

    Args:
        place: see there, and so `making`, `method`, `counts`, `apart` and `rest`.
        making: see there.
        method: see there.
        number: what was measured; None where it is not defined.
        counts: see there.
        apart: see there.
        rest: see there.
    """
    told = many(place, making, method, counts=counts, apart=apart, rest=rest)
    return f"{told} = {'undefined' if number is None else f'{number:.4f}'}"


def many(
    place: str,
    making: Making,
    method: str | None,
    *,
    counts: Mapping[str, Any],
    apart: Iterable[str] = (),
    rest: Mapping[str, Any],
) -> str:
    """The line of many numbers of one method, such as a figure shows, or of several (None), such as a table does.

    Args:
        place: `dataset|subset`.
        making: how the scores were made.
        method: its spelling; None of what no method made.
        counts: fields before those of the making; None says nothing.
        apart: which origins the methods of one table do not share.
        rest: fields after those of the making.
    """
    of = {kind: _short(origin.spelling) for kind, origin in making.origins.items()}
    fields = {
        **counts,
        "embedder": of.get("embeddings"),
        "model": of.get("autoencoder"),
        "precision": "+".join(making.precisions) if set(making.precisions) - {"auto"} else None,
        "embedded": "+".join(making.embedded) or None,
        "method": method,
        "seed": making.seed,
        "made": making.digest,
        **{kind: making.origins[kind].digest for kind in apart if kind in making.origins},
        **rest,
        "asd": __version__,
    }
    told = "|".join(f"{name}:{value}" for name, value in fields.items() if value is not None)
    return f"{place}|{told}"


def _short(spelling: str) -> str:
    """A very long spelling by its beginning and a digest of all of it."""
    if len(spelling) <= _LONGEST:
        return spelling
    return f"{spelling[: _LONGEST - 8]}…{hashlib.blake2b(spelling.encode(), digest_size=3).hexdigest()}"
