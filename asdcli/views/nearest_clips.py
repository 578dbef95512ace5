"""Which normal training clip each clip of a machine type is nearest to, by the run's vectors."""

from __future__ import annotations

import numpy as np

from asdcli.scorers.reference import Reference
from asdcli.scorers.vectors import Vectors
from asdcli.views.embeddings import Embedded
from asdcli.views.units import plan_units
from asdcli.views.windows import first_of_each
from asdcli.vocabulary import Unit


def nearest_clips(embedded: Embedded) -> dict[str, str]:
    """clip_id -> clip_id of the training clip of the nearest window to any of its own, its own left out.

    Clips of machine types without training clips are left out.
    """
    found: dict[str, str] = {}
    ids = embedded.column("clip_id")
    for plan in plan_units(embedded, Unit.MACHINE_TYPE)[0]:
        of_train, of_all = (np.flatnonzero(np.isin(embedded.clip, rows)) for rows in (plan.train, plan.scored))
        reference = Reference(Vectors.of(embedded.vectors[of_train], embedded.clip[of_train]))
        rows, distances = reference.nearest(Vectors.of(embedded.vectors[of_all], embedded.clip[of_all]))
        clip = embedded.clip[of_all]
        order = np.lexsort((distances, clip))  # of each clip the window that is nearest to something stands first
        best = order[first_of_each(clip[order])]
        near = reference.rows.clip[rows[best]]
        told = np.isfinite(distances[best])  # not of the only training clip
        found |= dict(zip(ids[clip[best]][told], ids[near][told], strict=True))
    return found
