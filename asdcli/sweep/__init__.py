"""Many runs: a plan says datasets, models, seeds and methods; each cell of it is an ordinary run that takes the steps.

`plan` reads the TOML, `cells` says which runs come of it and when one is done, `packing` makes what
they share, `attempts` takes the steps of one, `engines` say where they run, `sweep` puts these together, and `status`
tells how far it is. `shards` has the shards of one step made in the same way.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "plans"
OWN = "own"
"""The plan that one of one's own begins with."""
STARTS = {"varmin": "varmin-tables", "dns": "dns-tables"}
"""The plans that come with the package: what `asd sweep --init` takes -> what it is called."""


def shipped() -> list[str]:
    """The names of the plans that come with the package."""
    return sorted(file.stem for file in FOLDER.glob("*.toml") if file.stem != OWN)
