"""Supplemental recordings of an edition, of a machine alone or of noise alone, and what a training takes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from asdcli import artifacts
from asdcli.errors import BadData
from asdcli.spec.values import convert
from asdcli.vocabulary import Split, Supplemental, SupplementalKind
from asdcli.wording import counted, listed


@dataclass(frozen=True)
class SupplementalClips:
    """Label columns of recordings of the machine alone and of noise alone, and what a header says of their use.

    Where they are not used there are none, and nothing is said.
    """

    machine: pa.Table
    noise: pa.Table
    params: dict[str, Any]

    def words(self, *, mixed: bool) -> str:
        """How many there are, and what becomes of them; `mixed`: the model mixes noise into its clips."""
        aside = "mixed into training clips" if mixed else "left aside, because this model mixes none in"
        return (
            f"supplemental: {counted(len(self.machine), 'recording')} of machines alone trained on, "
            f"{counted(len(self.noise), 'recording')} of noise alone {aside}"
        )


def supplemental_clips(table: pa.Table, machine_types: Sequence[str], kind: SupplementalKind) -> pa.Table:
    """Label columns of the supplemental recordings of the machine types: of the machine alone, or of noise alone."""
    of_types = pc.is_in(table["machine_type"], pa.array(machine_types, pa.string()))
    rows = table.filter(pc.and_(of_types, pc.equal(table["split"], str(Split.SUPPLEMENTAL))))
    kinds = [dict(pairs or ()).get("supplemental") for pairs in rows["attributes"].to_pylist()]
    return rows.select(artifacts.CLIP_COLUMNS).filter(pa.array([own == kind for own in kinds], pa.bool_()))


def supplemental_of(table: pa.Table, machine_types: Sequence[str], use: Supplemental) -> SupplementalClips:
    """What a training of the machine types takes.

    Raises:
        BadData: they are to be used, and there are none.
        UsageError: `use` is none of the words.
    """
    use = convert(use, Supplemental, what="supplemental")
    machine, noise = (supplemental_clips(table, machine_types, kind) for kind in ("machine", "noise"))
    if use == "ignore":
        return SupplementalClips(machine.slice(0, 0), noise.slice(0, 0), {})
    if not len(machine) and not len(noise):
        raise BadData(
            f"there are no supplemental recordings of {listed(list(machine_types))} to use",
            "leave --supplemental out, or take an edition that has some: asd datasets",
        )
    return SupplementalClips(machine, noise, {"supplemental": use})
