"""How much of the synthetic factory is recorded: the sizes of `asd download synthetic --size …`."""

from __future__ import annotations

from dataclasses import dataclass

from asdcli.vocabulary import SYNTHETIC, Subset

DEV_ONLY = ((Subset.DEV, "00"),)
SIX_SECTIONS = tuple((Subset.DEV if i < 3 else Subset.EVAL, f"{i:02d}") for i in range(6))


@dataclass(frozen=True)
class Size:
    """Counts of one size; all counts are per machine type and section.

    Attributes:
        machine_types: recorded when none are asked for.
        sections: (subset, section) pairs.
        train_source, train_target: normal training clips of each domain.
        test: test clips of each (domain, condition); four times as many in all.
        duration_s: length of each clip in seconds.
        edition: the catalogue's name for a dataset of this size.
        grammar: that edition's era of folders and names.
        channels: one microphone, or two: near the machine, and far from it.
    """

    machine_types: tuple[str, ...]
    train_source: int
    train_target: int
    test: int
    duration_s: float
    sections: tuple[tuple[Subset, str], ...] = DEV_ONLY
    edition: str = SYNTHETIC
    grammar: str = "2022"
    channels: int = 1


SIZES = {
    # tiny: for tests; small: for a demonstration; full: as large as an edition, 23 hours of sound
    "tiny": Size(("fan", "valve"), 24, 4, 4, 2.0),
    "small": Size(("fan", "gearbox", "valve"), 200, 10, 25, 6.0),
    "full": Size(
        ("bearing", "compressor", "fan", "gearbox", "pump", "slider", "valve"),
        990,
        10,
        50,
        10.0,
    ),
    "dcase2021": Size(
        ("fan", "gearbox", "valve"),
        30,
        3,
        12,
        6.0,
        SIX_SECTIONS,
        "synthetic2021",
        "2021",
    ),
    "dcase2026": Size(
        ("fan", "gearbox", "valve"),
        90,
        10,
        25,
        6.0,
        edition="synthetic2026",
        channels=2,
    ),
}

DEFAULT = "small"
